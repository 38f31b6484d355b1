//! The keys that encrypt objects in etcd: the one that writes, those that are read as well, and those that only backups
//! need. A rotation moves a key through these places, so that they tell how far it has come.

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// A key, 32 bytes in base64. Objects in etcd carry its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionKey {
    /// 1 for the key that the cluster began with; the newest has the highest.
    number: u32,
    secret: Secret,
}

impl EncryptionKey {
    /// Returns the name that API servers know it by.
    pub fn name(&self) -> String {
        format!("key{}", self.number)
    }

    /// Returns the key itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// What a rotation does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// API servers read the new key, before any of them writes with it.
    Add,
    /// They write with it, and all objects are written anew.
    Write,
    /// The old key goes from the control planes.
    Retire,
}

/// All encryption keys of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct EncryptionKeys {
    /// As API servers have them: the first one writes, each one reads. At least one.
    active: Vec<EncryptionKey>,
    /// What backups were made with.
    retired: Vec<EncryptionKey>,
    /// A rotation has begun and is not over.
    is_rotating: bool,
}

/// The same in the file: as long as nothing was rotated, it is the key alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    One(Secret),
    Several(Several),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Several {
    active: Vec<EncryptionKey>,
    retired: Vec<EncryptionKey>,
    is_rotating: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("no active encryption key")]
struct NoActiveKey;

impl TryFrom<Kept> for EncryptionKeys {
    type Error = NoActiveKey;

    fn try_from(kept: Kept) -> Result<Self, NoActiveKey> {
        match kept {
            Kept::One(secret) => Ok(Self::of(secret)),
            Kept::Several(Several { active, .. }) if active.is_empty() => Err(NoActiveKey),
            Kept::Several(Several {
                active,
                retired,
                is_rotating,
            }) => Ok(Self {
                active,
                retired,
                is_rotating,
            }),
        }
    }
}

impl From<EncryptionKeys> for Kept {
    fn from(keys: EncryptionKeys) -> Self {
        match keys.active.as_slice() {
            [only] if keys == EncryptionKeys::of(only.secret.clone()) => {
                Self::One(only.secret.clone())
            }
            _ => Self::Several(Several {
                active: keys.active,
                retired: keys.retired,
                is_rotating: keys.is_rotating,
            }),
        }
    }
}

impl EncryptionKeys {
    /// Returns the keys of a cluster that begins with this one.
    pub fn of(secret: Secret) -> Self {
        Self {
            active: vec![EncryptionKey { number: 1, secret }],
            retired: Vec::new(),
            is_rotating: false,
        }
    }

    /// Returns those that API servers have, the one that writes first.
    pub fn active(&self) -> &[EncryptionKey] {
        &self.active
    }

    /// Returns those that backups need as well.
    pub fn all(&self) -> impl Iterator<Item = &EncryptionKey> {
        self.active.iter().chain(&self.retired)
    }

    /// Returns the newest key.
    pub fn newest(&self) -> u32 {
        let numbers = self.all().map(|key| key.number);
        numbers.max().unwrap_or_default()
    }

    /// Returns the next step of a rotation; `None` where none is under way.
    pub fn next_step(&self) -> Option<RotationStep> {
        let writes_newest = self
            .active
            .first()
            .is_some_and(|it| it.number == self.newest());
        self.is_rotating.then_some(match self.active.len() {
            1 => RotationStep::Retire,
            _ if writes_newest => RotationStep::Write,
            _ => RotationStep::Add,
        })
    }

    /// Begins a rotation to a new key; goes on with the one that is under way.
    pub fn begin_rotation(&mut self, secret: Secret) {
        if !self.is_rotating {
            let number = self.newest() + 1;
            self.active.insert(1, EncryptionKey { number, secret });
            self.is_rotating = true;
        }
    }

    /// Goes on to what comes after a step that is done on all control planes.
    pub fn advance(&mut self, done: RotationStep) {
        let newest = self.newest();
        match done {
            RotationStep::Add => self.active.sort_by_key(|it| it.number != newest),
            RotationStep::Write => self.retired.extend(self.active.drain(1..)),
            RotationStep::Retire => self.is_rotating = false,
        }
    }

    /// Takes retired keys back that control planes still have, by the names that each of them has in this order: their
    /// disks may be those of before a rotation, and then the data is as well.
    pub fn keep_found(&mut self, found: &[Vec<String>]) {
        let is_ending = self.next_step() == Some(RotationStep::Retire);
        for names in found {
            for (place, name) in names.iter().enumerate() {
                let writes = place == 0;
                // Once all is written anew, one that only reads may go.
                let is_in_use = writes || !is_ending;
                if is_in_use && self.take_back(|key| key.name() == *name) && writes {
                    // The others must not write with a key that this one doesn't read yet.
                    self.active.rotate_right(1);
                }
            }
            // Nor with one that it doesn't know at all: that of a rotation that this one hasn't seen.
            let knows = |key: &EncryptionKey| names.contains(&key.name());
            if !names.is_empty() && !knows(&self.active[0]) {
                self.active.rotate_left(1);
            }
        }
    }

    /// Takes back those of these names, retired or not: data that was written with them comes back.
    pub fn keep_named(&mut self, names: &[String]) {
        for name in names {
            self.take_back(|key| key.name() == *name);
        }
    }

    /// Takes back what data was written with that comes from a backup.
    pub fn keep_those_of(&mut self, backup: &Self) {
        for theirs in &backup.active {
            self.take_back(|key| key == theirs);
        }
    }

    /// Returns whether data that was written with the others can be read with these.
    pub fn have_all_of(&self, others: &Self) -> bool {
        let mut theirs = others.active.iter();
        theirs.all(|key| self.active.contains(key) || self.retired.contains(key))
    }

    /// Makes a retired key the last active one; returns whether there was one.
    fn take_back(&mut self, is_it: impl Fn(&EncryptionKey) -> bool) -> bool {
        let Some(place) = self.retired.iter().position(is_it) else {
            return false;
        };
        self.active.push(self.retired.remove(place));
        self.is_rotating = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> EncryptionKeys {
        EncryptionKeys::of(Secret::new("one"))
    }

    fn names(keys: &EncryptionKeys) -> Vec<String> {
        keys.active.iter().map(EncryptionKey::name).collect()
    }

    /// Kept and read again, as after a kill.
    fn read_again(keys: &EncryptionKeys) -> EncryptionKeys {
        serde_json::from_str(&serde_json::to_string(keys).unwrap()).unwrap()
    }

    fn rotated() -> EncryptionKeys {
        let mut keys = keys();
        keys.begin_rotation(Secret::new("two"));
        while let Some(step) = keys.next_step() {
            keys.advance(step);
        }
        keys
    }

    #[test]
    fn a_key_is_read_before_it_writes_and_the_old_one_is_kept() {
        let mut keys = keys();
        let mut steps = Vec::new();
        keys.begin_rotation(Secret::new("two"));
        while let Some(step) = keys.next_step() {
            steps.push((step, names(&keys).join(" ")));
            // A second one doesn't begin meanwhile.
            keys = read_again(&keys);
            keys.begin_rotation(Secret::new("three"));
            keys.advance(step);
        }
        let expected = [
            (RotationStep::Add, "key1 key2"),
            (RotationStep::Write, "key2 key1"),
            (RotationStep::Retire, "key2"),
        ];
        assert_eq!(steps, expected.map(|(step, it)| (step, it.to_owned())));
        assert_eq!(read_again(&keys), rotated());
        assert_eq!(keys.retired, self::keys().active);
        keys.begin_rotation(Secret::new("three"));
        assert_eq!(names(&keys), ["key2", "key3"]);
    }

    #[test]
    fn what_was_never_rotated_is_kept_as_earlier_versions_read_it() {
        assert_eq!(serde_json::to_string(&keys()).unwrap(), r#""one""#);
        assert_eq!(read_again(&keys()), keys());
        let none = r#"{"active": [], "retired": [], "is_rotating": false}"#;
        assert!(serde_json::from_str::<EncryptionKeys>(none).is_err());
    }

    #[test]
    fn a_key_that_a_control_plane_has_is_not_dropped() {
        let found = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
            let mut keys = rotated();
            keys.keep_found(&[names]);
            (keys.next_step(), self::names(&keys).join(" "))
        };
        assert_eq!(found(&["key2"]), (None, "key2".to_owned()));
        assert_eq!(found(&["of-another"]), (None, "key2".to_owned()));
        let before = found(&["key1"]);
        assert_eq!(before, (Some(RotationStep::Add), "key1 key2".to_owned()));
        let middle = found(&["key2", "key1"]);
        assert_eq!(middle, (Some(RotationStep::Write), "key2 key1".to_owned()));

        // The rotation has come to where the new key writes, and the machines are back at where it began.
        let mut writing = self::keys();
        writing.begin_rotation(Secret::new("two"));
        writing.advance(RotationStep::Add);
        writing.keep_found(&[Vec::new(), vec!["key1".to_owned()]]);
        assert_eq!(names(&writing), ["key1", "key2"]);
        assert_eq!(writing.next_step(), Some(RotationStep::Add));

        let mut ending = rotated();
        ending.is_rotating = true;
        ending.keep_found(&[vec!["key2".to_owned(), "key1".to_owned()]]);
        assert_eq!(names(&ending), ["key2"], "all was written anew");
    }

    #[test]
    fn data_of_a_backup_is_read_with_the_key_of_its_time() {
        let mut keys = rotated();
        assert!(keys.have_all_of(&self::keys()));
        assert!(!self::keys().have_all_of(&keys));
        assert!(!keys.have_all_of(&EncryptionKeys::of(Secret::new("another"))));
        keys.keep_those_of(&self::keys());
        assert_eq!(names(&keys), ["key2", "key1"]);
        assert_eq!(keys.next_step(), Some(RotationStep::Write));
    }
}
