//! Folders of this computer that machines mount.

use crate::model::SharedFolder;

/// How shared folders reach a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedFolders {
    /// VirtualBox's own; the machine's kernel needs the module `vboxsf`.
    Vboxsf,
    /// QEMU's, on virtio; the machine's kernel needs the module `9pnet_virtio`.
    NineP,
}

impl SharedFolders {
    /// Returns the lines for the machine's `/etc/fstab`. A folder that can't be mounted doesn't keep it from booting.
    pub fn table(self, shared: &[SharedFolder]) -> Vec<String> {
        let (kind, options) = match self {
            Self::Vboxsf => ("vboxsf", "nofail"),
            Self::NineP => ("9p", "nofail,trans=virtio,version=9p2000.L,msize=262144"),
        };
        let line = |(index, folder): (usize, &SharedFolder)| {
            let guest = escaped(&folder.guest);
            format!("{} {guest} {kind} {options} 0 0", share_name(index))
        };
        shared.iter().enumerate().map(line).collect()
    }
}

/// Returns the name under which a provider shares a machine's folder of this number.
pub fn share_name(index: usize) -> String {
    format!("kinstall{index}")
}

/// Blanks and backslashes as `/etc/fstab` wants them.
fn escaped(path: &str) -> String {
    path.replace('\\', "\\134")
        .replace(' ', "\\040")
        .replace('\t', "\\011")
}

#[cfg(test)]
mod tests {
    use super::{SharedFolder, SharedFolders};

    #[test]
    fn a_line_for_each_folder() {
        let folder = |guest: &str| SharedFolder {
            host: "/home/me/data".into(),
            guest: guest.to_owned(),
        };
        let shared = [folder("/srv/data"), folder("/srv/my data")];
        insta::assert_snapshot!(SharedFolders::Vboxsf.table(&shared).join("\n"), @r"
        kinstall0 /srv/data vboxsf nofail 0 0
        kinstall1 /srv/my\040data vboxsf nofail 0 0
        ");
        insta::assert_snapshot!(SharedFolders::NineP.table(&shared[..1]).join("\n"), @"kinstall0 /srv/data 9p nofail,trans=virtio,version=9p2000.L,msize=262144 0 0");
    }
}
