//! `kinstall log` for people.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use super::recap;
use crate::report::history::PastRun;

/// Renders runs, a line each.
pub fn render(runs: &[PastRun]) -> String {
    if runs.is_empty() {
        return "No run is recorded.\n".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["RUN", "COMMAND", "BEGAN", "TOOK", "RESULT", "CHANGED"]);
    for run in runs {
        table.add_row([
            run.run.clone(),
            or_dash(&run.command),
            run.began.clone(),
            format!("{:.0} s", run.seconds),
            run.result.words().to_owned(),
            changed(run),
        ]);
    }
    format!("{table}\n")
}

/// Renders one run: what changed on each host, what failed, where the time went.
pub fn render_one(run: &PastRun) -> String {
    let mut text = format!(
        "run {}: {} (kinstall {}), {}, {}\n",
        run.run,
        or_dash(&run.command),
        or_dash(&run.kinstall),
        run.began,
        run.result.words()
    );
    for host in &run.hosts_changed {
        let _ = writeln!(text, "\n{host}");
        for (_, step, seconds) in run.summary.steps.iter().filter(|step| step.0 == *host) {
            let _ = writeln!(text, "  {seconds:6.1} s  {step}");
        }
    }
    if let Some(problem) = &run.problem {
        let _ = writeln!(text, "\nerror: {problem}");
    }
    let _ = write!(text, "\n{}", recap::render(&run.summary));
    text
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

fn changed(run: &PastRun) -> String {
    match (run.changed, run.hosts_changed.len()) {
        (0, _) => "nothing".to_owned(),
        (steps, 1) => format!("{steps} on {}", run.hosts_changed[0]),
        (steps, hosts) => format!("{steps} on {hosts} hosts"),
    }
}
