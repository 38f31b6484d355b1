//! Keys get successors, step by step; the cluster's secrets tell which step is next: `encryption rotate` and
//! `certs rotate-sa-key`.

use std::time::SystemTime;

use super::Installation;
use super::connection::{Ready, Scope};
use super::restore::{control_planes, require_members};
use crate::credentials::cluster_secrets::SecretsError;
use crate::credentials::{ClusterSecrets, EncryptionKeys};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::outcome::Applied;
use crate::install::project::{Project, no_secrets};
use crate::install::record::carried_out;
use crate::playbook::Action;
use crate::run::Observer;

/// How one kind of key is rotated.
struct Rotation<'a> {
    action: Action,
    /// What there is to do, with the secrets as that needs them.
    next: &'a dyn Fn(&mut ClusterSecrets) -> Result<Next, Diagnostics>,
    /// Goes on to what comes after a step that is done on all control planes; returns whether that can be done now.
    advance: &'a dyn Fn(&mut ClusterSecrets) -> bool,
}

enum Next {
    /// The secrets have become others: the step is planned from them.
    Planned,
    /// The step that was planned is done on the nodes.
    OnNodes,
    /// Nothing, until its time has come.
    Later,
}

/// Tells whether a rotation has begun and is not over. Fails where nothing is encrypted.
pub fn of_encryption_is_under_way(project: &Project) -> Result<bool, Diagnostics> {
    let problem = |message: &str| Diagnostic::error(Kind::Environment, message);
    let Some(keys) = project.secrets()?.encryption_keys else {
        let message = "this cluster has no encryption key: it was made by a kinstall that did not encrypt Secrets";
        return Err(vec![problem(message)]);
    };
    let settings = &project.cluster.control_plane.settings;
    if !settings.encryption.as_ref().is_some_and(|it| it.enabled) {
        let message =
            "Secrets are not encrypted: the inventory says `kube_encrypt_secret_data: false`";
        return Err(vec![
            problem(message).hint("remove that variable and run `kinstall up` first"),
        ]);
    }
    Ok(keys.next_step().is_some())
}

impl Installation {
    /// Gives the cluster a new encryption key, and writes all that is encrypted anew with it.
    pub fn rotate_encryption_key(
        self,
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        let rotation = Rotation {
            action: Action::RotateEncryption,
            next: &|secrets| match secrets
                .encryption_keys
                .as_ref()
                .map(EncryptionKeys::next_step)
            {
                None => Ok(Next::Later),
                Some(Some(_)) => Ok(Next::OnNodes),
                Some(None) => begun(secrets.begin_encryption_rotation()),
            },
            advance: &|secrets| {
                let keys = secrets.encryption_keys.as_mut();
                keys.is_some_and(EncryptionKeys::advance)
            },
        };
        self.rotate(&rotation, observer)
    }

    /// Gives the cluster a new key for service accounts, up to where pods get new tokens. When they have had the time for
    /// that, or at once to `finish`, drops the old key.
    pub fn rotate_service_account_key(
        self,
        finish: bool,
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        let now = SystemTime::now();
        let rotation = Rotation {
            action: Action::RotateServiceAccounts,
            next: &|secrets| {
                let keys = &mut secrets.service_accounts;
                match keys.accepted_until() {
                    Some(until) if !finish && now < until => Ok(Next::Later),
                    Some(_) => {
                        keys.advance();
                        Ok(Next::Planned)
                    }
                    None if keys.next_step().is_some() => Ok(Next::OnNodes),
                    None => begun(secrets.begin_service_account_rotation()),
                }
            },
            // The time that it takes to get here counts for nothing.
            advance: &|secrets| secrets.service_accounts.advance_at(SystemTime::now()),
        };
        self.rotate(&rotation, observer)
    }

    /// Goes on with a rotation, or begins one. Each step is kept before it is done: `up` in the middle brings the same keys
    /// to the nodes.
    fn rotate(
        self,
        rotation: &Rotation<'_>,
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        let (directory, cluster) = (&self.project.directory, &self.project.cluster);
        require_members(directory, cluster, "a rotation")?;
        let names = control_planes(cluster);
        let scope = Scope {
            action: rotation.action,
            limit: Some(&names),
            ..self.scope(&[])
        };
        let work = async |events: &_, cancel: &_| {
            loop {
                let (mut ready, _) = self.connect_alone(scope, events, cancel).await?;
                require_all(&ready)?;
                // With what was found on the nodes.
                let mut secrets = ready.secrets.clone();
                let next = (rotation.next)(&mut secrets)?;
                self.project.keep_secrets(&secrets)?;
                let done = match next {
                    Next::OnNodes => ready.apply().await?,
                    Next::Planned | Next::Later => true,
                };
                ready.engine.finish().await;
                match next {
                    Next::Planned => continue,
                    Next::OnNodes if done => {}
                    Next::OnNodes | Next::Later => return Ok(done),
                }
                let goes_on = (rotation.advance)(&mut secrets);
                self.project.keep_secrets(&secrets)?;
                if !goes_on {
                    return Ok(true);
                }
            }
        };
        let (all_done, summary) = carried_out(directory, &self.run, observer, work)?;
        Ok(Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done,
        })
    }
}

/// Fails unless all control planes are there: one that doesn't get the new key can't read what the others write.
fn require_all(ready: &Ready) -> Result<(), Diagnostics> {
    if !ready.all_answer {
        let message = "a rotation needs all control planes, and not all of them answer";
        let problem = Diagnostic::error(Kind::Connection, message);
        return Err(vec![problem.hint(
            "`kinstall status` names it: start its machine, or take it out with `kinstall node remove`; the same command goes on then",
        )]);
    }
    if !ready.unfinished.is_empty() {
        let names = ready.unfinished.join(", ");
        let message =
            format!("a rotation needs all control planes, and on {names} there is none that works");
        return Err(vec![
            Diagnostic::error(Kind::Environment, message).hint("`kinstall up` makes it"),
        ]);
    }
    Ok(())
}

fn begun(begun: Result<(), SecretsError>) -> Result<Next, Diagnostics> {
    begun.map_err(|error| vec![no_secrets(&error)])?;
    Ok(Next::Planned)
}
