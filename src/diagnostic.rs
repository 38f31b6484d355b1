//! What went wrong, where it stands in the user's files, and what to do about it.
//!
//! Every stage that reads user input returns [`Diagnostic`]s: parsers and validation collect as many
//! as they find, the command line prints them all and takes the exit code from their [`Kind`].

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error_chain::error_chain;

/// A text file that was read, kept so that messages can show the line that they talk about.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    pub path: PathBuf,
    pub text: String,
}

/// Shows the path only: the text may hold passwords.
impl fmt::Debug for SourceFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())
    }
}

impl SourceFile {
    /// Reads a file of UTF-8 text; a byte order mark is left out.
    pub fn read(path: &Path) -> Result<Arc<Self>, Diagnostic> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Diagnostic::error(
                Kind::Inventory,
                format!("can't read {}: {error}", path.display()),
            )
        })?;
        Ok(Arc::new(Self {
            path: path.to_owned(),
            text: match text.strip_prefix('\u{feff}') {
                Some(rest) => rest.to_owned(),
                None => text,
            },
        }))
    }
}

/// A place in a file: the byte range that a message points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub file: Arc<SourceFile>,
    pub span: Range<usize>,
}

impl Location {
    /// Returns the one-based line of the first byte.
    pub fn line(&self) -> usize {
        let end = self.span.start.min(self.file.text.len());
        self.file.text.as_bytes()[..end]
            .split(|byte| *byte == b'\n')
            .count()
    }

    /// Returns the file's path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

/// Whether the run can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// How much a message about the inventory matters to the user; the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// The cluster is less safe than the inventory asks for.
    Security,
    /// The user gets something else than the inventory says, or may.
    Outcome,
    /// A setting has no effect, and little changes by that.
    NoEffect,
    /// A name that kinstall doesn't know.
    Unknown,
}

impl Concern {
    /// Returns the word that stands for it in JSON output.
    pub fn name(self) -> &'static str {
        match self {
            Concern::Security => "security",
            Concern::Outcome => "outcome",
            Concern::NoEffect => "no-effect",
            Concern::Unknown => "unknown",
        }
    }
}

/// What kind of thing failed; it decides the exit code (`docs/exit-codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A step failed on a node.
    Step,
    /// The inventory, a playbook or a setting is wrong.
    Inventory,
    /// This computer lacks something.
    Environment,
    /// A host can't be reached, refuses us, or isn't the host that we know.
    Connection,
    /// The bundle is missing, damaged or lacks a part.
    Bundle,
    /// Another run holds the lock.
    Locked,
    /// The user interrupted the run.
    Interrupted,
    /// A bug in kinstall.
    Internal,
}

impl Kind {
    /// Returns the process exit code for this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Step => 1,
            Kind::Inventory => 3,
            Kind::Environment => 4,
            Kind::Connection => 5,
            Kind::Bundle => 6,
            Kind::Locked => 7,
            Kind::Internal => 70,
            Kind::Interrupted => 130,
        }
    }

    /// Returns the word that stands for this kind in JSON output.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Step => "step",
            Kind::Inventory => "inventory",
            Kind::Environment => "environment",
            Kind::Connection => "connection",
            Kind::Bundle => "bundle",
            Kind::Locked => "locked",
            Kind::Internal => "internal",
            Kind::Interrupted => "interrupted",
        }
    }
}

/// One message for the user.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub kind: Kind,
    pub severity: Severity,
    pub concern: Concern,
    /// What is wrong: a lower-case fragment without a period.
    pub message: String,
    /// Where, with a few words that stand under the marked text.
    pub label: Option<(Location, String)>,
    /// Further places that the same is true of, each with what stands there.
    pub others: Box<[(Location, String)]>,
    /// The likely cause, then what to do; each printed as `hint: …`.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// Makes an error without a location.
    pub fn error(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            severity: Severity::Error,
            concern: Concern::Outcome,
            message: message.into(),
            label: None,
            others: Box::default(),
            hints: Vec::new(),
        }
    }

    /// Makes a warning: it is shown, and the run goes on.
    pub fn warning(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(Kind::Inventory, message)
        }
    }

    /// Makes an error out of a chain of errors: `a: b: c`.
    pub fn from_error(kind: Kind, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::error(kind, error_chain(error))
    }

    /// Returns the message and its hints, for a line of a list.
    pub fn in_one_line(&self) -> String {
        let parts = std::iter::once(&self.message).chain(&self.hints);
        parts.map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    /// Points at a place in a file.
    #[must_use]
    pub fn at(mut self, location: Location, label: impl Into<String>) -> Self {
        self.label = Some((location, label.into()));
        self
    }

    /// Says how much it matters.
    #[must_use]
    pub fn about(mut self, concern: Concern) -> Self {
        self.concern = concern;
        self
    }

    /// Names further places that the same is true of, each with what stands there.
    #[must_use]
    pub fn also_at(mut self, others: impl IntoIterator<Item = (Location, String)>) -> Self {
        self.others = others.into_iter().collect();
        self
    }

    /// Changes what kind of failure it is.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Messages collected over one stage.
pub type Diagnostics = Vec<Diagnostic>;
