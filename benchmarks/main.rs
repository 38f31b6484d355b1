//! Measures kinstall and prints tables for `docs/benchmarks.md`; `benchmarks/run` starts it.
//!
//! Nothing is asserted: times belong to a machine, so goals are printed beside the figures.
#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a program of its own.

mod breakdown;
mod bundle;
mod by_hand;
mod delay;
mod lab;
mod measure;
mod rendered;
mod round_trips;
mod size;
mod table;
mod up;

use std::process::ExitCode;

use table::Table;

/// Why something could not be measured.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What is measured when nothing is named.
const USUAL: [&str; 4] = ["size", "bundle-warm", "up", "no-op"];

fn main() -> ExitCode {
    match measure_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure_all() -> Result<()> {
    let (mut runs, mut wanted) = (1, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // cargo's own.
            "--bench" => {}
            "--runs" => runs = arguments.next().ok_or("--runs needs a number")?.parse()?,
            _ => wanted.push(argument),
        }
    }
    if wanted.is_empty() {
        wanted = USUAL.map(str::to_owned).to_vec();
    }
    let mut table = Table::default();
    for what in &wanted {
        let command = format!("benchmarks/run {what}");
        eprintln!("{command}");
        table.begin(command);
        match what.as_str() {
            "size" => size::measure(&mut table)?,
            "bundle-warm" => bundle::measure_warm(&mut table)?,
            "bundle-cold" => bundle::measure_cold(&mut table)?,
            "up" => up::measure(runs, &mut table)?,
            "by-hand" => by_hand::measure(runs, &mut table)?,
            "log" => up::measure_log(&mut table)?,
            "no-op" => up::measure_no_op(&mut table)?,
            other => return Err(format!("there is nothing to measure called `{other}`").into()),
        }
    }
    println!("{table}");
    Ok(())
}
