//! A computer of a test's own: a namespace that is joined to another one, the internet. Nothing of the real computer is
//! touched.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A server in the internet, by name and by address; it tells each client the address that it comes from.
pub const SERVER: [&str; 2] = ["server.example.test", "203.0.113.10"];
/// The computer's address in the internet.
pub const ADDRESS: &str = "198.51.100.2";

/// Says that the process is on the test's own computer.
const ON_OWN_COMPUTER: &str = "KINSTALL_TEST_OWN_COMPUTER";

/// This computer's name server, on loopback as systemd-resolved is, its only way out, and an office that it reaches.
const COMPUTER: &str = "
set -e
mount -t tmpfs tmpfs /run
echo 'nameserver 127.0.0.1' >/run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
ip link set lo up
ip netns add internet
ip link add out0 type veth peer name computer netns internet
ip address add 198.51.100.2/24 dev out0
ip link set out0 up
ip -n internet link set lo up
ip -n internet address add 198.51.100.1/24 dev computer
ip -n internet address add 203.0.113.10/32 dev lo
ip -n internet link set computer up
ip netns add office
ip link add office0 type veth peer name computer netns office
ip address add 192.0.2.1/24 dev office0
ip link set office0 up
ip -n office address add 192.0.2.2/24 dev computer
ip -n office link set computer up
ip -n internet route add 192.0.2.0/24 via 198.51.100.2
ip route add default via 198.51.100.1
# The first network that kinstall would take for itself.
ip route add 10.255.254.0/30 via 198.51.100.1
exec \"$@\"
";

/// Runs the test again on a computer of its own, unless it is on one; returns whether it is.
pub fn enter(test: &str) -> bool {
    if std::env::var_os(ON_OWN_COMPUTER).is_some() {
        answer_names();
        serve(80, |mut client| {
            let from = client.peer_addr()?.ip();
            client.write_all(from.to_string().as_bytes())
        });
        return true;
    }
    let output = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "--propagation=private",
            "sh",
            "-c",
            COMPUTER,
            "sh",
        ])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(ON_OWN_COMPUTER, "1")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "`{test}` is not a test: {said}");
    false
}

/// Every name has the server's address, and no other.
fn answer_names() {
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        loop {
            let (length, client) = socket.recv_from(&mut buffer).unwrap();
            let end = buffer[12..length]
                .iter()
                .position(|byte| *byte == 0)
                .unwrap()
                + 13;
            let is_ipv4 = buffer[end..end + 2] == [0, 1];
            let mut answer = buffer[..end + 4].to_vec();
            answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0]);
            if is_ipv4 {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 203, 0, 113, 10]);
            }
            socket.send_to(&answer, client).unwrap();
        }
    });
}

/// Whether a packet of a neighbour, who takes this computer for a router, comes to the office.
pub fn office_is_open_to_neighbours() -> bool {
    let office = "192.0.2.2:9";
    let listener = std::thread::spawn(move || {
        enter_namespace("office");
        UdpSocket::bind(office).unwrap()
    });
    let listener = listener.join().unwrap();
    listener
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    let neighbour = std::thread::spawn(move || {
        enter_namespace("internet");
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.send_to(b"hello", office).unwrap();
    });
    neighbour.join().unwrap();
    listener.recv(&mut [0; 16]).is_ok()
}

/// Moves this thread into a network namespace.
fn enter_namespace(name: &str) {
    let namespace = fs::File::open(Path::new("/run/netns").join(name)).unwrap();
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

/// Answers every connection to a port of the server in the internet.
pub fn serve(port: u16, answer: impl Fn(TcpStream) -> io::Result<()> + Send + 'static) {
    std::thread::spawn(move || {
        enter_namespace("internet");
        let address: IpAddr = SERVER[1].parse().unwrap();
        let listener = TcpListener::bind((address, port)).unwrap();
        for client in listener.incoming() {
            // A client that goes away in the middle doesn't matter.
            let _ = client.and_then(&answer);
        }
    });
}
