//! The names of the phases; [`crate::plan::PHASES`] says what each waits for.

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
