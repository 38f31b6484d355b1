//! Keys that get successors: the one in use, those that are accepted as well, and those that were. A rotation moves a key
//! through these places, so that they tell how far it has come.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// How long an old key is accepted after the last use of it. Kubelets renew tokens that are a day old, whatever they were made
/// for; one that is late has another hour.
pub const GRACE: Duration = Duration::from_hours(25);

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotatingKey<K> {
    /// 1 for the key that the cluster began with; the newest has the highest.
    number: u32,
    secret: K,
}

impl<K> RotatingKey<K> {
    /// Returns its number, which no other key of the same keys has.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Returns the key itself.
    pub fn secret(&self) -> &K {
        &self.secret
    }
}

/// What a rotation does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RotationStep {
    /// All accept the new key, before anybody uses it.
    Add,
    /// It is used; what was made with the old one is accepted, and made anew.
    Switch,
    /// The old key goes from the control planes.
    Retire,
}

/// All keys of a cluster that are for the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "Kept<K>",
    into = "Kept<K>",
    bound(serialize = "K: Clone + PartialEq + Serialize")
)]
pub struct RotatingKeys<K> {
    /// As control planes have them: the first one is used, each one is accepted. At least one.
    active: Vec<RotatingKey<K>>,
    /// What is not accepted any more; backups may need it, and machines that went back to an earlier state.
    retired: Vec<RotatingKey<K>>,
    /// A rotation has begun and is not over.
    is_rotating: bool,
    /// Since when all use the newest key, in seconds after 1970; where what was made with the old one is made anew by
    /// itself.
    switched_at: Option<u64>,
}

/// The same in the file: as long as nothing was rotated, it is the key alone.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept<K> {
    One(K),
    Several(Several<K>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Several<K> {
    active: Vec<RotatingKey<K>>,
    retired: Vec<RotatingKey<K>>,
    is_rotating: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    switched_at: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
#[error("no active key")]
struct NoActiveKey;

impl<K> TryFrom<Kept<K>> for RotatingKeys<K> {
    type Error = NoActiveKey;

    fn try_from(kept: Kept<K>) -> Result<Self, NoActiveKey> {
        match kept {
            Kept::One(secret) => Ok(Self::of(secret)),
            Kept::Several(Several { active, .. }) if active.is_empty() => Err(NoActiveKey),
            Kept::Several(several) => Ok(Self {
                active: several.active,
                retired: several.retired,
                is_rotating: several.is_rotating,
                switched_at: several.switched_at,
            }),
        }
    }
}

impl<K: Clone + PartialEq> From<RotatingKeys<K>> for Kept<K> {
    fn from(keys: RotatingKeys<K>) -> Self {
        match keys.active.as_slice() {
            [only] if keys == RotatingKeys::of(only.secret.clone()) => {
                Self::One(only.secret.clone())
            }
            _ => Self::Several(Several {
                active: keys.active,
                retired: keys.retired,
                is_rotating: keys.is_rotating,
                switched_at: keys.switched_at,
            }),
        }
    }
}

impl<K> RotatingKeys<K> {
    /// Returns the keys of a cluster that begins with this one.
    pub fn of(secret: K) -> Self {
        Self {
            active: vec![RotatingKey { number: 1, secret }],
            retired: Vec::new(),
            is_rotating: false,
            switched_at: None,
        }
    }

    /// Returns those that control planes have, the one that is used first.
    pub fn active(&self) -> &[RotatingKey<K>] {
        &self.active
    }

    /// Returns the retired ones as well.
    pub fn all(&self) -> impl Iterator<Item = &RotatingKey<K>> {
        self.active.iter().chain(&self.retired)
    }

    /// Returns the newest key.
    pub fn newest(&self) -> u32 {
        let numbers = self.all().map(|key| key.number);
        numbers.max().unwrap_or_default()
    }

    /// Returns the next step of a rotation; `None` where none is under way.
    pub fn next_step(&self) -> Option<RotationStep> {
        let uses_newest = self
            .active
            .first()
            .is_some_and(|it| it.number == self.newest());
        self.is_rotating.then_some(match self.active.len() {
            1 => RotationStep::Retire,
            _ if uses_newest => RotationStep::Switch,
            _ => RotationStep::Add,
        })
    }

    /// Returns since when all use the newest key and accept the old one, if that was noted.
    pub fn switched_at(&self) -> Option<u64> {
        let has_switched = self.next_step() == Some(RotationStep::Switch);
        self.switched_at.filter(|_| has_switched)
    }

    /// Returns until when the old key is accepted at least; `None` unless what was made with it is being made anew by itself.
    pub fn accepted_until(&self) -> Option<SystemTime> {
        let since = Duration::from_secs(self.switched_at()?);
        Some(SystemTime::UNIX_EPOCH + since + GRACE)
    }

    /// Goes on to what comes after the step that is done everywhere, where others make anew what was made with the old key;
    /// returns whether it can be done now.
    pub fn advance_at(&mut self, now: SystemTime) -> bool {
        if self.next_step() == Some(RotationStep::Switch) && self.switched_at().is_none() {
            let since = now.duration_since(SystemTime::UNIX_EPOCH);
            self.note_switch(since.unwrap_or_default().as_secs());
            return false;
        }
        self.advance()
    }

    /// Begins a rotation to a new key; goes on with the one that is under way.
    pub fn begin_rotation(&mut self, secret: K) {
        if !self.is_rotating {
            let number = self.newest() + 1;
            self.active.insert(1, RotatingKey { number, secret });
            self.is_rotating = true;
        }
    }

    /// Notes that all use the newest key from now on.
    pub fn note_switch(&mut self, now: u64) {
        self.switched_at = Some(now);
    }

    /// Goes on to what comes after the step that is done on all control planes; returns whether something does.
    pub fn advance(&mut self) -> bool {
        let newest = self.newest();
        match self.next_step() {
            Some(RotationStep::Add) => self.active.sort_by_key(|it| it.number != newest),
            Some(RotationStep::Switch) => self.retired.extend(self.active.drain(1..)),
            Some(RotationStep::Retire) | None => self.is_rotating = false,
        }
        self.switched_at = None;
        self.is_rotating
    }

    /// Takes retired keys back that control planes still have, by the numbers that each of them has in this order: their
    /// disks may be those of before a rotation, and then the data is as well.
    pub fn keep_found(&mut self, found: &[Vec<u32>]) {
        let is_ending = self.next_step() == Some(RotationStep::Retire);
        for numbers in found {
            for (place, number) in numbers.iter().enumerate() {
                // Once all is made anew, one that is only accepted may go.
                if place == 0 || !is_ending {
                    self.take_back(|key| key.number == *number);
                }
            }
        }
        let found: Vec<&Vec<u32>> = found.iter().filter(|it| !it.is_empty()).collect();
        self.use_what_is_accepted(&found);
        let used = self.active[0].number;
        if found.iter().any(|numbers| numbers[0] != used) {
            self.switched_at = None;
        }
    }

    /// None may use a key that another one doesn't accept yet, or that of a rotation that it hasn't seen. Where they have none in
    /// common, the one counts that most accept.
    fn use_what_is_accepted(&mut self, found: &[&Vec<u32>]) {
        let accept = |key: &RotatingKey<K>| {
            let accept = found.iter().filter(|it| it.contains(&key.number));
            let uses = found.iter().filter(|it| it.first() == Some(&key.number));
            (accept.count(), uses.count())
        };
        let (accept_first, _) = accept(&self.active[0]);
        if accept_first == found.len() {
            return;
        }
        // Of equal ones the first: the order is that of the last step.
        let places = (0..self.active.len()).rev();
        if let Some(place) = places.max_by_key(|place| accept(&self.active[*place])) {
            let used = self.active.remove(place);
            self.active.insert(0, used);
        }
    }

    /// Makes a retired key the last active one; returns whether there was one.
    pub(super) fn take_back(&mut self, is_it: impl Fn(&RotatingKey<K>) -> bool) -> bool {
        let Some(place) = self.retired.iter().position(is_it) else {
            return false;
        };
        self.active.push(self.retired.remove(place));
        self.is_rotating = true;
        self.switched_at = None;
        true
    }
}

impl<K: PartialEq> RotatingKeys<K> {
    /// Takes back what data was made with that comes from a backup.
    pub fn keep_those_of(&mut self, backup: &Self) {
        for theirs in &backup.active {
            self.take_back(|key| key == theirs);
        }
    }

    /// Returns whether what was made with the others is accepted with these.
    pub fn have_all_of(&self, others: &Self) -> bool {
        let mut theirs = others.active.iter();
        theirs.all(|key| self.active.contains(key) || self.retired.contains(key))
    }
}

#[cfg(test)]
mod tests;
