//! What several variables hold at once: who changes it, changes it for all of them.

use std::cell::{OnceCell, Ref, RefCell, RefMut};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use super::value::{Value, Why};

/// A text, list or map.
#[derive(Default)]
pub struct Shared<T> {
    content: RefCell<T>,
    lost: OnceCell<Rc<Why>>,
}

impl<T> Shared<T> {
    pub fn new(content: T) -> Rc<Self> {
        Rc::new(Self {
            content: RefCell::new(content),
            lost: OnceCell::new(),
        })
    }

    pub fn borrow(&self) -> Ref<'_, T> {
        self.content.borrow()
    }

    pub fn borrow_mut(&self) -> RefMut<'_, T> {
        self.content.borrow_mut()
    }

    pub fn replace(&self, content: T) {
        self.content.replace(content);
    }

    /// Says that something that isn't followed may have changed it: from here on it isn't known.
    pub fn lose(&self, why: &Rc<Why>) {
        self.lost.get_or_init(|| Rc::clone(why));
    }

    pub fn lost(&self) -> Option<&Rc<Why>> {
        self.lost.get()
    }
}

impl Shared<Rc<str>> {
    pub fn text(&self) -> Rc<str> {
        Rc::clone(&self.borrow())
    }
}

/// The pairs of a map in their order, and what a missing key has.
#[derive(Clone, Default)]
pub struct Pairs {
    pairs: Vec<(Value, Value)>,
    /// A value, or a block that is given the map and the key.
    pub default: Option<Value>,
}

impl Pairs {
    /// Sets a key, which keeps its place.
    pub fn set(&mut self, key: Value, value: Value) {
        match self.position(&key) {
            Some(index) => self.pairs[index].1 = value,
            None => self.pairs.push((key, value)),
        }
    }

    pub fn get(&self, key: &Value) -> Option<&Value> {
        Some(&self.pairs[self.position(key)?].1)
    }

    fn position(&self, key: &Value) -> Option<usize> {
        // 1 and 1.0 are equal, but different keys.
        let is_float = |it: &Value| matches!(it, Value::Float(_));
        let is_same = |other: &Value| other.is_same(key) && is_float(other) == is_float(key);
        self.pairs.iter().position(|(other, _)| is_same(other))
    }
}

impl Shared<Pairs> {
    /// Sets a key. The map may be its own key, so that the search is over before it is changed.
    pub fn set(&self, key: Value, value: Value) {
        let position = self.borrow().position(&key);
        let pairs = &mut self.borrow_mut().pairs;
        match position {
            Some(index) => pairs[index].1 = value,
            None => pairs.push((key, value)),
        }
    }
}

impl From<Vec<(Value, Value)>> for Pairs {
    /// Later pairs win.
    fn from(pairs: Vec<(Value, Value)>) -> Self {
        let mut found = Self::default();
        for (key, value) in pairs {
            found.set(key, value);
        }
        found
    }
}

impl Deref for Pairs {
    type Target = Vec<(Value, Value)>;

    fn deref(&self) -> &Self::Target {
        &self.pairs
    }
}

impl DerefMut for Pairs {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.pairs
    }
}
