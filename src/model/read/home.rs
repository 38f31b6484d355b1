//! Paths that begin at the user's home.

use std::path::PathBuf;

/// Expands a leading `~`.
pub fn expand_home(path: &str) -> PathBuf {
    let rest = match path.strip_prefix('~') {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix(std::path::is_separator),
        None => None,
    };
    match rest.map(|rest| (etcetera::home_dir(), rest)) {
        Some((Ok(home), "")) => home,
        Some((Ok(home), rest)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
