//! Lines that are kept while something goes on: a run's file, or a node's way to its controller.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Filter};

/// Takes a line with its level.
type Sink = Box<dyn FnMut(Level, &[u8]) + Send>;

/// Where the lines go now; as global as what writes them.
static SINK: Mutex<Option<Sink>> = Mutex::new(None);
/// Whether there is a sink.
static IS_KEPT: AtomicBool = AtomicBool::new(false);

/// Lines are kept until this is dropped.
pub struct Keeping(());

/// Keeps all lines from now on in a file. A full disk must not stop an install: lines are lost then.
pub fn keep_in_file(mut file: File) -> Keeping {
    keep(move |_, line| {
        let _ = file.write_all(line);
    })
}

/// Gives all lines from now on to a function; it must not log.
pub fn keep(sink: impl FnMut(Level, &[u8]) + Send + 'static) -> Keeping {
    replace(Some(Box::new(sink)));
    Keeping(())
}

impl Drop for Keeping {
    fn drop(&mut self) {
        replace(None);
    }
}

fn replace(sink: Option<Sink>) {
    IS_KEPT.store(sink.is_some(), Ordering::Release);
    *SINK.lock().unwrap_or_else(PoisonError::into_inner) = sink;
    // What nothing takes must cost nothing: the macros remember whether they are wanted.
    tracing::callsite::rebuild_interest_cache();
}

/// Lets kinstall's own lines through, while there is something that keeps them.
pub(super) struct Kept(LevelFilter);

impl Kept {
    pub(super) fn at(level: LevelFilter) -> Self {
        Self(level)
    }

    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        IS_KEPT.load(Ordering::Acquire)
            && *metadata.level() <= self.0
            && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }
}

impl<S> Filter<S> for Kept {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let is_kept = IS_KEPT.load(Ordering::Acquire);
        Some(if is_kept { self.0 } else { LevelFilter::OFF })
    }
}

/// Writes to the sink.
pub(super) struct KeptLines;

/// Writes one line.
pub(super) struct Line(Level);

impl<'a> MakeWriter<'a> for KeptLines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Level::DEBUG)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        Line(*metadata.level())
    }
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(sink) = &mut *SINK.lock().unwrap_or_else(PoisonError::into_inner) {
            sink(self.0, line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::keep;
    use crate::log::{self, Directives};
    use crate::secret::Secret;

    #[test]
    fn lines_are_kept_as_long_as_that_is_wanted_and_secrets_never() {
        log::start(&Directives::new(None, 0).unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let password = Secret::new("hunter2");
        tracing::debug!("one before");
        let keeping = keep(move |_, line| sink.lock().unwrap().extend_from_slice(line));
        tracing::debug!(?password, "one of those");
        tracing::trace!("one too small");
        drop(keeping);
        tracing::debug!("one after");
        let text = String::from_utf8(lines.lock().unwrap().clone()).unwrap();
        assert!(text.contains("one of those password=***\n"), "{text}");
        for other in ["hunter2", "one before", "one too small", "one after"] {
            assert!(!text.contains(other), "{text}");
        }
    }
}
