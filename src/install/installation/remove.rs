//! `node remove`: hosts leave the cluster.

use std::time::Instant;

use super::super::outcome::Applied;
use super::super::record::observed;
use super::{Installation, Ready, Work};
use crate::diagnostic::Diagnostics;
use crate::run::{EventSender, Observer, RunEvent};

impl Installation {
    /// Takes hosts out of the cluster, one after another: their pods, their etcd members, Kubernetes on them
    /// and their Node objects. The machines stay. Those that don't answer are taken out all the same.
    pub fn remove(
        self,
        observer: Box<dyn Observer>,
        leaving: &[String],
    ) -> Result<Applied, Diagnostics> {
        let (all_done, summary) = observed(
            &self.project.directory,
            &self.run,
            observer,
            async |events: EventSender, cancel| {
                let started = Instant::now();
                let connected = self.connect(Work::Remove(leaving), &events, &cancel);
                let Ready {
                    mut engine, plan, ..
                } = connected.await?;
                // Waits for whoever else is at work on the hosts.
                engine
                    .check(&plan, true)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                let all_done = engine
                    .apply(&plan)
                    .await
                    .map_err(|error| vec![error.diagnostic()])?;
                engine.finish().await;
                let _ = events.send(RunEvent::Finished {
                    elapsed: started.elapsed(),
                });
                Ok(all_done && plan.left_out.is_empty())
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
