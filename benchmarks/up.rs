//! How long `kinstall up` takes from nothing, and when there is nothing to do.

use std::fs;
use std::process::Command;

use crate::lab::{Lab, program};
use crate::measure::{self, Measured};
use crate::table::{Table, median, megabytes, seconds};
use crate::{Result, breakdown, round_trips};

const NO_OP_RUNS: usize = 10;
const LOG_RUNS: usize = 20;

/// Measures `up` of the course's lab from a built bundle, each time with new machines.
pub fn measure(runs: usize, table: &mut Table) -> Result<()> {
    let (mut totals, mut installs, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..runs {
        let lab = Lab::new()?;
        let measured = up(&lab)?;
        let machines = breakdown::parts(&measured)
            .first()
            .map_or(0.0, |part| part.to);
        totals.push(measured.seconds);
        installs.push(measured.seconds - machines);
        eprintln!(
            "  {:.1} s, without machines {:.1} s",
            measured.seconds,
            measured.seconds - machines
        );
        last = Some(measured);
    }
    let Some(last) = last else { return Ok(()) };
    table.row("`up`, 4 nodes from nothing", seconds(&totals), "≤ 180 s");
    table.row("`up` without making the machines", seconds(&installs), "");
    table.row(
        "peak memory of kinstall in `up`",
        megabytes(last.memory),
        "< 60 MB",
    );
    table.row(
        "peak memory of an agent in `up`",
        megabytes(last.agent_memory),
        "",
    );
    table.install = Some(median(&installs));
    table.detail(breakdown::render(&last));
    Ok(())
}

/// Measures `up` of a lab that is up already.
pub fn measure_no_op(table: &mut Table) -> Result<()> {
    let lab = Lab::new()?;
    up(&lab)?;
    let runs: Vec<Measured> = (0..NO_OP_RUNS).map(|_| up(&lab)).collect::<Result<_>>()?;
    let times: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let memory = runs.iter().map(|run| run.memory).max().unwrap_or_default();
    let figure = format!(
        "median {:.2} s, least {least:.2} s of {NO_OP_RUNS}",
        median(&times)
    );
    table.row("`up` with nothing to do, 4 nodes", figure, "≤ 2 s");
    table.row(
        "peak memory of kinstall in `up` with nothing to do",
        megabytes(memory),
        "< 60 MB",
    );
    round_trips::measure(&lab, table)
}

/// Measures what the log costs where nothing else takes time: the usual, which keeps a file, beside all that there is,
/// in turns.
pub fn measure_log(table: &mut Table) -> Result<()> {
    let lab = Lab::new()?;
    up(&lab)?;
    let (mut usual, mut all, mut lines) = (Vec::new(), Vec::new(), 0);
    for _ in 0..LOG_RUNS {
        usual.push(up(&lab)?.seconds);
        let log = tempfile::NamedTempFile::new()?;
        let mut logged = Command::new("sh");
        logged
            .args(["-c", "exec \"$@\" 2>\"$LOG\"", "sh"])
            .arg(program())
            .args(["--output", "json", "-vv", "up"])
            .env("LOG", log.path())
            .current_dir(lab.folder());
        all.push(measure::run(&mut logged)?.seconds);
        lines = fs::read_to_string(log.path())?.lines().count();
    }
    let (usual, all) = (median(&usual), median(&all));
    let figure = format!("{usual:.3} s");
    table.row("`up` with nothing to do, without `-v`", figure, "");
    let figure = format!("{all:.3} s, {lines} lines, {:.2} times", all / usual);
    table.row("the same with `-vv`", figure, "");
    Ok(())
}

fn up(lab: &Lab) -> Result<Measured> {
    measure::run(&mut lab.kinstall(&["--output", "json", "up"]))
}
