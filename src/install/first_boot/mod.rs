//! Between the start of a machine and the first work on it: what isn't set up by cloud-init is set up
//! over SSH, and the end of both is waited for.

mod first_contact;
mod mounts;
mod readiness;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::lab::{LabMachines, failed};
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::provision::last_words::end_of;
use crate::provision::{MachineChange, Report};
use crate::secret::Secret;
use crate::ssh::{Finished, Session, SshError, wait_for};

/// The machines whose first boot nobody has seen the end of, one file each: an `up` that was
/// interrupted is taken up by the next.
pub struct FirstBoots {
    folder: PathBuf,
}

impl FirstBoots {
    /// Looks into the folder of a project.
    pub fn of(directory: &Path) -> Self {
        Self {
            folder: directory.join("first-boot"),
        }
    }

    /// Notes the machines that are about to be made or started.
    pub fn expect(&self, changes: &[MachineChange]) -> Result<(), Diagnostics> {
        for change in changes.iter().filter(|it| it.is_boot()) {
            let path = self.folder.join(&change.host);
            fs::create_dir_all(&self.folder)
                .and_then(|()| fs::write(&path, ""))
                .map_err(|error| unwritable(&path, &error))?;
        }
        Ok(())
    }

    /// Waits until those of the machines that are noted are set up; all failures are returned at once.
    pub async fn finish(
        &self,
        project: &Project,
        machines: &LabMachines,
        names: &[&str],
        report: Report<'_>,
    ) -> Result<(), Diagnostics> {
        let Some((provider, lab)) = machines.shared() else {
            return Ok(());
        };
        let (warn, mut warnings) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let hosts = project.cluster.hosts.iter();
        for host in hosts.filter(|it| names.contains(&it.name.as_str())) {
            let mark = self.folder.join(&host.name);
            let Some(machine) = lab.machine(&host.name).filter(|_| mark.exists()) else {
                continue;
            };
            report(&host.name, "setting itself up");
            let patience = provider.patience();
            let contact = tokio::task::block_in_place(|| provider.first_contact(&lab, machine))
                .map_err(|error| failed(&error))?;
            let contact = contact.map(|contact| {
                let folder = self.folder.join(format!("{}.keys", host.name));
                let input = first_contact::input(&lab, machine, &contact.user);
                (contact, folder, input)
            });
            let (target, spec) = (machines.target(host), machine.spec.clone());
            let (provider, lab) = (Arc::clone(&provider), Arc::clone(&lab));
            let warn = warn.clone();
            let console = provider.console_log(&lab, &host.name);
            let with_console = move |problem: Diagnostic| match end_of(&console, 10) {
                words if words.is_empty() => problem,
                words => problem.hint(format!("its console said last:\n{words}")),
            };
            tasks.spawn(async move {
                if let Some((contact, folder, input)) = contact {
                    let made = first_contact::make(&target, &contact, &folder, &input, patience);
                    let made = made.await;
                    // Everybody's key leads in there, if it wasn't replaced.
                    let ended = tokio::task::block_in_place(|| {
                        let machine = lab.machine(&target.name);
                        machine.map_or(Ok(()), |it| provider.end_first_contact(&lab, it))
                    });
                    made.map_err(&with_console)?;
                    ended.map_err(|error| failed(&error).remove(0))?;
                }
                let name = target.name.clone();
                let session = wait_for(&target, patience)
                    .await
                    .map_err(|error| with_console(error.diagnostic(&name)))?;
                readiness::check(&session, spec.disk_gib, patience).await?;
                if let Some(kind) = provider.shared_folders() {
                    for problem in mounts::mount(&session, kind, &spec.shared_folders).await? {
                        // The other end is there until all tasks have ended.
                        let _ = warn.send((name.clone(), problem));
                    }
                }
                fs::remove_file(&mark).map_err(|error| unwritable(&mark, &error).remove(0))
            });
        }
        let results = tasks.join_all().await;
        while let Ok((name, problem)) = warnings.try_recv() {
            report(&name, &format!("warning: {problem}"));
        }
        let problems: Diagnostics = results.into_iter().filter_map(Result::err).collect();
        // Fails where a machine is still noted.
        let _ = fs::remove_dir(&self.folder);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

/// Runs a script as root that comes, with all secrets, over standard input.
async fn run_as_root(session: &Session, script: &Secret) -> Result<Finished, SshError> {
    let command = "if [ \"$(id -u)\" = 0 ]; then exec sh; else exec sudo -n sh; fi";
    let command = format!("exec sh -c '{command}'");
    session.exec(&command, script.expose().as_bytes()).await
}

fn unwritable(path: &Path, error: &io::Error) -> Diagnostics {
    let message = format!("failed to write `{}`: {error}", path.display());
    vec![Diagnostic::error(Kind::Environment, message)]
}

#[cfg(test)]
mod tests {
    use super::FirstBoots;
    use crate::provision::{MachineAction, MachineChange};

    #[test]
    fn what_is_made_or_started_is_noted() {
        let folder = tempfile::tempdir().unwrap();
        let boots = FirstBoots::of(folder.path());
        let change = |host: &str, action| MachineChange {
            host: host.to_owned(),
            action,
        };
        let changed = |needs_halt, runs| MachineAction::Change {
            settings: Vec::new(),
            needs_halt,
            runs,
        };
        boots
            .expect(&[
                change("made", MachineAction::Create),
                change("started", MachineAction::Start),
                change("halted", changed(true, true)),
                change("off", changed(false, false)),
                change("forwarded", changed(false, true)),
                change("removed", MachineAction::Remove),
            ])
            .unwrap();
        let mut noted: Vec<String> = std::fs::read_dir(folder.path().join("first-boot"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        noted.sort();
        assert_eq!(noted, ["halted", "made", "off", "started"]);
    }
}
