//! What the machines start from.

use super::read::Reader;
use super::{Placed, explain};
use crate::diagnostic::Location;
use crate::vagrant::note::{self, Note};

const VARIABLE: &str = "machine_image";
const CHECKSUM: &str = "vm.box_download_checksum";
const CHECKSUM_TYPE: &str = "vm.box_download_checksum_type";

/// Settings that [`Reader::image`] takes.
pub(super) const UNDERSTOOD: [&str; 4] = ["vm.box", "vm.box_url", CHECKSUM, CHECKSUM_TYPE];

/// How images and boxes end that are no names.
const ENDINGS: [&str; 7] = [".box", ".ova", ".ovf", ".qcow2", ".img", ".vmdk", ".vdi"];

/// Looks a setting up that isn't nil.
pub(super) type Setting<'a, 'b> = &'a dyn Fn(&str) -> Option<&'b Placed>;

impl Reader<'_> {
    /// Reads the image of a machine; one that `kinstall up` would refuse is left for the user to fill in.
    pub fn image(&mut self, setting: Setting<'_, '_>) -> Option<String> {
        let source = self.image_source(setting);
        let is_file = source.as_ref().is_some_and(|it| is_file(&it.0));
        let hash = self.image_hash(is_file, setting);
        let (text, place) = source?;
        let text = match hash {
            Some(hash) => format!("{text}#{hash}"),
            None => text,
        };
        match (self.images)(&text) {
            Ok(()) => {
                if is_file {
                    let message = if text.to_lowercase().contains("centos") {
                        "the image is taken from this address; CentOS Linux is end of life"
                    } else {
                        "the image is taken from this address"
                    };
                    self.assumed(&place, message);
                }
                Some(text)
            }
            Err(error) => {
                self.refused(&place, VARIABLE, &error);
                None
            }
        }
    }

    /// Returns the URL of an image, else the name of the box.
    fn image_source(&mut self, setting: Setting<'_, '_>) -> Option<(String, Location)> {
        if let Some(placed) = setting("vm.box_url") {
            let text = placed.value.as_text().unwrap_or_default();
            let text = text.trim();
            if is_file(text) {
                return Some((text.to_owned(), placed.place.clone()));
            }
            self.left_out(&placed.place, explain::configuration("vm.box_url"));
        }
        let placed = setting("vm.box")?;
        let text = self.text(&placed.value, &placed.place, VARIABLE)?;
        Some((text, placed.place.clone()))
    }

    /// Returns the hash as it follows an address: `sha256=…`. An image that is a name needs none.
    fn image_hash(&mut self, is_file: bool, setting: Setting<'_, '_>) -> Option<String> {
        let (sum, kind) = (setting(CHECKSUM), setting(CHECKSUM_TYPE));
        if let (true, Some(sum), Some(kind)) = (is_file, sum, kind) {
            let sum = self.text(&sum.value, &sum.place, VARIABLE)?;
            let kind = self.text(&kind.value, &kind.place, VARIABLE)?;
            let kind = kind.to_lowercase();
            if matches!(kind.as_str(), "sha256" | "sha512") {
                return Some(format!("{kind}={sum}"));
            }
        }
        for (path, placed) in [(CHECKSUM, sum), (CHECKSUM_TYPE, kind)] {
            let Some(placed) = placed else { continue };
            let message = if is_file {
                format!("{path}: kinstall checks images by a sha256 or a sha512 only")
            } else {
                explain::configuration(path)
            };
            let note = Note::new(&placed.place, message).of(&self.machine);
            note::add(&mut self.notes.left_out, note);
        }
        None
    }
}

/// Tells addresses and paths from names.
fn is_file(text: &str) -> bool {
    ENDINGS.iter().any(|ending| text.ends_with(ending))
}
