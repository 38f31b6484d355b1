//! The same work on many items, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` for every item, `at_a_time` of them side by side, and returns the results in the items' order. A panic in
/// `work` goes on in the caller.
pub fn map<T: Sync, R: Send>(
    items: &[T],
    at_a_time: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let take = || {
            let index = next.fetch_add(1, Ordering::Relaxed);
            Some((index, work(items.get(index)?)))
        };
        std::iter::from_fn(take).collect::<Vec<_>>()
    };
    let mut results: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_a_time.max(1).min(items.len()))
            .map(|_| scope.spawn(worker))
            .collect();
        let finished = workers.into_iter().map(|worker| match worker.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        finished.flatten().collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Returns how many items a computation should work on at a time: as many as there are processors.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::map;

    #[test]
    fn results_are_in_the_order_of_the_items_and_no_more_run_than_may() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<u64> = (0..20).collect();
        let doubled = map(&items, 3, |item| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(20 - item));
            running.fetch_sub(1, Ordering::SeqCst);
            item * 2
        });
        assert!(doubled.into_iter().eq((0..20).map(|item| item * 2)));
        assert!(most.into_inner() <= 3);
        assert!(map(&[(); 0], 3, |()| ()).is_empty());
        assert_eq!(map(&[1], 0, |item| *item), [1]);
    }
}
