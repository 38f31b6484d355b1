//! The file of an image while VirtualBox copies it: VirtualBox enters it in its list of disks, and kinstall takes it
//! out again, be it after an interruption. What a user had there before stays.

use std::path::Path;

use super::super::ProviderError;
use super::error::at_lab;
use super::manage::Manage;
use super::media::Media;
use super::record::{self, Records};

/// Writes down that a disk is about to be entered, unless it is there already.
pub fn note(manage: &Manage, disk: &Path) -> Result<(), ProviderError> {
    if Media::read(manage)?.has(disk) {
        return Ok(());
    }
    record::set_source(manage, disk.to_str())
}

/// Takes out the disk that [`note`] wrote down.
pub fn forget(manage: &Manage) -> Result<(), ProviderError> {
    let records = Records::read(manage)?;
    let Some(disk) = records.source() else {
        return Ok(());
    };
    if Media::read(manage)?.has(Path::new(disk)) {
        manage
            .call(&["closemedium", "disk", disk])
            .map_err(at_lab(format!("make VirtualBox forget `{disk}`")))?;
    }
    record::set_source(manage, None)
}
