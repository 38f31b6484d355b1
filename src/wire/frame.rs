//! Length-prefixed frames: `u32` length (little endian), then the postcard encoding of one message.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest message; blobs travel in smaller chunks.
pub const MAX_FRAME: usize = 16 << 20;

/// Encodes a message with its length in front.
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(io::Error::other)?;
    let length = frame.len() - 4;
    if length > MAX_FRAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("message of {length} bytes is too large"),
        ));
    }
    let length = u32::try_from(length).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Takes one message off the front of `buffer`; `None` until it is there as a whole.
pub fn decode<T: DeserializeOwned>(buffer: &mut Vec<u8>) -> io::Result<Option<T>> {
    let Some(header) = buffer.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = checked_length(*header)?;
    if buffer.len() < 4 + length {
        return Ok(None);
    }
    let message = postcard::from_bytes(&buffer[4..4 + length]).map_err(io::Error::other)?;
    buffer.drain(..4 + length);
    Ok(Some(message))
}

/// Reads one message; `None` at the end of the stream between messages.
pub fn read<T: DeserializeOwned>(reader: &mut impl Read) -> io::Result<Option<T>> {
    let mut header = [0; 4];
    if reader.read(&mut header[..1])? == 0 {
        return Ok(None);
    }
    reader.read_exact(&mut header[1..])?;
    let mut body = vec![0; checked_length(header)?];
    reader.read_exact(&mut body)?;
    postcard::from_bytes(&body)
        .map(Some)
        .map_err(io::Error::other)
}

/// Writes one message and flushes.
pub fn write<T: Serialize>(writer: &mut impl Write, message: &T) -> io::Result<()> {
    writer.write_all(&encode(message)?)?;
    writer.flush()
}

fn checked_length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(header) as usize;
    if length > MAX_FRAME {
        let text = String::from_utf8_lossy(&header).into_owned();
        let message = format!("not a kinstall frame (starts with {text:?})");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(length)
}
