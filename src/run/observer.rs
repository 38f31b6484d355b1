//! What follows a run while it happens.

use super::RunEvent;

/// Something that shows a run, or keeps it, event by event.
pub trait Observer: Send {
    fn event(&mut self, event: &RunEvent);
}
