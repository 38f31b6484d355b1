//! Memory, processors and disks.

use super::read::Reader;
use super::{Call, Placed};
use crate::diagnostic::Location;
use crate::vagrant::evaluate::value::Value;

const GIB: u64 = 1024;

impl Reader<'_> {
    /// Reads a memory size; plain numbers are MiB.
    pub fn memory(&mut self, placed: &Placed) -> Option<u64> {
        if let Value::Text(text) = &placed.value
            && let Some(size) = mebibytes(&text.text(), 1)
        {
            return Some(size);
        }
        self.number(&placed.value, &placed.place, "machine_memory")
    }

    /// Reads the size of a disk in MiB.
    pub fn disk(
        &mut self,
        value: &Value,
        place: &Location,
        variable: &str,
        unit: u64,
    ) -> Option<String> {
        let size = match value {
            Value::Integer(number) => u64::try_from(*number)
                .ok()
                .map(|it| it.saturating_mul(unit)),
            Value::Text(text) => mebibytes(&text.text(), unit),
            _ => None,
        };
        if let Some(size) = size.filter(|it| *it > 0) {
            return Some(disk_text(size));
        }
        self.not_readable(value, place, variable, "a size");
        None
    }

    /// `config.vm.disk :disk, size: "10GB", primary: true`; tells whether it is the primary disk.
    pub fn disk_call(&mut self, call: &Call) -> Option<(bool, String)> {
        let kind = call.arguments.first().and_then(Value::as_text);
        let options = call.arguments.get(1)?;
        if kind.as_deref() != Some("disk") {
            self.left_out(&call.place, "only hard disks are made");
            return None;
        }
        let is_primary = options.has_option("primary");
        let variable = if is_primary {
            "machine_disk"
        } else {
            "machine_extra_disks"
        };
        let Some(size) = options.option("size") else {
            self.fill_in(&call.place, variable, "the disk has no size");
            return None;
        };
        // A number alone is bytes.
        let size = match size {
            Value::Integer(bytes) => Value::Integer(bytes / (1024 * 1024)),
            other => other,
        };
        let size = self.disk(&size, &call.place, variable, 1)?;
        Some((is_primary, size))
    }
}

/// Writes a size in MiB as the inventory has it.
fn disk_text(size: u64) -> String {
    match size % GIB {
        0 => format!("{}G", size / GIB),
        _ => format!("{size}M"),
    }
}

/// Reads `20GB`, `20G`, `20 GiB` or a number of units of so many MiB.
fn mebibytes(text: &str, unit: u64) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_uppercase().as_str() {
        "" => unit,
        "M" | "MB" | "MIB" => 1,
        "G" | "GB" | "GIB" => GIB,
        "T" | "TB" | "TIB" => GIB * 1024,
        _ => return None,
    };
    number.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, size) in [
            ("20GB", Some("20G")),
            ("20 GB", Some("20G")),
            ("1536MB", Some("1536M")),
            ("2048", Some("2G")),
            ("1TB", Some("1024G")),
            ("20XB", None),
            ("GB", None),
        ] {
            assert_eq!(mebibytes(text, 1).map(disk_text).as_deref(), size, "{text}");
        }
    }
}
