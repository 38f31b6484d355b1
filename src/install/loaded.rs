//! `kinstall load --list`: the images on the nodes that are not of the bundle.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::lab::{Keys, LabMachines};
use super::load::chosen;
use super::project::Project;
use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::report::images::{self, ImageOnNodes};
use crate::ssh::Session;

/// Asks nodes, all without names; returns the images by name, and an error for each node that can't be asked.
pub fn list(
    mut project: Project,
    nodes: &[String],
) -> Result<(Vec<ImageOnNodes>, Diagnostics), Diagnostics> {
    project.require_lab()?;
    let hosts = chosen(&project, nodes)?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let runtime = runtime::start()?;
    let mut answers = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let chosen = project.cluster.hosts.iter();
        for (position, host) in chosen.filter(|it| hosts.contains(&it.name)).enumerate() {
            let (target, name) = (machines.target(host), host.name.clone());
            tasks.spawn(async move {
                let answer = ask(Session::connect(&target).await, &name).await;
                (position, name, answer)
            });
        }
        tasks.join_all().await
    });
    runtime.shutdown_background();
    answers.sort_by_key(|(position, ..)| *position);
    let (mut found, mut problems) = (BTreeMap::new(), Diagnostics::new());
    for (_, node, answer) in answers {
        match answer {
            Ok(listing) => images::add(&mut found, &node, &listing),
            Err(problem) => problems.push(problem),
        }
    }
    Ok((found.into_values().collect(), problems))
}

async fn ask(
    session: Result<Session, crate::ssh::SshError>,
    host: &str,
) -> Result<String, Diagnostic> {
    let failed = |error: crate::ssh::SshError| error.diagnostic(host);
    let line = "PATH=$PATH:/usr/local/bin; exec ctr -n k8s.io images ls";
    let finished = session.map_err(failed)?.exec_as_root(line).await;
    let finished = finished.map_err(failed)?;
    if finished.exit.code() == 0 {
        return Ok(String::from_utf8_lossy(&finished.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&finished.stderr);
    let message = format!(
        "{host}: containerd doesn't list its images: {}",
        said.trim()
    );
    Err(Diagnostic::error(Kind::Step, message)
        .hint("`kinstall status` shows whether the node works"))
}
