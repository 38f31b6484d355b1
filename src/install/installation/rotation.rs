//! Keys and authorities get successors, step by step; the cluster's secrets tell which step is next: `encryption rotate`,
//! `certs rotate-sa-key` and `certs rotate-ca`.

use std::time::SystemTime;

use super::Installation;
use super::connection::{Ready, Scope};
use super::restore::{control_planes, require_members};
use crate::credentials::cluster_secrets::SecretsError;
use crate::credentials::{AuthorityKind, ClusterSecrets, EncryptionKeys};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::outcome::Applied;
use crate::install::project::{Project, no_secrets};
use crate::install::record::carried_out;
use crate::install::{authorities, kubeconfig};
use crate::playbook::Action;
use crate::run::Observer;

/// How one kind of key is rotated.
struct Rotation<'a> {
    action: Action,
    /// Whether workers have a part in it.
    of_all_nodes: bool,
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
            of_all_nodes: false,
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
            of_all_nodes: false,
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

    /// Gives the cluster new authorities of these kinds, up to where clients and pods get to know them; goes on with what is under
    /// way. When they have had the time for that, or at once to `finish`, drops the old ones.
    pub fn rotate_authorities(
        self,
        kinds: &[AuthorityKind],
        finish: bool,
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        let now = SystemTime::now();
        let rotation = Rotation {
            action: Action::RotateAuthorities,
            of_all_nodes: true,
            next: &|secrets| {
                let under_way = authorities::under_way(secrets);
                match authorities::accepted_until(secrets) {
                    _ if under_way.is_empty() => {
                        begun(secrets.begin_authority_rotation(kinds, now))
                    }
                    Some(until) if !finish && now < until => Ok(Next::Later),
                    Some(_) => {
                        for kind in under_way {
                            secrets.authorities_mut(kind).advance();
                        }
                        Ok(Next::Planned)
                    }
                    None => Ok(Next::OnNodes),
                }
            },
            advance: &|secrets| authorities::advance_at(secrets, SystemTime::now()),
        };
        let mut applied = self.rotate(&rotation, observer)?;
        if applied.all_done {
            kubeconfig::write(&mut applied.project)?;
        }
        Ok(applied)
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
        let needed = cluster
            .hosts
            .iter()
            .filter(|it| it.roles.control_plane || (rotation.of_all_nodes && it.roles.etcd));
        let needed: Vec<&str> = needed.map(|it| it.name.as_str()).collect();
        let scope = Scope {
            action: rotation.action,
            limit: (!rotation.of_all_nodes).then_some(&names),
            ..self.scope(&[])
        };
        let work = async |events: &_, cancel: &_| {
            loop {
                let (mut ready, _) = self.connect_alone(scope, events, cancel).await?;
                require_all(&ready, &needed)?;
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

/// Fails unless all of these are there: one that doesn't get the new key can't read what the others write.
fn require_all(ready: &Ready, needed: &[&str]) -> Result<(), Diagnostics> {
    let answers = |name: &&&str| ready.answering.iter().any(|it| it == **name);
    let silent: Vec<&str> = needed.iter().filter(|it| !answers(it)).copied().collect();
    if !silent.is_empty() {
        let message = format!(
            "a rotation needs all control planes, and hosts of etcd for authorities: {} does not answer",
            silent.join(", ")
        );
        let problem = Diagnostic::error(Kind::Connection, message);
        return Err(vec![problem.hint(
            "start its machine, or take it out with `kinstall node remove`; the same command goes on then",
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
