//! `upgrade rollback`: all nodes go back to the release before an upgrade, and etcd to the data that it had then.

use super::Installation;
use super::begun::{self, Begun};
use super::connection::{Ready, Scope};
use super::restore::{FOLDER, require_members};
use crate::bundle::Minor;
use crate::credentials::EncryptionKeys;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::etcd;
use crate::install::lost;
use crate::install::members::Members;
use crate::install::outcome::Found;
use crate::install::record::{carried_out, observed};
use crate::install::upgrade_backups::{self, LOST};
use crate::model::VersionRequest;
use crate::plan::upgrade::ReleaseVersions;
use crate::plan::upgrade::rollback::{check, moved};
use crate::plan::upgrade::running::version;
use crate::playbook::Action;
use crate::private_file;
use crate::report::Summary;
use crate::report::rollback::{FoundBackup, Rollback};
use crate::resource::BlobRef;
use crate::run::{EventSender, Observer};

/// The way back.
pub struct WayBack {
    pub release: Minor,
    pub rollback: Rollback,
    keys: Option<EncryptionKeys>,
    /// The nodes know the rollback by it.
    name: String,
    lost: Vec<String>,
}

impl Installation {
    /// Looks for the backup to go back to, the newest one or that of a version; `None` where no node has moved since. From
    /// then on the lost control planes are no part of the cluster.
    pub fn way_back(
        &mut self,
        to: Option<&VersionRequest>,
        lost: &[String],
    ) -> Result<Option<WayBack>, Diagnostics> {
        let way = "`kinstall upgrade` moves no cluster with etcd on hosts, so that there is nothing to go back from";
        etcd::refuse_on_hosts(&self.project, "upgrade rollback", way)?;
        require_members(&self.project.directory, &self.project.cluster, "a rollback")?;
        let begun = Begun::load(&self.project);
        if let Some(begun) = &begun
            && (begun.back_to.is_none() || !begun.lost.iter().all(|it| lost.contains(it)))
        {
            return Err(vec![begun.was_interrupted()]);
        }
        self.project.cluster = lost::without(&self.project, &self.machines, lost, begun.is_some())?;
        let (running, backups) = upgrade_backups::find(&self.project, &self.machines)?;
        let Some(backup) = choose(backups, begun.as_ref(), to) else {
            return Err(vec![no_backup(to)]);
        };
        let snapshot = backup.told.snapshot.sha256;
        let (release, versions) = self.release_of(&backup)?;
        let moved = moved(&running, &versions);
        if moved.is_empty() && begun.is_none() {
            return Ok(None);
        }
        self.release = release;
        let mut keys = self.project.secrets_to_look_at()?.encryption_keys;
        let wanted = &backup.told.encryption;
        let unknown = match &mut keys {
            Some(keys) => keys.keep_named(wanted),
            None => wanted.iter().map(String::as_str).collect(),
        };
        if !unknown.is_empty() {
            return Err(vec![unknown_keys(&backup, &unknown)]);
        }
        Ok(Some(WayBack {
            release,
            rollback: Rollback {
                versions,
                backup,
                moved,
                goes_on: begun.is_some(),
            },
            keys,
            // Where another one is lost, the others begin anew without it.
            name: begun
                .filter(|it| it.lost == lost && it.snapshot == snapshot)
                .map_or_else(|| self.run.name.clone(), |it| it.name),
            lost: lost.to_vec(),
        }))
    }

    /// Finds what a rollback would change.
    pub fn check_rollback(
        &mut self,
        back: &WayBack,
        observer: Box<dyn Observer>,
    ) -> Result<Found, Diagnostics> {
        self.bring_backup(back)?;
        let (checked, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let ready = self.connect(self.rollback_scope(back), &events, &cancel);
                let ready = ready.await?;
                require_all(&ready, back)?;
                ready.check().await
            },
        )?;
        Ok(Found::of(checked, summary))
    }

    /// Brings all nodes and etcd's data back.
    pub fn roll_back(
        &mut self,
        back: &WayBack,
        observer: Box<dyn Observer>,
    ) -> Result<(Summary, bool), Diagnostics> {
        self.bring_backup(back)?;
        self.run = self.run.next();
        let begun = Begun {
            format: begun::FORMAT,
            name: back.name.clone(),
            snapshot: back.rollback.backup.told.snapshot.sha256,
            lost: back.lost.clone(),
            back_to: Some(back.release),
        };
        let (all_done, summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                let connected = self.connect_alone(self.rollback_scope(back), events, cancel);
                let (mut ready, _) = connected.await?;
                require_all(&ready, back)?;
                Members::give_up(&self.project.directory, &back.lost)?;
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
        super::restore::clear(&self.project.directory);
        Ok((summary, all_done))
    }

    /// Takes the backup from its node, to be brought to all control planes.
    fn bring_backup(&mut self, back: &WayBack) -> Result<(), Diagnostics> {
        let folder = self.project.directory.join(FOLDER);
        let path = folder.join("snapshot.db");
        private_file::create_folder(&folder).map_err(|source| {
            let message = format!("failed to write `{}`: {source}", folder.display());
            vec![Diagnostic::error(Kind::Environment, message)]
        })?;
        upgrade_backups::fetch(&self.project, &self.machines, &back.rollback.backup, &path)?;
        let snapshot = &back.rollback.backup.told.snapshot;
        let blob = BlobRef {
            sha256: snapshot.sha256,
            size: snapshot.size,
        };
        self.add_snapshot(&back.name, path, blob);
        Ok(())
    }

    /// Returns the bundle's release that can read a backup.
    fn release_of(&self, backup: &FoundBackup) -> Result<(Minor, ReleaseVersions), Diagnostics> {
        let snapshot = &backup.told.snapshot;
        let problem = |message: String| vec![Diagnostic::error(Kind::Bundle, message)];
        let unreadable = || problem(format!("{}: its versions can't be read", backup.file));
        let release = Minor::of(&snapshot.kubernetes).map_err(|_| unreadable())?;
        let taken = version(&snapshot.kubernetes).zip(version(&snapshot.etcd));
        let (kubernetes, etcd) = taken.ok_or_else(unreadable)?;
        let hinted = |problems: Diagnostics| -> Diagnostics {
            let hint = format!(
                "a bundle with the release before: `kinstall bundle build --kubernetes {release}`, then `--bundle DIRECTORY`"
            );
            problems.into_iter().map(|it| it.hint(&hint)).collect()
        };
        let offered = self.bundle.manifest().releases.get(&release);
        let Some(offered) = offered.and_then(ReleaseVersions::of) else {
            let message =
                format!("the bundle has no Kubernetes {release}, to which the cluster goes back");
            return Err(hinted(problem(message)));
        };
        check(&ReleaseVersions { kubernetes, etcd }, &offered)
            .map_err(|error| hinted(problem(error.to_string())))?;
        Ok((release, offered))
    }

    fn rollback_scope<'a>(&'a self, back: &'a WayBack) -> Scope<'a> {
        Scope {
            action: Action::Rollback,
            encrypted_with: back.keys.as_ref(),
            limit: None,
            ..self.scope(&[])
        }
    }
}

/// Returns the newest backup of those that are meant: the one that a rollback began with, and where the control plane that
/// had it is lost, another one's of the same release.
fn choose(
    mut backups: Vec<FoundBackup>,
    begun: Option<&Begun>,
    to: Option<&VersionRequest>,
) -> Option<FoundBackup> {
    let is_same = |it: &FoundBackup| begun.is_some_and(|at| at.snapshot == it.told.snapshot.sha256);
    let is_there = backups.iter().any(is_same);
    backups.retain(|it| match begun {
        Some(_) if is_there => is_same(it),
        Some(begun) => {
            Minor::of(&it.told.snapshot.kubernetes).ok() == begun.back_to && !is_of_a_patch(it)
        }
        None => to.map_or_else(|| !is_of_a_patch(it), |to| is_of(it, to)),
    });
    backups
        .into_iter()
        .max_by_key(|it| it.told.snapshot.created)
}

fn is_of(backup: &FoundBackup, to: &VersionRequest) -> bool {
    let taken = Minor::of(&backup.told.snapshot.kubernetes);
    taken.is_ok_and(|minor| (minor.major, minor.minor) == (to.major, to.minor))
}

/// An upgrade within a minor version took it, from which nothing has to come back.
fn is_of_a_patch(backup: &FoundBackup) -> bool {
    let name = backup.file.rsplit_once("/before-").map(|(_, name)| name);
    let came = name.and_then(|name| Minor::of(name.strip_suffix(".db")?).ok());
    came.is_some_and(|came| Minor::of(&backup.told.snapshot.kubernetes).is_ok_and(|it| it == came))
}

fn unknown_keys(backup: &FoundBackup, names: &[&str]) -> Diagnostic {
    let message = format!(
        "Secrets in {} on {} are encrypted with {}, which .kinstall/secrets.json doesn't have",
        backup.file,
        backup.host,
        names.join(", ")
    );
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed: no API server could read these Secrets")
        .hint("put the secrets.json of that time, or a newer one, in its place")
}

fn no_backup(to: Option<&VersionRequest>) -> Diagnostic {
    let of = to.map_or_else(String::new, |to| format!(" of Kubernetes {to}"));
    let message = format!("no control plane has a backup{of} that an upgrade took");
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed")
        .hint("they are in /var/lib/kinstall/etcd; `kinstall upgrade` goes on with an upgrade that stopped")
}

/// Fails unless all nodes are there: one that stays behind would have a kubelet that is newer than the API servers.
fn require_all(ready: &Ready, back: &WayBack) -> Result<(), Diagnostics> {
    let problem =
        |kind, message: String| vec![Diagnostic::error(kind, message).hint("nothing was changed")];
    if !ready.all_answer {
        let message = "a rollback needs all nodes, and not all of them answer";
        let problems = problem(Kind::Connection, message.to_owned());
        // While the control planes stand still, nothing leaves in order.
        let hint = if back.rollback.goes_on {
            "start its machine; a worker that is lost for good has to be taken out of the inventory"
        } else {
            "start its machine, or take it out with `kinstall node remove`: a kubelet must not be newer than the API servers"
        };
        let hinted = problems.into_iter().map(|it| it.hint(hint).hint(LOST));
        return Err(hinted.collect());
    }
    if !back.rollback.goes_on && !ready.unfinished.is_empty() {
        let names = ready.unfinished.join(", ");
        let message =
            format!("a rollback needs control planes that are set up, and {names} is not");
        return Err(problem(Kind::Environment, message));
    }
    if !ready.not_joined.is_empty() {
        let names = ready.not_joined.join(", ");
        let message = format!("a rollback needs nodes of the cluster, and {names} has not joined");
        let problems = problem(Kind::Environment, message);
        let hint = "take it out of the inventory, and add it again afterwards";
        return Err(problems.into_iter().map(|it| it.hint(hint)).collect());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::installation::begun::FORMAT;
    use crate::resource::Sha256;

    fn backup(host: &str, minute: u8, kubernetes: &str, came: &str) -> FoundBackup {
        let told = serde_json::json!({
            "snapshot": {
                "created": format!("2026-11-28T04:{minute:02}:00Z"), "kubernetes": kubernetes, "etcd": "3.6.16",
                "revision": 1, "keys": 1, "size": 1, "sha256": Sha256::of(host.as_bytes()),
            },
            "encryption": [],
        });
        FoundBackup {
            host: host.to_owned(),
            file: format!("/var/lib/kinstall/etcd/before-{came}.db"),
            told: serde_json::from_value(told).unwrap(),
        }
    }

    #[test]
    fn a_rollback_goes_on_with_its_backup_and_with_anothers_where_that_is_lost() {
        let all = [
            backup("cp1", 3, "1.36.3", "1.37.2"),
            backup("cp2", 2, "1.36.3", "1.37.2"),
            backup("cp3", 1, "1.36.3", "1.37.2"),
            backup("older", 0, "1.35.4", "1.36.3"),
            backup("patch", 4, "1.37.1", "1.37.2"),
        ];
        let begun = |host: &str| Begun {
            format: FORMAT,
            name: "20261128T040000Z-1".to_owned(),
            snapshot: Sha256::of(host.as_bytes()),
            lost: Vec::new(),
            back_to: Some("1.36".parse().unwrap()),
        };
        let chosen = |first: usize, begun: Option<Begun>| {
            let chosen = choose(all[first..].to_vec(), begun.as_ref(), None);
            chosen.map(|it| it.host)
        };
        assert_eq!(chosen(0, None).as_deref(), Some("cp1"));
        assert_eq!(chosen(0, Some(begun("cp2"))).as_deref(), Some("cp2"));
        assert_eq!(chosen(1, Some(begun("cp1"))).as_deref(), Some("cp2"));
        assert_eq!(chosen(3, Some(begun("cp1"))), None);
    }
}
