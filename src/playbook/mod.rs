//! Playbooks: what belongs on which host, as data that users can read and replace.

pub mod schema;
