//! Puts things in an order in which each comes after what it needs.

use std::collections::{BTreeMap, BTreeSet};

/// Why there is no such order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// The path through the circle; the first comes back as the last.
    #[error("{} go round in a circle", .0.join(" -> "))]
    Cycle(Vec<String>),
    #[error("`{from}` comes after `{missing}`, which is not there")]
    Unknown { from: String, missing: String },
}

/// Sorts the keys of `after` so that each comes after those that it names.
///
/// Among those that may come next, the one that is first in the map does: the same input always gives
/// the same order.
pub fn order<'a>(after: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Result<Vec<&'a str>, OrderError> {
    for (from, needed) in after {
        if let Some(missing) = needed.iter().find(|name| !after.contains_key(*name)) {
            return Err(OrderError::Unknown {
                from: (*from).to_owned(),
                missing: (*missing).to_owned(),
            });
        }
    }
    let mut ordered: Vec<&str> = Vec::with_capacity(after.len());
    let mut waiting: Vec<&str> = after.keys().copied().collect();
    while !waiting.is_empty() {
        let is_ready = |name: &&str| after[*name].iter().all(|needed| ordered.contains(needed));
        let Some(position) = waiting.iter().position(is_ready) else {
            return Err(OrderError::Cycle(circle(after, &waiting)));
        };
        ordered.push(waiting.remove(position));
    }
    Ok(ordered)
}

/// Walks from one that waits to one that it waits for until a name comes back.
fn circle(after: &BTreeMap<&str, BTreeSet<&str>>, waiting: &[&str]) -> Vec<String> {
    let mut path: Vec<&str> = vec![waiting[0]];
    loop {
        let last = path[path.len() - 1];
        // What can't be put in order waits for something that can't either.
        let Some(next) = after[last].iter().find(|name| waiting.contains(name)) else {
            return path.into_iter().map(str::to_owned).collect();
        };
        if let Some(start) = path.iter().position(|name| name == next) {
            path.push(next);
            return path[start..]
                .iter()
                .map(|name| (*name).to_owned())
                .collect();
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::{OrderError, order};

    const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

    type Edges = BTreeMap<&'static str, BTreeSet<&'static str>>;

    fn edges(pairs: &[(&'static str, &[&'static str])]) -> Edges {
        let pairs = pairs.iter();
        pairs
            .map(|(name, needed)| (*name, needed.iter().copied().collect()))
            .collect()
    }

    #[test]
    fn without_edges_the_names_decide() {
        assert_eq!(
            order(&edges(&[("b", &[]), ("a", &[])])).unwrap(),
            ["a", "b"]
        );
    }

    #[test]
    fn what_is_needed_comes_first() {
        let edges = edges(&[("a", &["c"]), ("b", &[]), ("c", &["d"]), ("d", &[])]);
        assert_eq!(order(&edges).unwrap(), ["b", "d", "c", "a"]);
    }

    #[test]
    fn a_circle_is_named() {
        let edges = edges(&[("a", &["b"]), ("b", &["c"]), ("c", &["d"]), ("d", &["b"])]);
        let error = order(&edges).unwrap_err();
        assert_eq!(error.to_string(), "b -> c -> d -> b go round in a circle");
    }

    #[test]
    fn an_unknown_name_is_named() {
        let error = order(&edges(&[("a", &["x"])])).unwrap_err();
        assert_eq!(
            error,
            OrderError::Unknown {
                from: "a".to_owned(),
                missing: "x".to_owned()
            }
        );
    }

    /// Edges in any direction, or only to later names (so that there is no circle).
    fn arbitrary_edges(acyclic: bool) -> impl Strategy<Value = Edges> {
        let needed = proptest::collection::vec(proptest::bits::u8::ANY, NAMES.len());
        needed.prop_map(move |masks| {
            let needed = |index: usize, mask: u8| {
                (0..NAMES.len())
                    .filter(|other| mask & (1 << other) != 0)
                    .filter(|other| !acyclic || *other > index)
                    .map(|other| NAMES[other])
                    .collect()
            };
            let masks = masks.into_iter().enumerate();
            masks
                .map(|(index, mask)| (NAMES[index], needed(index, mask)))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn without_a_circle_everything_has_its_place(edges in arbitrary_edges(true)) {
            let ordered = order(&edges).unwrap();
            prop_assert_eq!(ordered.len(), edges.len());
            for (name, needed) in &edges {
                let place = ordered.iter().position(|other| other == name).unwrap();
                for needed in needed {
                    prop_assert!(ordered[..place].contains(needed));
                }
            }
        }

        #[test]
        fn a_circle_that_is_named_is_one(edges in arbitrary_edges(false)) {
            if let Err(OrderError::Cycle(path)) = order(&edges) {
                prop_assert_eq!(path.first(), path.last());
                prop_assert!(path.len() > 1);
                for pair in path.windows(2) {
                    prop_assert!(edges[pair[0].as_str()].contains(pair[1].as_str()));
                }
            }
        }
    }
}
