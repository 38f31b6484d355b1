//! Finds out what a file is by its content; names lie.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFormat};
use super::probe_error::ProbeError;
use super::qcow2;

/// What is read of a file to tell what it is; the mark of a CD is the last.
const HEAD: u64 = 0x8006;
const SECTOR: u64 = 512;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Disk {
        disk: Disk,
        /// Further files that the disk's data is in.
        extents: Vec<PathBuf>,
    },
    /// A tar archive, packed or not: a box or an appliance.
    Archive(Packing),
    /// An appliance's description, with its files beside it.
    Ovf,
}

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Looks into a file.
pub(super) fn probe(path: &Path) -> Result<Content, ProbeError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut head = Vec::new();
    (&mut file).take(HEAD).read_to_end(&mut head)?;
    let disk = |format, virtual_size| {
        let path = path.into();
        Ok(Content::Disk {
            disk: Disk {
                path,
                format,
                virtual_size,
            },
            extents: Vec::new(),
        })
    };
    match head.as_slice() {
        [b'Q', b'F', b'I', 0xfb, ..] => {
            let (format, size) = qcow2::read(&head, &mut file)?;
            disk(format, size)
        }
        [b'K', b'D', b'M', b'V', ..] => {
            let sectors = little_endian(&head, 12).ok_or(CUT)?;
            disk(DiskFormat::Vmdk, size_of(sectors)?)
        }
        [0x1f, 0x8b, ..] => archive(path, Packing::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => archive(path, Packing::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Err(ProbeError::Packed("xz")),
        [b'B', b'Z', b'h', ..] => Err(ProbeError::Packed("bzip2")),
        [b'P', b'K', 3, 4, ..] => Err(ProbeError::Packed("zip")),
        _ if head.starts_with(b"# Disk DescriptorFile") => descriptor(path, &head),
        // The text before the mark names the tool that wrote the file.
        _ if little_endian_u32(&head, 0x40) == Some(0xbeda_107f) => {
            disk(DiskFormat::Vdi, little_endian(&head, 0x170).ok_or(CUT)?)
        }
        _ if head.starts_with(b"conectix") => Err(ProbeError::Other("a VHD disk")),
        _ if head.starts_with(b"vhdxfile") => Err(ProbeError::Other("a VHDX disk")),
        _ if head.get(0x8001..0x8006) == Some(b"CD001") => {
            Err(ProbeError::Other("an installation CD"))
        }
        _ if head.get(257..262) == Some(b"ustar") => Ok(Content::Archive(Packing::Plain)),
        _ if is_ovf(&head) => Ok(Content::Ovf),
        _ if ends_as_vhd(&mut file, size)? => Err(ProbeError::Other("a VHD disk")),
        _ if has_partitions(&head) => disk(DiskFormat::Raw, size),
        _ => Err(ProbeError::Unknown),
    }
}

const CUT: ProbeError = ProbeError::Damaged("its header isn't complete");

/// Unpacks the beginning of a packed file: only archives are of use.
fn archive(path: &Path, packing: Packing) -> Result<Content, ProbeError> {
    let (mut head, name) = (Vec::new(), packing.name());
    let mut reader = packing.unpack(File::open(path)?)?.take(SECTOR);
    match reader.read_to_end(&mut head) {
        Ok(_) if head.get(257..262) == Some(b"ustar") => Ok(Content::Archive(packing)),
        Ok(_) => Err(ProbeError::Packed(name)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(CUT),
        Err(error) => Err(error.into()),
    }
}

impl Packing {
    /// Returns what is in the packed file.
    pub(super) fn unpack(self, file: File) -> io::Result<Box<dyn io::Read>> {
        Ok(match self {
            Self::Plain => Box::new(io::BufReader::new(file)),
            Self::Gzip => {
                let reader = io::BufReader::with_capacity(1 << 18, file);
                Box::new(flate2::bufread::MultiGzDecoder::new(reader))
            }
            Self::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "tar",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Reads a VMDK whose data is in other files: `RW 4192256 SPARSE "disk-s001.vmdk"`.
fn descriptor(path: &Path, head: &[u8]) -> Result<Content, ProbeError> {
    let text = String::from_utf8_lossy(head);
    let folder = path.parent().unwrap_or(Path::new("."));
    let (mut sectors, mut extents) = (0_u64, Vec::new());
    for line in text.lines().map(str::trim) {
        if let Some(parent) = line.strip_prefix("parentCID=")
            && !parent.trim().eq_ignore_ascii_case("ffffffff")
        {
            return Err(ProbeError::Difference);
        }
        let mut words = line.split_whitespace();
        if !matches!(words.next(), Some("RW" | "RDONLY")) {
            continue;
        }
        let size: u64 = words.next().and_then(|it| it.parse().ok()).ok_or(CUT)?;
        sectors = sectors.checked_add(size).ok_or(CUT)?;
        if let Some(name) = line.split('"').nth(1) {
            if name.contains(['/', '\\']) {
                return Err(ProbeError::Other(
                    "a VMDK whose data is in another folder, which kinstall doesn't follow",
                ));
            }
            extents.push(folder.join(name));
        }
    }
    if extents.is_empty() {
        return Err(ProbeError::Damaged("it names no file with its data"));
    }
    Ok(Content::Disk {
        disk: Disk {
            path: path.into(),
            format: DiskFormat::Vmdk,
            virtual_size: size_of(sectors)?,
        },
        extents,
    })
}

fn is_ovf(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && text.contains("Envelope")
}

/// A raw image has no mark of its own; what boots from it has a partition table.
fn has_partitions(head: &[u8]) -> bool {
    head.get(510..512) == Some(&[0x55, 0xaa]) || head.get(512..520) == Some(b"EFI PART")
}

/// A VHD of fixed size is a raw image with a mark at its end.
fn ends_as_vhd(file: &mut File, size: u64) -> io::Result<bool> {
    if size < SECTOR {
        return Ok(false);
    }
    let mut mark = [0; 8];
    file.seek(SeekFrom::Start(size - SECTOR))?;
    file.read_exact(&mut mark)?;
    Ok(&mark == b"conectix")
}

fn size_of(sectors: u64) -> Result<u64, ProbeError> {
    sectors.checked_mul(SECTOR).ok_or(CUT)
}

fn little_endian(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(field))
}

fn little_endian_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(field))
}

#[cfg(test)]
mod tests;
