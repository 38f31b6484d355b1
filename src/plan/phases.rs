//! The phases of an installation and the barriers between them: the table of contents of `kinstall up`.

use crate::playbook::PhaseName;

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
