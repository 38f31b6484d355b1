//! Command lines and output as people may see them.

/// Returns the command line as a shell would take it; tokens in it are blanked, and of a script only its first line is
/// shown.
pub fn quoted(argv: &[String]) -> String {
    let words: Vec<String> = argv.iter().map(|word| first_line(word)).collect();
    let line =
        shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "));
    redact(&line)
}

fn first_line(word: &str) -> String {
    match word.trim_end().split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => word.trim_end().to_owned(),
    }
}

/// Returns the line with bootstrap tokens and certificate keys blanked: kubeadm prints both.
pub fn redact(line: &str) -> String {
    let is_separator =
        |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-'));
    let mut after_key_flag = false;
    line.split_inclusive(is_separator)
        .map(|part| {
            let word = part.trim_end_matches(is_separator);
            let hide = is_token(word) || (after_key_flag && is_hexadecimal(word));
            after_key_flag = word == "--certificate-key" || (after_key_flag && word.is_empty());
            if hide {
                format!("***{}", &part[word.len()..])
            } else {
                part.to_owned()
            }
        })
        .collect()
}

/// `abcdef.0123456789abcdef`.
fn is_token(word: &str) -> bool {
    let good = |part: &str, length| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    word.split_once('.')
        .is_some_and(|(id, secret)| good(id, 6) && good(secret, 16))
}

fn is_hexadecimal(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{quoted, redact};

    #[test]
    fn a_script_is_shown_by_its_first_line() {
        let shown = |argv: [&str; 3]| quoted(&argv.map(str::to_owned));
        assert_eq!(shown(["sh", "-ec", "cd /tmp\nls\n"]), "sh -ec 'cd /tmp …'");
        assert_eq!(
            shown(["sh", "-ec", "cd /tmp; ls\n"]),
            "sh -ec 'cd /tmp; ls'"
        );
    }

    #[test]
    fn tokens_and_certificate_keys_are_hidden() {
        let key = "f".repeat(64);
        let line = format!(
            "  kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef --certificate-key {key} \\"
        );
        assert_eq!(
            redact(&line),
            "  kubeadm join 10.0.0.1:6443 --token *** --certificate-key *** \\"
        );
        assert_eq!(redact("token=\"abcdef.0123456789abcdef\""), "token=\"***\"");
    }

    #[test]
    fn digests_and_versions_are_not() {
        let line = format!("sha256:{} v1.37.2 node1.example.com", "a".repeat(64));
        assert_eq!(redact(&line), line);
    }
}
