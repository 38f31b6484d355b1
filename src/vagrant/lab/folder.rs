//! Shared folders.

use super::Call;
use super::read::Reader;
use crate::vagrant::evaluate::value::Value;

const VARIABLE: &str = "machine_shared_folders";

impl Reader<'_> {
    /// Reads `config.vm.synced_folder`; the folder that Vagrant shares by itself stays off.
    pub fn folders(&mut self, calls: &[&Call]) -> Vec<String> {
        let mut folders: Vec<(String, String)> = Vec::new();
        for call in calls.iter().filter(|it| it.name == "vm.synced_folder") {
            let [host, guest, ..] = &call.arguments[..] else {
                continue;
            };
            let options = call.arguments.get(2).cloned().unwrap_or(Value::Nil);
            if options.has_option("disabled") {
                // What is set later for the same folder wins.
                folders.retain(|(_, other)| Some(other.as_str()) != guest.as_text().as_deref());
                continue;
            }
            let host = self.text(host, &call.place, VARIABLE);
            let guest = self.text(guest, &call.place, VARIABLE);
            let (Some(host), Some(guest)) = (host, guest) else {
                continue;
            };
            if let Some(kind) = options.option("type").as_ref().and_then(Value::as_text) {
                let message = format!("type {kind}: kinstall shares folders in its own way");
                self.left_out(&call.place, message);
            }
            if !host.starts_with(['/', '~']) && !host.contains(':') {
                let message = "the path is relative: put the inventory beside the Vagrantfile";
                self.assumed(&call.place, message);
            }
            folders.retain(|(_, other)| *other != guest);
            folders.push((host, guest));
        }
        folders
            .into_iter()
            .map(|(host, guest)| format!("{host}:{guest}"))
            .collect()
    }
}
