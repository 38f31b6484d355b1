//! `verify --watch`: asks all the time whether the cluster answers, on every way that leads to it.
//!
//! Each path has a thread that makes ten requests a second, one after the other, and never repeats one: what a
//! client without retries would see. All paths begin at this computer: straight into the lab's network, or
//! through a node's SSH server for what only a node has.

mod paths;
mod probe;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use self::paths::Path;
use super::access::{Cluster, seconds};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::lab::LabMachines;
use crate::install::project::Project;
use crate::install::runtime;
use crate::run::{Cancel, Level};
use crate::verify::availability::{Availability, Record, milliseconds};

/// Time between two requests on a path.
const INTERVAL: Duration = Duration::from_millis(100);

/// Gaps that are told when they end.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// Two Pods behind a Service that drains before it ends, and what is written and read.
const WORKLOAD: &str = include_str!("workload.yaml");

/// What happens while it watches.
#[derive(Debug)]
pub enum Event {
    /// All paths are being asked; the number of them.
    Watching(usize),
    /// A path that can't be watched, and why.
    LeftOut(String),
    /// A path answered again after so many milliseconds.
    Gap { path: String, milliseconds: u64 },
}

/// Watches for a time, or until Ctrl-C.
pub fn watch(
    project: &Project,
    machines: &LabMachines,
    limit: Option<Duration>,
    report: &(dyn Fn(Event) + Sync),
) -> Result<Availability, Diagnostics> {
    let runtime = runtime::start()?;
    let result = runtime.block_on(async {
        let mut cancel = Cancel::on_ctrl_c();
        let cluster = Cluster::connect(project, machines, "watch").await?;
        cluster.clean().await?;
        let watched = async {
            let paths = cancel.unless(Box::pin(prepare(&cluster, report))).await;
            let paths = paths.map_err(|_| interrupted())??;
            report(Event::Watching(paths.len()));
            Ok(ask_all(paths, limit, &mut cancel, report).await)
        };
        let watched = watched.await;
        if cluster.clean().await.is_err() {
            // The control plane may be gone by now: that is what one watches for.
            Cluster::connect(project, machines, "watch")
                .await?
                .clean()
                .await?;
        }
        watched
    });
    runtime.shutdown_background();
    result
}

/// Makes the workload and finds the paths.
async fn prepare(
    cluster: &Cluster<'_>,
    report: &(dyn Fn(Event) + Sync),
) -> Result<Vec<Path>, Diagnostics> {
    cluster.make_namespace().await?;
    let manifests = WORKLOAD.replace("{{ image }}", &cluster.image().await?);
    let made = cluster.apply(&manifests).await?;
    let wait = "rollout status deployment/availability --timeout=120s";
    let ready = cluster.kubectl(wait).await?;
    for answer in [made, ready] {
        if !answer.succeeded {
            let message = format!("the Pods to watch don't start: {}", answer.stderr.trim());
            let error = Diagnostic::error(Kind::Step, message);
            return Err(vec![error.hint("`kinstall verify --quick` tells why")]);
        }
    }
    paths::find(cluster, report).await
}

fn interrupted() -> Diagnostics {
    vec![Diagnostic::error(Kind::Interrupted, "interrupted")]
}

/// Asks on all paths until the time is over or the user has enough.
async fn ask_all(
    paths: Vec<Path>,
    limit: Option<Duration>,
    cancel: &mut Cancel,
    report: &(dyn Fn(Event) + Sync),
) -> Availability {
    let begun = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let (gaps, mut told) = mpsc::unbounded_channel();
    let mut records = Vec::new();
    let mut threads = Vec::new();
    for path in paths {
        let record = Record::new(path.name.clone(), path.connections, Instant::now());
        let record = Arc::new(Mutex::new(record));
        records.push(Arc::clone(&record));
        let (over, gaps) = (Arc::clone(&over), gaps.clone());
        threads.push(thread::spawn(move || ask(&path, &record, &over, &gaps)));
    }
    let stalls = {
        let over = Arc::clone(&over);
        thread::spawn(move || longest_stall(&over))
    };
    let end = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    loop {
        tokio::select! {
            Some(event) = told.recv() => report(event),
            () = &mut end => break,
            () = cancel.reached(Level::AfterStep) => break,
        }
    }
    let until = Instant::now();
    over.store(true, Ordering::Relaxed);
    let paths = records
        .iter()
        .map(|record| lock(record).report(until))
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
    Availability {
        paths,
        seconds: seconds(begun),
        longest_stall_ms: milliseconds(stalls.join().unwrap_or_default()),
    }
}

fn ask(
    path: &Path,
    record: &Mutex<Record>,
    over: &AtomicBool,
    gaps: &mpsc::UnboundedSender<Event>,
) {
    let mut probe = path.probe();
    while !over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        let result = probe.ask();
        if over.load(Ordering::Relaxed) {
            return;
        }
        let gap = lock(record).add(Instant::now(), result);
        if let Some(gap) = gap.filter(|gap| *gap >= WORTH_TELLING) {
            let _ = gaps.send(Event::Gap {
                path: format!("{} ({})", path.name, path.connections.name()),
                milliseconds: milliseconds(gap),
            });
        }
        thread::sleep(INTERVAL.saturating_sub(sent.elapsed()));
    }
}

/// Returns by how much this computer was late at most: its own pauses look like the cluster's.
fn longest_stall(over: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !over.load(Ordering::Relaxed) {
        let begun = Instant::now();
        thread::sleep(INTERVAL);
        longest = longest.max(begun.elapsed().saturating_sub(INTERVAL));
    }
    longest
}

fn lock(record: &Mutex<Record>) -> std::sync::MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
