//! What the operating system looks after.

use serde::{Deserialize, Serialize};

/// A kernel module, loaded now and at every boot; built into the kernel counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelModule {
    pub name: String,
}

/// A package of the node's distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
}

/// No swap: neither now nor after a boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap;

/// A kernel parameter, its value now and after a boot (by `/etc/sysctl.d/99-zz-kinstall.conf`, where no other
/// file says the same).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    pub key: String,
    pub value: String,
}

/// A systemd unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub name: String,
    /// `None` leaves it as it is.
    pub enabled: Option<bool>,
    pub state: UnitState,
}

/// What a unit should be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnitState {
    Running,
    Stopped,
    /// Only used by handlers: (re)start it now, after a daemon-reload.
    Restarted,
    /// Left as it is.
    Any,
}
