//! The dashboard in a real browser.

use std::process::Command;
use std::time::{Duration, Instant};

use super::kinstall::Kinstall;
use super::pages::Opened;

/// Debian's name first; `./setup tests` installs it. Elsewhere it is the browser that people have.
const BROWSERS: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];

/// What the overview has on a lab with VictoriaMetrics.
const OVERVIEW: [&str; 6] = [
    "All machines, nodes, Deployments and DaemonSets are ready.",
    "scope=\"row\">node3</th>",
    "<span>running</span>",
    "<span>ready</span>",
    "aria-label=\"Memory of controll-plane\"",
    "<polyline",
];

/// Machines, nodes, capacity and history, workloads, and a log.
pub fn shows_the_lab(lab: &Kinstall) {
    shows(lab, "#overview", &OVERVIEW);
    let log = "#logs/kube-system/etcd-controll-plane/etcd";
    let link = format!("href=\"{log}\"");
    shows(lab, "#workloads", &["<span>DaemonSet</span>", &link]);
    shows(lab, log, &["\"level\":\"info\""]);
}

/// Opens a view until it has everything and no part of it failed: some add-ons need a while after what was before.
fn shows(lab: &Kinstall, view: &str, wanted: &[&str]) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let page = drawn(lab, view);
        let alerts = page.matches("role=\"alert\"").count();
        let quiet = page.matches("role=\"alert\" hidden=\"\"").count();
        if alerts > 0 && quiet == alerts && wanted.iter().all(|it| page.contains(it)) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{view} lacks one of {wanted:?}, or a part failed: {page}"
        );
    }
}

/// Returns a view of the dashboard as a browser has it some seconds later.
fn drawn(lab: &Kinstall, view: &str) -> String {
    let mut failures = Vec::new();
    for name in BROWSERS {
        // Whatever a browser that failed did with the address, the next one needs its own.
        let dashboard = Opened::of(lab, "dashboard");
        let profile = tempfile::tempdir().unwrap();
        let browser = Command::new("timeout")
            .args(["--kill-after=5", "60", name])
            // It runs as root here, which its sandbox refuses. Its time stands still while it waits for an answer.
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            // Containers have little shared memory.
            .arg("--disable-dev-shm-usage")
            .args(["--virtual-time-budget=3000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("{}{view}", dashboard.url))
            .output()
            .unwrap();
        dashboard.close();
        if browser.status.success() {
            return String::from_utf8_lossy(&browser.stdout).into_owned();
        }
        let reason = String::from_utf8_lossy(&browser.stderr);
        failures.push(format!("{name}: {}: {reason}", browser.status));
    }
    panic!(
        "no browser drew the page; install Chromium, on Debian with `./setup tests`:\n{}",
        failures.join("\n")
    );
}
