//! Which node's pods reach which other node's, and what follows from where they don't.

use std::collections::BTreeSet;

/// Every pair of nodes that was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    tried: BTreeSet<(String, String)>,
    failed: BTreeSet<(String, String)>,
}

impl Pairs {
    /// Takes in one try.
    pub fn add(&mut self, from: &str, to: &str, answered: bool) {
        let pair = (from.to_owned(), to.to_owned());
        if !answered {
            self.failed.insert(pair.clone());
        }
        self.tried.insert(pair);
    }

    /// Returns how many were tried.
    pub fn tried(&self) -> usize {
        self.tried.len()
    }

    /// Returns those that got no answer, as `from → to`.
    pub fn failed(&self) -> Vec<String> {
        let failed = self.failed.iter();
        failed.map(|(from, to)| format!("{from} → {to}")).collect()
    }

    /// Returns the nodes that no other node reaches, nor they another.
    pub fn cut_off(&self) -> Vec<&str> {
        let nodes: BTreeSet<&str> = self.tried.iter().map(|(from, _)| from.as_str()).collect();
        let is_cut_off = |node: &&str| {
            let mut with_others = self
                .tried
                .iter()
                .filter(|(from, to)| from != to && (from == node || to == node))
                .peekable();
            with_others.peek().is_some() && with_others.all(|pair| self.failed.contains(pair))
        };
        nodes.into_iter().filter(is_cut_off).collect()
    }

    /// Returns how many nodes took part.
    pub fn nodes(&self) -> usize {
        let nodes: BTreeSet<&str> = self.tried.iter().map(|(from, _)| from.as_str()).collect();
        nodes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Pairs;

    /// All pairs of four nodes; those of which `fails` is true got no answer.
    fn pairs(fails: impl Fn(&str, &str) -> bool) -> Pairs {
        let mut pairs = Pairs::default();
        let nodes = ["a", "b", "c", "d"];
        for from in nodes {
            for to in nodes {
                pairs.add(from, to, !fails(from, to));
            }
        }
        pairs
    }

    #[test]
    fn a_node_is_cut_off_when_none_of_its_pairs_with_others_answers() {
        let none = pairs(|_, _| false);
        assert_eq!(
            (none.tried(), none.failed().len(), none.cut_off()),
            (16, 0, vec![])
        );
        let one = pairs(|from, to| from != to && (from == "b" || to == "b"));
        assert_eq!((one.failed().len(), one.cut_off()), (6, vec!["b"]));
        let one_way = pairs(|from, to| from == "a" && to == "b");
        assert_eq!(
            (one_way.failed(), one_way.cut_off()),
            (vec!["a → b".to_owned()], vec![])
        );
        let all = pairs(|from, to| from != to);
        assert_eq!(all.cut_off(), vec!["a", "b", "c", "d"]);
        let mut alone = Pairs::default();
        alone.add("a", "a", true);
        assert_eq!(alone.cut_off(), Vec::<&str>::new());
    }
}
