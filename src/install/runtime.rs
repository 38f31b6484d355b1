//! The threads that connections run on.

use tokio::runtime::Runtime;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// Starts them.
pub fn start() -> Result<Runtime, Diagnostics> {
    Runtime::new().map_err(|error| {
        let message = format!("failed to start threads: {error}");
        vec![Diagnostic::error(Kind::Environment, message)]
    })
}
