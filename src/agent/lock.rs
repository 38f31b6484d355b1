//! One run at a time changes a node.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::time::Duration;

use crate::converge::error::FileContext;
use crate::converge::{Node, ResourceError};

const PATH: &str = "/run/kinstall.lock";

/// The node's lock; gone with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock. While another run has it, `waiting` is told once who that is.
    pub fn take(
        node: &Node,
        holder: &str,
        waiting: impl FnOnce(String),
    ) -> Result<Self, ResourceError> {
        let path = node.path(PATH);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).doing("create the folder", folder)?;
        }
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .doing("open", &path)?;
        let mut waiting = Some(waiting);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {
                    if let Some(waiting) = waiting.take() {
                        waiting(node.read_or_empty(PATH).trim().to_owned());
                    }
                    node.cancel().sleep(Duration::from_millis(200))?;
                }
                Err(TryLockError::Error(error)) => return Err(error).doing("lock", &path),
            }
        }
        let now = jiff::Timestamp::now();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{holder} since {now:.0}"))
            .doing("write", &path)?;
        Ok(Self { _file: file })
    }
}
