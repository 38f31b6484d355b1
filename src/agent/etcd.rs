//! Etcd as a service of the node: its files tell what there is.

use std::path::Path;

use crate::converge::{Node, etcd};
use crate::wire::EtcdService;

const SETTINGS: &str = "/etc/etcd/etcd.env";
const UNIT: &str = "/etc/systemd/system/etcd.service";
/// Only kinstall's unit has this: others keep their settings under the same name.
const OWN_LINE: &str = "EnvironmentFile=-/run/kinstall-etcd.env";
const PACKAGED_UNITS: [&str; 2] = [
    "/usr/lib/systemd/system/etcd.service",
    "/lib/systemd/system/etcd.service",
];
/// It starts with the machine, or runs.
const TRACES_OF_USE: [&str; 3] = [
    "/etc/systemd/system/multi-user.target.wants/etcd.service",
    "/sys/fs/cgroup/system.slice/etcd.service",
    "/sys/fs/cgroup/systemd/system.slice/etcd.service",
];
/// The members' URLs, which nobody else writes.
const ENDPOINTS: &str = "/etc/etcd/endpoints";

/// Returns where the service's data is, and whether there is any.
pub fn service(node: &Node) -> EtcdService {
    let data_dir = data_dir(node);
    EtcdService {
        has_data: data_dir
            .as_ref()
            .is_some_and(|it| node.path(it).join("member/wal").exists()),
        data_dir: data_dir.unwrap_or_default(),
        has_access: node.path(ENDPOINTS).exists(),
        other_unit: other_unit(node),
        peers: Vec::new(),
    }
}

/// Returns the same, and who the members are, if this one knows.
pub fn asked(node: &Node) -> EtcdService {
    let service = service(node);
    let peers = if service.has_data {
        // Nothing is decided by a list that is missing.
        etcd::peers(node).unwrap_or_default()
    } else {
        Vec::new()
    };
    EtcdService { peers, ..service }
}

fn is_own_unit(node: &Node) -> bool {
    let unit = node.read_or_empty(UNIT);
    unit.lines().any(|line| line == OWN_LINE)
}

/// One that a package brought counts where it is used.
fn other_unit(node: &Node) -> Option<String> {
    if node.path(UNIT).exists() {
        return (!is_own_unit(node)).then(|| UNIT.to_owned());
    }
    let packaged = PACKAGED_UNITS
        .iter()
        .find(|path| node.path(path).exists())?;
    let is_used = TRACES_OF_USE.iter().any(|path| {
        let link = node.path(path).symlink_metadata();
        link.is_ok()
    });
    is_used.then(|| (*packaged).to_owned())
}

fn data_dir(node: &Node) -> Option<String> {
    if !is_own_unit(node) {
        return None;
    }
    let settings = node.read_or_empty(SETTINGS);
    let mut lines = settings.lines();
    let data_dir = lines.find_map(|line| line.strip_prefix("ETCD_DATA_DIR="))?;
    let is_absolute = Path::new(data_dir).is_absolute();
    is_absolute.then(|| data_dir.to_owned())
}

/// Returns the version that the unit of kinstall's names; `None` where there is no service.
pub fn version(node: &Node) -> Option<String> {
    if service(node).data_dir.is_empty() {
        return None;
    }
    let unit = node.read_or_empty(UNIT);
    let mut lines = unit.lines();
    lines.find_map(|line| Some(line.strip_prefix("Description=etcd ")?.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_service_is_there_with_its_settings_and_a_member_with_its_log() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let put = |path: &str, text: &str| {
            let path = node.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        // The user's own, which has its settings in a file of the same name.
        put(UNIT, "[Unit]\nDescription=etcd 3.5.9\n");
        put(SETTINGS, "ETCD_NAME=a\nETCD_DATA_DIR=/srv/etcd\n");
        put("/srv/etcd/member/wal/0.wal", "x");
        put("/etc/etcd/pki/ca.crt", "x");
        let users = EtcdService {
            other_unit: Some(UNIT.to_owned()),
            ..EtcdService::default()
        };
        assert_eq!(service(&node), users);
        assert_eq!(version(&node), None);

        put(SETTINGS, "ETCD_NAME=a\nETCD_DATA_DIR=/srv/kinstall\n");
        let unit = include_str!("../../templates/etcd/etcd.service.tera");
        put(UNIT, &unit.replace("{{ versions.etcd }}", "3.7.3"));
        assert!(!service(&node).has_data);
        put("/srv/kinstall/member/wal/0.wal", "x");
        put(ENDPOINTS, "https://10.0.0.1:2379\n");
        let expected = EtcdService {
            data_dir: "/srv/kinstall".to_owned(),
            has_data: true,
            has_access: true,
            ..EtcdService::default()
        };
        assert_eq!(service(&node), expected);
        assert_eq!(version(&node).unwrap(), "3.7.3");
    }

    #[test]
    fn a_packages_unit_counts_where_it_is_used() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let folder = |path: &str| {
            let path = node.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        fs::write(folder(PACKAGED_UNITS[1]), "[Service]\n").unwrap();
        assert_eq!(service(&node).other_unit, None);
        // It leads nowhere in this root.
        std::os::unix::fs::symlink(PACKAGED_UNITS[1], folder(TRACES_OF_USE[0])).unwrap();
        let found = service(&node).other_unit;
        assert_eq!(found.as_deref(), Some(PACKAGED_UNITS[1]));
        // With a unit of kinstall's, it is that one that is in use.
        let unit = include_str!("../../templates/etcd/etcd.service.tera");
        fs::write(folder(UNIT), unit).unwrap();
        assert_eq!(service(&node).other_unit, None);
    }
}
