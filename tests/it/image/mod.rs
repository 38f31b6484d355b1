//! Machine images: real disks of every format, boxes and appliances good and hostile, and downloads
//! that break, are killed, or run twice at once.
//!
//! `qemu-img` is needed; `./setup tests` installs it.

mod archives;
mod command;
mod downloads;
mod formats;
mod hostile;
mod make;
mod store;
