//! Where the time of `up` goes, from its events.

use std::fmt::Write as _;

use serde_json::Value;

use crate::measure::Measured;

/// Steps that are named.
const SLOWEST: usize = 12;

/// A part of a run, in seconds since its start.
pub struct Part {
    pub name: String,
    pub from: f64,
    pub to: f64,
}

/// Returns the parts of a run of `up` in the order in which they start. Phases overlap: hosts don't wait
/// for each other.
pub fn parts(measured: &Measured) -> Vec<Part> {
    let time_of = |name: &str| {
        let mut times = measured
            .events
            .iter()
            .filter(|(_, event)| !event[name].is_null());
        times.next_back().map(|(time, _)| *time)
    };
    let connecting = time_of("started").unwrap_or_default();
    let connected = time_of("connected").unwrap_or(connecting);
    let mut phases: Vec<Part> = Vec::new();
    for (time, event) in &measured.events {
        let started = event["phase_started"]["phase"].as_str();
        let done = event["agent"]["event"]["PhaseDone"]["phase"].as_str();
        if let Some(name) = started.or(done) {
            match phases.iter_mut().find(|part| part.name == name) {
                Some(part) => part.to = *time,
                None => phases.push(part(name, *time, *time)),
            }
        }
    }
    let applying = phases.first().map_or(measured.seconds, |phase| phase.from);
    let applied = time_of("finished").unwrap_or(measured.seconds);
    let mut parts = vec![
        part("machines", 0.0, connecting),
        part("connect", connecting, connected),
        part("compare", connected, applying),
    ];
    parts.append(&mut phases);
    parts.push(part("show", applied, measured.seconds));
    parts
}

/// Writes parts and slowest steps as two tables.
pub fn render(measured: &Measured) -> String {
    let mut text = "| part of `up` | from | to | seconds |\n|---|---|---|---|\n".to_owned();
    for Part { name, from, to } in parts(measured) {
        let seconds = to - from;
        let _ = writeln!(text, "| {name} | {from:.1} | {to:.1} | {seconds:.1} |");
    }
    text.push_str("\n| slowest steps | host | seconds |\n|---|---|---|\n");
    let mut steps = steps(measured);
    steps.sort_by(|one, other| other.2.total_cmp(&one.2));
    for (host, step, seconds) in steps.iter().take(SLOWEST) {
        let _ = writeln!(text, "| {step} | {host} | {seconds:.1} |");
    }
    text
}

/// Host, name and seconds of each changed step, from the summary in the last line.
fn steps(measured: &Measured) -> Vec<(String, String, f64)> {
    let summary = measured
        .events
        .last()
        .map(|(_, event)| &event["summary"]["steps"]);
    summary
        .cloned()
        .and_then(|steps: Value| serde_json::from_value(steps).ok())
        .unwrap_or_default()
}

fn part(name: &str, from: f64, to: f64) -> Part {
    Part {
        name: name.to_owned(),
        from,
        to,
    }
}
