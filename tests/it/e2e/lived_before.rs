//! Machines that have lived before, and nodes that have lost what made them members.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use super::kinstall::{Kinstall, eventually};
use super::reset::Fresh;

const INVENTORY: &str = "\
[all]
controll-plane ansible_host=192.168.56.11 ip=192.168.56.11
node1 ansible_host=192.168.56.21 ip=192.168.56.21
node2 ansible_host=192.168.56.22 ip=192.168.56.22
[kube-master]
controll-plane
[etcd]
controll-plane
[kube-node]
node1
node2
[k8s-cluster:children]
kube-master
kube-node
";

/// A pod on every node that answers at port 8080.
const PROBES: &str = "\
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: probe }
spec:
  selector: { matchLabels: { app: probe } }
  template:
    metadata: { labels: { app: probe } }
    spec:
      tolerations: [{ operator: Exists }]
      terminationGracePeriodSeconds: 0
      containers:
        - name: probe
          image: kinstall.local/agnhost:v1.37.2
          imagePullPolicy: Never
          args: [netexec, --http-port=8080]
";

/// What an earlier cluster, an earlier pod network and an earlier administrator leave.
const OF_THE_FIRST: &str = "
mkdir -p /var/lib/etcd/member/snap /etc/kubernetes/manifests
echo precious > /var/lib/etcd/member/snap/db
echo 'kind: Pod' > /etc/kubernetes/manifests/etcd.yaml
echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.d/99-hardening.conf
";
const OF_A_WORKER: &str = "
mkdir -p /etc/cni/net.d /usr/lib/systemd/system/kubelet.service.d
echo '{\"cniVersion\":\"0.3.1\",\"name\":\"k8s\",\"plugins\":[{\"type\":\"calico\"}]}' > /etc/cni/net.d/10-calico.conflist
ip link add cni0 type bridge && ip address add 10.88.0.1/16 dev cni0
printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/kubelet\\n' > /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
";
const OF_ANOTHER_WORKER: &str = "
printf 'http_proxy=http://192.0.2.1:3128\\nhttps_proxy=http://192.0.2.1:3128\\n' >> /etc/environment
echo 'session required pam_env.so readenv=1 user_readenv=0' >> /etc/pam.d/sudo
";
/// kubeadm makes certificates that end at once; the kubelet's of a worker is printed.
const EXPIRE: &str = "
sed 's/^encryptionAlgorithm: .*/&\\ncertificateValidityPeriod: 1s/' /etc/kubernetes/kubeadm.yaml > /run/short.yaml
kubeadm certs renew all --config /run/short.yaml > /dev/null 2>&1
rm /run/short.yaml
certificate() {
    kubeadm kubeconfig user --client-name system:node:$1 --org system:nodes --validity-period 1s --config /etc/kubernetes/kubeadm.yaml 2> /dev/null |
        sed -n 's/.*client-[a-z]*-data: *//p' | while read line; do echo $line | base64 -d; done
}
certificate controll-plane > /var/lib/kubelet/pki/expired.pem
ln -sf expired.pem /var/lib/kubelet/pki/kubelet-client-current.pem
certificate node2
";
/// A firewall that lets node1 log in, and not reach the API server.
const CLOSE_THE_PORT: &str = "
nft add table inet firewall
nft add chain inet firewall input '{ type filter hook input priority 0; }'
nft add rule inet firewall input ip saddr 192.168.56.21 tcp dport 6443 drop
";
const USE_EXPIRED: &str = "ln -sf expired.pem /var/lib/kubelet/pki/kubelet-client-current.pem\n";

#[test]
#[ignore = "needs root and a bundle: `./test e2e`"]
fn machines_and_nodes_that_have_lived_before() {
    let lab = lab();
    machines_without_a_cluster(&lab);
    let fresh = Fresh::of(&lab);
    on_node(&lab, "controll-plane", OF_THE_FIRST);
    on_node(&lab, "node1", OF_A_WORKER);
    on_node(&lab, "node2", OF_ANOTHER_WORKER);

    another_clusters_data_is_refused_and_untouched(&lab);
    lab.ok(&["up", "--take-over", "controll-plane"]);
    lab.apply(PROBES);
    all_pods_reach_each_other(&lab);
    let parameter = on_node(
        &lab,
        "controll-plane",
        "cat /proc/sys/net/ipv4/ip_forward /etc/sysctl.d/99-zz-kinstall.conf",
    );
    assert!(parameter.contains("net.ipv4.ip_forward = 1"), "{parameter}");

    a_deleted_node_comes_back(&lab);
    a_node_that_was_reset_joins_again(&lab);
    another_address_of_the_only_control_plane_is_refused(&lab);
    expired_certificates_are_made_anew(&lab);
    images_outlive_a_full_disk(&lab);
    nothing_is_left_to_do(&lab);
    fresh.is_what_a_reset_leaves(&lab);
    nothing_is_left_to_do(&lab);
}

/// A lab that was off for longer than a year: every certificate that is not an authority's has ended.
fn expired_certificates_are_made_anew(lab: &Kinstall) {
    let worker = on_node(lab, "controll-plane", EXPIRE);
    on_node(
        lab,
        "node2",
        &format!("cat > /var/lib/kubelet/pki/expired.pem <<'END'\n{worker}END\n{USE_EXPIRED}"),
    );
    lab.ok(&["restart", "controll-plane", "node2"]);
    let listed = lab.run(&["certs", "status"]);
    listed.expect_code(0);
    assert!(listed.stderr().contains("apiserver.crt has expired"));
    let status = lab.run(&["status"]).expect_code(1);
    assert!(status.contains("the API server did not answer"), "{status}");
    assert!(!status.contains("is not a node of the cluster"), "{status}");
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(plan.contains("certificates/renewal"), "{plan}");
    assert!(
        plan.contains("kubelet-credentials/certificate of a worker"),
        "{plan}"
    );
    lab.ok(&["up"]);
    let listed = lab.run(&["certs", "status"]);
    assert!(
        !listed.stderr().contains("has expired"),
        "{}",
        listed.stderr()
    );
    all_pods_reach_each_other(lab);
}

/// A lab of three machines.
pub(super) fn lab() -> Kinstall {
    let lab = Kinstall::with_the_lab_inventory();
    fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    lab
}

/// The first playbook fails at once.
pub(super) fn machines_without_a_cluster(lab: &Kinstall) {
    let folder = lab.path("stop/playbooks");
    fs::create_dir_all(&folder).unwrap();
    let playbook = "component: base\nphase: prepare\nsteps:\n  - name: stop\n    command: { argv: ['false'], once: true }\n";
    fs::write(folder.join("base.yml"), playbook).unwrap();
    lab.run(&["up", "--overrides", "stop"]).expect_code(1);
}

fn another_clusters_data_is_refused_and_untouched(lab: &Kinstall) {
    for arguments in [["plan"].as_slice(), &["up"], &["up", "--yes"]] {
        let finished = lab.run(arguments);
        finished.expect_code(4);
        let said = finished.stderr();
        assert!(said.contains("etcd data in /var/lib/etcd"), "{said}");
        assert!(said.contains("--take-over controll-plane"), "{said}");
    }
    let left = on_node(
        lab,
        "controll-plane",
        "cat /var/lib/etcd/member/snap/db; ls /etc/kubernetes /opt/cni 2>&1 || true",
    );
    assert!(left.starts_with("precious\n"), "{left}");
    assert!(!left.contains("pki"), "{left}");
}

/// containerd runs on without what the kubelet speaks with, and its configuration is as it should be.
const LOSE_THE_RUNTIME_INTERFACE: &str = r#"
cd /etc/containerd
cp -p config.toml /root/config.toml
printf 'version = 3\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' > config.toml
systemctl restart containerd
cp -p /root/config.toml config.toml
rm /root/config.toml
"#;

fn a_deleted_node_comes_back(lab: &Kinstall) {
    lab.kubectl(&["delete", "node", "node2"]);
    on_node(lab, "node1", LOSE_THE_RUNTIME_INTERFACE);
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(plan.contains("its Node object is gone"), "{plan}");
    assert!(
        plan.contains("containerd/container runtime interface"),
        "{plan}"
    );
    lab.ok(&["up"]);
    all_pods_reach_each_other(lab);
    let labels = lab.objects(&["get", "node", "node2"]);
    assert_eq!(
        labels["metadata"]["labels"]["kubernetes.io/hostname"],
        "node2"
    );
}

fn a_node_that_was_reset_joins_again(lab: &Kinstall) {
    on_node(lab, "node1", "kubeadm reset --force >/dev/null 2>&1");
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(plan.contains("join/join"), "{plan}");
    a_closed_port_is_named_and_stops_only_who_needs_it(lab);
    lab.ok(&["up"]);
    all_pods_reach_each_other(lab);
}

fn a_closed_port_is_named_and_stops_only_who_needs_it(lab: &Kinstall) {
    on_node(lab, "controll-plane", CLOSE_THE_PORT);
    on_node(lab, "node2", "rm /etc/sysctl.d/99-zz-kinstall.conf");
    let up = lab.run(&["up"]);
    up.expect_code(1);
    let said = up.stderr();
    assert!(
        said.contains("node1: join/way to the control plane: not reached within 30 s: 192.168.56.11:6443 accepts"),
        "{said}"
    );
    assert!(said.contains("does a firewall on either side"), "{said}");
    for line in [
        "controll-plane  ok",
        "node1           failed",
        "node2           ok        2 changed",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }
    on_node(lab, "controll-plane", "nft delete table inet firewall");
}

/// The kubelet removes every image that no container uses as soon as it thinks that the disk is full.
fn images_outlive_a_full_disk(lab: &Kinstall) {
    let images = "ctr -n k8s.io images ls -q | grep -v sha256: | sort";
    let before = on_node(lab, "node1", images);
    let settings = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n\
                    evictionHard: { nodefs.available: 99%, imagefs.available: 99% }\n\
                    evictionPressureTransitionPeriod: 5s\n";
    let file = "/etc/kubernetes/kubelet.conf.d/20-test.conf";
    on_node(
        lab,
        "node1",
        &format!("cat > {file} <<'END'\n{settings}END\nsystemctl restart kubelet"),
    );
    let has_pressure = |status: &str| {
        let node = lab.objects(&["get", "node", "node1"]);
        let conditions = node["status"]["conditions"].as_array().unwrap();
        conditions
            .iter()
            .any(|it| it["type"] == "DiskPressure" && it["status"] == status)
    };
    eventually("the kubelet finds the disk full", 90, || {
        has_pressure("True")
    });
    // It looks every ten seconds, and pods go after images.
    eventually("the kubelet evicts a pod", 90, || {
        let events = lab.objects(&["get", "events", "-A", "--field-selector", "reason=Evicted"]);
        !events["items"].as_array().unwrap().is_empty()
    });
    assert_eq!(on_node(lab, "node1", images), before);
    on_node(
        lab,
        "node1",
        &format!("rm {file}; systemctl restart kubelet"),
    );
    eventually("the disk is fine again", 90, || has_pressure("False"));
    lab.ok(&["up"]);
    all_pods_reach_each_other(lab);
}

fn nothing_is_left_to_do(lab: &Kinstall) {
    let recap = lab.run(&["up"]);
    recap.expect_code(0);
    assert!(!recap.stderr().contains("joined"), "{}", recap.stderr());
    let plan = lab.run(&["plan"]).expect_code(0);
    assert!(plan.contains("Nothing to do"), "{plan}");
}

fn all_pods_reach_each_other(lab: &Kinstall) {
    let mut said = String::new();
    eventually("all pods reach each other", 120, || {
        said.clear();
        let list = lab.objects(&["get", "pods", "-l", "app=probe"]);
        let pods: Vec<(String, String)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pod| {
                let text =
                    |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                (
                    text(&pod["metadata"]["name"]),
                    text(&pod["status"]["podIP"]),
                )
            })
            .collect();
        if pods.len() != 3 || pods.iter().any(|(_, address)| address.is_empty()) {
            return false;
        }
        pods.iter().all(|(name, _)| {
            pods.iter().all(|(_, address)| {
                let target = format!("{address}:8080");
                let finished = lab.run(&[
                    "ssh",
                    "controll-plane",
                    "--",
                    "sudo",
                    "kubectl",
                    "exec",
                    name,
                    "--",
                    "agnhost",
                    "connect",
                    &target,
                    "--timeout=3s",
                ]);
                finished.output.status.success()
            })
        })
    });
}

fn another_address_of_the_only_control_plane_is_refused(lab: &Kinstall) {
    lab.edit("inventory.ini", "192.168.56.11", "192.168.56.12");
    for arguments in [["plan"].as_slice(), &["up", "--yes"]] {
        let finished = lab.run(arguments);
        finished.expect_code(4);
        let said = finished.stderr();
        assert!(
            said.contains("the cluster began at 192.168.56.11"),
            "{said}"
        );
    }
    lab.edit("inventory.ini", "192.168.56.12", "192.168.56.11");
}

/// Runs a script on a node as root; it must succeed.
pub(super) fn on_node(lab: &Kinstall, node: &str, script: &str) -> String {
    let mut child = lab
        .command(&[
            "ssh",
            node,
            "--",
            "sudo",
            "env",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "sh",
            "-e",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{node}: {script}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
