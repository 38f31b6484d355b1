//! What has happened in the cluster, newest first.

use serde::Serialize;
use serde_json::Value;

use super::object::{items, namespace, text};

/// More than anybody reads.
const MOST: usize = 200;

#[derive(Debug, Serialize)]
pub struct Events {
    pub events: Vec<Event>,
    /// How many older ones there are.
    pub left_out: usize,
}

#[derive(Debug, Serialize)]
pub struct Event {
    /// When it was last seen, RFC 3339.
    pub time: String,
    pub warning: bool,
    pub reason: String,
    pub namespace: String,
    /// `Pod/web-1`.
    pub object: String,
    pub message: String,
    pub count: u64,
}

impl Events {
    /// Reads a list of events.
    pub fn of(list: &Value) -> Self {
        let mut events: Vec<Event> = items(list).map(Event::of).collect();
        events.sort_by(|one, other| other.time.cmp(&one.time));
        let left_out = events.len().saturating_sub(MOST);
        events.truncate(MOST);
        Self { events, left_out }
    }
}

impl Event {
    fn of(event: &Value) -> Self {
        let about = &event["involvedObject"];
        let series = &event["series"];
        // Which of them is there depends on the age of what reports it.
        let times = [
            &series["lastObservedTime"],
            &event["lastTimestamp"],
            &event["eventTime"],
            &event["metadata"]["creationTimestamp"],
        ];
        let count = series["count"].as_u64().or(event["count"].as_u64());
        Self {
            time: times
                .into_iter()
                .find_map(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            warning: event["type"] == "Warning",
            reason: text(&event["reason"]),
            namespace: namespace(event),
            object: format!("{}/{}", text(&about["kind"]), text(&about["name"])),
            message: text(&event["message"]),
            count: count.unwrap_or(1),
        }
    }
}
