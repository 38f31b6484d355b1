//! The keys that encrypt objects in etcd. Those that are retired open the backups of their time.

use super::rotating_keys::{RotatingKey, RotatingKeys};
use crate::secret::Secret;

/// A key, 32 bytes in base64. Objects in etcd carry its name.
pub type EncryptionKey = RotatingKey<Secret>;

/// All encryption keys of a cluster.
pub type EncryptionKeys = RotatingKeys<Secret>;

impl EncryptionKey {
    /// Returns the name that API servers know it by.
    pub fn name(&self) -> String {
        format!("key{}", self.number())
    }
}

impl EncryptionKeys {
    /// Takes back those of these names, retired or not: data that was written with them comes back. Returns the names that no
    /// key has.
    pub fn keep_named<'a>(&mut self, names: &'a [String]) -> Vec<&'a str> {
        for name in names {
            self.take_back(|key| key.name() == *name);
        }
        let names = names.iter().map(String::as_str);
        let unknown = names.filter(|name| self.active().iter().all(|key| key.name() != *name));
        unknown.collect()
    }
}
