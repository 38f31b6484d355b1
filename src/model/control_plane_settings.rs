//! Settings of the control plane's programs.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::read::Reader;

/// How the API server, the controller manager and the scheduler work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ControlPlaneSettings {
    /// `kube_api_anonymous_auth`; where it is `false`, only health is told without a login.
    pub anonymous_auth: bool,
    /// `kube_profiling`: whether the programs answer `/debug/pprof`; off by default.
    pub profiling: bool,
    /// `kube_apiserver_node_port_range`, such as `30000-32767`; Kubernetes' own without it.
    pub node_port_range: Option<String>,
    /// `event_ttl_duration`: how long events are kept, such as `1h0m0s`; Kubernetes' own without it.
    pub event_ttl: Option<String>,
    /// `tls_min_version`, such as `VersionTLS12`, of the API server and the kubelets; Go's own without it.
    pub tls_min_version: Option<String>,
    /// `kubernetes_audit`; on by default.
    pub audit_log: Option<AuditLog>,
    /// `auto_renew_certificates`, on by default: when a control plane looks at its certificates and makes those anew
    /// that end soon, as systemd's calendar has it.
    pub certificate_renewal: Option<CertificateRenewal>,
    /// `kinstall_etcd_backup`, on by default: when a control plane saves etcd's data, and how many it keeps.
    pub etcd_backup: Option<EtcdBackup>,
    /// `None` for a cluster that has no key for it: one that a kinstall before 0.2 made.
    pub encryption: Option<Encryption>,
    /// Names of the keys of service accounts that are accepted, the one that signs first; not the inventory's: the cluster's
    /// secrets tell.
    pub service_account_keys: Vec<String>,
}

/// What the API server writes down about requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditLog {
    /// `audit_log_maxage`: days that a file is kept.
    pub days: u32,
    /// `audit_log_maxbackups`: files that are kept.
    pub files: u32,
    /// `audit_log_maxsize`: MB at which a new file begins.
    pub megabytes: u32,
}

impl Default for AuditLog {
    /// What the CIS benchmark asks for.
    fn default() -> Self {
        Self {
            days: 30,
            files: 10,
            megabytes: 100,
        }
    }
}

/// When a control plane looks after its certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CertificateRenewal {
    /// `auto_renew_certificates_systemd_calendar`; without it the first Monday of a month at night, one control plane
    /// after another.
    pub calendar: Option<String>,
}

/// When a control plane saves etcd's data to a folder of its own, and how much of it stays there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EtcdBackup {
    /// `kinstall_etcd_backup_schedule`, as systemd's calendar has it; without it each night, one control plane after
    /// another.
    pub calendar: Option<String>,
    /// `kinstall_etcd_backup_count`: snapshots that are kept.
    pub count: u32,
}

impl Default for EtcdBackup {
    fn default() -> Self {
        Self {
            calendar: None,
            count: 7,
        }
    }
}

/// How the API server writes Secrets to etcd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encryption {
    /// `kube_encrypt_secret_data`: whether what is written is encrypted (the default). What was written encrypted
    /// is read in both cases.
    pub enabled: bool,
    /// The inventory says `true`; for a cluster that has no key.
    #[serde(skip)]
    pub is_asked_for: bool,
    /// `kube_encryption_algorithm`: `secretbox` by default, `aescbc` or `aesgcm`.
    pub algorithm: String,
    /// `kube_encryption_resources`, as the API names them (`secrets`, `configmaps`, `widgets.example.com`).
    pub resources: Vec<String>,
    /// Names of the keys, the one that writes first; not the inventory's: the cluster's secrets tell.
    pub keys: Vec<String>,
    /// All that was written with an earlier key is to be written anew, in a rotation.
    pub rewrites: bool,
}

impl Default for Encryption {
    fn default() -> Self {
        Self {
            enabled: true,
            is_asked_for: false,
            algorithm: "secretbox".to_owned(),
            resources: vec!["secrets".to_owned()],
            keys: vec!["key1".to_owned()],
            rewrites: false,
        }
    }
}

impl Default for ControlPlaneSettings {
    fn default() -> Self {
        Self {
            anonymous_auth: true,
            profiling: false,
            node_port_range: None,
            event_ttl: None,
            tls_min_version: None,
            audit_log: Some(AuditLog::default()),
            certificate_renewal: Some(CertificateRenewal::default()),
            etcd_backup: Some(EtcdBackup::default()),
            encryption: Some(Encryption::default()),
            service_account_keys: Vec::new(),
        }
    }
}

impl ControlPlaneSettings {
    /// Reads the settings.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let usual = Self::default();
        Self {
            anonymous_auth: reader
                .boolean("kube_api_anonymous_auth")
                .unwrap_or(usual.anonymous_auth),
            profiling: reader.boolean("kube_profiling").unwrap_or(usual.profiling),
            node_port_range: checked(
                reader,
                "kube_apiserver_node_port_range",
                "two ports such as 30000-32767",
                |text| port_range(text).is_some(),
            ),
            event_ttl: checked(
                reader,
                "event_ttl_duration",
                "a duration such as 1h0m0s",
                is_duration,
            ),
            tls_min_version: checked(
                reader,
                "tls_min_version",
                "VersionTLS12 or VersionTLS13",
                |text| {
                    [
                        "VersionTLS10",
                        "VersionTLS11",
                        "VersionTLS12",
                        "VersionTLS13",
                    ]
                    .contains(&text)
                },
            ),
            audit_log: audit_log(reader),
            certificate_renewal: certificate_renewal(reader),
            etcd_backup: etcd_backup(reader),
            encryption: Some(encryption(reader)),
            service_account_keys: usual.service_account_keys,
        }
    }

    /// Returns the ports that Services of type NodePort get.
    pub fn node_ports(&self) -> RangeInclusive<u16> {
        let own = self.node_port_range.as_deref().and_then(port_range);
        own.unwrap_or(30000..=32767)
    }
}

fn audit_log(reader: &mut Reader<'_>) -> Option<AuditLog> {
    let usual = AuditLog::default();
    let mut number = |name: &str, usual| {
        let number = reader.parsed(&[name], "a number");
        number.map_or(usual, |it| it.value)
    };
    let log = AuditLog {
        days: number("audit_log_maxage", usual.days),
        files: number("audit_log_maxbackups", usual.files),
        megabytes: number("audit_log_maxsize", usual.megabytes),
    };
    let is_on = reader.boolean("kubernetes_audit").unwrap_or(true);
    is_on.then_some(log)
}

fn certificate_renewal(reader: &mut Reader<'_>) -> Option<CertificateRenewal> {
    let name = "auto_renew_certificates_systemd_calendar";
    let calendar = calendar(reader, name, "Mon *-*-1,2,3,4,5,6,7 03:00:00");
    let is_on = reader.boolean("auto_renew_certificates").unwrap_or(true);
    is_on.then_some(CertificateRenewal { calendar })
}

fn etcd_backup(reader: &mut Reader<'_>) -> Option<EtcdBackup> {
    let calendar = calendar(reader, "kinstall_etcd_backup_schedule", "*-*-* 02:00:00");
    let name = "kinstall_etcd_backup_count";
    let count = reader.parsed::<NonZeroU32>(&[name], "a number from 1 on");
    let count = count.map_or(EtcdBackup::default().count, |it| it.value.get());
    let is_on = reader.boolean("kinstall_etcd_backup").unwrap_or(true);
    is_on.then_some(EtcdBackup { calendar, count })
}

fn calendar(reader: &mut Reader<'_>, name: &str, example: &str) -> Option<String> {
    checked(reader, name, &format!("a time such as {example}"), |text| {
        !text.trim().is_empty() && !text.contains('\n')
    })
}

fn encryption(reader: &mut Reader<'_>) -> Encryption {
    let usual = Encryption::default();
    let asked = reader.boolean("kube_encrypt_secret_data");
    let algorithm = checked(
        reader,
        "kube_encryption_algorithm",
        "secretbox, aescbc or aesgcm",
        |text| ["secretbox", "aescbc", "aesgcm"].contains(&text),
    );
    let resources = resources(reader, "kube_encryption_resources");
    Encryption {
        enabled: asked.unwrap_or(usual.enabled),
        is_asked_for: asked == Some(true),
        algorithm: algorithm.unwrap_or(usual.algorithm),
        resources: resources.unwrap_or(usual.resources),
        ..usual
    }
}

/// Reads names of the API's resources; `None` where the list is empty or wrong.
fn resources(reader: &mut Reader<'_>, name: &str) -> Option<Vec<String>> {
    let is_right = |text: &&str| {
        let is_allowed =
            |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || ".-*".contains(it);
        !text.is_empty() && text.chars().all(is_allowed)
    };
    let mut resources = Vec::new();
    for value in reader.list(name) {
        let Some(text) = value.text().filter(is_right) else {
            reader.wrong_kind(name, &value, "a list of resources such as `secrets`");
            return None;
        };
        resources.push(text.to_owned());
    }
    (!resources.is_empty()).then_some(resources)
}

fn checked(
    reader: &mut Reader<'_>,
    name: &str,
    expected: &str,
    is_right: impl Fn(&str) -> bool,
) -> Option<String> {
    let value = reader.value(name)?;
    let text = value.text().filter(|text| is_right(text));
    if text.is_none() {
        reader.wrong_kind(name, &value, expected);
    }
    text.map(str::to_owned)
}

fn port_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let range = first.parse::<u16>().ok()?..=last.parse().ok()?;
    (*range.start() > 0 && !range.is_empty()).then_some(range)
}

/// Tells whether Go's parser of durations takes the text: numbers with a unit each.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(rest.len());
        let units = ["ms", "us", "ns", "h", "m", "s"];
        let unit = units.iter().find(|unit| rest[digits..].starts_with(**unit));
        let (Some(unit), true) = (unit, rest[..digits].parse::<f64>().is_ok()) else {
            return false;
        };
        rest = &rest[digits + unit.len()..];
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for text in ["1h0m0s", "90m", "1.5h", "300ms"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "1", "h", "1 h", "1d", "-1h", "1h5"] {
            assert!(!is_duration(text), "{text}");
        }
    }

    #[test]
    fn port_ranges_are_two_ports_in_order() {
        assert_eq!(port_range("30000-32767"), Some(30000..=32767));
        for text in ["", "1", "5-1", "0-9", "1-70000", "a-b"] {
            assert_eq!(port_range(text), None, "{text}");
        }
    }
}
