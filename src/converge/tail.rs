//! The last lines of a program's output, without what must not be seen.

use std::collections::VecDeque;

/// Lines kept for an error message.
const KEPT: usize = 20;

/// The last lines that a program printed.
#[derive(Debug, Default)]
pub struct Tail(VecDeque<String>);

impl Tail {
    /// Adds a line; the oldest one goes when there are too many.
    pub fn push(&mut self, line: String) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub fn into_lines(self) -> Vec<String> {
        self.0.into()
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
    use super::{Tail, redact};

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

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut tail = Tail::default();
        for number in 0..50 {
            tail.push(number.to_string());
        }
        let lines = tail.into_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (20, "30"));
    }
}
