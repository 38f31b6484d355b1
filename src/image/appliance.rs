//! Reads what an unpacked box or appliance is.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::disk::Disk;
use super::kind::{Appliance, BoxProvider, ImageKind, VagrantBox};
use super::manifest::{self, ManifestError};
use super::ovf::{self, OvfError};
use super::probe::{Content, probe};
use super::probe_error::ProbeError;
use super::vagrantfile;

/// What marks a box.
const METADATA: &str = "metadata.json";
const VAGRANTFILE: &str = "Vagrantfile";
/// Vagrant takes no other name.
const BOX_OVF: &str = "box.ovf";
/// The user of boxes that don't say.
const BOX_USER: &str = "vagrant";

/// Why the content of a box or an appliance is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ApplianceError {
    #[error("it has no description (`*.ovf`)")]
    NoDescription,
    #[error("it is a box for `{provider}`")]
    Provider { provider: String },
    #[error("it lacks the file `{file}`")]
    Lacks { file: String },
    #[error("failed to read `{file}`")]
    Read { file: String, source: io::Error },
    #[error("its `{METADATA}` can't be understood")]
    Metadata(#[source] serde_json::Error),
    #[error("its description `{file}` can't be understood")]
    Description { file: String, source: OvfError },
    #[error("its disk `{file}` can't be used")]
    Disk { file: String, source: ProbeError },
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// `metadata.json` of a box.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    provider: Option<String>,
    #[serde(default)]
    disks: Vec<MetadataDisk>,
}

/// A disk in the newer form of libvirt boxes.
#[derive(Debug, Deserialize)]
struct MetadataDisk {
    path: String,
}

/// Reads the files of a folder; the paths in the result are below it.
pub(super) fn read(folder: &Path, names: &BTreeSet<String>) -> Result<ImageKind, ApplianceError> {
    let files = Files { folder, names };
    let is_box = [METADATA, VAGRANTFILE, BOX_OVF]
        .iter()
        .any(|name| names.contains(*name));
    if is_box {
        return Ok(ImageKind::Box(files.vagrant_box()?));
    }
    let ovf = files.ending(".ovf").ok_or(ApplianceError::NoDescription)?;
    Ok(ImageKind::Appliance(files.appliance(ovf)?))
}

/// Reads an appliance whose files lie beside its description; returns the other files too.
pub(super) fn beside(ovf: &Path) -> Result<(ImageKind, Vec<PathBuf>), ApplianceError> {
    let folder = ovf.parent().unwrap_or(Path::new("."));
    let own_name = ovf.file_name().unwrap_or_default().to_string_lossy();
    let own_name = own_name.into_owned();
    let read_error = |source| ApplianceError::Read {
        file: own_name.clone(),
        source,
    };
    let text = fs::read_to_string(ovf).map_err(read_error)?;
    let disks = ovf::disks(&text).map_err(|source| ApplianceError::Description {
        file: own_name.clone(),
        source,
    })?;
    let manifest = Path::new(&own_name).with_extension("mf");
    let candidates = disks
        .into_iter()
        .chain([manifest.to_string_lossy().into_owned()]);
    let is_there = |name: &String| !name.contains(['/', '\\']) && folder.join(name).is_file();
    let others: Vec<String> = candidates.filter(is_there).collect();
    let names = others.iter().cloned().chain([own_name.clone()]).collect();
    let files = Files {
        folder,
        names: &names,
    };
    let appliance = files.appliance(&own_name)?;
    let others = others.iter().map(|name| folder.join(name)).collect();
    Ok((ImageKind::Appliance(appliance), others))
}

struct Files<'a> {
    folder: &'a Path,
    names: &'a BTreeSet<String>,
}

impl Files<'_> {
    fn vagrant_box(&self) -> Result<VagrantBox, ApplianceError> {
        let metadata = if self.names.contains(METADATA) {
            serde_json::from_str(&self.text(METADATA)?).map_err(ApplianceError::Metadata)?
        } else {
            Metadata::default()
        };
        let (provider, appliance) = match metadata.provider.as_deref() {
            None | Some("virtualbox") => (BoxProvider::VirtualBox, self.appliance(BOX_OVF)?),
            Some("libvirt") => (BoxProvider::Libvirt, self.libvirt(&metadata)?),
            Some(provider) => {
                let provider = provider.to_owned();
                return Err(ApplianceError::Provider { provider });
            }
        };
        let settings = if self.names.contains(VAGRANTFILE) {
            vagrantfile::read(&self.text(VAGRANTFILE)?)
        } else {
            vagrantfile::Settings::default()
        };
        Ok(VagrantBox {
            provider,
            appliance,
            base_mac: settings.base_mac,
            user: settings.user.unwrap_or_else(|| BOX_USER.to_owned()),
        })
    }

    fn libvirt(&self, metadata: &Metadata) -> Result<Appliance, ApplianceError> {
        let listed = metadata.disks.iter().map(|disk| disk.path.as_str());
        let mut disks: Vec<&str> = listed.collect();
        if disks.is_empty() {
            disks.push("box.img");
        }
        self.with_disks(None, &disks)
    }

    fn appliance(&self, ovf: &str) -> Result<Appliance, ApplianceError> {
        let text = self.text(ovf)?;
        let disks = ovf::disks(&text).map_err(|source| ApplianceError::Description {
            file: ovf.into(),
            source,
        })?;
        if let Some(manifest) = self.ending(".mf") {
            manifest::check(self.folder, manifest)?;
        }
        let disks: Vec<&str> = disks.iter().map(String::as_str).collect();
        self.with_disks(Some(ovf), &disks)
    }

    fn with_disks(&self, ovf: Option<&str>, names: &[&str]) -> Result<Appliance, ApplianceError> {
        let mut disks = names.iter().map(|name| self.disk(name));
        let disk = disks.next().ok_or(ApplianceError::NoDescription)??;
        Ok(Appliance {
            ovf: ovf.map(|name| self.folder.join(name)),
            disk,
            further_disks: disks.collect::<Result<_, _>>()?,
        })
    }

    fn disk(&self, name: &str) -> Result<Disk, ApplianceError> {
        self.require(name)?;
        let unusable = |source| ApplianceError::Disk {
            file: name.into(),
            source,
        };
        match probe(&self.folder.join(name)).map_err(unusable)? {
            Content::Disk { disk, extents } => {
                // Each is one of the unpacked files, not one that lies there by chance.
                for extent in extents {
                    let name = extent.file_name().unwrap_or_default();
                    self.require(&name.to_string_lossy())?;
                }
                Ok(disk)
            }
            Content::Archive(_) | Content::Ovf => Err(unusable(ProbeError::Unknown)),
        }
    }

    fn text(&self, name: &str) -> Result<String, ApplianceError> {
        self.require(name)?;
        fs::read_to_string(self.folder.join(name)).map_err(|source| ApplianceError::Read {
            file: name.into(),
            source,
        })
    }

    fn require(&self, name: &str) -> Result<(), ApplianceError> {
        if self.names.contains(name) {
            return Ok(());
        }
        Err(ApplianceError::Lacks { file: name.into() })
    }

    fn ending(&self, ending: &str) -> Option<&str> {
        let mut names = self.names.iter().map(String::as_str);
        names.find(|name| name.to_ascii_lowercase().ends_with(ending))
    }
}
