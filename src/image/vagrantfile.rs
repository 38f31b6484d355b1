//! The Vagrantfile inside of a box: two settings of it matter.

/// What a box's own Vagrantfile says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// `config.vm.base_mac`, as twelve upper-case digits.
    pub base_mac: Option<String>,
    /// `config.ssh.username`
    pub user: Option<String>,
}

/// Reads the settings; whatever else the file computes is left alone.
pub(super) fn read(text: &str) -> Settings {
    let value = |key: &str| text.lines().find_map(|line| quoted_value(line, key));
    let base_mac = value(".base_mac").and_then(|mac| {
        let is_separator = |it: char| matches!(it, ':' | '-');
        let digits = mac.replace(is_separator, "").to_ascii_uppercase();
        let is_mac = digits.len() == 12 && digits.bytes().all(|it| it.is_ascii_hexdigit());
        is_mac.then_some(digits)
    });
    Settings {
        base_mac,
        user: value(".ssh.username"),
    }
}

/// Returns the value of `….key = "value"`.
fn quoted_value(line: &str, key: &str) -> Option<String> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let (_, rest) = line.split_once(key)?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    let value = rest[1..].split(quote).next()?;
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Settings, read};

    #[test]
    fn settings_are_found_in_any_style() {
        let cases = [
            (
                r#"  config.vm.base_mac = "080027D14C66""#,
                Some("080027D14C66"),
                None,
            ),
            (
                "config.vm.base_mac='08:00:27:d1:4c:66' # first",
                Some("080027D14C66"),
                None,
            ),
            (
                "Vagrant.configure(\"2\") do |config|\n  # config.vm.base_mac = \"080027000000\"\n  \
                 config.vm.base_mac = \"0800273FA6E2\"\n  config.ssh.username = 'ubuntu'\nend",
                Some("0800273FA6E2"),
                Some("ubuntu"),
            ),
            ("config.vm.base_mac = nil", None, None),
            ("config.vm.base_mac = \"not a mac\"", None, None),
            ("config.ssh.username", None, None),
        ];
        for (text, base_mac, user) in cases {
            let expected = Settings {
                base_mac: base_mac.map(str::to_owned),
                user: user.map(str::to_owned),
            };
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
