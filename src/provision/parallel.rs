//! Does the same with several machines at a time.

use crate::parallel::map;

/// Calls a function for all items at once; the first failure is returned when all are done.
pub fn all<T: Sync, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    each(items, items.len(), work).map(drop)
}

/// Calls a function for all items, some at a time; all are tried, and the first failure is returned.
pub fn each<T: Sync, R: Send, E: Send>(
    items: &[T],
    at_a_time: usize,
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    map(items, at_a_time, work).into_iter().collect()
}
