//! The wish to stop, shared between the agent's threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use super::ResourceError;

/// The step in flight goes on to its end.
const AFTER_STEP: u8 = 1;
/// Only what is critical goes on.
const NOW: u8 = 2;

/// How urgently the agent is asked to stop; it only grows.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicU8>);

impl Cancel {
    /// Asks to begin nothing new: the step in flight is finished, unless it only waits.
    pub fn after_step(&self) {
        self.0.fetch_max(AFTER_STEP, Ordering::SeqCst);
    }

    /// Asks everything that isn't critical to stop now.
    pub fn now(&self) {
        self.0.fetch_max(NOW, Ordering::SeqCst);
    }

    /// Returns whether work in flight that isn't critical should stop.
    pub fn is_now(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= NOW
    }

    /// Fails when nothing new should begin.
    pub fn check(&self) -> Result<(), ResourceError> {
        if self.0.load(Ordering::SeqCst) >= AFTER_STEP {
            return Err(ResourceError::Interrupted);
        }
        Ok(())
    }

    /// Fails when work in flight should stop.
    pub fn check_now(&self) -> Result<(), ResourceError> {
        if self.is_now() {
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
