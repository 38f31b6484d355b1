//! Reads the OpenSSH options of `ansible_ssh_common_args`: jump hosts, key, user, port.

use std::net::IpAddr;
use std::path::PathBuf;

use super::super::JumpHost;
use super::home::expand_home;

/// What the options say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SshArguments {
    /// Empty where it says that there is no way to go (`ProxyJump=none`).
    pub jump: Option<Vec<JumpHost>>,
    pub user: Option<String>,
    pub port: Option<u16>,
    pub private_key: Option<PathBuf>,
    /// `-F`: a configuration in place of the user's own.
    pub configuration: Option<PathBuf>,
    /// Options that kinstall doesn't follow, as they were written.
    pub ignored: Vec<String>,
    /// Options that would switch the check of host keys off.
    pub unsafe_options: Vec<String>,
    /// What comes after the options: in a ProxyCommand, the host to go through.
    operands: Vec<String>,
    /// `-W`: forward to the target, the mark of a jump.
    forwards: bool,
}

/// Reads options; the error says which can't be understood.
pub(super) fn parse(text: &str) -> Result<SshArguments, String> {
    let words = shlex::split(text).ok_or("a quote isn't closed")?;
    let mut arguments = SshArguments::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
            arguments.operands.push(word);
            continue;
        };
        let mut characters = flags.chars();
        while let Some(flag) = characters.next() {
            if !"JoiplWFLRDSEBbceIkmOQw".contains(flag) {
                arguments.ignored.push(format!("-{flag}"));
                continue;
            }
            let attached: String = characters.by_ref().collect();
            let value = if attached.is_empty() {
                words
                    .next()
                    .ok_or_else(|| format!("`-{flag}` lacks its value"))?
            } else {
                attached
            };
            arguments.option(flag, &value)?;
        }
    }
    Ok(arguments)
}

impl SshArguments {
    fn option(&mut self, flag: char, value: &str) -> Result<(), String> {
        match flag {
            'J' => self.jump = Some(jump_list(value)?),
            'F' => self.configuration = Some(expand_home(value)),
            'i' => self.private_key = Some(expand_home(value)),
            'p' => self.port = Some(port(value)?),
            'l' => self.user = Some(value.to_owned()),
            'W' => self.forwards = true,
            'o' => {
                let (name, value) = value
                    .split_once(['=', ' '])
                    .ok_or_else(|| format!("`-o {value}` lacks `=value`"))?;
                self.setting(name.trim(), value.trim())?;
            }
            _ => self.ignored.push(format!("-{flag} {value}")),
        }
        Ok(())
    }

    fn setting(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name.to_ascii_lowercase().as_str() {
            "proxyjump" => self.jump = Some(jump_list(value)?),
            "proxycommand" if value.eq_ignore_ascii_case("none") => self.jump = Some(Vec::new()),
            "proxycommand" => self.jump = Some(proxy_command(value)?.into_iter().collect()),
            "identityfile" => self.private_key = Some(expand_home(value)),
            "user" => self.user = Some(value.to_owned()),
            "port" => self.port = Some(port(value)?),
            "stricthostkeychecking" | "userknownhostsfile" => {
                self.unsafe_options.push(format!("{name}={value}"));
            }
            _ => self.ignored.push(format!("{name}={value}")),
        }
        Ok(())
    }
}

/// Reads the way to a host that a setting of an SSH configuration gives: `ProxyJump` or `ProxyCommand`; the error says
/// what can't be followed.
pub fn jump_hosts(name: &str, value: &str) -> Result<Vec<JumpHost>, String> {
    let mut arguments = SshArguments::default();
    arguments.setting(name, value)?;
    Ok(arguments.jump.unwrap_or_default())
}

fn jump_list(text: &str) -> Result<Vec<JumpHost>, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    text.split(',').map(|hop| jump_host(hop.trim())).collect()
}

/// Reads `[user@]host[:port]`, also as an `ssh://` address.
fn jump_host(text: &str) -> Result<JumpHost, String> {
    let rest = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, rest),
    };
    let (host, port_text) = if let Some(bracketed) = rest.strip_prefix('[') {
        let (host, tail) = bracketed
            .split_once(']')
            .ok_or_else(|| format!("`{text}` is no jump host"))?;
        (host, tail.strip_prefix(':'))
    } else if rest.parse::<IpAddr>().is_ok() {
        (rest, None)
    } else {
        match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        }
    };
    if host.is_empty() {
        return Err(format!("`{text}` is no jump host"));
    }
    Ok(JumpHost {
        user,
        host: host.to_owned(),
        port: port_text.map(port).transpose()?,
        private_key: None,
        password: None,
    })
}

/// Programs that connect their standard input and output to a host and a port.
const CONNECTORS: [&str; 4] = ["nc", "netcat", "ncat", "nc.openbsd"];

/// Reads a way through another host: `ssh -W %h:%p [user@]host`, or `ssh [user@]host nc %h %p`; and `nc %h %p`
/// alone, which is no way at all. Other programs can't be run by kinstall.
fn proxy_command(command: &str) -> Result<Option<JumpHost>, String> {
    let refused = || {
        format!(
            "the ProxyCommand `{command}` is not of the form `ssh -W %h:%p [user@]host` or \
             `ssh [user@]host nc %h %p`"
        )
    };
    let command_words = command.trim_start();
    let command_words = command_words.strip_prefix("exec ").unwrap_or(command_words);
    if is_connector(command_words) {
        return Ok(None);
    }
    let options = command_words
        .strip_prefix("ssh ")
        .or_else(|| command_words.strip_prefix("/usr/bin/ssh "))
        .ok_or_else(refused)?;
    let arguments = parse(options)?;
    let [host, remote @ ..] = &arguments.operands[..] else {
        return Err(refused());
    };
    let passes = arguments.forwards && remote.is_empty() || is_connector(&remote.join(" "));
    if !passes || arguments.jump.is_some() {
        return Err(refused());
    }
    let hop = jump_host(host)?;
    Ok(Some(JumpHost {
        user: hop.user.or(arguments.user),
        port: arguments.port.or(hop.port),
        private_key: arguments.private_key,
        ..hop
    }))
}

/// Tells `nc %h %p`, with waiting times if need be, from a program that goes another way.
fn is_connector(command: &str) -> bool {
    let plain = command
        .replace("2>/dev/null", "")
        .replace("2> /dev/null", "");
    let mut words = plain
        .split_whitespace()
        .skip_while(|word| *word == "exec")
        .filter(|word| !word.starts_with("-q") && !word.starts_with("-w"))
        .filter(|word| word.parse::<u32>().is_err());
    let program = words.next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    CONNECTORS.contains(&name) && words.eq(["%h", "%p"])
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| format!("`{text}` is no port"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match parse(text) {
            Err(error) => format!("error: {error}"),
            Ok(arguments) => {
                let Some(jump) = arguments.jump else {
                    return "open".to_owned();
                };
                let hops: Vec<String> = jump
                    .iter()
                    .map(|hop| {
                        let key = hop
                            .private_key
                            .as_ref()
                            .map(|key| format!(" key {}", key.display()));
                        let user = hop.user.as_deref().unwrap_or("-");
                        format!(
                            "{user}@{}:{}{}",
                            hop.host,
                            hop.port(),
                            key.unwrap_or_default()
                        )
                    })
                    .collect();
                hops.join(" > ")
            }
        }
    }

    #[test]
    fn jump_hosts_are_read_from_all_notations() {
        for (text, expected) in [
            ("-J gate", "-@gate:22"),
            ("-Jme@gate:2222,10.0.0.1", "me@gate:2222 > -@10.0.0.1:22"),
            ("-o ProxyJump=me@[::1]:23 -q", "me@::1:23"),
            ("-oProxyJump=ssh://me@gate", "me@gate:22"),
            (r#"-o ProxyCommand="ssh -W %h:%p -q me@gate""#, "me@gate:22"),
            (
                "-o StrictHostKeyChecking=no -o ProxyCommand='ssh -o StrictHostKeyChecking=no -i /k -p 23 -l me -W %h:%p gate'",
                "me@gate:23 key /k",
            ),
            ("-o ProxyCommand=none", ""),
            ("-o ProxyJump=none", ""),
            ("-J none", ""),
            ("-C -o ControlMaster=auto -o ControlPersist=60s", "open"),
            (
                "-o ProxyCommand='nc -X 5 %h %p'",
                "error: the ProxyCommand `nc -X 5 %h %p` is not of the form `ssh -W %h:%p [user@]host` or \
                 `ssh [user@]host nc %h %p`",
            ),
            ("-o ProxyCommand='ssh gate nc %h %p'", "-@gate:22"),
            (
                "-o ProxyCommand='ssh -q -i /k me@gate \"exec /usr/bin/netcat -w 5 %h %p 2>/dev/null\"'",
                "me@gate:22 key /k",
            ),
            ("-o ProxyCommand='ssh gate -p 23 nc -q0 %h %p'", "-@gate:23"),
            ("-o ProxyCommand='nc %h %p'", ""),
            (
                "-o ProxyCommand='ssh gate other %h %p'",
                "error: the ProxyCommand `ssh gate other %h %p` is not of the form `ssh -W %h:%p [user@]host` or \
                 `ssh [user@]host nc %h %p`",
            ),
            ("-J gate:99999", "error: `99999` is no port"),
            ("-J", "error: `-J` lacks its value"),
            ("-J 'x", "error: a quote isn't closed"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_followed_is_listed() {
        let arguments = parse("-C -o ControlPersist=60s -o UserKnownHostsFile=/dev/null").unwrap();
        assert_eq!(arguments.ignored, ["-C", "ControlPersist=60s"]);
        assert_eq!(arguments.unsafe_options, ["UserKnownHostsFile=/dev/null"]);
    }
}
