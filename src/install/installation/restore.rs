//! `etcd restore`: the control planes stop, etcd gets the data of a backup, and they start again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Installation;
use super::begun::{self, Begun};
use super::connection::{Ready, Scope};
use crate::bundle::{Minor, Parts};
use crate::credentials::ClusterSecrets;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::etcd;
use crate::install::etcd::backup::{BackupError, open};
use crate::install::lost;
use crate::install::members::Members;
use crate::install::outcome::{Applied, Found};
use crate::install::project::Project;
use crate::install::record::{carried_out, observed};
use crate::model::ClusterSpec;
use crate::playbook::Action;
use crate::private_file;
use crate::report::backup::Record;
use crate::resource::BlobRef;
use crate::run::{EventSender, Observer};
use crate::secret::Secret;

/// The snapshot's name among the programs of a release, and the folder below `.kinstall` that it lies in meanwhile.
const SNAPSHOT: (&str, &str) = ("snapshot", "etcd");
pub(super) const FOLDER: &str = "restore";

/// A backup that was opened and checked, whose snapshot lies on this computer until this goes away.
pub struct Opened {
    pub record: Record,
    pub secrets: ClusterSecrets,
    file: PathBuf,
    snapshot: BlobRef,
    folder: PathBuf,
}

impl Opened {
    /// Opens a backup, checks all of it, and takes its snapshot out; for those who hold the lab's lock, because no
    /// other run may be at work in that folder.
    pub fn open(project: &Project, path: &Path, passphrase: &Secret) -> Result<Self, Diagnostics> {
        etcd::refuse_on_hosts(
            project,
            "etcd restore",
            "to get the backup's data: `kinstall reset`, leave `[etcd]` out of the inventory, `kinstall up`, and this command again",
        )?;
        clear(&project.directory);
        let folder = project.directory.join(FOLDER);
        let failed = |error: BackupError| error.diagnostics();
        private_file::create_folder(&folder).map_err(|source| {
            failed(BackupError::Write {
                path: folder.clone(),
                source,
            })
        })?;
        let contents = open::open(path, passphrase, |snapshot| {
            let mut parts = Parts::begin(&folder).map_err(Refused::Parts)?;
            let blob = parts.put(snapshot).map_err(Refused::Parts)?;
            Ok::<_, Refused>((blob, parts.path(blob)))
        });
        let contents = contents.map_err(|refused| match refused {
            Refused::Backup(error) => failed(error),
            Refused::Parts(error) => vec![error.into()],
        });
        if contents.is_err() {
            let _ = fs::remove_dir_all(&folder);
        }
        let contents = contents?;
        let (snapshot, file) = contents.snapshot;
        Ok(Self {
            record: contents.record,
            secrets: contents.secrets,
            file,
            snapshot,
            folder,
        })
    }

    /// Gives a project without keys those of the backup.
    pub fn give_keys(&self, project: &Project) -> Result<(), Diagnostics> {
        if ClusterSecrets::are_kept(&project.directory) {
            return Ok(());
        }
        let adopted = self.secrets.adopt(&project.directory);
        adopted.map_err(|error| vec![Diagnostic::from_error(Kind::Environment, &error)])
    }

    /// Refuses a backup of another cluster.
    pub fn check_keys(&self, project: &Project) -> Result<(), Diagnostics> {
        if project.secrets()?.belong_together(&self.secrets) {
            return Ok(());
        }
        let message = format!(
            "the backup is of another cluster: its keys are not those in `{}`",
            project.directory.display()
        );
        Err(vec![Diagnostic::error(Kind::Environment, message).hint(
            "to make the cluster of the backup again, use its inventory in a folder of its own, without `.kinstall`",
        )])
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // What stays is removed by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the data that a restore which was killed has left on this computer; for those who hold the lab's lock.
pub fn clear(directory: &Path) {
    // It is tried again by each that takes the lock.
    let _ = fs::remove_dir_all(directory.join(FOLDER));
}

/// Why a backup was not taken out.
enum Refused {
    Backup(BackupError),
    Parts(crate::bundle::BundleError),
}

impl From<BackupError> for Refused {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

impl Installation {
    /// Finds what a restore would change.
    pub fn check_restore(
        &mut self,
        opened: &Opened,
        lost: &[String],
        observer: Box<dyn Observer>,
    ) -> Result<Found, Diagnostics> {
        require_members(&self.project.directory, &self.project.cluster, "a restore")?;
        let (_, goes_on) = self.take_in(opened, lost)?;
        let cluster = lost::without(&self.project, &self.machines, lost, goes_on)?;
        let names = control_planes(&cluster);
        let (checked, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let scope = self.restore_scope(opened, &cluster, &names);
                let ready = self.connect(scope, &events, &cancel).await?;
                require_all(&ready, goes_on)?;
                ready.check().await
            },
        )?;
        Ok(Found::of(checked, summary))
    }

    /// Gives all members of etcd but the lost ones the data of a backup.
    pub fn restore(
        mut self,
        opened: &Opened,
        lost: &[String],
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        self.run = self.run.next();
        let (name, goes_on) = self.take_in(opened, lost)?;
        let cluster = lost::without(&self.project, &self.machines, lost, goes_on)?;
        let begun = Begun {
            format: begun::FORMAT,
            name,
            snapshot: opened.snapshot.sha256,
            lost: lost.to_vec(),
            back_to: None,
        };
        let names = control_planes(&cluster);
        let (all_done, summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                let scope = self.restore_scope(opened, &cluster, &names);
                let (mut ready, _) = self.connect_alone(scope, events, cancel).await?;
                require_all(&ready, goes_on)?;
                Members::give_up(&self.project.directory, lost)?;
                self.project.keep_secrets(&ready.secrets)?;
                begun.save(&self.project)?;
                let all_done = ready.apply().await?;
                ready.engine.finish().await;
                Ok(all_done)
            },
        )?;
        if all_done {
            begun::forget(&self.project)?;
        }
        Ok(Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done,
        })
    }

    /// Puts the snapshot beside the bundle's parts; returns the restore's name, that of the one that was interrupted if it
    /// was with the same snapshot for the same hosts, and whether one was interrupted.
    fn take_in(&mut self, opened: &Opened, lost: &[String]) -> Result<(String, bool), Diagnostics> {
        let backup = &opened.record.snapshot;
        let own = Minor::of(&backup.kubernetes).ok();
        let releases = &self.bundle.manifest().releases;
        // Whether the nodes run it is asked there.
        if let Some(own) = own.filter(|own| releases.contains_key(own))
            && self.project.cluster.kubernetes_version.is_none()
        {
            self.release = own;
        }
        if own.is_some_and(|own| own != self.release) {
            let message = format!(
                "the backup is of Kubernetes {}, and the cluster is of {}",
                backup.kubernetes, self.release
            );
            return Err(vec![Diagnostic::error(Kind::Environment, message).hint(
                "its data can be restored where the same minor version runs: `kube_version` in the inventory, and a bundle that has it",
            )]);
        }
        let begun = Begun::load(&self.project);
        if let Some(begun) = &begun
            && (begun.back_to.is_some() || !begun.lost.iter().all(|it| lost.contains(it)))
        {
            return Err(vec![begun.was_interrupted()]);
        }
        let begun = begun.filter(|it| it.snapshot == opened.snapshot.sha256 && it.lost == lost);
        let name = begun.map_or_else(|| self.run.name.clone(), |it| it.name);
        self.add_snapshot(&name, opened.file.clone(), opened.snapshot);
        Ok((name, Begun::exists(&self.project)))
    }

    /// Puts etcd's data beside the bundle's parts, as what a restore of this name brings to the nodes.
    pub(super) fn add_snapshot(&mut self, name: &str, file: PathBuf, snapshot: BlobRef) {
        let bundle = Arc::make_mut(&mut self.bundle);
        bundle.add(self.release, SNAPSHOT, name, file, snapshot);
    }

    fn restore_scope<'a>(
        &'a self,
        opened: &'a Opened,
        cluster: &'a ClusterSpec,
        names: &'a [String],
    ) -> Scope<'a> {
        Scope {
            action: Action::Restore,
            cluster,
            limit: Some(names),
            encrypted_with: opened.secrets.encryption_keys.as_ref(),
            ..self.scope(&[])
        }
    }
}

pub(super) fn control_planes(cluster: &ClusterSpec) -> Vec<String> {
    let control_planes = cluster.control_planes();
    control_planes.map(|host| host.name.clone()).collect()
}

/// Fails where the inventory has lost a control plane that is still in the cluster: it would go on with other data or keys.
pub(in crate::install) fn require_members(
    directory: &Path,
    cluster: &ClusterSpec,
    what: &str,
) -> Result<(), Diagnostics> {
    let members = Members::load(directory)?;
    let departed = members.map_or_else(Vec::new, |it| it.departed(cluster));
    let control_planes = departed.iter().filter(|member| member.control_plane);
    let names: Vec<&str> = control_planes.map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(", ");
    let message = format!(
        "{what} needs all control planes, and the inventory doesn't have {names} any more, which the cluster has"
    );
    Err(vec![
        Diagnostic::error(Kind::Inventory, message)
            .hint("nothing was changed")
            .hint(format!(
                "put it back into the inventory, or take it out of the cluster first: `kinstall node remove {names}`"
            )),
    ])
}

/// Fails unless all control planes are there; where a restore goes on, some of them may stand still.
fn require_all(ready: &Ready, goes_on: bool) -> Result<(), Diagnostics> {
    let problem =
        |kind, message: String| Diagnostic::error(kind, message).hint("nothing was changed");
    if !ready.all_answer {
        let message = "a restore needs all control planes, and not all of them answer";
        return Err(vec![problem(Kind::Connection, message.to_owned()).hint(
            "an etcd member that goes on with other data would spoil the restored data: start its machine, or take it out with `kinstall node remove`; \
             one that is lost for good while most are can be left out: `--lost NODE`",
        )]);
    }
    if !goes_on && !ready.unfinished.is_empty() {
        let names = ready.unfinished.join(", ");
        let message = format!("a restore needs control planes that work, and {names} has none");
        return Err(vec![
            problem(Kind::Environment, message).hint("`kinstall up` makes it"),
        ]);
    }
    Ok(())
}
