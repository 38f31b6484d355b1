//! The lock of a store of images.

use std::fs::File;

/// Lets go when it is dropped. Closing the file is not enough: a program that is being started at that moment has it open
/// as well, and the next who wants the lock would wait for it.
pub(super) struct Lock(pub(super) File);

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
