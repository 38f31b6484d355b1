//! Checks of a running cluster as data: what is done, what has to come of it, and what it means when it doesn't.
//!
//! ```text
//! checks/*.yml ─► Check ─► (install::verify: kubectl, requests) ─► Outcome ─► ui
//!                                        │ failed
//!                                        └► Evidence ─► causes
//! ```
//!
//! Everything here is pure: it knows neither connections nor terminals.

pub mod availability;
pub mod causes;
mod check;
mod evidence;
mod expectation;
mod load;
mod pairs;
mod report;

pub use check::{Action, Check, Need, PortForward, Step};
pub use evidence::{Evidence, HostEvidence, is_ready};
pub use expectation::Expectation;
pub use load::{builtin, fill_in};
pub use pairs::Pairs;
pub use report::{CheckReport, Outcome, StepReport, Verification};
