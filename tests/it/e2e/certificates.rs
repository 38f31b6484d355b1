//! Certificates that end soon, and what makes them anew.

use jiff::Timestamp;
use serde_json::Value;

use super::kinstall::{Kinstall, eventually};

const CONTROL_PLANE: &str = "controll-plane";
const API_SERVER: &str = "/etc/kubernetes/pki/apiserver.crt";

/// kubeadm makes the API server's certificate anew, for two days.
const SHORTEN: &str = "\
    sed 's/^encryptionAlgorithm: .*/&\\ncertificateValidityPeriod: 48h0m0s/' /etc/kubernetes/kubeadm.yaml > /run/short.yaml && \
    rm /etc/kubernetes/pki/apiserver.crt /etc/kubernetes/pki/apiserver.key && \
    /usr/local/bin/kubeadm init phase certs apiserver --config /run/short.yaml && rm /run/short.yaml";

pub fn are_made_anew_before_they_end(lab: &Kinstall) {
    let timers = on_control_plane(
        lab,
        "systemctl list-timers --no-pager kinstall-certificates.timer",
    );
    assert!(timers.contains("kinstall-certificates.service"), "{timers}");
    // Nothing ends soon: it does nothing.
    let before = end(lab, API_SERVER);
    on_control_plane(lab, "systemctl start kinstall-certificates.service");
    assert_eq!(end(lab, API_SERVER), before);

    on_control_plane(lab, SHORTEN);
    let status = lab.run(&["certs", "status"]);
    let listed = status.expect_code(0);
    assert!(listed.contains("kubernetes (authority)"), "{listed}");
    let said = status.stderr();
    assert!(
        said.contains("controll-plane: /etc/kubernetes/pki/apiserver.crt ends in "),
        "{said}"
    );
    on_control_plane(lab, "systemctl start kinstall-certificates.service");
    assert!(end(lab, API_SERVER) >= before);
    shows_its_own_certificate(lab);

    on_control_plane(lab, SHORTEN);
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(plan.contains("certificates/renewal"), "{plan}");
    lab.ok(&["up"]);
    assert!(end(lab, API_SERVER) >= before);
    shows_its_own_certificate(lab);
    lab.run(&["plan"]).expect_code(0);

    let before = end(lab, "/etc/kubernetes/scheduler.conf");
    lab.ok(&["certs", "renew", "--yes"]);
    assert!(end(lab, "/etc/kubernetes/scheduler.conf") > before);
}

/// When a certificate on the control plane ends.
fn end(lab: &Kinstall, path: &str) -> Timestamp {
    let listed = lab.ok(&["certs", "status", "--output", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let found = listed.as_array().unwrap().iter();
    let mut found = found.filter(|it| it["node"] == CONTROL_PLANE && it["path"] == path);
    let end = found.next().unwrap()["expires"].as_str().unwrap();
    end.parse().unwrap()
}

/// The API server runs with the certificate that is in its file.
fn shows_its_own_certificate(lab: &Kinstall) {
    let wanted = end(lab, API_SERVER)
        .strftime("expire date: %b %e %H:%M:%S %Y GMT")
        .to_string();
    eventually("the API server shows its new certificate", 60, || {
        let url = "https://192.168.56.11:6443/version";
        let shown = lab.run(&[
            "net",
            "--",
            "curl",
            "--silent",
            "--verbose",
            "--insecure",
            url,
        ]);
        shown.stderr().contains(&wanted)
    });
}

fn on_control_plane(lab: &Kinstall, command: &str) -> String {
    let script = format!("'{}'", command.replace('\'', r"'\''"));
    lab.ok(&["ssh", CONTROL_PLANE, "--", "sudo", "sh", "-c", &script])
}
