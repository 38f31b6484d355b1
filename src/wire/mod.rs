//! What controller and agent say to each other, and how it is framed.

pub mod frame;
mod kind;
pub mod message;

pub use message::{
    Batch, ControlPlaneState, Event, Facts, Handler, LogLevel, Mode, Outcome, PROTOCOL, Request,
    Step, StepError, StepState,
};
