//! Raw mode by termios; the kernel's signal tells of another size.

use std::io::{self, Stdin};
use std::os::fd::AsFd;

use rustix::termios::{self, OptionalActions, Termios};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A terminal that passes on every key as it is; dropping this gives it back as it was.
pub(in crate::ssh) struct RawMode<F: AsFd = Stdin> {
    terminal: F,
    before: Termios,
}

impl RawMode {
    /// Switches the user's terminal to raw mode.
    pub(in crate::ssh) fn enter() -> io::Result<Self> {
        Self::of(io::stdin())
    }
}

impl<F: AsFd> RawMode<F> {
    fn of(terminal: F) -> io::Result<Self> {
        let before = termios::tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(Self { terminal, before })
    }
}

impl<F: AsFd> Drop for RawMode<F> {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to give back.
        let _ = termios::tcsetattr(&self.terminal, OptionalActions::Drain, &self.before);
    }
}

/// Changes of the terminal's size.
pub(in crate::ssh) struct Resizes(Signal);

impl Resizes {
    /// Begins to listen.
    pub(in crate::ssh) fn watch() -> io::Result<Self> {
        signal(SignalKind::window_change()).map(Self)
    }

    /// Waits for the next one.
    pub(in crate::ssh) async fn next(&mut self) {
        self.0.recv().await;
    }
}

#[cfg(test)]
mod tests {
    use rustix::termios::{LocalModes, tcgetattr};

    use super::RawMode;

    #[test]
    fn raw_mode_is_undone() {
        // The master side shares its settings with the terminal behind it.
        let terminal = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/ptmx")
            .unwrap();
        let canonical = || {
            tcgetattr(&terminal)
                .unwrap()
                .local_modes
                .contains(LocalModes::ICANON)
        };
        assert!(canonical());
        let raw = RawMode::of(&terminal).unwrap();
        assert!(!canonical());
        drop(raw);
        assert!(canonical());
    }
}
