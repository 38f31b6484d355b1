//! What is done with a resource on a machine that has nothing of the cluster yet.

use super::{
    Action, Change, Guard, Manifest, Manifests, NodeObject, Resource, Sysctl, Unit, UnitState,
};

impl Resource {
    /// Returns the changes that a machine fresh from its image needs, in the words of a check of the machine itself, as
    /// far as they can be told without it; none where there is nothing to remove yet.
    pub fn from_nothing(&self) -> Vec<Change> {
        let one = |action, subject: &str| vec![Change::new(action, subject)];
        match self {
            Self::Archive(_) | Self::Download(_) | Self::File(_) => one(Action::Create, "content"),
            Self::Block(it) if it.content.is_empty() => Vec::new(),
            Self::Block(it) => one(Action::Create, &format!("block {}", it.name)),
            Self::Command(it) => match it.guard {
                // There is none that could end, or that something could be done with.
                Guard::ValidCertificates { .. } | Guard::NoObject { .. } => Vec::new(),
                _ => it.announced(),
            },
            Self::Directory(_) => one(Action::Create, "directory"),
            Self::Image(it) => {
                let digest = format!("sha256:{}", it.manifest.sha256);
                vec![Change::new(Action::Create, "image").values(None, Some(digest))]
            }
            Self::KernelModule(_) => one(Action::Create, "loaded"),
            Self::Manifests(it) => of_objects(it),
            Self::NodeObject(it) => of_node(it),
            Self::Package(_) => one(Action::Create, "package"),
            Self::Swap(_) => one(Action::Remove, "swap, where there is some"),
            Self::Symlink(it) => {
                vec![Change::new(Action::Create, "link").values(None, Some(it.target.clone()))]
            }
            Self::Sysctl(it) => of_sysctl(it),
            Self::Unit(it) => of_unit(it),
            Self::Wait(it) => one(Action::Wait, &it.condition.title()),
            Self::Absent(_)
            | Self::AbsentImage(_)
            | Self::AbsentNode(_)
            | Self::AbsentObjects(_)
            | Self::EtcdLeaderElsewhere(_)
            | Self::EtcdMemberAbsent(_)
            | Self::NoLongerWanted(_)
            | Self::PodAddresses(_)
            | Self::Registration(_)
            | Self::Remains(_) => Vec::new(),
        }
    }
}

fn of_objects(manifests: &Manifests) -> Vec<Change> {
    let names = manifests.objects.iter().filter_map(Manifest::name);
    names
        .map(|name| Change::new(Action::Create, name.title()))
        .collect()
}

fn of_node(node: &NodeObject) -> Vec<Change> {
    let labels = node.labels.iter().map(|(key, value)| {
        Change::new(Action::Create, format!("label {key}")).values(None, Some(value.clone()))
    });
    let taints = node.taints.iter().map(|taint| {
        let title = format!("taint {}:{}", taint.key, taint.effect);
        Change::new(Action::Create, title)
    });
    labels.chain(taints).collect()
}

fn of_sysctl(sysctl: &Sysctl) -> Vec<Change> {
    let value =
        |subject| Change::new(Action::Create, subject).values(None, Some(sysctl.value.clone()));
    ["live value", "value at boot"].map(value).into()
}

fn of_unit(unit: &Unit) -> Vec<Change> {
    let mut changes = Vec::new();
    if unit.enabled == Some(true) {
        let to = Some("enabled".to_owned());
        changes.push(Change::new(Action::Update, "enabled").values(None, to));
    }
    let state = match unit.state {
        UnitState::Running => "running",
        UnitState::Restarted => "restarted",
        UnitState::Stopped | UnitState::Any => return changes,
    };
    changes.push(Change::new(Action::Restart, "state").values(None, Some(state.to_owned())));
    changes
}
