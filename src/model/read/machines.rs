//! What all machines that kinstall makes have in common.

use super::super::{MachineDefaults, Provider};
use super::{Placed, Reader};

/// kubespray's, and that of many a role for Ansible.
const TIME_ZONES: [&str; 2] = ["ntp_timezone", "timezone"];

/// kubespray's.
const PROXIES: [&str; 2] = ["http_proxy", "https_proxy"];

/// Reads what all machines get at their first boot.
pub(super) fn machines(reader: &mut Reader<'_>, provider: Option<Provider>) -> MachineDefaults {
    let mirror = reader.text(&["machine_package_mirror"]);
    MachineDefaults {
        time_zone: time_zone(reader, provider),
        proxy: proxy(reader),
        package_mirror: mirror.map(|mirror| mirror.value),
    }
}

fn time_zone(reader: &mut Reader<'_>, provider: Option<Provider>) -> Option<String> {
    let own = "machine_time_zone";
    if let Some(zone) = reader.text(&[own]) {
        return Some(zone.value);
    }
    let (name, zone) = TIME_ZONES
        .iter()
        .find_map(|name| Some((name, foreign(reader, own, name)?)))?;
    let all_take_it = matches!(provider, Some(Provider::VirtualBox | Provider::Qemu));
    if let Some(location) = zone.location.filter(|_| !all_take_it) {
        reader.warning(
            &location,
            format!("`{name}` is only for virtual machines that kinstall makes"),
            "no effect on others",
            "other hosts keep their time zone",
        );
    }
    Some(zone.value)
}

/// The other names mean more than kinstall does with them, and that is said.
fn proxy(reader: &mut Reader<'_>) -> Option<String> {
    let own = "machine_proxy";
    let mut taken = reader.text(&[own]).map(|proxy| (own, proxy.value));
    for name in PROXIES {
        let Some(proxy) = foreign(reader, own, name) else {
            continue;
        };
        let (message, label) = match &taken {
            None => (
                format!(
                    "`{name}` is only for the package manager of virtual machines that kinstall makes"
                ),
                "no effect on others",
            ),
            // `https_proxy` is mostly the same once more.
            Some((_, taken)) if *taken == proxy.value => continue,
            Some((taken, _)) => (
                format!("`{name}` has no effect: machines have one proxy, `{taken}`"),
                "no effect",
            ),
        };
        if let Some(location) = &proxy.location {
            let hint = "nodes need no proxy for Kubernetes: programs and images come from kinstall's bundle; \
                        containerd asks other registries without one";
            reader.warning(location, message, label, hint);
        }
        taken.get_or_insert((name, proxy.value));
    }
    taken.map(|(_, proxy)| proxy)
}

fn foreign(reader: &mut Reader<'_>, own: &str, name: &str) -> Option<Placed<String>> {
    reader.foreign(own, |reader| reader.text(&[name]))
}
