//! The cluster's data: what a backup holds comes back, and nothing that came later stays.

use serde_json::Value;

use super::kinstall::{Kinstall, eventually};

const BACKUP: [&str; 5] = [
    "etcd",
    "backup",
    "lab.tar.age",
    "--passphrase-file",
    "passphrase",
];

/// Saves the data, changes it, and restores it; `through` is a control plane.
pub fn data_comes_back_from_a_backup(lab: &Kinstall, through: &str) {
    let kubectl = |arguments: &[&str]| {
        lab.run(&[&["ssh", through, "--", "sudo", "kubectl"], arguments].concat())
    };
    let ok = |arguments: &[&str]| kubectl(arguments).expect_code(0);
    let value = || ok(&["get", "configmap", "kept", "-o", "jsonpath={.data.value}"]);
    lab.ok(&["etcd", "status"]);
    ok(&["create", "configmap", "kept", "--from-literal=value=old"]);
    ok(&[
        "create",
        "secret",
        "generic",
        "kept",
        "--from-literal=value=secret",
    ]);

    std::fs::write(lab.path("passphrase"), "open sesame\n").unwrap();
    lab.ok(&BACKUP);
    lab.ok(&[&BACKUP[..], &["--verify"]].concat());
    let left = lab.ok(&["ssh", through, "--", "sudo", "ls", "/var/lib/kinstall"]);
    assert!(!left.contains("etcd-backup"), "{left}");
    a_damaged_backup_is_refused(lab);

    ok(&[
        "patch",
        "configmap",
        "kept",
        "--patch",
        "'{\"data\":{\"value\":\"new\"}}'",
    ]);
    ok(&["delete", "secret", "kept"]);
    ok(&["create", "configmap", "later"]);
    let seen = ok(&[
        "get",
        "configmap",
        "later",
        "-o",
        "jsonpath={.metadata.resourceVersion}",
    ]);

    let restore = [
        "etcd",
        "restore",
        "lab.tar.age",
        "--passphrase-file",
        "passphrase",
    ];
    let plan = lab
        .run(&[&restore[..], &["--plan"]].concat())
        .expect_code(2);
    assert!(plan.contains("restore/data"), "{plan}");
    assert_eq!(value(), "new");
    let started = std::time::Instant::now();
    lab.ok(&[&restore[..], &["--yes"]].concat());
    eprintln!("restored in {} s", started.elapsed().as_secs());

    assert_eq!(value(), "old");
    ok(&["get", "secret", "kept"]);
    kubectl(&["get", "configmap", "later"]).expect_code(1);
    // Whoever watched before has to list anew.
    let watch = format!(
        "'/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=5&resourceVersion={seen}'"
    );
    let told = kubectl(&["get", "--raw", &watch]);
    let told = told.stdout() + &told.stderr();
    assert!(told.contains("too old resource version"), "{told}");

    eventually("all of the cluster is well again", 120, || {
        lab.run(&["status"]).output.status.success()
    });
    lab.ok(&["etcd", "status"]);
    let recap = lab.run(&["up"]);
    recap.expect_code(0);
    assert!(recap.stderr().contains("0 changed"), "{}", recap.stderr());
}

/// The program of the timer keeps the newest snapshots, and the old ones where there is no room.
pub fn a_timer_keeps_snapshots(lab: &Kinstall, through: &str) {
    let on_node = |command: &str| {
        lab.run(&[
            "ssh",
            through,
            "--",
            "sudo",
            "sh",
            "-c",
            &format!("'{command}'"),
        ])
    };
    let timers =
        on_node("systemctl list-timers --no-pager kinstall-etcd-snapshot.timer").expect_code(0);
    assert!(
        timers.contains("kinstall-etcd-snapshot.service"),
        "{timers}"
    );
    on_node("systemctl start kinstall-etcd-snapshot.service").expect_code(0);
    let kept = || on_node("ls /var/backups/kinstall-etcd").expect_code(0);
    assert_eq!(kept().lines().count(), 2, "{}", kept());
    let full = "mount -t tmpfs -o size=8m none /mnt && cp /var/backups/kinstall-etcd/* /mnt/ && \
        mount --bind /mnt /var/backups/kinstall-etcd && ! /usr/local/sbin/kinstall-etcd-snapshot 2>&1; \
        ls /var/backups/kinstall-etcd; umount /var/backups/kinstall-etcd; umount /mnt";
    let said = on_node(full).expect_code(0);
    assert!(said.contains("a snapshot of etcd needs"), "{said}");
    assert!(said.contains(kept().trim()), "{said}");
    let status: Value =
        serde_json::from_str(&lab.ok(&["etcd", "status", "--output", "json"])).unwrap();
    assert!(status["saved"]["keys"].as_u64() > Some(0), "{status}");
}

fn a_damaged_backup_is_refused(lab: &Kinstall) {
    let whole = std::fs::read(lab.path("lab.tar.age")).unwrap();
    std::fs::write(lab.path("cut.tar.age"), &whole[..whole.len() / 2]).unwrap();
    let refused = lab.run(&[
        "etcd",
        "restore",
        "cut.tar.age",
        "--passphrase-file",
        "passphrase",
        "--yes",
    ]);
    refused.expect_code(4);
    assert!(
        refused.stderr().contains("cut off or changed"),
        "{}",
        refused.stderr()
    );
}
