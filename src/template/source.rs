//! A string of a playbook, and where it stands there.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Location, SourceFile};

/// A string of a playbook, and where it stands there.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub text: &'a str,
    pub file: &'a Arc<SourceFile>,
    /// Bytes of the file that the string was read from, quotes and indentation included.
    pub span: &'a Range<usize>,
}

impl Source<'_> {
    /// Returns where the whole string stands.
    pub fn location(&self) -> Location {
        Location {
            file: Arc::clone(self.file),
            span: self.span.clone(),
        }
    }
}
