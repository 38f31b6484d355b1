//! SSH against real parts: sshd, ssh-agent, sudo. All of it stays on loopback, in own folders and, for
//! what needs users, passwords and mounts, in an own mount namespace.

mod agent;
mod commands;
mod configuration;
mod first_contact;
mod host_keys;
mod jumps;
mod local;
mod login;
mod rolls;
mod run;
mod sudo;
mod waiting;
