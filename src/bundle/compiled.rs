//! How far `go build -v` is: it prints the name of each package that it compiles.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::progress::{Progress, Report};

/// Counts packages.
pub(super) struct Compiled<'a> {
    part: &'a str,
    total: Option<usize>,
    done: AtomicUsize,
    report: &'a Report<'a>,
}

impl<'a> Compiled<'a> {
    pub(super) fn new(part: &'a str, total: Option<usize>, report: &'a Report<'a>) -> Self {
        Self {
            part,
            total,
            done: AtomicUsize::new(0),
            report,
        }
    }

    /// Passes news on, and those of a package as a number.
    pub(super) fn tell(&self, progress: Progress<'_>) {
        (self.report)(progress);
        // Anything else that Go says has spaces.
        if let (Progress::Output { line, .. }, Some(total)) = (progress, self.total)
            && !line.is_empty()
            && !line.contains(' ')
        {
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            (self.report)(Progress::Packages {
                part: self.part,
                // A package that several programs have may be compiled once for each.
                done: done.min(total),
                total,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::Compiled;
    use crate::bundle::Progress;

    #[test]
    fn packages_are_counted_and_other_lines_are_not() {
        let told = Mutex::new(Vec::new());
        let report = |progress: Progress<'_>| {
            if let Progress::Packages { part, done, total } = progress {
                told.lock().unwrap().push(format!("{part} {done}/{total}"));
            }
        };
        let compiled = Compiled::new("kubernetes", Some(2), &report);
        for line in [
            "internal/cpu",
            "",
            "go: downloading x v1",
            "k8s.io/api/core/v1",
            "main",
        ] {
            let part = "kubernetes";
            compiled.tell(Progress::Output { part, line });
        }
        let told = told.into_inner().unwrap();
        assert_eq!(told, ["kubernetes 1/2", "kubernetes 2/2", "kubernetes 2/2"]);
    }
}
