//! The end of a machine's first boot, and whether the machine became what was asked for.

use std::time::Duration;

use super::run_as_root;
use crate::diagnostic::{Diagnostic, Kind};
use crate::secret::Secret;
use crate::ssh::Session;

/// What other partitions (boot, EFI) may take of the disk.
const OTHER_PARTITIONS_KIB: u64 = 5 << 18;

/// Waits on the machine until cloud-init is done, and compares the root file system with the disk.
pub async fn check(session: &Session, disk_gib: u64, limit: Duration) -> Result<(), Diagnostic> {
    let name = &session.target().name;
    let script = format!(
        "limit={}\n{}",
        limit.as_secs(),
        include_str!("readiness.sh")
    );
    let finished = run_as_root(session, &Secret::new(script))
        .await
        .map_err(|error| error.diagnostic(name))?;
    judge(name, &String::from_utf8_lossy(&finished.stdout), disk_gib)
}

/// Reads what the script said.
fn judge(name: &str, said: &str, disk_gib: u64) -> Result<(), Diagnostic> {
    let (said, log) = said.split_once("kinstall-log\n").unwrap_or((said, ""));
    let line = |word: &str| said.lines().find_map(|line| line.strip_prefix(word));
    let failed = |problem: String| {
        let diagnostic = Diagnostic::error(Kind::Environment, format!("{name}: {problem}"));
        if log.trim().is_empty() {
            return diagnostic;
        }
        let log = log.trim_end();
        diagnostic.hint(format!("the end of /var/log/cloud-init-output.log:\n{log}"))
    };
    if line("kinstall-late").is_some() {
        return Err(failed(
            "cloud-init hasn't finished the first boot".to_owned(),
        ));
    }
    if let Some(result) = line("kinstall-result ") {
        let errors = errors(result);
        if !errors.is_empty() {
            return Err(failed(format!(
                "cloud-init failed at the first boot: {}",
                errors.join("; ")
            )));
        }
    }
    let Some(has) = line("kinstall-disk ").and_then(|size| size.trim().parse::<u64>().ok()) else {
        return Err(failed(
            "the size of the root file system can't be read".to_owned(),
        ));
    };
    let wanted = disk_gib << 20;
    if has < (wanted - wanted / 10).saturating_sub(OTHER_PARTITIONS_KIB) {
        let problem = format!(
            "the root file system has {} MiB on a disk of {disk_gib} GiB",
            has >> 10
        );
        return Err(failed(problem).hint(
            "grow its partition and the file system by hand (growpart, resize2fs, xfs_growfs), or set \
             machine_disk to what the image has",
        ));
    }
    Ok(())
}

/// Reads the errors of cloud-init's `result.json`; one that can't be read is one as well.
fn errors(result: &str) -> Vec<String> {
    let Ok(result) = serde_json::from_str::<serde_json::Value>(result) else {
        return vec!["its result.json can't be read".to_owned()];
    };
    let errors = result["v1"]["errors"].as_array();
    let texts = errors.into_iter().flatten();
    texts
        .map(|error| {
            error
                .as_str()
                .map_or_else(|| error.to_string(), str::to_owned)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::judge;

    const DONE: &str = r#"kinstall-result {"v1": {"datasource": "NoCloud", "errors": []}}"#;

    #[test]
    fn a_machine_is_ready_with_its_disk_grown() {
        for size in [19_600_000, 20_510_332] {
            let said = format!("{DONE}\nkinstall-disk {size}\nkinstall-log\nfine\n");
            assert!(judge("node1", &said, 20).is_ok(), "{size}");
        }
        // No cloud-init at all.
        assert!(judge("node1", "kinstall-disk 20510332\nkinstall-log\n", 20).is_ok());
    }

    #[test]
    fn what_went_wrong_is_told() {
        let failed = r#"kinstall-result {"v1": {"errors": ["('users_groups', KeyError('x'))"]}}"#;
        let told: Vec<String> = [
            "kinstall-late\nkinstall-disk 20510332\nkinstall-log\nstill at it\n".to_owned(),
            format!("{failed}\nkinstall-disk 20510332\nkinstall-log\nTraceback\n"),
            "kinstall-result {\nkinstall-disk 20510332\nkinstall-log\n".to_owned(),
            format!("{DONE}\nkinstall-disk 2900000\nkinstall-log\n"),
            "sh: syntax error".to_owned(),
        ]
        .iter()
        .map(|said| {
            let problem = judge("node1", said, 20).unwrap_err();
            format!("{}\n{}", problem.message, problem.hints.join("\n"))
        })
        .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
