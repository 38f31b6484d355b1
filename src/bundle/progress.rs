//! What a build tells while it runs.

/// News of a build. A part is a component, an image, or a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Work on a part begins; parts that are there already are not worked on.
    Started {
        part: &'a str,
        version: &'a str,
    },
    /// A line of the program that makes the part.
    Output {
        part: &'a str,
        line: &'a str,
    },
    /// Packages that were compiled, of all that the part has; those that were compiled before don't count.
    Packages {
        part: &'a str,
        done: usize,
        total: usize,
    },
    /// Bytes of a download.
    Bytes {
        part: &'a str,
        done: u64,
        total: Option<u64>,
    },
    /// Waiting before the next try of a download.
    Retry {
        part: &'a str,
        reason: &'a str,
    },
    Finished {
        part: &'a str,
    },
}

/// Where news go. Called from several threads.
pub type Report<'a> = dyn Fn(Progress<'_>) + Sync + 'a;
