//! Folders of this computer in a machine: they are mounted after every start that may have changed them, as neither
//! VirtualBox nor a first boot that is long over can do it.

use super::run_as_root;
use crate::diagnostic::Diagnostic;
use crate::model::SharedFolder;
use crate::provision::shared_folders::SharedFolders;
use crate::secret::Secret;
use crate::ssh::Session;

/// Mounts a machine's folders, and none that it had before. Returns what couldn't be done, in words: a machine
/// without them is a node all the same.
pub async fn mount(
    session: &Session,
    kind: SharedFolders,
    shared: &[SharedFolder],
) -> Result<Vec<String>, Diagnostic> {
    let name = &session.target().name;
    let finished = run_as_root(session, &input("/etc/fstab", kind, shared)).await;
    let finished = finished.map_err(|error| error.diagnostic(name))?;
    let said = String::from_utf8_lossy(&finished.stdout);
    let problems = said
        .lines()
        .filter_map(|line| line.strip_prefix("kinstall-problem "));
    Ok(problems.map(str::to_owned).collect())
}

/// Returns the script behind its variables.
fn input(file: &str, kind: SharedFolders, shared: &[SharedFolder]) -> Secret {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let places: Vec<&str> = shared.iter().map(|it| it.guest.as_str()).collect();
    Secret::new(format!(
        "file={}\ntable={}\nplaces={}\n{}",
        quoted(file),
        quoted(&kind.table(shared).join("\n")),
        quoted(&places.join("\n")),
        include_str!("mounts.sh")
    ))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::{SharedFolder, SharedFolders, input};

    /// Runs the script on a table of its own; nothing in it can really be mounted here.
    fn run(file: &std::path::Path, shared: &[SharedFolder]) -> String {
        let script = input(&file.display().to_string(), SharedFolders::Vboxsf, shared);
        let mut child = Command::new("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(script.expose().as_bytes()).unwrap();
        drop(stdin);
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn the_table_has_the_folders_of_now_and_the_users_own_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fstab");
        fs::write(&file, "LABEL=root / ext4 rw 0 1\n").unwrap();
        let place = folder.path().join("it's here");
        let shared = |guest: &std::path::Path| SharedFolder {
            host: "/home/me/data".into(),
            guest: guest.display().to_string(),
        };
        let said = run(&file, &[shared(&place)]);
        assert!(said.contains("it's here isn't mounted: "), "{said}");
        assert!(place.is_dir());
        let table = fs::read_to_string(&file).unwrap();
        let table = table.replace(&folder.path().display().to_string(), "FOLDER");
        insta::assert_snapshot!(table, @r"
        LABEL=root / ext4 rw 0 1
        # kinstall shared folders begin
        kinstall0 FOLDER/it's\040here vboxsf nofail 0 0
        # kinstall shared folders end
        ");
        assert_eq!(run(&file, &[]), "");
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            "LABEL=root / ext4 rw 0 1\n"
        );
    }
}
