//! What the CIS benchmark looks at on a control plane.

use super::kinstall::{Kinstall, eventually};

const CONTROL_PLANE: &str = "controll-plane";

pub fn holds(lab: &Kinstall) {
    secrets_are_encrypted_in_etcd(lab);
    requests_are_audited_without_their_content(lab);
    files_are_for_those_who_need_them(lab);
    api_servers_know_the_kubelets(lab);
}

fn secrets_are_encrypted_in_etcd(lab: &Kinstall) {
    let kubectl = "sudo kubectl --kubeconfig /etc/kubernetes/admin.conf";
    let secret =
        "create secret generic encrypted --namespace default --from-literal=password=hunter2";
    on_control_plane(lab, &format!("{kubectl} {secret}"));
    let etcdctl = "etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt \
                   --key /etc/kubernetes/pki/etcd/server.key get --print-value-only /registry/secrets/default/encrypted";
    let stored = on_control_plane(
        lab,
        &format!(
            "{kubectl} exec --namespace kube-system etcd-{CONTROL_PLANE} -- {etcdctl} | tr -cd '[:print:]'"
        ),
    );
    assert!(stored.starts_with("k8s:enc:secretbox:v1:"), "{stored}");
    assert!(!stored.contains("hunter2"));
    let read = format!("{kubectl} get secret encrypted --output 'jsonpath={{.data.password}}'");
    assert_eq!(on_control_plane(lab, &read), "aHVudGVyMg==");
}

/// After [`secrets_are_encrypted_in_etcd`] has made a Secret.
fn requests_are_audited_without_their_content(lab: &Kinstall) {
    let log = on_control_plane(
        lab,
        "sudo grep '/secrets' /var/log/kubernetes/audit.log | grep '\"verb\":\"create\"'",
    );
    assert!(log.contains("\"name\":\"encrypted\""), "{log}");
    assert!(!log.contains("aHVudGVyMg"), "{log}");
}

fn files_are_for_those_who_need_them(lab: &Kinstall) {
    let modes = on_control_plane(
        lab,
        "sudo stat --format '%a %U:%G %n' /var/lib/etcd /var/lib/kubelet/config.yaml \
         /etc/systemd/system/kubelet.service /var/log/kubernetes /etc/kubernetes/encryption/providers.yaml; \
         sudo ls /etc/kubernetes | grep super-admin || true",
    );
    insta::assert_snapshot!(modes, @r"
    700 etcd:etcd /var/lib/etcd
    600 root:root /var/lib/kubelet/config.yaml
    600 root:root /etc/systemd/system/kubelet.service
    700 root:root /var/log/kubernetes
    600 root:root /etc/kubernetes/encryption/providers.yaml
    ");
}

/// A kubelet that shows another one's certificate isn't asked, until `up` has given it its own.
fn api_servers_know_the_kubelets(lab: &Kinstall) {
    const FILE: &str = "/etc/kubernetes/kubelet-server.pem";
    let health = |node: &str| {
        let path = format!("/api/v1/nodes/{node}/proxy/healthz");
        let kubectl = "sudo kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw";
        on_control_plane(lab, &format!("{kubectl} {path} 2>&1 || true"))
    };
    for node in [CONTROL_PLANE, "node1", "node2", "node3"] {
        assert_eq!(health(node), "ok", "{node}");
    }
    let others = lab.ok(&["ssh", "node2", "--", "sudo", "base64", "-w0", FILE]);
    let exchange = format!("'echo {others} | base64 -d > {FILE}; systemctl restart kubelet'");
    lab.ok(&["ssh", "node1", "--", "sudo", "sh", "-c", &exchange]);
    eventually("node1 isn't known any more", 60, || {
        health("node1").contains("certificate is valid for")
    });
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(
        plan.contains("kubelet-certificate/certificate and key"),
        "{plan}"
    );
    lab.ok(&["up"]);
    eventually("node1 is known again", 60, || health("node1") == "ok");
}

fn on_control_plane(lab: &Kinstall, command: &str) -> String {
    let script = format!("'{}'", command.replace('\'', r"'\''"));
    lab.ok(&["ssh", CONTROL_PLANE, "--", "sh", "-c", &script])
}
