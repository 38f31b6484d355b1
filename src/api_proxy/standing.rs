//! What is thought of a server, and what follows from it.

/// How well a server serves, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It says that it is ready.
    Ready,
    /// Nothing is known yet, or it accepts connections but isn't ready: it starts, it stops, or it is slow.
    Answers,
    /// It doesn't accept connections.
    Silent,
}

/// Looks in a row that find a server silent before its connections are cut off: one may be lost.
const GONE_AFTER: u32 = 2;

/// The standing of one server over time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) standing: Standing,
    silent_looks: u32,
}

impl Record {
    pub(super) const NEW: Self = Self {
        standing: Standing::Answers,
        silent_looks: 0,
    };

    /// Takes note of a look; returns whether the connections to the server are to be cut off now.
    pub(super) fn looked(&mut self, standing: Standing) -> bool {
        self.standing = standing;
        if standing == Standing::Silent {
            self.silent_looks = self.silent_looks.saturating_add(1);
        } else {
            self.silent_looks = 0;
        }
        self.silent_looks == GONE_AFTER
    }

    /// Takes note of a client's connection that could not be opened: others are tried first until the next
    /// look.
    pub(super) fn refused(&mut self) {
        self.standing = Standing::Silent;
    }
}

/// Orders servers, each given by its standing and its number of connections: the healthiest first, and
/// among equals the one with the fewest connections.
pub(super) fn best_first(servers: &[(Standing, usize)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..servers.len()).collect();
    order.sort_by_key(|index| servers[*index]);
    order
}

#[cfg(test)]
mod tests {
    use super::Standing::{Answers, Ready, Silent};
    use super::{Record, best_first};

    #[test]
    fn new_connections_go_to_the_healthiest_and_spread() {
        for (servers, expected) in [
            (vec![(Ready, 2), (Ready, 1), (Ready, 1)], vec![1, 2, 0]),
            (vec![(Silent, 0), (Answers, 0), (Ready, 9)], vec![2, 1, 0]),
            // None is known to be well: all are tried all the same.
            (vec![(Silent, 0), (Silent, 0)], vec![0, 1]),
            (vec![], vec![]),
        ] {
            assert_eq!(best_first(&servers), expected, "{servers:?}");
        }
    }

    #[test]
    fn connections_are_cut_once_when_a_server_is_silent_twice_in_a_row() {
        let mut record = Record::NEW;
        let looks = [
            Ready, Silent, Answers, Silent, Silent, Silent, Ready, Silent, Silent,
        ];
        let cut = looks.map(|standing| record.looked(standing));
        assert_eq!(
            cut,
            [false, false, false, false, true, false, false, false, true]
        );
    }

    #[test]
    fn a_slow_server_keeps_its_connections_and_a_refusing_one_is_tried_last() {
        let mut record = Record::NEW;
        assert!((0..9).all(|_| !record.looked(Answers)));
        record.refused();
        assert_eq!(record.standing, Silent);
        assert!(!record.looked(Ready));
        assert_eq!(record.standing, Ready);
    }
}
