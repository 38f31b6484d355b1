//! The dashboard in a real browser.

use std::process::Command;

use super::kinstall::{Kinstall, eventually};
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
    eventually("the overview shows that all is well", 60, || {
        let overview = drawn(lab, "#overview");
        OVERVIEW.iter().all(|it| overview.contains(it))
    });
    let workloads = drawn(lab, "#workloads");
    assert!(workloads.contains("<span>DaemonSet</span>"), "{workloads}");
    let log = "kube-system/etcd-controll-plane/etcd";
    assert!(
        workloads.contains(&format!("href=\"#logs/{log}\"")),
        "{workloads}"
    );
    let logs = drawn(lab, &format!("#logs/{log}"));
    assert!(logs.contains("\"level\":\"info\""), "{logs}");
}

/// Opens the dashboard at a view; returns the page as the browser has it some seconds later, in which no part failed.
fn drawn(lab: &Kinstall, view: &str) -> String {
    let dashboard = Opened::of(lab, "dashboard");
    let profile = tempfile::tempdir().unwrap();
    let mut browser = BROWSERS.into_iter();
    let drawn = browser.find_map(|name| {
        Command::new(name)
            // It runs as root here, which its sandbox refuses. Its time stands still while it waits for an answer.
            .args(["--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--virtual-time-budget=3000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("{}{view}", dashboard.url))
            .output()
            .ok()
    });
    dashboard.close();
    let drawn = drawn.expect("no browser: `./setup tests` installs one");
    let page = String::from_utf8_lossy(&drawn.stdout).into_owned();
    let alerts = page.matches("role=\"alert\"").count();
    assert!(alerts > 0, "{page}");
    let quiet = page.matches("role=\"alert\" hidden=\"\"").count();
    assert_eq!(quiet, alerts, "{page}");
    page
}
