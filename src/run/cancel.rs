//! Ctrl-C: once ends cleanly after the current step, twice at once.

use tokio::sync::watch;

use super::RunError;

/// How urgently the user wants the run to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Running,
    /// Finish the step in flight, then stop.
    AfterStep,
    /// Stop now.
    Now,
}

/// Tells everybody in a run about Ctrl-C.
#[derive(Clone, Debug)]
pub struct Cancel(watch::Receiver<Level>);

impl Cancel {
    /// Listens to what somebody else sends.
    pub fn of(level: watch::Receiver<Level>) -> Self {
        Self(level)
    }

    /// Listens for Ctrl-C for as long as the runtime lives.
    pub fn on_ctrl_c() -> Self {
        let (sender, receiver) = watch::channel(Level::Running);
        tokio::spawn(async move {
            for level in [Level::AfterStep, Level::Now] {
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                sender.send_replace(level);
            }
            sender.closed().await;
        });
        Self(receiver)
    }

    /// Returns the level now.
    pub fn level(&self) -> Level {
        *self.0.borrow()
    }

    /// Waits until the level is at least `level`; for ever if Ctrl-C can't be heard.
    pub async fn reached(&mut self, level: Level) {
        if self.0.wait_for(|now| *now >= level).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Does something that can be cut off anywhere; fails with [`RunError::Interrupted`] when the user wants
    /// the run to end before it is done.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Result<T, RunError> {
        let mut cancel = self.clone();
        tokio::select! {
            result = work => Ok(result),
            () = cancel.reached(Level::AfterStep) => Err(RunError::Interrupted),
        }
    }
}
