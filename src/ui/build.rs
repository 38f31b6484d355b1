//! The bundle for people: lines while it is built, a table of its parts.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use comfy_table::{Table, presets};

use super::printer::Printer;
use crate::bundle::{Progress, Row};

/// How often a running download or build says how far it is.
const NEWS: Duration = Duration::from_secs(5);

/// Prints a line when a part begins and ends; what the compiler says is shown only in errors.
pub struct BuildLines {
    printer: Printer,
    started: HashMap<String, Instant>,
    told: Instant,
}

impl BuildLines {
    pub fn new(printer: Printer) -> Self {
        Self {
            printer,
            started: HashMap::new(),
            told: Instant::now(),
        }
    }

    /// Takes in news of the build.
    pub fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Started { part, version } => {
                self.started.insert(part.to_owned(), Instant::now());
                self.printer.message(&format!("{part} {version} …"));
            }
            Progress::Finished { part } => {
                let started = self.started.remove(part);
                let seconds = started.map_or(0.0, |started| started.elapsed().as_secs_f64());
                self.printer
                    .message(&format!("{part} done in {seconds:.1} s"));
            }
            Progress::Bytes { part, done, total } if self.told.elapsed() > NEWS => {
                self.told = Instant::now();
                let total = total.map_or_else(|| "?".to_owned(), |total| (total >> 20).to_string());
                self.printer
                    .message(&format!("{part} {} of {total} MiB", done >> 20));
            }
            Progress::Packages { part, done, total } if self.told.elapsed() > NEWS => {
                self.told = Instant::now();
                self.printer
                    .message(&format!("{part} {done} of {total} packages compiled"));
            }
            Progress::Retry { part, reason } => {
                self.printer
                    .message(&format!("{part}: {reason}; trying again"));
            }
            Progress::Bytes { .. } | Progress::Packages { .. } | Progress::Output { .. } => {}
        }
    }
}

/// Renders the parts of a bundle.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["KIND", "NAME", "VERSION", "ARCHITECTURE", "SIZE", "SHA256"]);
    for row in rows {
        let size = format!("{:.1} MiB", mebibytes(row.size));
        let hash = row.sha256.to_string();
        let fields = [
            row.kind,
            &row.name,
            &row.version,
            &row.architecture,
            &size,
            &hash[..12],
        ];
        table.add_row(fields);
    }
    format!("{table}\n")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
