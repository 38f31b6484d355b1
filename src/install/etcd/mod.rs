//! What is done with etcd's data, beside the runs that change hosts.

pub mod backup;
pub(super) mod node;
pub mod status;

use super::left_over::LeftOver;
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// Refuses what isn't done where etcd is on hosts; `way` says what can be done instead.
pub(super) fn refuse_on_hosts(
    project: &Project,
    command: &str,
    way: &str,
) -> Result<(), Diagnostics> {
    LeftOver::refuse_moved_etcd(project)?;
    let cluster = &project.cluster;
    if !cluster.etcd.on_hosts {
        return Ok(());
    }
    let message = format!(
        "`kinstall {command}` can't be used with {}: the inventory has its etcd on hosts of its own",
        cluster.name
    );
    let error = Diagnostic::error(Kind::Environment, message);
    Err(vec![error.hint("nothing was changed").hint(way).hint(
        "if etcd runs on the control planes, make `[etcd]` the same as `[kube_control_plane]` again",
    )])
}
