//! Users and groups by name, as the node's own files have them.

use super::{Node, ResourceError};

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: u32,
    /// The name, or the number where there is none.
    pub name: String,
}

/// Which of the two files is meant.
#[derive(Clone, Copy, Debug)]
pub enum Table {
    User,
    Group,
}

impl Table {
    fn path(self) -> &'static str {
        match self {
            Table::User => "/etc/passwd",
            Table::Group => "/etc/group",
        }
    }

    /// Finds the number of a name; digits stand for themselves.
    pub fn id(self, name: &str, node: &Node) -> Result<u32, ResourceError> {
        if let Ok(id) = name.parse() {
            return Ok(id);
        }
        let path = self.path();
        entries(&node.read_or_empty(path))
            .find(|account| account.name == name)
            .map(|account| account.id)
            .ok_or_else(|| ResourceError::other(format!("`{name}` is not in {path}")))
    }

    /// Finds the name of a number.
    pub fn account(self, id: u32, node: &Node) -> Account {
        entries(&node.read_or_empty(self.path()))
            .find(|account| account.id == id)
            .unwrap_or_else(|| Account {
                id,
                name: id.to_string(),
            })
    }
}

fn entries(table: &str) -> impl Iterator<Item = Account> {
    table.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let id = fields.nth(1)?.parse().ok()?;
        Some(Account { id, name })
    })
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::converge::Node;

    #[test]
    fn names_are_looked_up_in_the_nodes_own_files() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(root.path().join("etc/passwd"), "etcd:x:4711:12::/:\n").unwrap();
        let node = Node::at(root.path());
        assert_eq!(Table::User.id("etcd", &node).unwrap(), 4711);
        assert_eq!(Table::User.id("99", &node).unwrap(), 99);
        assert_eq!(Table::User.account(4711, &node).name, "etcd");
        let error = Table::Group.id("etcd", &node).unwrap_err();
        assert_eq!(error.to_string(), "`etcd` is not in /etc/group");
    }
}
