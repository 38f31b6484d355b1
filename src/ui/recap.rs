//! The end of a run: a line per host, the slowest steps, and every failure with its last output.

use std::fmt::Write as _;

use crate::report::{Failure, Summary};

/// Steps faster than this (seconds) aren't worth listing.
const WORTH_LISTING: f64 = 0.5;

/// Renders the recap.
pub fn render(summary: &Summary) -> String {
    let mut text = String::new();
    for failure in &summary.failures {
        text.push_str(&render_failure(failure));
    }
    for left_out in &summary.left_out {
        let _ = writeln!(text, "error: {}", super::changes::left_out(left_out));
    }
    let width = summary.hosts.keys().map(String::len).max().unwrap_or(0);
    for (host, counts) in &summary.hosts {
        if counts.unreachable {
            let _ = writeln!(text, "{host:width$}  unreachable");
            continue;
        }
        let state = if counts.failed { "failed" } else { "ok" };
        let _ = writeln!(
            text,
            "{host:width$}  {state:6}  {:3} changed  {:3} unchanged",
            counts.changed, counts.unchanged
        );
    }
    let slowest: Vec<_> = summary
        .slowest(5)
        .into_iter()
        .filter(|step| step.2 >= WORTH_LISTING)
        .collect();
    if !slowest.is_empty() {
        text.push_str("slowest steps:\n");
        for (host, step, seconds) in slowest {
            let _ = writeln!(text, "  {seconds:6.1} s  {host:width$}  {step}");
        }
    }
    let _ = writeln!(text, "took {:.1} s", summary.elapsed.as_secs_f64());
    text
}

/// Renders why hosts can't be reached; empty where all can.
pub fn unreachable(summary: &Summary) -> String {
    let is_unreachable = |host: &str| summary.hosts.get(host).is_some_and(|it| it.unreachable);
    let failures = summary.failures.iter();
    let of_hosts = failures.filter(|it| it.step.is_none() && is_unreachable(&it.host));
    of_hosts.map(render_failure).collect()
}

fn render_failure(failure: &Failure) -> String {
    let mut text = match &failure.step {
        Some(step) => format!(
            "error: {}: {step}: {}\n",
            failure.host, failure.error.message
        ),
        None => format!("error: {}: {}\n", failure.host, failure.error.message),
    };
    for line in &failure.error.output {
        let _ = writeln!(text, "  | {}", plain(line));
    }
    if let Some(hint) = &failure.error.hint {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

/// Output of remote programs is untrusted: control characters could redraw the terminal.
fn plain(line: &str) -> String {
    line.chars()
        .filter(|character| !character.is_control() || *character == '\t')
        .collect()
}
