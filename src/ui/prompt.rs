//! Questions to the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use console::Term;

use crate::secret::Secret;

/// Asks for a yes; anything else, and no terminal, is a no.
pub fn confirm(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(anstream::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}

/// Asks for a passphrase, which isn't shown; `None` without a terminal.
pub fn passphrase(question: &str) -> io::Result<Option<Secret>> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let terminal = Term::stderr();
    let _ = write!(anstream::stderr().lock(), "{question}: ");
    terminal
        .read_secure_line()
        .map(|text| Some(Secret::new(text)))
}
