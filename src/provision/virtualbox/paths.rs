//! Where VBoxManage is, and how paths are written for it and read from what it prints.
//!
//! The rules of all systems are here, and which of them holds is an argument, so they are tested on any.
//! What they are for: `std::process::Command` quotes an argument with spaces or a last back slash as
//! Windows programs expect it, so a path given to VBoxManage is never quoted by us.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Linux,
    MacOs,
    Windows,
}

impl System {
    const fn this() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// Returns VBoxManage: the first in the search path, else where VirtualBox's installer puts it.
/// `environment` reads a variable, `exists` tells whether a file is there.
pub(super) fn find_program(
    environment: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    find_on(System::this(), environment, exists)
}

/// Writes a path as VBoxManage takes it.
///
/// On Windows, `canonicalize` returns `\\?\C:\…`, which VirtualBox stores as it is and later doesn't
/// take for the same file as `C:\…`; and it compares paths with back slashes only.
pub(super) fn argument_path(path: &Path) -> OsString {
    argument_on(System::this(), path.as_os_str())
}

/// Reads a quoted value of `--machinereadable`, without its quotes.
///
/// VBoxManage puts a back slash before each quote and back slash of most values, but some, paths of
/// Windows among them, it prints as they are. Those are known by a back slash that escapes nothing.
pub(super) fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some(escaped @ ('\\' | '"')) => plain.push(escaped),
            _ => return value.to_owned(),
        }
    }
    plain
}

fn find_on(
    system: System,
    environment: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    // A folder that isn't Unicode can't be written here for every system, and holds no VirtualBox.
    let variable = |name: &str| {
        let value = environment(name)?.to_string_lossy().into_owned();
        (!value.is_empty()).then_some(value)
    };
    let listed = |name: &str| -> Vec<String> {
        let separator = if system == System::Windows { ';' } else { ':' };
        let value = variable(name).unwrap_or_default();
        let folders = value.split(separator);
        folders
            // Windows' own search takes the quotes off that some installers put there.
            .map(|folder| folder.trim_matches('"').to_owned())
            .filter(|folder| !folder.is_empty())
            .collect()
    };
    let mut folders = listed("PATH");
    match system {
        System::Linux => {
            folders.extend(["/usr/bin", "/usr/local/bin", "/opt/VirtualBox"].map(str::to_owned));
        }
        System::MacOs => folders.extend(
            [
                "/usr/local/bin",
                "/Applications/VirtualBox.app/Contents/MacOS",
            ]
            .map(str::to_owned),
        ),
        System::Windows => {
            // Of the installer of 4.3 and later, and of older ones.
            folders.extend(listed("VBOX_MSI_INSTALL_PATH"));
            folders.extend(listed("VBOX_INSTALL_PATH"));
            // A 32-bit process is told another folder in the first.
            let programs = ["ProgramW6432", "ProgramFiles"].map(variable);
            let programs = programs.into_iter().flatten();
            folders.extend(
                programs
                    .chain(["C:\\Program Files".to_owned()])
                    .map(|folder| format!("{folder}\\Oracle\\VirtualBox")),
            );
        }
    }
    let (separators, separator, name): (&[char], _, _) = match system {
        System::Windows => (&['\\', '/'], '\\', "VBoxManage.exe"),
        System::Linux | System::MacOs => (&['/'], '/', "VBoxManage"),
    };
    folders
        .into_iter()
        .map(|folder| {
            let folder = folder.trim_end_matches(separators);
            PathBuf::from(format!("{folder}{separator}{name}"))
        })
        .find(|path| exists(path))
}

fn argument_on(system: System, path: &OsStr) -> OsString {
    // Only Unicode can be rewritten; what isn't goes as it is, and VirtualBox couldn't store it.
    let (System::Windows, Some(text)) = (system, path.to_str()) else {
        return path.to_owned();
    };
    let text = text.replace('/', "\\");
    let plain = match text.strip_prefix(r"\\?\") {
        None => text,
        Some(verbatim) => match verbatim.get(..4) {
            Some(start) if start.eq_ignore_ascii_case(r"UNC\") => format!(r"\\{}", &verbatim[4..]),
            _ if is_on_drive(verbatim) => verbatim.to_owned(),
            // A volume by its number, which has no other name.
            _ => text,
        },
    };
    plain.into()
}

/// Tells whether a path begins with a drive: `C:\`.
fn is_on_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::path::Path;

    use proptest::prelude::*;

    use super::{System, argument_on, find_on, unescape};

    /// Looks for VBoxManage on a computer with these variables and this one file.
    fn find(system: System, variables: &[(&str, &str)], there: &[&str]) -> Option<String> {
        let environment = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let exists = |path: &Path| there.iter().any(|it| Path::new(it) == path);
        find_on(system, environment, exists).map(|path| path.display().to_string())
    }

    #[test]
    fn the_search_path_comes_first() {
        let installed = [
            r"D:\tools\VBoxManage.exe",
            r"C:\Program Files\Oracle\VirtualBox\VBoxManage.exe",
        ];
        let path = ("PATH", r#"C:\Windows;;"D:\tools\""#);
        let msi = (
            "VBOX_MSI_INSTALL_PATH",
            r"C:\Program Files\Oracle\VirtualBox\",
        );
        let found = find(System::Windows, &[path, msi], &installed);
        assert_eq!(found.as_deref(), Some(installed[0]));
        let found = find(System::Linux, &[("PATH", "/a:/b")], &["/b/VBoxManage"]);
        assert_eq!(found.as_deref(), Some("/b/VBoxManage"));
    }

    #[test]
    fn the_installers_folders_are_known() {
        let windows = |variables: &[(&str, &str)], program: &str| {
            find(System::Windows, variables, &[program]).as_deref() == Some(program)
        };
        for variable in ["VBOX_MSI_INSTALL_PATH", "VBOX_INSTALL_PATH"] {
            let program = r"E:\VirtualBox\VBoxManage.exe";
            assert!(windows(&[(variable, r"E:\VirtualBox\")], program));
            assert!(windows(&[(variable, r"E:\VirtualBox")], program));
            assert!(windows(&[(variable, r"Z:\old;E:\VirtualBox\")], program));
            assert!(!windows(&[(variable, "")], program));
        }
        for variable in ["ProgramFiles", "ProgramW6432"] {
            let program = r"E:\Programme\Oracle\VirtualBox\VBoxManage.exe";
            assert!(windows(&[(variable, r"E:\Programme")], program));
        }
        let usual = r"C:\Program Files\Oracle\VirtualBox\VBoxManage.exe";
        assert!(windows(&[], usual));

        let bundle = "/Applications/VirtualBox.app/Contents/MacOS/VBoxManage";
        assert_eq!(find(System::MacOs, &[], &[bundle]).as_deref(), Some(bundle));
        let link = "/usr/local/bin/VBoxManage";
        let found = find(System::MacOs, &[("PATH", "/bin")], &[bundle, link]);
        assert_eq!(found.as_deref(), Some(link));
        assert_eq!(find(System::Linux, &[], &[bundle]), None);
    }

    #[test]
    fn paths_are_written_as_windows_people_write_them() {
        for (path, expected) in [
            (
                r"\\?\C:\Users\Ana María\lab\disk.vdi",
                r"C:\Users\Ana María\lab\disk.vdi",
            ),
            (r"\\?\UNC\server\labs\disk.vdi", r"\\server\labs\disk.vdi"),
            (r"\\server\labs\disk.vdi", r"\\server\labs\disk.vdi"),
            ("C:/Users/ana/lab/disk.vdi", r"C:\Users\ana\lab\disk.vdi"),
            (r".kinstall/disks\a.vdi", r".kinstall\disks\a.vdi"),
            (r"C:\lab\", r"C:\lab\"),
            (r"\\.\pipe\kinstall-node1", r"\\.\pipe\kinstall-node1"),
            (
                r"\\?\Volume{b75e2c83}\disk.vdi",
                r"\\?\Volume{b75e2c83}\disk.vdi",
            ),
            (r"\\?\é", r"\\?\é"),
        ] {
            assert_eq!(argument_on(System::Windows, OsStr::new(path)), expected);
        }
        // Elsewhere a back slash is a letter like any other.
        for path in [r"/home/ana/\\?\C:\x", "/home/ana/a b"] {
            assert_eq!(argument_on(System::Linux, OsStr::new(path)), path);
            assert_eq!(argument_on(System::MacOs, OsStr::new(path)), path);
        }
    }

    #[test]
    fn values_are_read_whether_they_are_escaped_or_not() {
        for (printed, value) in [
            (
                r"C:\\Users\\ana\\VirtualBox VMs\\n1\\n1.vbox",
                r"C:\Users\ana\VirtualBox VMs\n1\n1.vbox",
            ),
            (
                r"C:\Users\ana\VirtualBox VMs\n1\n1.vdi",
                r"C:\Users\ana\VirtualBox VMs\n1\n1.vdi",
            ),
            (r"\\\\server\\labs\\n1.vdi", r"\\server\labs\n1.vdi"),
            (r"\\server\labs\n1.vdi", r"\\server\labs\n1.vdi"),
            (r#"the \"old\" one"#, r#"the "old" one"#),
            (r"C:\lab\", r"C:\lab\"),
            (r"C:\\lab\\", r"C:\lab\"),
            ("", ""),
        ] {
            assert_eq!(unescape(printed), value, "{printed}");
        }
    }

    proptest! {
        #[test]
        fn what_was_escaped_comes_back(value in r#"[a-z:" \\]{0,12}"#) {
            let printed = value.replace('\\', r"\\").replace('"', "\\\"");
            prop_assert_eq!(unescape(&printed), value);
        }
    }
}
