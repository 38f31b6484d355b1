//! `kinstall status` for people.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};

use crate::report::{ClusterStatus, HostStatus};

/// Renders the status as tables.
pub fn render(status: &ClusterStatus) -> String {
    let mut text = String::new();
    let has_etcd = status.hosts.iter().any(|host| host.etcd.is_some());
    let mut header = vec!["HOST", "ADDRESS", "MACHINE", "NODE", "KUBELET", "RUNTIME"];
    header.extend(has_etcd.then_some("ETCD"));
    let mut hosts = table(&header);
    for host in &status.hosts {
        let mut row = host_row(host).to_vec();
        row.extend(has_etcd.then(|| etcd(host).to_owned()));
        hosts.add_row(row);
    }
    let _ = writeln!(text, "{hosts}");
    if !status.workloads.is_empty() {
        let mut workloads = table(&["COMPONENT", "VERSION", "READY"]);
        for it in &status.workloads {
            let ready = format!("{}/{}", it.ready, it.wanted);
            workloads.add_row([
                format!("{}/{}", it.namespace, it.name),
                it.version.clone(),
                ready,
            ]);
        }
        let _ = writeln!(text, "\n{workloads}");
    }
    if !status.addresses.is_empty() {
        let mut addresses = table(&["SERVICE", "ADDRESS", "PORTS"]);
        for it in &status.addresses {
            let ports: Vec<_> = it.ports.iter().map(ToString::to_string).collect();
            addresses.add_row([it.service.clone(), it.address.clone(), ports.join(",")]);
        }
        let _ = writeln!(text, "\n{addresses}");
    }
    if let Some(first) = status.certificates.iter().min_by_key(|it| &it.expires) {
        let _ = writeln!(
            text,
            "\ncertificates: {} expires first, at {}",
            first.name, first.expires
        );
    }
    for notice in status.notices() {
        let _ = writeln!(text, "warning: {notice}");
    }
    for problem in &status.problems {
        let _ = writeln!(text, "problem: {problem}");
    }
    text
}

fn etcd(host: &HostStatus) -> &'static str {
    match host.etcd {
        None => "-",
        Some(true) => "healthy",
        Some(false) => "not healthy",
    }
}

fn host_row(host: &HostStatus) -> [String; 6] {
    let machine = host
        .machine
        .map_or_else(|| "-".to_owned(), |it| format!("{it:?}").to_lowercase());
    let node = match &host.node {
        None => "-",
        Some(node) if !node.ready => "not ready",
        Some(node) if !node.schedulable => "ready, cordoned",
        Some(_) => "ready",
    };
    let (kubelet, runtime) = host
        .node
        .as_ref()
        .map(|it| (it.kubelet.clone(), it.runtime.clone()))
        .unwrap_or_default();
    [
        host.name.clone(),
        host.address.clone(),
        machine,
        node.to_owned(),
        kubelet,
        runtime,
    ]
}

pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table
}
