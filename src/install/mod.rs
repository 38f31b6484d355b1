//! What the commands do: from an inventory's project to the machines, the connections and the cluster.
//!
//! `cli` reads what was typed and shows what comes back; everything between is here and knows neither
//! arguments nor terminal. The order in which `up` works is in [`installation`]; the steps on the nodes
//! are data, `playbooks/*.yml` and `templates/*`.

pub mod authorities;
pub mod certificates;
pub mod connect;
mod dialogue;
pub mod doctor;
mod encryption;
pub mod etcd;
mod first_boot;
pub mod history;
pub mod hosts_block;
pub mod hosts_file;
pub mod installation;
pub mod inventory_check;
pub mod inventory_edit;
mod keys_in_use;
pub mod kubeconfig;
pub mod kubectl;
pub mod lab;
mod left_over;
pub mod limit;
pub mod load;
pub mod loaded;
pub mod lost;
mod machine_images;
mod machines;
pub mod members;
pub mod memory;
pub mod named_hosts;
pub mod node_marks;
pub mod open;
mod outcome;
mod passage;
pub mod password_file;
pub mod project;
pub mod providers;
pub mod ready;
mod record;
mod recorded;
pub mod removal;
mod reported;
pub mod runtime;
pub mod service_accounts;
mod state;
pub mod status;
pub mod stores;
pub mod support;
mod template_secrets;
mod upgrade_backups;
pub mod vault_password;
pub mod verify;

pub use dialogue::Dialogue;
pub use installation::{Installation, Settings};
pub use lab::{Keys, LabMachines};
pub use left_over::LeftOver;
pub use outcome::{Applied, Found};
pub use project::Project;

#[cfg(test)]
mod tests;
