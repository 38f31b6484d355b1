//! Raw mode by console modes. Nothing tells of another size to one who only reads bytes, so it is looked at.

use std::io;
use std::time::Duration;

use crossterm_winapi::{ConsoleMode, Handle};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Size;

/// Bits of the console's input mode that hold keys back or act on them: Ctrl-C, whole lines, echo.
const PROCESSED: u32 = 0x1 | 0x2 | 0x4;
/// Arrow keys and the like arrive as the sequences that a terminal sends.
const SEQUENCES_IN: u32 = 0x200;
/// Sequences in the output are carried out: processed output, virtual terminal, no added return.
const SEQUENCES_OUT: u32 = 0x1 | 0x4 | 0x8;
/// Time between two looks at the size.
const LOOK: Duration = Duration::from_millis(250);

/// A console that passes on every key as it is; dropping this gives it back as it was.
pub(in crate::ssh) struct RawMode {
    _input: Changed,
    _output: Changed,
}

/// One side of the console, with the mode that it had.
struct Changed {
    mode: ConsoleMode,
    before: u32,
}

impl RawMode {
    /// Switches the user's console to raw mode.
    pub(in crate::ssh) fn enter() -> io::Result<Self> {
        let input = Handle::current_in_handle()?;
        let output = Handle::current_out_handle()?;
        let input = Changed::to(input, |mode| mode & !PROCESSED | SEQUENCES_IN)?;
        let output = Changed::to(output, |mode| mode | SEQUENCES_OUT)?;
        Ok(Self {
            _input: input,
            _output: output,
        })
    }
}

impl Changed {
    fn to(handle: Handle, new: impl FnOnce(u32) -> u32) -> io::Result<Self> {
        let mode = ConsoleMode::from(handle);
        let before = mode.mode()?;
        mode.set_mode(new(before))?;
        Ok(Self { mode, before })
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        // If the console is gone there is nothing to give back.
        let _ = self.mode.set_mode(self.before);
    }
}

/// Changes of the console's size.
pub(in crate::ssh) struct Resizes {
    looks: Interval,
    size: Size,
}

impl Resizes {
    /// Begins to look.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "listening to the signal of other systems can fail"
    )]
    pub(in crate::ssh) fn watch() -> io::Result<Self> {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            looks,
            size: Size::of_terminal(),
        })
    }

    /// Waits for the next one.
    pub(in crate::ssh) async fn next(&mut self) {
        loop {
            self.looks.tick().await;
            let size = Size::of_terminal();
            if size != self.size {
                self.size = size;
                return;
            }
        }
    }
}
