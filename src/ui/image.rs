//! Machine images for people: lines while one is fetched, a table of those that are known and here.

use std::time::{Duration, Instant};

use comfy_table::{Table, presets};
use serde::Serialize;

use super::printer::Printer;
use crate::image::{Catalog, Progress, StoredImage};

/// How often a running download says how far it is.
const DOWNLOAD_NEWS: Duration = Duration::from_secs(5);

/// Prints what happens to an image.
pub struct ImageLines {
    printer: Printer,
    told: Option<Instant>,
}

impl ImageLines {
    pub fn new(printer: Printer) -> Self {
        Self {
            printer,
            told: None,
        }
    }

    /// Takes in news of an image.
    pub fn tell(&mut self, image: &str, progress: Progress<'_>) {
        let line = match progress {
            Progress::Notice(notice) => format!("notice: {notice}"),
            Progress::Waiting => "waiting for another kinstall that changes images …".into(),
            Progress::Downloading { done, total } => {
                if self.told.is_some_and(|told| told.elapsed() < DOWNLOAD_NEWS) {
                    return;
                }
                self.told = Some(Instant::now());
                let total = total.map_or_else(|| "?".to_owned(), |total| (total >> 20).to_string());
                format!("image {image}: {} of {total} MiB", done >> 20)
            }
            Progress::Retry(reason) => format!("image {image}: {reason}; trying again"),
            Progress::Hashing => format!("image {image}: computing its hash …"),
            Progress::Unpacking => format!("image {image}: unpacking …"),
        };
        self.printer.message(&line);
    }
}

/// A known image, here or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: Option<String>,
    /// For people: the catalog's title, or where the user's file is.
    pub title: String,
    pub stored: bool,
    pub sha256: Option<String>,
    pub kind: Option<String>,
    /// On disk, in bytes.
    pub size: Option<u64>,
    /// What the machine sees, in bytes.
    pub virtual_size: Option<u64>,
    pub used_by: Vec<std::path::PathBuf>,
    /// Files have changed or are gone since.
    pub damaged: bool,
}

/// Returns the images of the catalog, and those that are here besides.
pub fn rows(catalog: &Catalog, stored: &[StoredImage]) -> Vec<Row> {
    let known = catalog.images.iter().map(|(name, image)| Row {
        name: Some(name.clone()),
        title: format!("{}, build {}", image.title, image.version),
        stored: false,
        sha256: None,
        kind: None,
        size: None,
        virtual_size: None,
        used_by: Vec::new(),
        damaged: false,
    });
    let mut rows: Vec<Row> = known.collect();
    for it in stored {
        let same = rows
            .iter()
            .position(|row| !it.outdated && !row.stored && row.name == it.image.name);
        let title = match same {
            Some(place) => rows.remove(place).title,
            None if it.outdated => "an earlier build".to_owned(),
            None if it.in_place => it.image.boot_disk().path.display().to_string(),
            None => String::new(),
        };
        rows.push(Row {
            name: it.image.name.clone(),
            title,
            stored: true,
            sha256: Some(it.image.sha256.to_string()),
            kind: Some(it.image.kind.word().to_owned()),
            size: Some(it.size),
            virtual_size: Some(it.virtual_size()),
            used_by: it.labs.clone(),
            damaged: !it.whole,
        });
    }
    rows.sort_by(|a, b| {
        (a.name.is_none(), &a.name, &a.sha256).cmp(&(b.name.is_none(), &b.name, &b.sha256))
    });
    rows
}

/// Renders the images.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "KIND", "SIZE", "DISK", "HERE", "SHA256", "WHAT"]);
    for row in rows {
        let here = match (row.stored, row.damaged, row.used_by.len()) {
            (false, ..) => "no".to_owned(),
            (true, true, _) => "damaged".to_owned(),
            (true, false, 0) => "yes".to_owned(),
            (true, false, 1) => "in use".to_owned(),
            (true, false, labs) => format!("used by {labs} labs"),
        };
        let hash = row.sha256.as_deref().map_or("-", |hash| &hash[..12]);
        table.add_row([
            row.name.as_deref().unwrap_or("-"),
            row.kind.as_deref().unwrap_or("-"),
            &row.size.map_or_else(|| "-".into(), megabytes),
            &row.virtual_size.map_or_else(|| "-".into(), megabytes),
            &here,
            hash,
            &row.title,
        ]);
    }
    format!("{table}\n")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn megabytes(bytes: u64) -> String {
    match bytes {
        0..=0x3fff_ffff => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        _ => format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30)),
    }
}
