//! What fetching an image tells while it goes on.

/// News of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Something that the user should know about the choice of the image.
    Notice(&'a str),
    /// Another kinstall adds or removes images.
    Waiting,
    Downloading {
        done: u64,
        total: Option<u64>,
    },
    /// A download broke; it is tried again, or somewhere else.
    Retry(&'a str),
    /// The hash of a file of the user's is computed.
    Hashing,
    Unpacking,
}

/// Where news go: the image as the user named it, and what happens to it.
pub type Report<'a> = dyn Fn(&str, Progress<'_>) + 'a;
