//! The header of qcow2 images, as QEMU's docs/interop/qcow2.rst describes it.

use std::io::{Read, Seek, SeekFrom};

use super::disk::{Compression, DiskFormat};
use super::probe_error::ProbeError;

/// The data is in another file.
const EXTERNAL_DATA: u64 = 1 << 2;
/// The compression is another than zlib.
const OTHER_COMPRESSION: u64 = 1 << 3;
/// Entries of the first table that are read at most; no image that anyone publishes has so many.
const LARGEST_TABLE: u32 = 1 << 20;

/// Returns the form and the size that the machine sees. `head` is the file's beginning.
pub(super) fn read(
    head: &[u8],
    file: &mut (impl Read + Seek),
) -> Result<(DiskFormat, u64), ProbeError> {
    let version = field32(head, 4)?;
    if !matches!(version, 2 | 3) {
        return Err(ProbeError::Other("a qcow2 image of an unknown version"));
    }
    if field64(head, 8)? != 0 {
        return Err(ProbeError::Difference);
    }
    if field32(head, 32)? != 0 {
        return Err(ProbeError::Encrypted);
    }
    let features = if version == 3 { field64(head, 72)? } else { 0 };
    if features & EXTERNAL_DATA != 0 {
        return Err(ProbeError::Other("a qcow2 image without its data file"));
    }
    let compression = match features & OTHER_COMPRESSION {
        0 => Compression::Zlib,
        _ if head.get(104) == Some(&1) => Compression::Zstd,
        _ => return Err(ProbeError::Other("a qcow2 image of an unknown compression")),
    };
    let entries = field32(head, 36)?;
    if entries > LARGEST_TABLE {
        return Err(ProbeError::Damaged("its table is too large"));
    }
    file.seek(SeekFrom::Start(field64(head, 40)?))?;
    let (mut table, length) = (Vec::new(), 8 * u64::from(entries));
    file.by_ref().take(length).read_to_end(&mut table)?;
    if table.len() as u64 != length {
        return Err(ProbeError::Damaged("its table isn't complete"));
    }
    let empty = table.iter().all(|byte| *byte == 0);
    let format = DiskFormat::Qcow2 { compression, empty };
    Ok((format, field64(head, 24)?))
}

fn field32(head: &[u8], at: usize) -> Result<u32, ProbeError> {
    let field = head.get(at..at + 4).and_then(|it| it.try_into().ok());
    field.map(u32::from_be_bytes).ok_or(CUT)
}

fn field64(head: &[u8], at: usize) -> Result<u64, ProbeError> {
    let field = head.get(at..at + 8).and_then(|it| it.try_into().ok());
    field.map(u64::from_be_bytes).ok_or(CUT)
}

const CUT: ProbeError = ProbeError::Damaged("its header isn't complete");
