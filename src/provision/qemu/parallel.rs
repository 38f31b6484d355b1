//! The same for many machines at once.

use std::thread;

use crate::provision::ProviderError;

/// Does something for each machine on a thread of its own; returns the first error when all are done.
pub(super) fn for_each<T: Sync>(
    machines: &[T],
    act: impl Fn(&T) -> Result<(), ProviderError> + Sync,
) -> Result<(), ProviderError> {
    thread::scope(|scope| {
        let act = &act;
        let threads: Vec<_> = machines
            .iter()
            .map(|machine| scope.spawn(move || act(machine)))
            .collect();
        let results: Vec<_> = threads
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        results.into_iter().try_for_each(|result| {
            result.unwrap_or_else(|_| {
                Err(ProviderError::Lab {
                    action: "look after a machine".into(),
                    detail: "its thread panicked".into(),
                })
            })
        })
    })
}
