//! The script that sets up boxes without cloud-init, run for real on copies of this computer's files.

use std::io::Write;
use std::process::{Command, Stdio};

use kinstall::provision::INSECURE_KEYS;
use kinstall::ssh::{KeyPair, KnownHosts, Policy, Session};

use crate::sshd::server::Sshd;

/// Makes a box out of this computer: own host name, network cards, `/etc`, `/home` and programs. What
/// manages services and disks is put aside, so that nothing outside is reached.
const BOX: &str = r#"
folder=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$folder"
for place in etc home usr/bin usr/sbin; do
    mkdir -p "$folder/$place/upper" "$folder/$place/work"
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$folder/$place/upper,workdir=$folder/$place/work" "/$place"
done
for program in systemctl service hostnamectl timedatectl netplan nmcli ifup lsblk sfdisk growpart \
    partx resize2fs xfs_growfs btrfs; do
    rm -f "/usr/bin/$program" "/usr/sbin/$program"
    ln -s /bin/false "/usr/bin/$program"
done
rm /usr/bin/netplan /usr/bin/nmcli /usr/bin/ifup
mount -t sysfs sysfs /sys
ip link add first address 08:00:27:00:00:01 type bridge
ip link add second address 08:00:27:00:00:02 type bridge
useradd -m vagrant
mkdir -p /home/vagrant/.ssh /etc/network
echo insecure > /home/vagrant/.ssh/authorized_keys
rm -rf /etc/network/interfaces.d
echo "auto lo" > /etc/network/interfaces
rm -f /etc/apt/sources.list.d/*
printf 'deb http://deb.example/debian trixie main\ndeb http://security.example/debian-security trixie main\n' > /etc/apt/sources.list
[ -z "$2" ] || ln -s /bin/true "/usr/bin/$2"
cat > "$folder/script"
sh < "$folder/script" 2> "$folder/errors" || true
sh < "$folder/script" 2> "$folder/errors" || true
cat "$folder/errors"
echo "name: $(hostname) $(cat /etc/hostname) $(grep -c '^192.168.56.11 node1$' /etc/hosts)"
echo "user: $(getent passwd kinstall | cut -d : -f 6-) $(cat /etc/sudoers.d/kinstall)"
for user in kinstall vagrant; do echo "$user: $(cat /home/$user/.ssh/authorized_keys)"; done
echo "zone: $(readlink /etc/localtime)"
(cd /etc/ssh; stat -c "%a %n" ssh_host_*; cut -d " " -f 1,2 ssh_host_ed25519_key.pub)
ip -brief address show | tr -s " " | grep -v ^lo
for user in root vagrant; do echo "password: $(getent shadow $user | cut -d : -f 2)"; done
echo "sshd: $(sed -n 1p /etc/ssh/sshd_config)"
cat /etc/apt/apt.conf.d/90kinstall-proxy /etc/apt/sources.list 2> /dev/null || true
cat /etc/network/interfaces /etc/network/interfaces.d/kinstall 2> /dev/null || true
"#;

/// Runs the script twice on a box with one program more; returns what became of the box.
fn set_up(network_program: &str, key: &str) -> String {
    assert!(
        rustix::process::geteuid().is_root(),
        "run this test as root: it needs namespaces"
    );
    let script = format!(
        "name=node1\naddress=192.168.56.11\nuser=kinstall\nauthorized_key='ssh-ed25519 AAAA lab'\n\
         host_key='{}'\ntime_zone=Europe/Berlin\nlogin=vagrant\n\
         proxy=http://192.168.56.1:3142\nmirror=http://mirror.example/debian\n\
         cards='08:00:27:00:00:01 192.168.56.11/24\n08:00:27:00:00:02 192.168.57.11/24'\n{}",
        key.trim_end(),
        include_str!("../../../src/install/first_boot/first_contact.sh")
    );
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("unshare")
        .args(["--mount", "--net", "--uts", "sh", "-e", "-c", BOX, "sh"])
        .arg(folder.path())
        .arg(network_program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_box_gets_all_that_makes_it_a_machine_of_the_lab() {
    let key = KeyPair::generate("node1").unwrap();
    let public: Vec<&str> = key.public.split(' ').take(2).collect();
    let found = set_up("ifup", key.private.expose());
    let expected = format!(
        "kinstall-done
kinstall-done
name: node1 node1 1
user: /home/kinstall:/bin/bash kinstall ALL=(ALL) NOPASSWD:ALL
kinstall: ssh-ed25519 AAAA lab
vagrant: ssh-ed25519 AAAA lab
zone: /usr/share/zoneinfo/Europe/Berlin
600 ssh_host_ed25519_key
644 ssh_host_ed25519_key.pub
{}
first DOWN 192.168.56.11/24 \nsecond DOWN 192.168.57.11/24 
password: *
password: *
sshd: PasswordAuthentication no
Acquire::http::Proxy \"http://192.168.56.1:3142\";
Acquire::https::Proxy \"http://192.168.56.1:3142\";
deb http://mirror.example/debian trixie main
deb http://security.example/debian-security trixie main
auto lo
source /etc/network/interfaces.d/*
allow-hotplug first
iface first inet static
    address 192.168.56.11/24
allow-hotplug second
iface second inet static
    address 192.168.57.11/24
",
        public.join(" ")
    );
    // `ip` ends its lines with a blank.
    let lines =
        |text: &str| -> Vec<String> { text.lines().map(|it| it.trim_end().to_owned()).collect() };
    assert_eq!(lines(&found), lines(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_that_everybody_has_log_in() {
    for (allowed, _) in INSECURE_KEYS {
        let sshd = Sshd::start();
        let keys = sshd.path("insecure");
        for (name, key) in INSECURE_KEYS {
            kinstall::private_file::write(&keys.join(name), key.as_bytes()).unwrap();
        }
        let public = Command::new("ssh-keygen")
            .arg("-y")
            .arg("-f")
            .arg(keys.join(allowed))
            .output();
        std::fs::write(sshd.path("authorized_keys"), public.unwrap().stdout).unwrap();
        let mut target = sshd.target();
        target.known_hosts = KnownHosts::new(keys.join("known_hosts"), Policy::AcceptNew);
        target.identity = Some(KeyPair::generate("lab").unwrap());
        target.user_keys.folder = Some(keys);
        let session = Session::connect(&target).await.unwrap();
        assert!(!session.by_lab_key(), "{allowed}");
    }
}

#[test]
fn a_box_that_cannot_be_set_up_keeps_the_way_in() {
    let key = KeyPair::generate("node1").unwrap();
    let found = set_up("true-is-no-network-manager", key.private.expose());
    assert!(
        found.starts_with("kinstall-failed\nkinstall-failed\n"),
        "{found}"
    );
    assert!(
        found.contains("nothing that this program knows manages the network"),
        "{found}"
    );
    assert!(found.contains("vagrant: insecure\n"), "{found}");
}
