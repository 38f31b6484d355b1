//! How a file is compressed, by its first bytes.

use std::io::{self, BufReader, Read};

/// A compression that images and archives of them come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// Tells the compression by the first bytes; `Err` names one that can't be read.
    pub(super) fn of(start: &[u8]) -> Result<Self, &'static str> {
        match start {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Err("xz"),
            [b'B', b'Z', b'h', ..] => Err("bzip2"),
            _ => Ok(Self::Plain),
        }
    }

    /// Returns the media type of a layer that is compressed so.
    pub(super) fn layer_type(self) -> &'static str {
        match self {
            Self::Plain => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

/// Reads what is in a stream, compressed or not.
pub(super) fn unpacked<'a>(mut reader: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut start)?;
    let packing = Packing::of(&start).map_err(|name| {
        let text = format!("it is compressed with {name}; gzip and zstd can be read");
        io::Error::new(io::ErrorKind::Unsupported, text)
    })?;
    let reader = BufReader::with_capacity(1 << 20, io::Cursor::new(start).chain(reader));
    Ok(match packing {
        Packing::Plain => Box::new(reader),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(reader)),
        Packing::Zstd => Box::new(zstd::Decoder::with_buffer(reader)?),
    })
}
