//! Waits for machines that were started or woken, until a login works.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;

use super::lab::LabMachines;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::ClusterSpec;
use crate::provision::Report;
use crate::ssh::{Session, SshError, wait_for};

/// Whether a machine's clock can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Right,
    /// It stood still while the machine slept; certificates and leases are judged by it.
    MayBeBehind,
}

/// How far a clock may be off, in seconds, before it is set.
const TOLERANCE: u64 = 2;

/// Waits for a login on each machine, all at once, and sets clocks that are behind. Returns an error for each machine
/// that doesn't answer.
pub fn wait(
    cluster: &ClusterSpec,
    machines: &LabMachines,
    names: &[&str],
    clock: Clock,
    report: Report<'_>,
) -> Result<Diagnostics, Diagnostics> {
    let Some((provider, _)) = machines.made() else {
        return Ok(Diagnostics::new());
    };
    let patience = provider.patience();
    let runtime = super::runtime::start()?;
    let failures = runtime.block_on(async {
        let mut tasks = JoinSet::new();
        // Machines that the inventory doesn't have any more have no address to wait at.
        for host in names.iter().filter_map(|name| cluster.host(name)) {
            let (target, name) = (machines.target(host), host.name.clone());
            tasks.spawn(async move {
                let behind = match wait_for(&target, patience).await {
                    Ok(session) if clock == Clock::MayBeBehind => set_clock(&session).await,
                    other => other.map(|_| None),
                };
                (name, behind)
            });
        }
        let mut failures: Vec<(String, SshError)> = Vec::new();
        while let Some(Ok((name, result))) = tasks.join_next().await {
            match result {
                Ok(None) => report(&name, "accepts logins"),
                Ok(Some(seconds)) => {
                    let state =
                        format!("accepts logins; its clock was off by {seconds} s and is set");
                    report(&name, &state);
                }
                Err(error) => failures.push((name, error)),
            }
        }
        failures
    });
    let errors = failures.iter().map(|(name, error)| {
        let Diagnostic { kind, message, .. } = error.diagnostic(name);
        let error = Diagnostic::error(kind, message);
        error.hint(format!("`kinstall console {name}` shows how far it got"))
    });
    Ok(errors.collect())
}

/// Sets the clock where it is off; returns by how many seconds it was.
async fn set_clock(session: &Session) -> Result<Option<u64>, SshError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let line = format!(
        "off=$(( {now} - $(date +%s) )); off=${{off#-}}; if [ $off -gt {TOLERANCE} ]; then \
         date -u -s @{now} >/dev/null && echo $off; fi"
    );
    let finished = session.exec_as_root(&line).await?;
    Ok(String::from_utf8_lossy(&finished.stdout)
        .trim()
        .parse()
        .ok())
}
