//! A search in what containers printed, as VictoriaLogs knows it.

use serde::Serialize;
use serde_json::Value;

use super::object::text;

/// Lines at most.
const MOST: usize = 200;

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Nobody keeps lines; what to do about it.
    Off(String),
    /// Newest first.
    Lines(Vec<Line>),
}

/// A line that a container printed.
#[derive(Debug, Serialize)]
pub struct Line {
    /// RFC 3339.
    pub time: String,
    pub namespace: String,
    pub pod: String,
    pub text: String,
}

/// A query that finds words, next to each other, in lines of the last hour. Whatever the words are, they can't be more than that.
pub fn query(words: &str) -> String {
    let phrase = Value::from(words);
    format!("_time:1h {phrase} | sort by (_time desc) limit {MOST}")
}

impl Search {
    /// Reads the answer: an object a line.
    pub fn of(answer: &str) -> Self {
        let lines = answer.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            Some(Line {
                time: text(&line["_time"]),
                namespace: text(&line["kubernetes.pod_namespace"]),
                pod: text(&line["kubernetes.pod_name"]),
                text: text(&line["_msg"]),
            })
        });
        Self::Lines(lines.collect())
    }
}
