//! What is done on the control planes, one after another: `certs renew` and `etcd defrag`.

use std::time::Instant;

use super::Installation;
use super::connection::Scope;
use crate::diagnostic::Diagnostics;
use crate::install::outcome::Applied;
use crate::install::record::{keep_log, observed};
use crate::playbook::Action;
use crate::run::{EventSender, Observer, RunEvent};

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
        let _keeping = keep_log(&self.project.directory, &self.run)?;
        let (all_done, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let started = Instant::now();
                let scope = Scope {
                    action,
                    ..self.scope(&[])
                };
                let mut ready = self.connect(scope, &events, &cancel).await?;
                let all_done = ready.apply().await?;
                ready.engine.finish().await;
                let _ = events.send(RunEvent::Finished {
                    elapsed: started.elapsed(),
                });
                Ok(all_done && ready.all_answer && ready.plan.left_out.is_empty())
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
