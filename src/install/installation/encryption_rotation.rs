//! `encryption rotate`: objects in etcd get another key, step by step; the cluster's secrets tell which step is next.

use super::Installation;
use super::connection::{Ready, Scope};
use super::restore::{control_planes, require_members};
use crate::credentials::{ClusterSecrets, RotationStep};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::outcome::Applied;
use crate::install::project::{Project, no_secrets};
use crate::install::record::carried_out;
use crate::playbook::Action;
use crate::run::Observer;

/// Tells whether a rotation has begun and is not over. Fails where nothing is encrypted.
pub fn is_under_way(project: &Project) -> Result<bool, Diagnostics> {
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
    /// Gives the cluster a new encryption key, and writes all that is encrypted anew with it; goes on with a rotation that
    /// was interrupted. Each step is kept before it is done: `up` in the middle brings the same keys to the nodes.
    pub fn rotate_encryption_key(
        self,
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        require_members(&self.project.directory, &self.project.cluster, "a rotation")?;
        let names = control_planes(&self.project.cluster);
        let scope = Scope {
            action: Action::RotateEncryption,
            limit: Some(&names),
            ..self.scope(&[])
        };
        let (all_done, summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                loop {
                    let (mut ready, _) = self.connect_alone(scope, events, cancel).await?;
                    require_all(&ready)?;
                    let mut secrets = ready.secrets.clone();
                    let done = match next_step(&secrets) {
                        None => {
                            begin(&mut secrets)?;
                            true
                        }
                        Some(step) => {
                            // With what was found on the nodes.
                            self.project.keep_secrets(&secrets)?;
                            let done = ready.apply().await? && ready.plan.left_out.is_empty();
                            if let Some(keys) = secrets.encryption_keys.as_mut().filter(|_| done) {
                                keys.advance(step);
                            }
                            done
                        }
                    };
                    ready.engine.finish().await;
                    self.project.keep_secrets(&secrets)?;
                    if !done || next_step(&secrets).is_none() {
                        return Ok(done);
                    }
                }
            },
        )?;
        Ok(Applied {
            project: self.project,
            machines: self.machines,
            summary,
            all_done,
        })
    }
}

fn next_step(secrets: &ClusterSecrets) -> Option<RotationStep> {
    secrets.encryption_keys.as_ref()?.next_step()
}

fn begin(secrets: &mut ClusterSecrets) -> Result<(), Diagnostics> {
    let begun = secrets.begin_encryption_rotation();
    begun.map_err(|error| vec![no_secrets(&error)])
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
