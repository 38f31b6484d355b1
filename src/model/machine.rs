//! Machines that kinstall makes: what the inventory asks for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A machine as the inventory wants it. Every field can be set for one host, a group or all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MachineSpec {
    /// `machine_cpus`.
    pub cpus: u32,
    /// `machine_memory`, in MiB.
    pub memory_mib: u64,
    /// `machine_disk`, in GiB: size of the first disk, and of the file system on it.
    pub disk_gib: u64,
    /// `machine_image`: a name of the catalog, an old box name, a path or a URL.
    pub image: String,
    /// `machine_extra_disks`: sizes in GiB of further, empty disks.
    pub extra_disks_gib: Vec<u64>,
    /// `machine_networks`: the machine's addresses in further host-only networks, each with its prefix.
    pub networks: Vec<IpNet>,
    /// `machine_forwarded_ports`.
    pub forwarded_ports: Vec<ForwardedPort>,
    /// `machine_shared_folders`.
    pub shared_folders: Vec<SharedFolder>,
}

/// A port of this computer's loopback that leads to a port of the machine: `8080:80`, `5353:53/udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForwardedPort {
    pub host: u16,
    pub guest: u16,
    pub protocol: Protocol,
}

/// Transport protocol of a forwarded port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

/// A folder of this computer that the machine mounts: `./data:/srv/data`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SharedFolder {
    /// Absolute, without `..` or a last slash; what the inventory says is taken from the inventory's folder.
    pub host: PathBuf,
    /// Absolute path on the machine.
    pub guest: String,
}

impl FromStr for ForwardedPort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ports, protocol) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.trim_end_matches("/tcp"), Protocol::Tcp),
            Some((ports, "udp")) => (ports, Protocol::Udp),
            Some(_) => return Err(()),
        };
        let (host, guest) = ports.split_once(':').ok_or(())?;
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0).ok_or(());
        Ok(Self {
            host: port(host)?,
            guest: port(guest)?,
            protocol,
        })
    }
}

impl fmt::Display for ForwardedPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host, self.guest)?;
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => formatter.write_str("/udp"),
        }
    }
}

impl fmt::Display for SharedFolder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.host.display(), self.guest)
    }
}

#[cfg(test)]
mod tests {
    use super::ForwardedPort;

    #[test]
    fn forwarded_ports_are_read_as_they_are_shown() {
        for text in ["8080:80", "5353:53/udp"] {
            let port: ForwardedPort = text.parse().unwrap();
            assert_eq!(port.to_string(), text);
        }
        assert_eq!(
            "1:2/tcp".parse::<ForwardedPort>().unwrap().to_string(),
            "1:2"
        );
        for text in ["80", "0:80", "80:0", "222222:22", "80:80/sctp", "a:b", ""] {
            assert_eq!(text.parse::<ForwardedPort>(), Err(()), "{text}");
        }
    }
}
