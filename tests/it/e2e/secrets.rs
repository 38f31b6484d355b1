//! The file of the cluster's secrets, before and after a rotation.

use super::kinstall::Kinstall;

pub fn read(lab: &Kinstall) -> Vec<u8> {
    std::fs::read(lab.path(".kinstall/secrets.json")).unwrap()
}

/// With a copy from before, the parts of the cluster would not know each other.
pub fn an_older_copy_is_refused(lab: &Kinstall, before: &[u8], rotate: &[&str], what: &str) {
    let newest = read(lab);
    let path = lab.path(".kinstall/secrets.json");
    std::fs::write(&path, before).unwrap();
    for command in [&["up"], rotate] {
        let refused = lab.run(command);
        refused.expect_code(4);
        let said = refused.stderr();
        let expected = format!("{what} that .kinstall/secrets.json doesn't have");
        assert!(said.contains(&expected), "{said}");
    }
    std::fs::write(&path, newest).unwrap();
    lab.changes_nothing();
}
