//! The figures as Markdown.

use std::fmt;

/// A table of figures, and what is said below it.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 4]>,
    details: Vec<String>,
    command: String,
    /// Seconds of the parts that are compared: kinstall's install and the one by hand.
    pub install: Option<f64>,
    pub by_hand: Option<f64>,
}

impl Table {
    /// Says which command gives the figures that follow.
    pub fn begin(&mut self, command: String) {
        self.command = command;
    }

    /// Adds a figure with its goal, which is empty if there is none.
    pub fn row(&mut self, what: &str, figure: impl Into<String>, goal: &str) {
        let command = format!("`{}`", self.command);
        self.rows
            .push([what.to_owned(), figure.into(), goal.to_owned(), command]);
    }

    /// Adds a block below the table.
    pub fn detail(&mut self, markdown: String) {
        self.details.push(markdown);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| what | figure | goal | command |")?;
        writeln!(out, "|---|---|---|---|")?;
        for [what, figure, goal, command] in &self.rows {
            writeln!(out, "| {what} | {figure} | {goal} | {command} |")?;
        }
        if let (Some(install), Some(by_hand)) = (self.install, self.by_hand) {
            let ratio = install / by_hand;
            writeln!(
                out,
                "| kinstall / by hand, without making the machines | {ratio:.2} | ≤ 1.2 | the two above |"
            )?;
        }
        for detail in &self.details {
            write!(out, "\n{detail}")?;
        }
        Ok(())
    }
}

/// Writes all runs' seconds, the median first.
pub fn seconds(runs: &[f64]) -> String {
    let text = |seconds: &f64| match seconds {
        ..10.0 => format!("{seconds:.2}"),
        _ => format!("{seconds:.1}"),
    };
    let all: Vec<String> = runs.iter().map(text).collect();
    match runs.len() {
        0 | 1 => format!("{} s", all.concat()),
        _ => format!("median {} s ({})", text(&median(runs)), all.join(", ")),
    }
}

/// Returns the middle one; of an even number, the lower of the two.
pub fn median(runs: &[f64]) -> f64 {
    let mut sorted = runs.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get((sorted.len().max(1) - 1) / 2)
        .copied()
        .unwrap_or_default()
}

/// Writes bytes as megabytes of a million.
pub fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}
