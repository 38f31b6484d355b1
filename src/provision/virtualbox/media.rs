//! Disks that VirtualBox knows, and what a machine has of them.

use std::path::Path;

use super::super::ProviderError;
use super::error::at_lab;
use super::info::{Block, Info};
use super::manage::Manage;

/// Name of the files of extra disks, before their number.
pub const EXTRA: &str = "extra-";

/// A disk or a layer of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    pub uuid: String,
    pub parent: Option<String>,
    pub location: String,
    pub capacity_mib: u64,
}

/// All disks.
#[derive(Clone, Debug, Default)]
pub struct Media(Vec<Medium>);

/// A disk that a machine has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedDisk {
    /// Of its topmost layer.
    pub uuid: String,
    /// Name of the file of its lowest layer.
    pub base_file: String,
    pub capacity_mib: u64,
    pub controller: String,
    pub port: u32,
}

impl Media {
    pub fn read(manage: &Manage) -> Result<Self, ProviderError> {
        let text = manage
            .call(&["list", "hdds"])
            .map_err(at_lab("list VirtualBox's disks"))?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let blocks = Block::parse_all(text, "UUID");
        let media = blocks.iter().map(|block| Medium {
            uuid: block.get("UUID").to_owned(),
            parent: Some(block.get("Parent UUID").to_owned()).filter(|it| it != "base"),
            location: block.get("Location").to_owned(),
            capacity_mib: number(block.get("Capacity")),
        });
        Self(media.collect())
    }

    /// Returns whether a file is among them.
    pub fn has(&self, file: &Path) -> bool {
        self.0.iter().any(|it| Path::new(&it.location) == file)
    }

    /// Returns the disks whose file is below a folder, layers before what they stand on.
    pub fn below<'a>(&'a self, folder: &'a Path) -> Vec<&'a Medium> {
        let mut found: Vec<&Medium> = self
            .0
            .iter()
            .filter(|it| Path::new(&it.location).starts_with(folder))
            .collect();
        found.sort_by_key(|it| std::cmp::Reverse(self.ancestors(&it.uuid).len()));
        found
    }

    /// Returns whether a disk from outside a folder stands on one in it.
    pub fn is_base_for_others(&self, folder: &Path) -> bool {
        let is_inside = |medium: &Medium| Path::new(&medium.location).starts_with(folder);
        self.0
            .iter()
            .filter(|it| !is_inside(it))
            .any(|it| self.ancestors(&it.uuid).into_iter().any(is_inside))
    }

    /// Returns the disks of a machine, in the order of their ports.
    pub fn of_machine(&self, machine: &Info) -> Vec<AttachedDisk> {
        let mut disks: Vec<AttachedDisk> = machine
            .pairs()
            .filter_map(|(key, uuid)| {
                let (controller, place) = key.split_once("-ImageUUID-")?;
                let (port, _) = place.split_once('-')?;
                let layers = self.ancestors(uuid);
                let (top, base) = (layers.first()?, layers.last()?);
                let file = base.location.rsplit(['/', '\\']).next()?;
                Some(AttachedDisk {
                    uuid: uuid.to_owned(),
                    base_file: file.to_owned(),
                    capacity_mib: top.capacity_mib,
                    controller: controller.to_owned(),
                    port: port.parse().ok()?,
                })
            })
            .collect();
        disks.sort_by_key(|it| it.port);
        disks
    }

    /// Returns the medium and all that it stands on.
    fn ancestors(&self, uuid: &str) -> Vec<&Medium> {
        let find = |uuid: &str| self.0.iter().find(|it| it.uuid == uuid);
        std::iter::successors(find(uuid), |it| find(it.parent.as_deref()?)).collect()
    }
}

impl AttachedDisk {
    /// Returns which of the extra disks it is, counted from one; `None` for that which the machine boots from.
    pub fn extra(&self) -> Option<usize> {
        self.base_file
            .strip_prefix(EXTRA)?
            .strip_suffix(".vdi")?
            .parse()
            .ok()
    }
}

fn number(text: &str) -> u64 {
    text.split_whitespace()
        .next()
        .and_then(|it| it.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Info, Media};

    const LIST: &str = "UUID:           1\nParent UUID:    base\nLocation:       /vm/images/disk.vdi\nCapacity:       64 MBytes\n\n\
        UUID:           2\nParent UUID:    1\nLocation:       /vm/n1/Snapshots/{2}.vdi\nCapacity:       2048 MBytes\n\n\
        UUID:           3\nParent UUID:    base\nLocation:       /vm/n1/extra-1.vdi\nCapacity:       3072 MBytes\n\n\
        UUID:           4\nParent UUID:    3\nLocation:       /vm/n1/Snapshots/{4}.vdi\nCapacity:       3072 MBytes\n";

    #[test]
    fn extra_disks_are_known_below_their_snapshots() {
        let machine = Info::parse(
            "\"disks-ImageUUID-2-0\"=\"4\"\n\"disks-ImageUUID-0-0\"=\"2\"\n\"disks-ImageUUID-1-0\"=\"an ISO\"\n",
        );
        let disks = Media::parse(LIST).of_machine(&machine);
        let found: Vec<_> = disks
            .iter()
            .map(|it| (it.extra(), it.capacity_mib, it.port))
            .collect();
        assert_eq!(found, [(None, 2048, 0), (Some(1), 3072, 2)]);
    }

    #[test]
    fn layers_come_before_what_they_stand_on() {
        let media = Media::parse(LIST);
        let uuids: Vec<_> = media
            .below(Path::new("/vm/n1"))
            .iter()
            .map(|it| it.uuid.as_str())
            .collect();
        assert_eq!(uuids, ["2", "4", "3"]);
    }
}
