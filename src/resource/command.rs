//! Programs that are run when their guard says so.

use serde::{Deserialize, Serialize};

use super::command_line::quoted;
use super::{Action, Change, Content};

/// A program that is run when its guard says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub argv: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub guard: Guard,
    /// Files that exist only while the command runs (join tokens).
    pub inputs: Vec<Input>,
    /// Seconds before the command is stopped.
    pub timeout: u32,
    /// A critical command is finished even if the controller goes away.
    pub critical: bool,
    /// Run before anything else, with the inputs; makes nothing, so that its failure leaves nothing to recover
    /// from: what was there before stays as it is.
    pub preflight: Option<Vec<String>>,
    /// With [`Guard::Once`]: paths of what it made. Where all of them are gone, it was undone, and is done again.
    pub leaves: Vec<String>,
    /// Run before a new attempt where an earlier one began and did not end well, or was undone.
    pub recover: Option<Vec<String>>,
}

impl Command {
    /// A command with nothing but its guard, which may take five minutes.
    pub fn new(argv: Vec<String>, guard: Guard) -> Self {
        Self {
            argv,
            environment: Vec::new(),
            guard,
            inputs: Vec::new(),
            timeout: 300,
            critical: false,
            preflight: None,
            leaves: Vec::new(),
            recover: None,
        }
    }

    /// Returns what will be run if the guard is not satisfied by then.
    pub fn announced(&self) -> Vec<Change> {
        let condition = match &self.guard {
            Guard::Creates(path) => Some(format!("unless {path} exists by then")),
            Guard::Unless(argv) => Some(format!("unless by then `{}` succeeds", quoted(argv))),
            Guard::Once
            | Guard::Object { .. }
            | Guard::NoObject { .. }
            | Guard::ValidKubeconfig { .. }
            | Guard::ValidCertificates { .. }
            | Guard::Always => None,
        };
        let mut change = Change::new(Action::Run, quoted(&self.argv));
        change.to = condition;
        vec![change]
    }
}

/// When a command need not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// The agent remembers that this step once succeeded on this node.
    Once,
    /// This path exists, and no attempt was cut short.
    Creates(String),
    /// This command succeeds.
    Unless(Vec<String>),
    /// The API server has this object.
    Object { kubeconfig: String, path: String },
    /// The API server hasn't got this object, or there is none yet.
    NoObject { kubeconfig: String, path: String },
    /// This kubeconfig is there, and its certificate has not expired. It is of the first authority of one of these files, as
    /// far as they are there.
    ValidKubeconfig {
        path: String,
        signed_by: Vec<String>,
    },
    /// None of these certificates ends within so many days; files that aren't there don't count. A path may be a
    /// kubeconfig. All are of the first authorities of these files, as far as they are there.
    ValidCertificates {
        paths: Vec<String>,
        days: u32,
        signed_by: Vec<String>,
    },
    /// Only used by handlers: run whenever notified.
    Always,
}

/// A file for the lifetime of a command; mode 0600.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub path: String,
    pub content: Content,
}

/// How far a guarded command got on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// It began and did not end well.
    Begun,
    Done,
}
