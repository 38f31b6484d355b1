//! The user's terminal while a remote shell has it.

use std::io::{self, Stdin};
use std::os::fd::AsFd;

use rustix::termios::{self, OptionalActions, Termios};

/// Size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

impl Size {
    /// Returns a terminal's size; 80x24 if it has none.
    pub fn of(terminal: impl AsFd) -> Self {
        match termios::tcgetwinsize(terminal) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Self {
                columns: size.ws_col,
                rows: size.ws_row,
            },
            _ => Self {
                columns: 80,
                rows: 24,
            },
        }
    }
}

/// A terminal that passes on every key as it is; dropping this gives it back as it was.
pub struct RawMode<F: AsFd = Stdin> {
    terminal: F,
    before: Termios,
}

impl<F: AsFd> RawMode<F> {
    /// Switches a terminal to raw mode.
    pub fn enter(terminal: F) -> io::Result<Self> {
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

#[cfg(test)]
mod tests {
    use rustix::termios::{LocalModes, tcgetattr};

    use super::{RawMode, Size};

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
        let raw = RawMode::enter(&terminal).unwrap();
        assert!(!canonical());
        drop(raw);
        assert!(canonical());
    }

    #[test]
    fn a_file_has_the_usual_size() {
        let file = tempfile::tempfile().unwrap();
        let expected = Size {
            columns: 80,
            rows: 24,
        };
        assert_eq!(Size::of(&file), expected);
    }
}
