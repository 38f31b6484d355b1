//! What kinstall notes of its inner work: on the terminal with `-v`, in the run's own file, and from agents to their
//! controller.
//!
//! ```text
//! tracing's events and spans ─┬─► terminal: -v, -vv, KINSTALL_LOG
//!                             └─► kept: .kinstall/runs/RUN.log; on a node, the way to the controller
//! ```
//!
//! Every module may write with `tracing`'s macros; only this folder says where the lines go. Secrets can't be
//! written: [`crate::secret::Secret`] has no text, and the contents of files and frames aren't logged at all.

mod directives;
pub mod kept;

use std::io::{self, IsTerminal as _};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::time::{SystemTime, Uptime};
use tracing_subscriber::layer::SubscriberExt as _;

pub use directives::Directives;

use self::kept::{Kept, KeptLines};
use crate::wire::LogLevel;

/// Starts to log on the controller. What is logged on the terminal is up to `directives`; what is kept waits for
/// [`kept::keep_in_file`].
pub fn start(directives: &Directives) {
    let on_terminal = (!directives.is_quiet()).then(|| {
        fmt::layer()
            .with_timer(Uptime::default())
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr)
            .with_filter(directives.targets())
    });
    let kept = fmt::layer()
        .with_timer(SystemTime)
        .with_ansi(false)
        .with_writer(KeptLines)
        .with_filter(Kept::at(LevelFilter::DEBUG));
    let subscriber = tracing_subscriber::registry().with(on_terminal).with(kept);
    // A second start in one process, which only tests do, changes nothing.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Starts to log on a node: lines without time and level, which the controller adds. They wait for
/// [`kept::keep`].
#[cfg(target_os = "linux")]
pub fn start_on_node(level: LogLevel) {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let kept = fmt::layer()
        .without_time()
        .with_level(false)
        .with_ansi(false)
        .with_writer(KeptLines)
        .with_filter(Kept::at(level));
    let subscriber = tracing_subscriber::registry().with(kept);
    // As above.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Returns what nodes are to tell; `None` if it would be shown and kept nowhere.
pub fn level_for_nodes() -> Option<LogLevel> {
    if tracing::enabled!(target: "kinstall::agent", tracing::Level::TRACE) {
        Some(LogLevel::Trace)
    } else if tracing::enabled!(target: "kinstall::agent", tracing::Level::DEBUG) {
        Some(LogLevel::Debug)
    } else {
        None
    }
}

/// Passes a line on that came from a node.
pub fn from_node(level: LogLevel, line: &str) {
    match level {
        LogLevel::Debug => tracing::debug!(target: "kinstall::agent", "{line}"),
        LogLevel::Trace => tracing::trace!(target: "kinstall::agent", "{line}"),
    }
}
