//! Making a machine.

use super::disks;
use super::folder::{LabFolder, MachineFolder};
use super::network;
use super::record::MachineRecord;
use crate::image::{Image, ImageReference, ImageStore, Progress};
use crate::provision::seed::{Seed, SharedFolders};
use crate::provision::{Lab, Machine, Macs, ProviderError, Report};

/// Gets the image of a machine. Two threads at once wait for each other in the store.
pub(super) fn image(
    store: &ImageStore,
    lab: &Lab,
    machine: &Machine,
    report: Report,
) -> Result<Image, ProviderError> {
    let text = &machine.spec.image;
    let base =
        std::env::current_dir().map_err(ProviderError::file("find", lab.directory.as_path()))?;
    let unusable = |message: String, hints| ProviderError::Obstacle { message, hints };
    let reference = ImageReference::parse(text, &base)
        .map_err(|error| unusable(error.to_string(), Vec::new()))?;
    let tell = |name: &str, progress: Progress<'_>| match progress {
        Progress::Notice(notice) | Progress::Retry(notice) => report("", notice),
        Progress::Downloading { done: 0, .. } => report("", &format!("downloading {name}")),
        Progress::Unpacking => report("", &format!("unpacking {name}")),
        Progress::Waiting | Progress::Hashing | Progress::Downloading { .. } => {}
    };
    let image = store.fetch(&reference, &tell).map_err(|error| {
        let diagnostic = crate::diagnostic::Diagnostic::from(error);
        unusable(diagnostic.message, diagnostic.hints)
    })?;
    if !image.has_cloud_init() {
        return Err(unusable(
            format!(
                "machine image `{text}` is a box or an appliance: provider `qemu` starts cloud images only"
            ),
            vec!["`machine_image: debian-13`; `kinstall image list` shows what there is".into()],
        ));
    }
    let used = store.use_by(&image, &lab.directory);
    used.map_err(|error| unusable(error.to_string(), Vec::new()))?;
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
    Seed::of(lab, machine, &macs, SharedFolders::NineP).write(&folder.file("seed.iso"))?;
    network::link_plugs(folder.path(), &record.made_with.addresses)?;
    record.write(&folder)
}

/// Gives a machine that doesn't run what the inventory asks for.
pub(super) fn change(
    folder: &MachineFolder,
    machine: &Machine,
    mut record: MachineRecord,
) -> Result<(), ProviderError> {
    let mut wanted = super::record::Hardware::wanted(machine);
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
