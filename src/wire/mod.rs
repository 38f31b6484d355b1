//! What controller and agent say to each other, and how it is framed.

pub mod frame;
mod kind;
pub mod message;
pub mod surroundings;
pub mod traces;

pub use message::{
    ALIVE_EVERY, Batch, ControlPlaneState, EtcdService, Event, Facts, Handler, LogLevel, Mode,
    Outcome, PROTOCOL, Request, Step, StepError, StepState,
};
pub use surroundings::Surroundings;
pub use traces::{
    ClusterTraces, authority_digest, authority_digests, authority_of_data, key_fingerprint,
    public_key_ids,
};
