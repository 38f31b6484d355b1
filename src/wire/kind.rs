//! What kind a message is, for logs: never what is in it.

use super::{Event, Request};

impl Request {
    /// Returns the message's kind in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Batch(_) => "batch",
            Self::Chunk { .. } => "chunk",
            Self::NoBlob { .. } => "no blob",
            Self::Cancel => "cancel",
            Self::Bye => "bye",
            Self::Alive => "alive",
        }
    }
}

impl Event {
    /// Returns the message's kind in a word or two.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Waiting { .. } => "waiting",
            Self::NeedBlob { .. } => "need blob",
            Self::Step { .. } => "step",
            Self::Output { .. } => "output",
            Self::Log { .. } => "log",
            Self::Progress { .. } => "progress",
            Self::PhaseDone { .. } => "phase done",
        }
    }
}
