//! The leadership of etcd, given to another member before this host's stops: an election would take a second or two,
//! in which no API server answers.

use super::Etcd;
use super::gate::Member;
use crate::converge::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, EtcdLeaderElsewhere};

/// The one that leads, and the one that may take over.
#[derive(Debug)]
pub struct Leaders {
    now: Member,
    next: Member,
}

impl Converge for EtcdLeaderElsewhere {
    type Observed = Option<Leaders>;

    fn probe(&self, node: &Node) -> Result<Option<Leaders>, ResourceError> {
        let Some(etcd) = Etcd::find(node) else {
            return Ok(None);
        };
        let members = etcd.members()?;
        let Some(now) = members.iter().find(|it| it.is_at(&self.address)) else {
            return Ok(None);
        };
        let next = members.iter().find(|it| now.can_hand_over_to(it));
        Ok(match next {
            Some(next) if etcd.leads(now)? => Some(Leaders {
                now: now.clone(),
                next: next.clone(),
            }),
            _ => None,
        })
    }

    fn diff(&self, observed: &Option<Leaders>) -> Vec<Change> {
        let change = |leaders: &Leaders| {
            let name = |member: &Member| Some(member.name.clone());
            Change::new(Action::Update, "etcd's leader")
                .values(name(&leaders.now), name(&leaders.next))
        };
        observed.iter().map(change).collect()
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let Some(etcd) = Etcd::find(node) else {
            return Ok(());
        };
        let members = etcd.members()?;
        let mut own = members.iter().filter(|it| it.is_at(&self.address));
        own.try_for_each(|it| etcd.move_leader_from(it, &members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_changes_where_there_is_one_to_take_over() {
        let member = |id: u64, is_learner: bool, is_healthy: bool| Member {
            id,
            name: format!("cp{id}"),
            peer_urls: Vec::new(),
            client_urls: Vec::new(),
            is_learner,
            is_healthy,
        };
        let now = member(1, false, true);
        for (next, expected) in [
            (member(2, false, true), true),
            (member(2, true, true), false),
            (member(2, false, false), false),
            (now.clone(), false),
        ] {
            assert_eq!(now.can_hand_over_to(&next), expected, "{next:?}");
        }
        let resource = EtcdLeaderElsewhere {
            host: "cp1".to_owned(),
            address: "10.0.0.1".to_owned(),
        };
        let next = member(2, false, true);
        let changes = resource.diff(&Some(Leaders { now, next }));
        let said: Vec<_> = changes.iter().map(|it| (&it.from, &it.to)).collect();
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(said, [(&named("cp1"), &named("cp2"))]);
        assert_eq!(resource.diff(&None), []);
    }
}
