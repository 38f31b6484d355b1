//! The same for many machines at once.

use std::sync::{Mutex, PoisonError};
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

/// As [`for_each`] for a few at a time; after an error no further one is begun.
pub(super) fn for_few<T: Sync>(
    at_a_time: usize,
    machines: &[T],
    act: impl Fn(&T) -> Result<(), ProviderError> + Sync,
) -> Result<(), ProviderError> {
    let waiting = Mutex::new(machines.iter());
    let lock = || waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let threads: Vec<usize> = (0..at_a_time.min(machines.len())).collect();
    for_each(&threads, |_| {
        loop {
            let Some(machine) = lock().next() else {
                return Ok(());
            };
            if let Err(error) = act(machine) {
                *lock() = [].iter();
                return Err(error);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::for_few;
    use crate::provision::ProviderError;

    #[test]
    fn a_few_at_a_time_and_none_after_an_error() {
        let (now, most, begun) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let pair = Barrier::new(2);
        let all = for_few(2, &[0; 6], |_| {
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            pair.wait();
            now.fetch_sub(1, SeqCst);
            begun.fetch_add(1, SeqCst);
            pair.wait();
            Ok(())
        });
        assert!(all.is_ok());
        assert_eq!((most.into_inner(), begun.into_inner()), (2, 6));

        let begun = AtomicUsize::new(0);
        let failed = for_few(2, &[0; 6], |_| {
            begun.fetch_add(1, SeqCst);
            pair.wait();
            Err(ProviderError::Lab {
                action: "start".into(),
                detail: String::new(),
            })
        });
        assert!(failed.is_err());
        assert!(begun.into_inner() < 6);
    }
}
