//! Real sshds on loopback, shared by the test binaries that need hosts to log in to.

pub mod namespace;
pub mod server;
