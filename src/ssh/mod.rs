//! SSH: verified connections to hosts, and the agent that works on them.
//!
//! ```text
//! Target -> dial or jump -> Session -> bootstrap -> AgentChannel (Requests, Events)
//!                              |
//!                              +----> exec, exec_as_root, attach, shell, authorize
//! ```
//!
//! russh does the protocol; none of its types leaves this module.

mod agent_binary;
mod agent_channel;
mod attach;
mod auth;
mod authorize;
mod bootstrap;
mod bootstrap_error;
mod client;
mod configuration;
mod credentials;
mod diagnosis;
mod dial;
mod elevation;
mod elevation_error;
mod embedded_agent;
mod error;
mod fallback;
mod jump;
pub mod keys;
pub mod known_hosts;
mod local;
mod process;
mod refusal;
mod script;
mod session;
mod target;
mod terminal;
mod tunnel;
mod user_agent;
mod wait;

pub use agent_binary::{AgentBinary, NoAgent};
pub use agent_channel::{AgentChannel, AgentError, Events, Requests};
pub use attach::Streams;
pub use bootstrap_error::BootstrapError;
pub use configuration::SshConfiguration;
pub use credentials::UserKeys;
pub use elevation_error::ElevationError;
pub use error::SshError;
pub use fallback::reached_at;
pub use jump::Jumps;
pub use keys::KeyPair;
pub use known_hosts::{HostKeyError, KnownHosts, NewHostKey, Policy};
pub use process::{Exit, Finished, Input, Output, Piece, Process};
pub use refusal::{Attempt, Refusal};
pub use session::Session;
pub use target::{Dial, Target};
pub use terminal::Size;
pub use wait::wait_for;
