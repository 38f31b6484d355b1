//! What kinstall can do with a cluster, and the names of the phases that this is made of;
//! [`mod@crate::plan::phases`] says what each phase waits for.

use std::fmt;

use serde::Deserialize;

/// What is done with a cluster. Playbooks of `up` are in `playbooks/` itself, those of any other action in the
/// folder that has its name; what is done for a reset is a part of a removal as well, and an upgrade does what `up` does
/// in the phases [`SHARED_WITH_UPGRADE`]. A rollback does that for the release before, and parts of an upgrade and of a
/// restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Every host is brought to the state that the inventory wants.
    Up,
    /// Hosts leave the cluster.
    Remove,
    /// Kubernetes is taken off hosts, whatever becomes of the cluster.
    Reset,
    /// The cluster moves to another release, one host after another.
    Upgrade,
    /// The certificates of the control planes are made anew.
    Renew,
    /// Objects in etcd are encrypted with a new key.
    RotateEncryption,
    /// Tokens of service accounts are signed with a new key.
    RotateServiceAccounts,
    /// Authorities get successors.
    RotateAuthorities,
    /// etcd gets the data of a backup.
    Restore,
    /// All nodes go back to the release before an upgrade, and etcd to the data that it had then.
    Rollback,
    /// The files of etcd's members are written anew, without what isn't used any more.
    Defrag,
}

/// What these phases make of a host and of the cluster is the same in an upgrade; it only comes in another order.
const SHARED_WITH_UPGRADE: [PhaseName; 5] = [
    PhaseName::Prepare,
    PhaseName::AddOns,
    PhaseName::Manifests,
    PhaseName::Nodes,
    PhaseName::Verify,
];

impl Action {
    pub const ALL: [Self; 11] = [
        Self::Up,
        Self::Remove,
        Self::Reset,
        Self::Upgrade,
        Self::Renew,
        Self::RotateEncryption,
        Self::RotateServiceAccounts,
        Self::RotateAuthorities,
        Self::Restore,
        Self::Rollback,
        Self::Defrag,
    ];

    /// Returns the phase in which this action runs one of its playbooks, by the playbook's path and the phases that it
    /// names: its own, and those in an upgrade and in a rotation of authorities. `None` where the action doesn't run it.
    pub fn phase_of(
        self,
        path: &str,
        phase: PhaseName,
        upgrade_phase: Option<PhaseName>,
        authorities_phase: Option<PhaseName>,
    ) -> Option<PhaseName> {
        use PhaseName::{Finish, Provide, Restore, Start, Stop, Uncordon};
        let of = Self::of_playbook(path);
        if self == Self::RotateAuthorities && of == Self::Up {
            return authorities_phase;
        }
        let is_run = match (self, of) {
            (Self::Remove, Self::Reset) => true,
            (Self::Upgrade | Self::Rollback, Self::Up) => SHARED_WITH_UPGRADE.contains(&phase),
            (Self::Rollback, Self::Upgrade) => matches!(phase, Provide | Uncordon),
            // An upgrade's files of the control plane have the keys.
            (Self::Rollback, Self::Restore) => {
                matches!(phase, Provide | Stop | Restore | Start | Finish)
            }
            // The data may tell of authorities from before a rotation.
            (Self::Restore | Self::Rollback, Self::RotateAuthorities) => phase == Finish,
            _ => of == self,
        };
        let other = upgrade_phase.filter(|_| of != self);
        is_run.then(|| other.unwrap_or(phase))
    }

    fn of_playbook(path: &str) -> Self {
        let folder = path.split_once('/').map(|(folder, _)| folder);
        let named = Self::ALL.into_iter().find(|it| folder == Some(it.name()));
        named.unwrap_or(Self::Up)
    }

    /// Returns the name of the command, and of the playbooks' folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Remove => "remove",
            Self::Reset => "reset",
            Self::Upgrade => "upgrade",
            Self::Renew => "renew",
            Self::RotateEncryption => "rotate-encryption",
            Self::RotateServiceAccounts => "rotate-service-accounts",
            Self::RotateAuthorities => "rotate-authorities",
            Self::Restore => "restore",
            Self::Rollback => "rollback",
            Self::Defrag => "defrag",
        }
    }
}

/// A phase, as playbooks name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Everything that a node needs before it knows of a cluster.
    Prepare,
    /// Before a host becomes a member of etcd, what is there must be able to bear it.
    EtcdGate,
    /// Etcd runs on hosts, begun on one and joined by the others, one after another.
    Etcd,
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
    /// The user's own objects are applied.
    Manifests,
    /// The pods of a host that leaves or changes go elsewhere.
    Drain,
    /// From now on it counts as one whose join was interrupted: whoever goes on with it instead begins anew.
    Leave,
    /// Its etcd member goes.
    Member,
    /// Kubernetes is taken off the machine.
    Reset,
    /// Its Node object goes.
    Forget,
    /// What would stop an upgrade halfway is looked for, on all hosts, before anything changes.
    UpgradeChecks,
    /// What an upgrade, a restore or a rollback needs is brought to all hosts.
    Provide,
    /// etcd's data is kept as it was.
    Backup,
    /// What kubeadm looks after on a host moves.
    Kubeadm,
    /// A host that has changed takes pods again.
    Uncordon,
    /// The certificates of a control plane are made anew.
    Renew,
    /// API servers get the keys that encrypt objects in etcd.
    Encryption,
    /// Objects are written anew, so that they are encrypted with the new key.
    Rewrite,
    /// A control plane gets the keys of service accounts, and starts again what reads them.
    ServiceAccountKeys,
    /// A control plane gets certificates of the authorities that sign, and starts again what reads authorities.
    Authorities,
    /// Kubelets get the same.
    Kubelets,
    /// etcd and what works with it stop.
    Stop,
    /// etcd's data is replaced.
    Restore,
    /// They start again.
    Start,
    /// What was needed on the way goes.
    Finish,
    /// The file of an etcd member is written anew.
    Defrag,
    /// Nodes get their labels and taints, and are ready: only then it is known how many pods there have to be.
    Nodes,
    /// Everything that was applied is waited for; made of the playbooks' `checks`.
    Verify,
}

impl fmt::Display for PhaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Prepare => "prepare",
            Self::EtcdGate => "etcd-gate",
            Self::Etcd => "etcd",
            Self::ControlPlane => "control-plane",
            Self::ControlPlaneGate => "control-plane-gate",
            Self::ControlPlaneJoin => "control-plane-join",
            Self::Join => "join",
            Self::AddOns => "add-ons",
            Self::Manifests => "manifests",
            Self::Drain => "drain",
            Self::Leave => "leave",
            Self::Member => "member",
            Self::Reset => "reset",
            Self::Forget => "forget",
            Self::UpgradeChecks => "upgrade-checks",
            Self::Provide => "provide",
            Self::Backup => "backup",
            Self::Kubeadm => "kubeadm",
            Self::Uncordon => "uncordon",
            Self::Renew => "renew",
            Self::Encryption => "encryption",
            Self::Rewrite => "rewrite",
            Self::ServiceAccountKeys => "service-account-keys",
            Self::Authorities => "authorities",
            Self::Kubelets => "kubelets",
            Self::Stop => "stop",
            Self::Restore => "restore",
            Self::Start => "start",
            Self::Finish => "finish",
            Self::Defrag => "defrag",
            Self::Nodes => "nodes",
            Self::Verify => "verify",
        })
    }
}
