//! A machine's serial console: on a terminal it shows text only.

use std::io::{self, IsTerminal as _, Write as _};

use anstream::adapter::StripBytes;

/// Passes a console's log on to stdout.
pub struct Console {
    /// `None` where no terminal could be harmed.
    strip: Option<StripBytes>,
}

impl Console {
    pub fn new() -> Self {
        Self {
            strip: io::stdout().is_terminal().then(StripBytes::new),
        }
    }

    /// Writes the next piece. Control sequences are left out on a terminal: what a machine says could
    /// move the cursor, set titles or type for the user.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match &mut self.strip {
            None => stdout.write_all(bytes)?,
            Some(strip) => stdout.write_all(&plain(strip, bytes))?,
        }
        stdout.flush()
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the text without control sequences; a bare carriage return would hide what stood before.
fn plain(strip: &mut StripBytes, bytes: &[u8]) -> Vec<u8> {
    strip
        .strip_next(bytes)
        .flatten()
        .copied()
        .filter(|byte| !byte.is_ascii_control() || matches!(byte, b'\n' | b'\t'))
        .collect()
}

#[cfg(test)]
mod tests {
    use anstream::adapter::StripBytes;

    use super::plain;

    #[test]
    fn only_text_is_left_wherever_a_piece_ends() {
        let log =
            "\x1b[0;32m  OK  \x1b[0m] Started \x1b]0;title\x07sshd\r\n\x1b[2J\x08\tn\u{f6}de\n";
        let whole = plain(&mut StripBytes::new(), log.as_bytes());
        assert_eq!(
            String::from_utf8(whole).unwrap(),
            "  OK  ] Started sshd\n\tn\u{f6}de\n"
        );
        let mut strip = StripBytes::new();
        let mut pieces = Vec::new();
        for byte in log.as_bytes() {
            pieces.extend(plain(&mut strip, &[*byte]));
        }
        assert_eq!(
            String::from_utf8_lossy(&pieces),
            "  OK  ] Started sshd\n\tn\u{f6}de\n"
        );
    }
}
