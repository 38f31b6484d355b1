//! A machine as the real VBoxManage describes it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::{Failure, real};

/// The settings of one machine.
pub struct Machine {
    pub name: String,
    pub uuid: String,
    settings: BTreeMap<String, String>,
}

/// A network card.
pub struct Card {
    /// From 1 on.
    pub number: usize,
    pub attachment: String,
    pub bridge: Option<String>,
    pub model: String,
    pub mac: String,
    pub is_plugged: bool,
}

/// A disk or DVD in a drive.
pub struct Drive {
    pub controller: String,
    pub port: u32,
    pub device: u32,
    pub medium: PathBuf,
    pub medium_uuid: String,
}

impl Drive {
    pub fn is_dvd(&self) -> bool {
        self.medium
            .extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("iso"))
    }
}

impl Machine {
    /// Asks for a machine by name or UUID; `None` where there is none.
    pub fn find(name: &str) -> Result<Option<Self>, Failure> {
        let Some(text) = real::ask(&["showvminfo", name, "--machinereadable"])? else {
            return Ok(None);
        };
        let settings: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (unquoted(key), unquoted(value)))
            .collect();
        let setting = |key: &str| {
            settings
                .get(key)
                .cloned()
                .ok_or(format!("no {key} in showvminfo"))
        };
        Ok(Some(Self {
            name: setting("name")?,
            uuid: setting("UUID")?,
            settings,
        }))
    }

    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// Returns a setting that says more than that there is nothing.
    fn present(&self, key: &str) -> Option<&str> {
        self.setting(key)
            .filter(|value| !matches!(*value, "" | "none" | "off"))
    }

    pub fn cards(&self) -> Vec<Card> {
        let card = |number: usize| {
            let digits = self.setting(&format!("macaddress{number}"))?.to_lowercase();
            let pairs: Vec<&str> = (0..12)
                .step_by(2)
                .filter_map(|at| digits.get(at..at + 2))
                .collect();
            Some(Card {
                number,
                attachment: self.present(&format!("nic{number}"))?.to_owned(),
                bridge: self
                    .present(&format!("hostonlyadapter{number}"))
                    .map(ToOwned::to_owned),
                model: self.setting(&format!("nictype{number}"))?.to_owned(),
                mac: pairs.join(":"),
                is_plugged: self.setting(&format!("cableconnected{number}")) == Some("on"),
            })
        };
        (1..=8).filter_map(card).collect()
    }

    /// Returns the forwarded ports, as `name,protocol,host address,host port,guest address,guest port`.
    pub fn forwardings(&self) -> Vec<Vec<&str>> {
        let rules = self
            .settings
            .iter()
            .filter(|(key, _)| key.starts_with("Forwarding("));
        rules.map(|(_, rule)| rule.split(',').collect()).collect()
    }

    /// Returns each controller's name and kind.
    pub fn controllers(&self) -> Vec<(&str, &str)> {
        (0..)
            .map_while(|number| {
                let name = self.setting(&format!("storagecontrollername{number}"))?;
                Some((
                    name,
                    self.setting(&format!("storagecontrollertype{number}"))?,
                ))
            })
            .collect()
    }

    pub fn drives(&self) -> Vec<Drive> {
        let mut drives = Vec::new();
        for (controller, _) in self.controllers() {
            for (key, medium) in &self.settings {
                let Some(place) = key
                    .strip_prefix(controller)
                    .and_then(|it| it.strip_prefix('-'))
                else {
                    continue;
                };
                let Some((Ok(port), Ok(device))) =
                    place.split_once('-').map(|(a, b)| (a.parse(), b.parse()))
                else {
                    continue;
                };
                let Some(uuid) = self.setting(&format!("{controller}-ImageUUID-{place}")) else {
                    continue;
                };
                drives.push(Drive {
                    controller: controller.to_owned(),
                    port,
                    device,
                    medium: PathBuf::from(medium),
                    medium_uuid: uuid.to_owned(),
                });
            }
        }
        drives
    }

    /// Returns the file that the first serial port writes to.
    pub fn serial_file(&self) -> Option<&str> {
        self.setting("uartmode1")?.strip_prefix("file,")
    }
}

fn unquoted(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|it| it.strip_suffix('"'))
        .unwrap_or(text);
    inner.replace("\\\"", "\"").replace("\\\\", "\\")
}
