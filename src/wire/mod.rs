//! What controller and agent say to each other, and how it is framed.

pub mod frame;
pub mod message;

pub use message::{
    Batch, ControlPlaneState, Event, Facts, Handler, Mode, Outcome, PROTOCOL, Request, Step,
    StepError, StepState,
};
