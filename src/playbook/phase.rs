//! What kinstall can do with a cluster, and the names of the phases that this is made of;
//! [`mod@crate::plan::phases`] says what each phase waits for.

use std::fmt;

use serde::Deserialize;

/// What is done with a cluster. Playbooks of `up` are in `playbooks/` itself, those of any other action in the
/// folder that has its name; what is done for a reset is a part of a removal as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Every host is brought to the state that the inventory wants.
    Up,
    /// Hosts leave the cluster.
    Remove,
    /// Kubernetes is taken off hosts, whatever becomes of the cluster.
    Reset,
}

impl Action {
    pub const ALL: [Self; 3] = [Self::Up, Self::Remove, Self::Reset];

    /// Returns whether a playbook is one of this action's, by its path below `playbooks/`.
    pub fn has_playbook(self, path: &str) -> bool {
        let folder = path.split_once('/').map(|(folder, _)| folder);
        let named = Self::ALL.into_iter().find(|it| folder == Some(it.name()));
        let action = named.unwrap_or(Self::Up);
        action == self || (action == Self::Reset && self == Self::Remove)
    }

    /// Returns the name of the command, and of the playbooks' folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Remove => "remove",
            Self::Reset => "reset",
        }
    }
}

/// A phase, as playbooks name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Everything that a node needs before it knows of a cluster.
    Prepare,
    /// The control plane that the cluster begins with comes up.
    ControlPlane,
    /// Before each of them, what is there must be able to bear it.
    ControlPlaneGate,
    /// Further control planes join, one after another.
    ControlPlaneJoin,
    /// Workers join.
    Join,
    /// What runs in the cluster is applied.
    AddOns,
    /// The pods of a host that leaves go elsewhere.
    Drain,
    /// Its etcd member goes.
    Member,
    /// Kubernetes is taken off the machine.
    Reset,
    /// Its Node object goes.
    Forget,
    /// Everything that was applied is waited for; made of the playbooks' `checks`.
    Verify,
}

impl fmt::Display for PhaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Prepare => "prepare",
            Self::ControlPlane => "control-plane",
            Self::ControlPlaneGate => "control-plane-gate",
            Self::ControlPlaneJoin => "control-plane-join",
            Self::Join => "join",
            Self::AddOns => "add-ons",
            Self::Drain => "drain",
            Self::Member => "member",
            Self::Reset => "reset",
            Self::Forget => "forget",
            Self::Verify => "verify",
        })
    }
}
