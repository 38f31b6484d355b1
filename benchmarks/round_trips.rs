//! How often kinstall waits for an answer: what a longer way to the hosts adds, divided by the delay.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use kinstall::model;

use crate::lab::Lab;
use crate::measure;
use crate::table::Table;
use crate::{Result, delay};

/// Time there and back; much more than runs differ by.
const DELAY: Duration = Duration::from_secs(1);
const RUNS: usize = 3;

/// The quickest of some runs, in seconds.
struct Quickest {
    connect: f64,
    rest: f64,
}

/// Measures `up` with nothing to do on a lab that is up: the round trips until all agents have said
/// hello, and those after it. TCP's own greeting isn't seen.
pub fn measure(lab: &Lab, table: &mut Table) -> Result<()> {
    let (near, far) = (quickest(lab, Duration::ZERO)?, quickest(lab, DELAY)?);
    let trips = |near: f64, far: f64| (far - near) / DELAY.as_secs_f64();
    let connect = trips(near.connect, far.connect);
    let rest = trips(near.rest, far.rest);
    let figure = format!("{connect:.1} to connect, {rest:.1} then");
    table.row("its round trips", figure, "1 after connect");
    Ok(())
}

fn quickest(lab: &Lab, delay: Duration) -> Result<Quickest> {
    let detour = detour(lab, delay)?;
    let mut quickest = Quickest {
        connect: f64::INFINITY,
        rest: f64::INFINITY,
    };
    for _ in 0..RUNS {
        let run = measure::run(&mut detour.kinstall(&["--output", "json", "up"]))?;
        let seconds = run
            .events
            .iter()
            .map(|(_, event)| &event["connected"]["seconds"]);
        let connect = seconds
            .filter_map(serde_json::Value::as_f64)
            .fold(0.0, f64::max);
        quickest.connect = quickest.connect.min(connect);
        quickest.rest = quickest.rest.min(run.seconds - connect);
    }
    Ok(quickest)
}

/// Makes an inventory of the same cluster whose hosts answer at loopback ports, late.
fn detour(lab: &Lab, delay: Duration) -> Result<Lab> {
    let detour = Lab::of_existing_machines()?;
    let inventory = detour.folder().join("inventory.ini");
    let (cluster, _) = model::load(&inventory).map_err(|_| "the inventory has errors")?;
    let mut text = fs::read_to_string(&inventory)?;
    for host in &cluster.hosts {
        let address = host.address.ok_or("a machine without an address")?;
        let port = delay::open(lab, SocketAddr::new(address, 22), delay / 2)?;
        let direct = format!("ansible_host={address}");
        let late = format!("ansible_host=127.0.0.1 ansible_port={port}");
        text = text.replace(&direct, &late);
    }
    fs::write(inventory, text)?;

    let settings = detour.folder().join("group_vars/all/kinstall.yml");
    let mut text = fs::read_to_string(&settings)?.replace(": container", ": existing");
    let key = lab.folder().join(".kinstall/ssh/id_ed25519");
    writeln!(
        text,
        "ansible_user: root\nansible_ssh_private_key_file: {}",
        key.display()
    )?;
    fs::write(settings, text)?;

    // The cluster's secrets are part of what is compared.
    let state = detour.folder().join(".kinstall");
    fs::create_dir_all(&state)?;
    fs::copy(
        lab.folder().join(".kinstall/secrets.json"),
        state.join("secrets.json"),
    )?;
    Ok(detour)
}
