//! How much of each node was in use in the last hour, as VictoriaMetrics knows it.

use serde::Serialize;
use serde_json::Value;

use super::object::{elements, text};

/// Shares of a node's processors, and of its memory, that are in use.
pub const QUERIES: [&str; 2] = [
    "1 - avg(rate(node_cpu_seconds_total{mode=\"idle\"}[5m])) by (node)",
    "1 - max(node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) by (node)",
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Nobody measures; what to do about it.
    Off(String),
    /// Of each node.
    Of(Vec<Usage>),
}

#[derive(Debug, Serialize)]
pub struct Usage {
    pub node: String,
    pub cpu: Vec<Point>,
    pub memory: Vec<Point>,
}

/// A time in seconds since 1970, and a share of 1.
pub type Point = (f64, f64);

impl History {
    /// Puts the answers to [`QUERIES`] together.
    pub fn of(cpu: &Value, memory: &Value) -> Self {
        let mut usages: Vec<Usage> = Vec::new();
        for (node, points) in series(cpu) {
            usages.push(Usage {
                node,
                cpu: points,
                memory: Vec::new(),
            });
        }
        for (node, memory) in series(memory) {
            match usages.iter_mut().find(|it| it.node == node) {
                Some(usage) => usage.memory = memory,
                None => usages.push(Usage {
                    node,
                    cpu: Vec::new(),
                    memory,
                }),
            }
        }
        usages.sort_by(|one, other| one.node.cmp(&other.node));
        Self::Of(usages)
    }
}

fn series(answer: &Value) -> impl Iterator<Item = (String, Vec<Point>)> {
    elements(&answer["data"]["result"]).map(|series| {
        let points = elements(&series["values"]).filter_map(|point| {
            let value = point[1].as_str()?.parse().ok()?;
            Some((point[0].as_f64()?, value))
        });
        (text(&series["metric"]["node"]), points.collect())
    })
}
