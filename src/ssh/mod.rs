//! SSH: verified connections to hosts, and the agent that works on them.

pub mod keys;
pub mod known_hosts;
mod private_file;
