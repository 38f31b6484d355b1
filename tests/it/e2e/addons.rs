//! Add-ons that the lab's inventory doesn't have: all at once, as each `up` takes its time.

use super::kinstall::Kinstall;

const FILE: &str = "group_vars/k8s-cluster/addons.yml";
const BEFORE: &str = "metrics_server_enabled";
const SWITCHES: &str = "\
victoria_metrics_enabled: true
victoria_logs_enabled: true
registry_enabled: true
cert_manager_enabled: true
";

pub fn are_switched_on(lab: &Kinstall) {
    lab.edit(FILE, BEFORE, &format!("{SWITCHES}{BEFORE}"));
    lab.ok(&["up"]);
}

pub fn are_switched_off(lab: &Kinstall) {
    lab.edit(FILE, SWITCHES, "");
    lab.ok(&["up"]);
}
