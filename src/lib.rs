//! kinstall: from nothing to a working Kubernetes cluster.
//!
//! ```text
//! inventory -> model -> plan -> (agent on the node: probe -> diff -> apply) -> events -> report
//! ```
//!
//! Data flows one way. `inventory` reads the user's files, `model` turns them into a checked
//! [`model::ClusterSpec`], `plan` expands playbooks and templates into typed resources, `run` hands them
//! to the agents over `ssh`, and `ui` shows the events that come back. `ARCHITECTURE.md` tells more.

mod addon;
mod age;
#[cfg(target_os = "linux")]
pub mod agent;
#[cfg(target_os = "linux")]
mod api_proxy;
pub mod bundle;
pub mod cli;
mod container_image;
#[cfg(target_os = "linux")]
pub mod converge;
pub mod credentials;
mod dashboard;
pub mod diagnostic;
mod did_you_mean;
pub mod digest;
pub mod download;
pub mod error_chain;
mod format_version;
pub mod image;
mod install;
pub mod inventory;
mod log;
pub mod manifest;
pub mod model;
mod parallel;
pub mod plan;
pub mod playbook;
pub mod private_file;
pub mod provision;
mod registry;
mod relay;
mod report;
pub mod resource;
pub mod run;
pub mod secret;
pub mod ssh;
mod template;
pub mod ui;
pub mod vagrant;
mod verify;
mod whole_file;
pub mod wire;
pub mod yaml;
