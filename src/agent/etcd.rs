//! Etcd as a service of the node: its files tell what there is.

use std::path::Path;

use crate::converge::Node;
use crate::wire::EtcdService;

/// The service's settings, which kinstall writes.
const SETTINGS: &str = "/etc/etcd/etcd.env";
const UNIT: &str = "/etc/systemd/system/etcd.service";

/// Returns where the service's data is, and whether there is any.
pub fn service(node: &Node) -> EtcdService {
    let settings = node.read_or_empty(SETTINGS);
    let mut lines = settings.lines();
    let data_dir = lines.find_map(|line| line.strip_prefix("ETCD_DATA_DIR="));
    let Some(data_dir) = data_dir.filter(|path| Path::new(path).is_absolute()) else {
        return EtcdService::default();
    };
    EtcdService {
        data_dir: data_dir.to_owned(),
        has_data: node.path(data_dir).join("member/wal").exists(),
    }
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
        // Of another installation.
        put(UNIT, "[Unit]\nDescription=etcd 3.5.9\n");
        assert_eq!(service(&node), EtcdService::default());
        assert_eq!(version(&node), None);

        put(SETTINGS, "ETCD_NAME=a\nETCD_DATA_DIR=/srv/etcd\n");
        put(UNIT, "[Unit]\nDescription=etcd 3.7.3\n");
        assert!(!service(&node).has_data);
        put("/srv/etcd/member/wal/0.wal", "x");
        let expected = EtcdService {
            data_dir: "/srv/etcd".to_owned(),
            has_data: true,
        };
        assert_eq!(service(&node), expected);
        assert_eq!(version(&node).unwrap(), "3.7.3");
    }
}
