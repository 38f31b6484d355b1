//! The phases of each action and the barriers between them: the table of contents of `kinstall up`.

use crate::model::HostSpec;
use crate::playbook::{Action, PhaseName};

/// One line of an action's table: a phase, or the phases of a roll.
#[derive(Debug)]
pub struct Stage {
    /// More than one only in a roll: all that is done for one host before the next one's turn, in this order
    /// (drain it from elsewhere, change it, let it work again).
    pub phases: &'static [PhaseName],
    /// Phases that must be done, on all hosts that they concern, before any host starts this stage.
    pub after: &'static [PhaseName],
    /// Phases that must be over: where one failed on a host, this stage leaves out what it would do for that
    /// host, and goes on for the others.
    pub over: &'static [PhaseName],
    pub pace: Pace,
    /// Whose turns these are.
    pub of: Of,
}

/// Which hosts a stage is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    All,
    ControlPlanes,
    /// The nodes of Kubernetes that are no control planes.
    Workers,
}

impl Of {
    /// Returns whether a host is one of them.
    pub fn concerns(self, host: &HostSpec) -> bool {
        match self {
            Self::All => true,
            Self::ControlPlanes => host.roles.control_plane,
            Self::Workers => host.roles.is_node() && !host.roles.control_plane,
        }
    }
}

/// How many hosts are worked on at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// All.
    Together,
    /// A roll: one host after another in each of this many chains, which go on side by side. The plan has a
    /// phase `NAME/HOST` for each host; one that fails stops those behind it in its chain.
    Chains(usize),
}

/// Returns all phases of an action, each after those that it waits for.
pub fn phases(action: Action) -> &'static [Stage] {
    match action {
        Action::Up => UP,
        Action::Remove => REMOVE,
        Action::Reset => RESET,
        Action::Upgrade => UPGRADE,
        Action::Renew => RENEW,
        Action::RotateEncryption => ROTATE_ENCRYPTION,
        Action::RotateServiceAccounts => ROTATE_SERVICE_ACCOUNTS,
        Action::RotateAuthorities => ROTATE_AUTHORITIES,
        Action::Restore => RESTORE,
        Action::Rollback => ROLLBACK,
        Action::Defrag => DEFRAG,
    }
}

/// Workers don't wait for further control planes, and add-ons wait for neither: only what needs the whole
/// cluster stands in `nodes` and `verify`.
const UP: &[Stage] = {
    use PhaseName::{
        AddOns, ControlPlane, ControlPlaneGate, ControlPlaneJoin, Etcd, EtcdGate, Join, Manifests,
        Nodes, Prepare, Verify,
    };
    &[
        together(&[Prepare], &[]),
        // Etcd on hosts: one after another, too. API servers don't know of a member before it votes.
        Stage {
            phases: &[EtcdGate, Etcd],
            after: &[],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::All,
        },
        // A host's own phases follow one another anyway: other hosts are not waited for.
        together(&[ControlPlane], &[Etcd]),
        // One after another: etcd takes one new member at a time.
        Stage {
            phases: &[ControlPlaneGate, ControlPlaneJoin],
            after: &[ControlPlane],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::All,
        },
        together(&[Join], &[ControlPlane]),
        together(&[AddOns], &[ControlPlane]),
        together(&[Manifests], &[AddOns]),
        Stage {
            over: &[Prepare, ControlPlaneJoin, Join],
            ..together(&[Nodes, Verify], &[AddOns])
        },
    ]
};

/// One host after another, so that no two leave etcd at once. A machine is only reset when the cluster no
/// longer needs it.
const REMOVE: &[Stage] = {
    use PhaseName::{Drain, Forget, Leave, Member, Reset};
    &[Stage {
        phases: &[Drain, Leave, Member, Reset, Forget],
        after: &[],
        over: &[],
        pace: Pace::Chains(1),
        of: Of::All,
    }]
};

/// Nothing is kept of the cluster, so that no order is.
const RESET: &[Stage] = &[together(&[PhaseName::Reset], &[])];

/// kube-proxy and what else runs in the cluster must not be newer than any API server, and kubelets neither: so
/// add-ons move after the last control plane, and workers after them.
const UPGRADE: &[Stage] = {
    use PhaseName::{
        AddOns, Backup, ControlPlaneGate, Drain, Kubeadm, Manifests, Nodes, Prepare, Provide,
        Uncordon, UpgradeChecks, Verify,
    };
    &[
        together(&[UpgradeChecks], &[]),
        together(&[Provide], &[UpgradeChecks]),
        together(&[Backup], &[Provide]),
        Stage {
            phases: &[ControlPlaneGate, Drain, Kubeadm, Prepare, Uncordon],
            after: &[Backup],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::ControlPlanes,
        },
        together(&[AddOns], &[Uncordon]),
        together(&[Manifests], &[AddOns]),
        Stage {
            phases: &[Drain, Kubeadm, Prepare, Uncordon],
            after: &[AddOns],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::Workers,
        },
        together(&[Nodes, Verify], &[AddOns, Uncordon]),
    ]
};

/// Programs of a control plane are started again, which the others have to bear.
const RENEW: &[Stage] = &[Stage {
    phases: &[PhaseName::ControlPlaneGate, PhaseName::Renew],
    after: &[],
    over: &[],
    pace: Pace::Chains(1),
    of: Of::ControlPlanes,
}];

/// API servers take other keys without a restart, so that they need not do it one after another; but all of them have the
/// keys before anything is written anew.
const ROTATE_ENCRYPTION: &[Stage] = &[
    together(&[PhaseName::ControlPlaneGate], &[]),
    together(&[PhaseName::Encryption], &[PhaseName::ControlPlaneGate]),
    together(&[PhaseName::Rewrite], &[PhaseName::Encryption]),
];

/// As [`RENEW`].
const ROTATE_SERVICE_ACCOUNTS: &[Stage] = &[Stage {
    phases: &[PhaseName::ControlPlaneGate, PhaseName::ServiceAccountKeys],
    after: &[],
    over: &[],
    pace: Pace::Chains(1),
    of: Of::ControlPlanes,
}];

/// What is accepted and what signs is the same everywhere before anybody shows a certificate of it: see
/// [`RotationStep`](crate::credentials::RotationStep). Controller managers sign for kubelets, so that these come last.
const ROTATE_AUTHORITIES: &[Stage] = {
    use PhaseName::{Authorities, ControlPlaneGate, Etcd, EtcdGate, Finish, Kubelets, Provide};
    &[
        together(&[Provide], &[]),
        Stage {
            phases: &[EtcdGate, Etcd],
            after: &[Provide],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::All,
        },
        Stage {
            phases: &[ControlPlaneGate, Authorities],
            after: &[Etcd],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::ControlPlanes,
        },
        together(&[Finish], &[Authorities]),
        together(&[Kubelets], &[Finish]),
    ]
};

/// No member may have other data than the rest: each step is done everywhere before the next one begins anywhere.
const RESTORE: &[Stage] = &[
    together(&[PhaseName::Provide], &[]),
    together(&[PhaseName::Stop], &[PhaseName::Provide]),
    together(&[PhaseName::Restore], &[PhaseName::Stop]),
    together(&[PhaseName::Encryption], &[PhaseName::Restore]),
    together(&[PhaseName::Start], &[PhaseName::Encryption]),
    together(&[PhaseName::Finish], &[PhaseName::Start]),
];

/// A restore with the release before: between the old data and the start of the control planes all nodes get its programs, so
/// that no kubelet is newer than an API server that answers.
const ROLLBACK: &[Stage] = {
    use PhaseName::{
        AddOns, Finish, Kubeadm, Manifests, Nodes, Prepare, Provide, Restore, Start, Stop,
        Uncordon, Verify,
    };
    &[
        together(&[Provide], &[]),
        together(&[Stop], &[Provide]),
        together(&[Restore], &[Stop]),
        together(&[Kubeadm], &[Restore]),
        together(&[Prepare], &[Kubeadm]),
        together(&[Start], &[Prepare]),
        together(&[AddOns], &[Start]),
        together(&[Manifests], &[AddOns]),
        together(&[Uncordon], &[Manifests]),
        together(&[Finish], &[Uncordon]),
        together(&[Nodes, Verify], &[Finish]),
    ]
};

/// A member doesn't answer while its file is written anew.
const DEFRAG: &[Stage] = &[Stage {
    phases: &[PhaseName::ControlPlaneGate, PhaseName::Defrag],
    after: &[],
    over: &[],
    pace: Pace::Chains(1),
    of: Of::All,
}];

const fn together(phases: &'static [PhaseName], after: &'static [PhaseName]) -> Stage {
    Stage {
        phases,
        after,
        over: &[],
        pace: Pace::Together,
        of: Of::All,
    }
}
