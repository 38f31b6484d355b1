//! What `kinstall open dashboard` shows: a page, and views of what the API server and the add-ons answered.
//!
//! Pure: nothing here asks, and a view holds only the fields that its type names. So nothing of a Secret, a ConfigMap or a
//! container's environment can get to the page.

pub mod addresses;
pub mod events;
pub mod history;
pub mod nodes;
mod object;
pub mod page;
mod quantity;
pub mod search;
pub mod workloads;

#[cfg(test)]
mod tests;
