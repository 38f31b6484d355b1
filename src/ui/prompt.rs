//! Questions before something is destroyed.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

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
