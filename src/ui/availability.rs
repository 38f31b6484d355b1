//! What `kinstall verify --watch` found, as a table.

use std::fmt::Write as _;

use super::status::table;
use crate::verify::availability::Availability;

/// Stalls of this computer that are worth a word, in milliseconds.
const STALL: u64 = 250;

/// Renders the table, and what the last failure of each path was.
pub fn render(availability: &Availability) -> String {
    let mut paths = table(&["PATH", "CONNECTIONS", "REQUESTS", "FAILED", "LONGEST GAP"]);
    for path in &availability.paths {
        paths.add_row([
            path.path.clone(),
            path.connections.name().to_owned(),
            path.requests.to_string(),
            path.failed.to_string(),
            format!("{} ms", path.longest_gap_ms),
        ]);
    }
    let mut text = format!("{paths}\n");
    for path in &availability.paths {
        if let Some(error) = &path.last_error {
            let name = path.connections.name();
            let _ = writeln!(text, "{} ({name}): last failure: {error}", path.path);
        }
    }
    if availability.longest_stall_ms >= STALL {
        let stall = availability.longest_stall_ms;
        let _ = writeln!(
            text,
            "This computer itself stood still for {stall} ms: gaps of that length may be its own."
        );
    }
    text
}
