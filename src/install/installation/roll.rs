//! What is done on the control planes, one after another: `certs renew` and `etcd defrag`.

use super::Installation;
use super::connection::Scope;
use crate::diagnostic::Diagnostics;
use crate::install::outcome::Applied;
use crate::install::record::carried_out;
use crate::playbook::Action;
use crate::run::Observer;

impl Installation {
    /// Makes the certificates of all control planes anew, those of the limit only if there is one.
    pub fn renew_certificates(self, observer: Box<dyn Observer>) -> Result<Applied, Diagnostics> {
        self.roll_over(Action::Renew, observer)
    }

    /// Writes the file of each etcd member anew.
    pub fn defragment(self, observer: Box<dyn Observer>) -> Result<Applied, Diagnostics> {
        self.roll_over(Action::Defrag, observer)
    }

    fn roll_over(
        self,
        action: Action,
        observer: Box<dyn Observer>,
    ) -> Result<Applied, Diagnostics> {
        let (all_done, summary) = carried_out(
            &self.project.directory,
            &self.run,
            observer,
            async |events, cancel| {
                let scope = Scope {
                    action,
                    ..self.scope(&[])
                };
                let (mut ready, _) = self.connect_alone(scope, events, cancel).await?;
                let all_done = ready.apply().await?;
                ready.engine.finish().await;
                Ok(all_done && ready.all_answer)
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
