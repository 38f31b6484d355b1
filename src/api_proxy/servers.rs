//! The API servers: who they are, as the file says now, and how each is doing.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::INTERVAL;
use super::check::Check;
use super::connections::Connections;
use super::standing::{Record, Standing, best_first};
use crate::converge::kubernetes::client::certificates;

/// All servers; each is looked at by a thread of its own.
#[derive(Default)]
pub(super) struct Servers(Mutex<State>);

#[derive(Default)]
struct State {
    /// What the files held when they were read last.
    list: String,
    authority: Vec<u8>,
    records: BTreeMap<SocketAddr, Record>,
    /// Counts the changes of the files: threads of an earlier state end.
    generation: u64,
}

impl Servers {
    /// Reads the files; what changed takes effect. What can't be read leaves everything as it is.
    pub(super) fn read(
        self: &Arc<Self>,
        list: &Path,
        authority: &Path,
        connections: &Arc<Connections>,
    ) {
        let (Ok(list), Ok(authority)) = (fs::read_to_string(list), fs::read(authority)) else {
            return;
        };
        let mut state = self.state();
        if state.list == list && state.authority == authority {
            return;
        }
        let servers = addresses(&list);
        let former = std::mem::take(&mut state.records);
        for server in &servers {
            let record = former.get(server).copied().unwrap_or(Record::NEW);
            state.records.insert(*server, record);
        }
        state.generation += 1;
        let generation = state.generation;
        (state.list, state.authority) = (list, authority);
        for server in servers {
            let check = Check::new(server, certificates(&state.authority));
            let (all, connections) = (Arc::clone(self), Arc::clone(connections));
            thread::spawn(move || all.look_at(server, generation, &check, &connections));
        }
        drop(state);
        for server in former.keys() {
            if !self.state().records.contains_key(server) {
                connections.cut(*server);
            }
        }
    }

    /// Returns the servers in the order in which a new connection tries them.
    pub(super) fn best_first(&self, connections: &Connections) -> Vec<SocketAddr> {
        let state = self.state();
        let servers: Vec<SocketAddr> = state.records.keys().copied().collect();
        let standings: Vec<(Standing, usize)> = state
            .records
            .iter()
            .map(|(server, record)| (record.standing, connections.count(*server)))
            .collect();
        best_first(&standings)
            .into_iter()
            .map(|index| servers[index])
            .collect()
    }

    /// Takes note of a connection that could not be opened.
    pub(super) fn refused(&self, server: SocketAddr) {
        if let Some(record) = self.state().records.get_mut(&server) {
            record.refused();
        }
    }

    /// Returns whether any server is ready.
    pub(super) fn any_ready(&self) -> bool {
        let state = self.state();
        state
            .records
            .values()
            .any(|record| record.standing == Standing::Ready)
    }

    fn look_at(
        &self,
        server: SocketAddr,
        generation: u64,
        check: &Check,
        connections: &Connections,
    ) {
        loop {
            let standing = check.look();
            let mut state = self.state();
            if state.generation != generation {
                return;
            }
            let is_gone = state
                .records
                .get_mut(&server)
                .is_some_and(|record| record.looked(standing));
            drop(state);
            if is_gone {
                connections.cut(server);
            }
            thread::sleep(INTERVAL);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the list. Lines that are no addresses are skipped: the rest must go on.
fn addresses(list: &str) -> Vec<SocketAddr> {
    list.lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}
