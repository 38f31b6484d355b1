//! The phases of an installation and the barriers between them: the table of contents of `kinstall up`.

use std::fmt;

use serde::Deserialize;

/// A phase, as playbooks name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Everything that a node needs before it knows of a cluster.
    Prepare,
    /// The first control plane comes up.
    ControlPlane,
    /// Further control planes join it.
    ControlPlaneJoin,
    /// Workers join.
    Join,
    /// What runs in the cluster is applied.
    AddOns,
    /// Everything that was applied is waited for; made of the playbooks' `checks`.
    Verify,
}

/// When a phase may run.
#[derive(Debug)]
pub struct PhaseRule {
    pub name: PhaseName,
    /// Phases that must be done, on all hosts that they concern, before any host starts this one.
    pub after: &'static [PhaseName],
    /// How many hosts at a time; `None`: all.
    pub serial: Option<usize>,
}

/// All phases. Workers don't wait for further control planes, and add-ons wait for neither: only what
/// needs the whole cluster stands in `verify`.
pub const PHASES: [PhaseRule; 6] = {
    use PhaseName::{AddOns, ControlPlane, ControlPlaneJoin, Join, Prepare, Verify};
    [
        rule(Prepare, &[], None),
        // A host's own phases follow one another anyway: other hosts are not waited for.
        rule(ControlPlane, &[], None),
        // One at a time: etcd must not lose its quorum while members are added.
        rule(ControlPlaneJoin, &[ControlPlane], Some(1)),
        rule(Join, &[ControlPlane], None),
        rule(AddOns, &[ControlPlane], None),
        rule(Verify, &[ControlPlaneJoin, Join, AddOns], None),
    ]
};

const fn rule(name: PhaseName, after: &'static [PhaseName], serial: Option<usize>) -> PhaseRule {
    PhaseRule {
        name,
        after,
        serial,
    }
}

impl fmt::Display for PhaseName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Prepare => "prepare",
            Self::ControlPlane => "control-plane",
            Self::ControlPlaneJoin => "control-plane-join",
            Self::Join => "join",
            Self::AddOns => "add-ons",
            Self::Verify => "verify",
        })
    }
}
