//! Etcd as a service of the node: its files tell what there is.

use std::path::Path;

use crate::converge::{Node, etcd};
use crate::wire::EtcdService;

const SETTINGS: &str = "/etc/etcd/etcd.env";
const UNIT: &str = "/etc/systemd/system/etcd.service";
/// Only kinstall's unit has this: others keep their settings under the same name.
const OWN_LINE: &str = "EnvironmentFile=-/run/kinstall-etcd.env";
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
        peers: Vec::new(),
    }
}

/// Returns the same, and who the members are, if this one knows.
pub fn asked(node: &Node) -> EtcdService {
    let service = service(node);
    let peers = match service.has_data {
        // Nothing is decided by a list that is missing.
        true => etcd::peers(node).unwrap_or_default(),
        false => Vec::new(),
    };
    EtcdService { peers, ..service }
}

fn data_dir(node: &Node) -> Option<String> {
    let unit = node.read_or_empty(UNIT);
    if !unit.lines().any(|line| line == OWN_LINE) {
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
        assert_eq!(service(&node), EtcdService::default());
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
}
