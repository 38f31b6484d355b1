//! Sizes as the provider's block gives them, whoever the provider is.

use super::explain;
use super::read::Reader;
use super::{Placed, Settings};
use crate::vagrant::evaluate::value::Value;

/// What a provider's block says of the hardware.
#[derive(Default)]
pub(super) struct Sizes {
    pub memory: Option<Placed>,
    pub cpus: Option<Placed>,
    pub disk: Option<String>,
    pub extra_disks: Vec<String>,
    /// An image that only this provider can use.
    pub image: Option<Placed>,
}

impl Reader<'_> {
    pub fn sizes(&mut self, settings: &Settings) -> Sizes {
        let mut sizes = Sizes::default();
        for (path, placed) in &settings.values {
            match path.as_str() {
                "memory" | "memsize" | "vmx.memsize" | "vmx.memory" => {
                    sizes.memory = Some(placed.clone());
                }
                "cpus" | "vmx.numvcpus" => sizes.cpus = Some(placed.clone()),
                "machine_virtual_size" => {
                    let size = self.disk(&placed.value, &placed.place, "machine_disk", 1024);
                    sizes.disk = size;
                }
                // The image of UTM, or of Docker, stands in for a box.
                "utm_file_url" | "image" | "build_dir" => sizes.image = Some(placed.clone()),
                _ => self.left_out(&placed.place, explain::provider(path)),
            }
        }
        for call in &settings.calls {
            match call.name.as_str() {
                // Vagrant runs these after it has set memory and cpus.
                "customize" => self.customize(&call.arguments, &call.place, &mut sizes),
                "storage"
                    if call.arguments.first().and_then(Value::as_text).as_deref()
                        == Some("file") =>
                {
                    let size = call.arguments.get(1).and_then(|it| it.option("size"));
                    // What libvirt makes where nothing is said.
                    let size = size.unwrap_or(Value::Integer(10));
                    let options = call.arguments.get(1).cloned().unwrap_or(Value::Nil);
                    if options
                        .option("device")
                        .and_then(|it| it.as_text())
                        .as_deref()
                        == Some("cdrom")
                    {
                        self.left_out(&call.place, "kinstall makes no drives for discs");
                        continue;
                    }
                    let disk = self.disk(&size, &call.place, "machine_extra_disks", 1024);
                    sizes.extra_disks.extend(disk);
                }
                name => self.left_out(&call.place, explain::provider(name)),
            }
        }
        sizes
    }
}
