//! The wish to stop, shared between the agent's threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::ResourceError;

/// Set once when the controller asks to stop or goes away.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks everything that isn't critical to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Fails when the wish was uttered.
    pub fn check(&self) -> Result<(), ResourceError> {
        if self.is_set() {
            return Err(ResourceError::Interrupted);
        }
        Ok(())
    }

    /// Waits, but not beyond the wish to stop.
    pub fn sleep(&self, duration: Duration) -> Result<(), ResourceError> {
        let end = Instant::now() + duration;
        loop {
            self.check()?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}
