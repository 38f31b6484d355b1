//! Internet access of a lab: a pair of network cards between the lab's namespace and this computer, and NAT on both
//! of their ends.
//!
//! ```text
//! node ── bridge lab0 ── NAT ── `internet` ═══ kin0123456789 ── NAT ── this computer's networks
//!                 the lab's namespace        │        this computer
//! ```
//!
//! The lab's own addresses end at the first NAT, so labs with the same ones don't meet, and this computer gets no route
//! to them. What is made on this computer is written down before it is made, and found by the next `up` or `down`.

mod firewall;
mod forwarding;
mod programs;
mod rules;
mod transit;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::{Deserialize, Serialize};

use self::forwarding::SHARED;
use self::programs::{failed, feed, nft, run};
use self::rules::Names;
use super::lab_directory::{LabDirectory, LabRecord, read_json, write_json};
use crate::error_chain::error_chain;
use crate::provision::ProviderError;

/// What was made on this computer for a lab.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EgressRecord {
    lab: String,
    /// Root folder with an `nft`, for the time when the lab's image is another one.
    image: PathBuf,
    /// Why it could not be made, for as long as that is so.
    problem: Option<String>,
}

/// Opens or closes the lab's internet access, as its record says. Lets `report` know of settings of this computer that
/// change. A lab runs without it as well, so what fails is only kept, for [`notices`].
pub(super) fn settle(
    directory: &LabDirectory,
    record: &LabRecord,
    report: impl Fn(&str),
) -> Result<(), ProviderError> {
    if !record.egress {
        return close(directory);
    }
    let names = Names::of(&record.id);
    let mut kept = EgressRecord {
        lab: record.id.clone(),
        image: record.image.clone(),
        problem: None,
    };
    let made = (|| {
        let _lock = lock()?;
        if !is_whole(directory, &names, &record.image) {
            close_locked(directory)?;
            write_json(&file(directory), &kept)?;
            open(directory, record, &names)?;
        }
        forwarding::acquire(&record.id, &record.image, &uplinks()?, report)
    })();
    kept.problem = made.err().map(|error| error_chain(&error));
    if kept.problem.is_some() {
        // What can't be taken away is tried again by the next `up` or `down`.
        let _ = close(directory);
    }
    write_json(&file(directory), &kept)
}

/// Takes away what was made on this computer.
pub(super) fn close(directory: &LabDirectory) -> Result<(), ProviderError> {
    if !file(directory).exists() {
        return Ok(());
    }
    let _lock = lock()?;
    close_locked(directory)
}

/// Returns why nodes don't reach the internet, or may not.
pub(super) fn notices(directory: &LabDirectory) -> Vec<String> {
    let Ok(kept) = read_json::<EgressRecord>(&file(directory)) else {
        return Vec::new();
    };
    if let Some(problem) = kept.problem {
        return vec![format!(
            "the nodes have no internet access: {problem}; `kinstall_egress: false` says that they need none"
        )];
    }
    if uplinks().is_ok_and(|uplinks| uplinks.is_empty()) {
        return vec![
            "the nodes have no internet access: this computer has no default route; run `kinstall up` again \
             when it has one"
                .to_owned(),
        ];
    }
    let interface = Names::of(&kept.lab).interface;
    firewall::blocking(&kept.image, &interface)
        .iter()
        .map(|chain| firewall::notice(chain, &interface))
        .collect()
}

fn file(directory: &LabDirectory) -> PathBuf {
    directory.path().join("egress.json")
}

/// Labs choose networks and count what they share one after the other.
fn lock() -> Result<File, ProviderError> {
    let path = Path::new(SHARED).join("egress.lock");
    fs::create_dir_all(SHARED)
        .and_then(|()| File::create(&path))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(ProviderError::file("lock", &path))
}

/// Whether the cards are there, the other end in this lab's namespace, and nothing has flushed the rules.
fn is_whole(directory: &LabDirectory, names: &Names, image: &Path) -> bool {
    let is_there = |output: io::Result<Output>| output.is_ok_and(|output| output.status.success());
    let show = |interface: &str| {
        let mut show = Command::new("ip");
        show.args(["link", "show", "dev", interface, "up"]);
        show
    };
    let mut table = nft(image);
    table.args(["list", "table", "ip", &names.table]);
    is_there(show(&names.interface).output())
        && is_there(directory.namespace().output(&mut show(rules::INSIDE)))
        && is_there(table.output())
}

fn open(directory: &LabDirectory, record: &LabRecord, names: &Names) -> Result<(), ProviderError> {
    let mut routes = Command::new("ip");
    let routes = run(routes.args(["-json", "-4", "route", "show", "table", "all"]))?;
    let network = transit::choose(&transit::taken(&routes), record.gateway).ok_or_else(|| {
        failed(
            "find a free network",
            "this computer has routes to all that are tried",
        )
    })?;
    let namespace = directory.namespace();
    let file = namespace.file().to_string_lossy();
    let lab = record.gateway.trunc();
    feed(
        Command::new("ip").args(["-batch", "-"]),
        &rules::cards(names, network, &file),
    )?;
    // Settings below /proc/sys/net are those of the thread's namespace.
    namespace
        .on_thread(|| fs::write("/proc/sys/net/ipv4/ip_forward", "1"))
        .map_err(|error| failed("forward packets in the lab's namespace", &error.to_string()))?;
    let inside = rules::inside(network, lab);
    let mut set = Command::new("nsenter");
    set.arg(format!("--net={file}")).args(["ip", "-batch", "-"]);
    feed(&mut set, &inside.addresses)?;
    let mut filter = Command::new("nsenter");
    let program = nft(&record.image);
    filter
        .arg(format!("--net={file}"))
        .arg(program.get_program())
        .args(program.get_args())
        .args(["-f", "-"]);
    feed(&mut filter, &inside.filter)?;
    feed(
        nft(&record.image).args(["-f", "-"]),
        &rules::outside(names, network),
    )?;
    Ok(())
}

fn close_locked(directory: &LabDirectory) -> Result<(), ProviderError> {
    let file = file(directory);
    let Ok(kept) = read_json::<EgressRecord>(&file) else {
        return Ok(());
    };
    let names = Names::of(&kept.lab);
    forwarding::release(&kept.lab, &kept.image)?;
    // A card goes with its other end's namespace, too, so it may be gone any moment.
    let mut delete = Command::new("ip");
    let _ = delete
        .args(["link", "delete", "dev", &names.interface])
        .output();
    let mut list = nft(&kept.image);
    let is_there = list.args(["list", "table", "ip", &names.table]).output();
    if is_there.is_ok_and(|output| output.status.success()) {
        run(nft(&kept.image).args(["delete", "table", "ip", &names.table]))?;
    }
    fs::remove_file(&file).map_err(ProviderError::file("remove", &file))
}

/// The interfaces that lead out.
fn uplinks() -> Result<Vec<String>, ProviderError> {
    let mut show = Command::new("ip");
    let routes = run(show.args(["-json", "-4", "route", "show", "default"]))?;
    Ok(transit::interfaces(&routes))
}
