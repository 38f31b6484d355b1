//! kubespray's variables that kinstall has no use for, and why.
//!
//! kubespray's own value says nothing about what the user wants, so it makes no noise. Any other value is a
//! wish that isn't fulfilled: it is reported, one message for each topic.

mod defaults;
mod table;

use defaults::{is_default, is_kubespray, is_of_a_part};
pub(super) use table::Topic;
use table::{DOWNLOADS, GENERAL, OTHERS, PLUGINS, TOOLING, TOPICS};

use crate::inventory::Variables;
use crate::model::read::boolean;
use crate::yaml::Value;

/// What is to be said about a variable.
pub(super) enum Verdict {
    /// Known, and nothing to say.
    Silent,
    /// A wish that isn't fulfilled.
    Report(&'static Topic),
    /// Not a variable of kubespray.
    Unknown,
}

/// Judges a variable that kinstall doesn't use.
pub(super) fn judge(name: &str, value: &Value, all: &Variables) -> Verdict {
    if TOOLING.iter().any(|pattern| matches(pattern, name)) {
        return Verdict::Silent;
    }
    let Some(topic) = topic(name) else {
        return Verdict::Unknown;
    };
    if is_default(name, value) || is_detail_of_nothing(name, all) {
        Verdict::Silent
    } else {
        Verdict::Report(topic)
    }
}

/// Returns what a variable speaks about; `None` if it isn't kubespray's.
fn topic(name: &str) -> Option<&'static Topic> {
    let is_kubespray = is_kubespray(name);
    let is_match = |pattern: &&str| {
        let is_theirs = || {
            let of_a_part = DOWNLOADS.contains(pattern) && is_of_a_part(name);
            let of_a_product = !pattern.starts_with('*') && !GENERAL.contains(pattern);
            is_kubespray || of_a_part || of_a_product
        };
        matches(pattern, name) && is_theirs()
    };
    let exact = TOPICS.iter().find(|topic| topic.names.contains(&name));
    exact
        .or_else(|| TOPICS.iter().find(|topic| topic.names.iter().any(is_match)))
        .or(is_kubespray.then_some(&OTHERS))
}

/// `registry_namespace` means nothing while `registry_enabled` is off, nor `cilium_mtu` without Cilium.
fn is_detail_of_nothing(name: &str, all: &Variables) -> bool {
    let plugin = all
        .get("kube_network_plugin")
        .and_then(|entry| entry.value.text());
    if let Some((_, owner)) = PLUGINS.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        return *owner != plugin.unwrap_or("calico");
    }
    let mut prefix = name;
    while let Some((shorter, _)) = prefix.rsplit_once('_') {
        prefix = shorter;
        let switch = format!("{prefix}_enabled");
        if switch == name {
            continue;
        }
        if let Some(entry) = all.get(&switch) {
            return boolean(&entry.value) == Some(false);
        }
    }
    false
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut remaining) = name.strip_prefix(head) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return remaining.ends_with(part);
        }
        match remaining.find(part) {
            Some(offset) => remaining = &remaining[offset + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{matches, topic};

    #[test]
    fn variables_of_the_users_own_are_not_taken_for_kubesprays() {
        for (name, reason) in [
            ("vault_become_password", None),
            ("vault_etcd_cert_dir", Some("keys and certificates")),
            ("external_ip", None),
            ("external_openstack_region", Some("cloud providers")),
            ("aws_region", None),
            ("registry_password", None),
            ("registry_htpasswd", Some("no accounts")),
            ("cert_manager_https_proxy", Some("no proxy")),
            ("registry_replica_count", Some("its own settings")),
            ("monitoring_host", None),
            ("snapshot_dir", None),
            ("my_app_download_url", None),
            ("calico_new_setting", Some("flannel")),
            ("kubectl_download_url", Some("bundle")),
            ("kubelet_download_url", Some("bundle")),
            ("cni_download_url", Some("bundle")),
            ("etcd_image_repo", Some("bundle")),
            ("kube_proxy_image_repo", Some("bundle")),
            ("etcd_binary_checksum", Some("bundle")),
        ] {
            let found = topic(name).map(|topic| topic.reason);
            assert_eq!(found.is_some(), reason.is_some(), "{name}: {found:?}");
            let is_right = reason.is_none_or(|it| found.unwrap_or_default().contains(it));
            assert!(is_right, "{name}: {found:?}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("calico_*", "calico_mtu", true),
            ("calico_*", "calicoctl_x", false),
            ("*_csi_*", "aws_ebs_csi_enabled", true),
            ("*_version", "calico_version", true),
            ("*_version", "calico_versions", false),
            ("ndots", "ndots", true),
            ("kube_*_reserved", "kube_cpu_reserved", true),
            ("no_proxy*", "no_proxy", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
