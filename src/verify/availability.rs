//! How available something was: a fold over requests that were made all the time.

use std::time::{Duration, Instant};

use serde::Serialize;

/// One way to the cluster, and what became of the requests on it.
#[derive(Clone, Debug)]
pub struct Record {
    path: String,
    connections: Connections,
    requests: u64,
    failed: u64,
    longest_gap: Duration,
    last_answer: Instant,
    last_error: Option<String>,
}

/// What kind of requests a path sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// A connection for each.
    New,
    /// One connection for all, for as long as it lasts.
    Reused,
    /// One connection; each request writes a value and reads it back.
    Writes,
}

/// What `kinstall verify --watch` found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Availability {
    pub paths: Vec<PathReport>,
    pub seconds: f64,
    /// Longest time that this computer itself stood still, in milliseconds: gaps of that length are its own.
    pub longest_stall_ms: u64,
}

/// What became of one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathReport {
    pub path: String,
    pub connections: Connections,
    pub requests: u64,
    pub failed: u64,
    /// Longest time from one answer to the next, in milliseconds.
    pub longest_gap_ms: u64,
    pub last_error: Option<String>,
}

impl Connections {
    /// Returns the word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Reused => "reused",
            Self::Writes => "writes",
        }
    }
}

impl Record {
    /// Begins at a time.
    pub fn new(path: String, connections: Connections, begun: Instant) -> Self {
        Self {
            path,
            connections,
            requests: 0,
            failed: 0,
            longest_gap: Duration::ZERO,
            last_answer: begun,
            last_error: None,
        }
    }

    /// Takes in a request that was answered, or failed, at a time; returns the gap that an answer ended.
    pub fn add(&mut self, at: Instant, result: Result<(), String>) -> Option<Duration> {
        self.requests += 1;
        if let Err(error) = result {
            self.failed += 1;
            self.last_error = Some(error);
            return None;
        }
        let gap = at.saturating_duration_since(self.last_answer);
        self.longest_gap = self.longest_gap.max(gap);
        self.last_answer = at;
        Some(gap)
    }

    /// Returns what it came to, up to a time: a gap that hasn't ended counts.
    pub fn report(&self, until: Instant) -> PathReport {
        let last = until.saturating_duration_since(self.last_answer);
        PathReport {
            path: self.path.clone(),
            connections: self.connections,
            requests: self.requests,
            failed: self.failed,
            longest_gap_ms: milliseconds(self.longest_gap.max(last)),
            last_error: self.last_error.clone(),
        }
    }
}

impl Availability {
    /// Returns how many requests failed, on all paths.
    pub fn failed(&self) -> u64 {
        self.paths.iter().map(|path| path.failed).sum()
    }
}

/// Returns whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Connections, Record};

    #[test]
    fn the_longest_gap_is_between_two_answers_whatever_failed_in_between() {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        let mut record = Record::new("api".to_owned(), Connections::New, begun);
        assert_eq!(
            record.add(at(100), Ok(())),
            Some(Duration::from_millis(100))
        );
        assert_eq!(record.add(at(1_200), Err("timed out".to_owned())), None);
        assert_eq!(
            record.add(at(2_150), Ok(())),
            Some(Duration::from_millis(2_050))
        );
        assert_eq!(
            record.add(at(2_250), Ok(())),
            Some(Duration::from_millis(100))
        );
        let report = record.report(at(2_300));
        assert_eq!(
            (report.requests, report.failed, report.longest_gap_ms),
            (4, 1, 2_050)
        );
        assert_eq!(report.last_error.as_deref(), Some("timed out"));
    }

    #[test]
    fn a_gap_at_the_end_and_one_from_the_beginning_count() {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        let mut record = Record::new("api".to_owned(), Connections::Reused, begun);
        assert_eq!(record.report(at(700)).longest_gap_ms, 700);
        record.add(at(700), Ok(()));
        record.add(at(1_700), Err("refused".to_owned()));
        assert_eq!(record.report(at(1_800)).longest_gap_ms, 1_100);
    }
}
