//! Where most members of etcd are lost: which of those that are left knows most, and what it has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::etcd::node::failed;
use crate::install::lab::LabMachines;
use crate::install::project::Project;
use crate::model::HostSpec;
use crate::report::backup::Snapshot;
use crate::ssh::Session;

/// What [`SCRIPT`] ends with where most members work.
pub(super) const HAS_LEADER: u8 = 8;

/// Shell of the node; its lines can't be part of a login shell's line as they are.
const SCRIPT: &str = include_str!("survivor.sh");

/// Returns shell that sets `told` to what is in `$folder/snapshot.db`, which it makes.
pub(super) fn save() -> String {
    line_of(SCRIPT)
}

fn line_of(script: &str) -> String {
    let script = STANDARD.encode(script);
    format!(
        "script=$(echo {script} | base64 -d) || exit 1; told=$(sh -c \"$script\" sh $folder) || exit; "
    )
}

/// Returns the control plane whose member knows most, of those that answer. Fails where most members work, as what one of them
/// has may be old, and where one that answers can't be read.
pub(super) async fn choose<'a>(
    project: &'a Project,
    machines: &LabMachines,
    folder: &str,
) -> Result<&'a HostSpec, Diagnostics> {
    let line = format!("{folder}{}echo $told", save());
    let mut problems = Diagnostics::new();
    let mut best: Option<(u64, &HostSpec)> = None;
    for host in project.cluster.control_planes() {
        let asked = async {
            let session = Session::connect(&machines.target(host)).await?;
            session.exec_as_root(&line).await
        };
        match asked.await {
            Ok(finished) if finished.exit.code() == HAS_LEADER => {
                return Err(vec![has_leader(&host.name)]);
            }
            Ok(finished) if finished.exit.code() == 0 => {
                match serde_json::from_slice::<Snapshot>(&finished.stdout) {
                    Ok(snapshot) if best.is_none_or(|(most, _)| snapshot.revision > most) => {
                        best = Some((snapshot.revision, host));
                    }
                    Ok(_) => {}
                    Err(_) => return Err(vec![failed(&host.name, &finished.stdout)]),
                }
            }
            // It may know more than those that can be read.
            Ok(finished) => return Err(vec![failed(&host.name, &finished.stderr)]),
            Err(error) if !error.is_unreachable() => {
                return Err(vec![error.diagnostic(&host.name)]);
            }
            Err(error) => problems.push(error.diagnostic(&host.name)),
        }
    }
    best.map(|(_, host)| host).ok_or(problems)
}

pub(super) fn has_leader(name: &str) -> Diagnostic {
    let message = format!("etcd on {name} has a leader, so that most of its members work");
    Diagnostic::error(Kind::Environment, message)
        .hint("leave out --from-survivor: the backup has all that the cluster knows")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::process::Command;

    use super::{line_of, save};

    #[test]
    fn a_login_shell_passes_the_script_on_as_it_is() {
        let line = save();
        assert!(!line.contains(['\'', '\\', '!', '\n']), "{line}");
        let line = line_of("echo \"it's $1!\"");
        let output = Command::new("sh")
            .args(["-c", &format!("folder=/there; {line}echo $told")])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "it's /there!\n");
    }
}
