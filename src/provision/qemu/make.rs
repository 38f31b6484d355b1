//! Making a machine.

use super::disks;
use super::folder::{LabFolder, MachineFolder};
use super::network;
use super::record::MachineRecord;
use crate::image::{Image, ImageStore};
use crate::provision::seed::Seed;
use crate::provision::{Lab, Machine, Macs, ProviderError, Report, machine_image};

/// Gets the image of a machine.
pub(super) fn image(
    store: &ImageStore,
    lab: &Lab,
    machine: &Machine,
    report: Report,
) -> Result<Image, ProviderError> {
    let text = &machine.spec.image;
    let image = machine_image::fetch(store, lab, text, report)?;
    if !image.has_cloud_init() {
        return Err(ProviderError::Obstacle {
            message: format!(
                "machine image `{text}` is a box: provider `qemu` starts cloud images only"
            ),
            hints: vec!["`machine_image: debian-13`; `kinstall image list` lists them".into()],
        });
    }
    Ok(image)
}

/// Makes a machine anew; what there was of it is removed before.
pub(super) fn machine(lab: &Lab, machine: &Machine, image: &Image) -> Result<(), ProviderError> {
    let folder = LabFolder::of(lab).machine(lab, &machine.name);
    super::process::end(&folder)?;
    folder.remove()?;
    folder.create()?;
    let record = MachineRecord::new(lab, machine);
    disks::create_over(&folder, image.boot_disk(), machine.spec.disk_gib << 30)?;
    disks::create_further(&folder, &record.hardware)?;
    let macs = Macs::of(lab);
    Seed::of(lab, machine, &macs).write(&folder.file("seed.iso"))?;
    network::link_plugs(folder.path(), &record.made_with.addresses)?;
    record.write(&folder)
}

/// Gives a machine that doesn't run what the inventory asks for.
pub(super) fn change(
    folder: &MachineFolder,
    machine: &Machine,
    mut record: MachineRecord,
) -> Result<(), ProviderError> {
    let mut wanted = super::hardware::Hardware::wanted(machine);
    if !wanted
        .extra_disks_gib
        .starts_with(&record.hardware.extra_disks_gib)
    {
        // Disks can only be added.
        wanted.extra_disks_gib = record.hardware.extra_disks_gib;
    }
    disks::grow(folder, machine.spec.disk_gib << 30)?;
    disks::create_further(folder, &wanted)?;
    record.hardware = wanted;
    record
        .forwarded_ports
        .clone_from(&machine.spec.forwarded_ports);
    record.write(folder)
}
