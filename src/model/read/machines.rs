//! What all machines that kinstall makes have in common.

use super::super::{MachineDefaults, Provider, Proxy};
use super::{Placed, Reader};

/// kubespray's, and that of many a role for Ansible.
const TIME_ZONES: [&str; 2] = ["ntp_timezone", "timezone"];

/// Reads what all machines get at their first boot.
pub(super) fn machines(
    reader: &mut Reader<'_>,
    provider: Option<Provider>,
    proxy: Option<&Proxy>,
) -> MachineDefaults {
    let mirror = reader.text(&["machine_package_mirror"]);
    let own_proxy = reader.text(&["machine_proxy"]).map(|proxy| proxy.value);
    MachineDefaults {
        time_zone: time_zone(reader, provider),
        proxy: own_proxy.or_else(|| {
            let proxy = proxy?;
            let url = proxy.http.as_ref().or(proxy.https.as_ref())?;
            Some(url.expose().to_owned())
        }),
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

fn foreign(reader: &mut Reader<'_>, own: &str, name: &str) -> Option<Placed<String>> {
    reader.foreign(own, |reader| reader.text(&[name]))
}
