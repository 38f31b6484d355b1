//! Settings of the control plane's programs.

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
}

impl Default for ControlPlaneSettings {
    fn default() -> Self {
        Self {
            anonymous_auth: true,
            profiling: false,
            node_port_range: None,
            event_ttl: None,
            tls_min_version: None,
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
        }
    }

    /// Returns the ports that Services of type NodePort get.
    pub fn node_ports(&self) -> RangeInclusive<u16> {
        let own = self.node_port_range.as_deref().and_then(port_range);
        own.unwrap_or(30000..=32767)
    }
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
