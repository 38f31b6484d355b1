//! `kinstall ssh-config`: a configuration for OpenSSH, so that ssh, scp, rsync and editors reach the hosts.

use std::fmt::Write as _;
use std::path::Path;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Keys, LabMachines, runtime};
use crate::model::{Connection, JumpHost};
use crate::ssh::reached_at;
use crate::ui::printer::{Format, Printer};

/// Prints the configuration: `kinstall ssh-config >lab.ssh; ssh -F lab.ssh node1`.
pub fn run(global: &GlobalArguments, printer: Printer) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let made = project.provider().filter(|it| it.makes_machines());
    let proxy = match made {
        Some(provider) if provider.has_own_network() => Some(proxy_command(&project.inventory)?),
        _ => None,
    };
    let mut known_hosts = vec![project.directory.join("ssh/known_hosts")];
    if made.is_none() {
        known_hosts.extend(std::env::home_dir().map(|home| home.join(".ssh/known_hosts")));
    }
    let known_hosts: Vec<String> = known_hosts.iter().map(|it| path(it)).collect();
    let identity = path(&project.directory.join("ssh/id_ed25519"));
    let mut text = format!(
        "# Hosts of cluster {}, by kinstall ssh-config\n",
        project.cluster.name
    );
    let runtime = runtime::start()?;
    for host in &project.cluster.hosts {
        let target = machines.target(host);
        // What is written here is read in place of the user's file.
        let connection = match &target.configuration {
            Some(configuration) => runtime
                .block_on(configuration.fill_in(&target.connection))
                .map_err(|error| vec![error.diagnostic(&host.name)])?,
            None => target.connection,
        };
        let names = match &project.cluster.node_domain {
            Some(domain) => format!("{name} {name}.{domain}", name = host.name),
            None => host.name.clone(),
        };
        let entry = Entry {
            names: &names,
            connection: &connection,
            identity: &identity,
            known_hosts: &known_hosts.join(" "),
            proxy: proxy.as_deref(),
            is_made: made.is_some(),
        };
        text.push('\n');
        entry.render(&mut text);
    }
    match printer.format {
        Format::Text => printer.data(&text),
        Format::Json => printer.json(&serde_json::json!({ "ssh_config": text })),
    }
    Ok(Exit::Success)
}

/// One host of the configuration.
struct Entry<'a> {
    names: &'a str,
    connection: &'a Connection,
    identity: &'a str,
    known_hosts: &'a str,
    proxy: Option<&'a str>,
    /// kinstall made it, so that key and host key are known from the beginning.
    is_made: bool,
}

impl Entry<'_> {
    fn render(&self, text: &mut String) {
        let connection = self.connection;
        let _ = writeln!(text, "Host {}", self.names);
        let mut line = |word: &str, value: &str| {
            let _ = writeln!(text, "  {word} {value}");
        };
        line("HostName", &reached_at(connection));
        if let Some(user) = &connection.user {
            line("User", user);
        }
        line("Port", &connection.port().to_string());
        if let Some(key) = &connection.private_key {
            line("IdentityFile", &path(key));
        }
        line("IdentityFile", self.identity);
        if self.is_made {
            line("IdentitiesOnly", "yes");
        }
        line("UserKnownHostsFile", self.known_hosts);
        // As kinstall itself does it: a host that the user brought is believed the first time.
        let checking = if self.is_made { "yes" } else { "accept-new" };
        line("StrictHostKeyChecking", checking);
        if let Some(command) = self.proxy {
            line("ProxyCommand", command);
        } else if !connection.jumps().is_empty() {
            let hops: Vec<String> = connection.jumps().iter().map(hop).collect();
            line("ProxyJump", &hops.join(","));
        }
    }
}

/// Returns a hop as `ProxyJump` wants it.
fn hop(hop: &JumpHost) -> String {
    let user = hop
        .user
        .as_ref()
        .map_or(String::new(), |user| format!("{user}@"));
    if hop.host.contains(':') {
        format!("{user}[{}]:{}", hop.host, hop.port())
    } else {
        format!("{user}{}:{}", hop.host, hop.port())
    }
}

/// Returns a path as a word of the configuration, where `%` begins a token.
fn path(path: &Path) -> String {
    let text = path.display().to_string().replace('%', "%%");
    if text.contains([' ', '\t', '"', '#', '\\', '\'']) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text
    }
}

/// Returns the command that leads into the lab's network; the user's shell reads it.
fn proxy_command(inventory: &Path) -> Result<String, Diagnostics> {
    let failed = |what: String| vec![Diagnostic::error(Kind::Environment, what)];
    let program = std::env::current_exe()
        .map_err(|error| failed(format!("failed to find this program: {error}")))?;
    let mut words = Vec::new();
    for word in [
        &program.display().to_string(),
        "--inventory",
        &inventory.display().to_string(),
    ] {
        let word = shlex::try_quote(word)
            .map_err(|error| failed(format!("no shell can read `{word}`: {error}")))?;
        words.push(word.replace('%', "%%"));
    }
    Ok(format!("{} dial %h:%p", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Entry, path, proxy_command};
    use crate::model::{Become, Connection, JumpHost, Method};

    fn connection(jump: Vec<JumpHost>) -> Connection {
        Connection {
            method: Method::Ssh,
            fallback: None,
            host: "192.168.56.21".into(),
            port: Some(2222),
            user: Some("admin".into()),
            private_key: Some(PathBuf::from("/home/me/.ssh/my key")),
            password: None,
            escalation: Become::Sudo,
            jump: Some(jump),
            configuration: None,
        }
    }

    #[test]
    fn a_host_behind_others() {
        let hop = |user: Option<&str>, host: &str| JumpHost {
            user: user.map(ToOwned::to_owned),
            host: host.into(),
            port: None,
            private_key: None,
            password: None,
        };
        let connection = connection(vec![hop(Some("me"), "gate"), hop(None, "fd00::1")]);
        let mut text = String::new();
        let entry = Entry {
            names: "node1 node1.lab",
            connection: &connection,
            identity: "/lab/.kinstall/ssh/id_ed25519",
            known_hosts: "/lab/.kinstall/ssh/known_hosts /home/me/.ssh/known_hosts",
            proxy: None,
            is_made: false,
        };
        entry.render(&mut text);
        insta::assert_snapshot!(text, @r#"
        Host node1 node1.lab
          HostName 192.168.56.21
          User admin
          Port 2222
          IdentityFile "/home/me/.ssh/my key"
          IdentityFile /lab/.kinstall/ssh/id_ed25519
          UserKnownHostsFile /lab/.kinstall/ssh/known_hosts /home/me/.ssh/known_hosts
          StrictHostKeyChecking accept-new
          ProxyJump me@gate:22,[fd00::1]:22
        "#);
    }

    #[test]
    fn paths_that_need_quotes() {
        assert_eq!(path(Path::new("/a/b")), "/a/b");
        assert_eq!(path(Path::new("/a b/50%")), "\"/a b/50%%\"");
        assert_eq!(path(Path::new("/a\"b")), "\"/a\\\"b\"");
        let command = proxy_command(Path::new("/my lab/50%/inventory.ini")).unwrap();
        let end = " --inventory '/my lab/50%%/inventory.ini' dial %h:%p";
        assert!(command.ends_with(end), "{command}");
    }
}
