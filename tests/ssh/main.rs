//! SSH against real parts: sshd, ssh-agent, sudo. All of it stays on loopback, in own folders and, for
//! what needs users, passwords and mounts, in an own mount namespace.

mod agent;
mod commands;
mod host_keys;
mod jumps;
mod login;
mod namespace;
mod server;
mod sudo;
mod waiting;
