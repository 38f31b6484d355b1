//! The removal of a host's etcd member, through the other members.

use super::gate::{self, Member};
use super::{Etcd, control_plane};
use crate::converge::{Converge, Node, ResourceError};
use crate::resource::{
    Action, Change, ControlPlaneChange, ControlPlaneChangeKind, EtcdMemberAbsent,
};

impl Converge for EtcdMemberAbsent {
    type Observed = Option<Member>;

    fn probe(&self, node: &Node) -> Result<Option<Member>, ResourceError> {
        // Before there is a cluster, nothing of it is left. Where etcd is only down, the gate says so.
        let Some(etcd) = Etcd::find(node) else {
            return Ok(None);
        };
        let members = etcd.members()?;
        Ok(members.into_iter().find(|it| self.concerns(it)))
    }

    fn diff(&self, observed: &Option<Member>) -> Vec<Change> {
        let removal = |member: &Member| {
            let title = format!(
                "etcd member {} ({})",
                self.host,
                gate::peer_url(&self.address)
            );
            let vote = if member.is_learner {
                "without a vote"
            } else {
                "with a vote"
            };
            Change::new(Action::Remove, title).values(Some(vote.to_owned()), None)
        };
        observed.iter().map(removal).collect()
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let change = ControlPlaneChange {
            kind: ControlPlaneChangeKind::Leave,
            host: self.host.clone(),
            address: self.address.clone(),
        };
        // As it is now: what the gate let through may be minutes ago.
        let found = control_plane(self.kubeconfig.as_deref(), node)?
            .and_then(|found| gate::judge(&found, &change).map(|()| found))
            .map_err(|reason| ResourceError::other(format!("{change}: {reason}")))?;
        let Some(etcd) = Etcd::find(node) else {
            return Err(ResourceError::other("etcd does not run on this node"));
        };
        for member in found.members.iter().filter(|it| self.concerns(it)) {
            if member.is_healthy {
                etcd.move_leader_from(member, &found.members)?;
            }
            etcd.remove(member)?;
        }
        Ok(())
    }
}

impl EtcdMemberAbsent {
    fn concerns(&self, member: &Member) -> bool {
        member.is_at(&self.address) && !(self.unless_healthy && member.is_healthy)
    }
}
