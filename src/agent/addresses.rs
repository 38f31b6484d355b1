//! The node's addresses, asked from the kernel over netlink.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
};

/// RTM_GETADDR with NLM_F_REQUEST and NLM_F_DUMP, for all families: header (length, type, flags,
/// sequence, port) and an empty ifaddrmsg.
const REQUEST: [u8; 24] = [
    24, 0, 0, 0, 22, 0, 0x01, 0x03, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];
const HEADER: usize = 16;
const MESSAGE: usize = 8;
const DONE: u16 = 3;
const NEW_ADDRESS: u16 = 20;
const ATTRIBUTE_ADDRESS: u16 = 1;
const ATTRIBUTE_LOCAL: u16 = 2;

/// Returns all addresses as `interface address/prefix`.
pub fn list() -> io::Result<Vec<String>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )?;
    send(&socket, &REQUEST, SendFlags::empty())?;
    let mut buffer = vec![0; 64 << 10];
    let mut addresses = Vec::new();
    loop {
        let (count, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
        if !read_messages(&buffer[..count], &mut addresses) {
            return Ok(addresses);
        }
    }
}

/// Returns the address that packets on the default route have; `None` without such a route.
pub fn on_default_route() -> Option<IpAddr> {
    // Nothing is sent: the kernel only looks up the way to an address that is nowhere (RFC 5737, RFC 3849).
    let on_the_way = |own: SocketAddr, far: SocketAddr| {
        let socket = UdpSocket::bind(own).ok()?;
        socket.connect(far).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_loopback() && !address.is_unspecified()).then_some(address)
    };
    let version_4 = || {
        let far = SocketAddr::from(([192, 0, 2, 1], 9));
        on_the_way((Ipv4Addr::UNSPECIFIED, 0).into(), far)
    };
    let version_6 = || {
        let far = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        on_the_way((Ipv6Addr::UNSPECIFIED, 0).into(), (far, 9).into())
    };
    version_4().or_else(version_6)
}

/// Reads messages until there are no more; tells whether further ones will come.
fn read_messages(mut bytes: &[u8], addresses: &mut Vec<String>) -> bool {
    while let (Some(length), Some(kind)) = (number(bytes, 0), short(bytes, 4)) {
        let length = length as usize;
        if kind != NEW_ADDRESS || length < HEADER + MESSAGE || length > bytes.len() {
            return kind != DONE && kind == NEW_ADDRESS;
        }
        addresses.extend(read_address(&bytes[HEADER..length]));
        bytes = &bytes[aligned(length).min(bytes.len())..];
    }
    true
}

fn read_address(message: &[u8]) -> Option<String> {
    let prefix = message[1];
    let interface = interface_name(number(message, 4)?);
    let mut attributes = &message[MESSAGE..];
    let mut found = None;
    while let (Some(length), Some(kind)) = (short(attributes, 0), short(attributes, 2)) {
        let length = usize::from(length);
        let value = attributes.get(4..length)?;
        // On point-to-point links `address` is the other end's.
        if kind == ATTRIBUTE_LOCAL || (kind == ATTRIBUTE_ADDRESS && found.is_none()) {
            found = address(value);
        }
        attributes = &attributes[aligned(length).min(attributes.len())..];
    }
    Some(format!("{interface} {}/{prefix}", found?))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(bytes).into());
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(bytes).into())
}

fn interface_name(index: u32) -> String {
    std::fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten()
        .find(|entry| {
            std::fs::read_to_string(entry.path().join("ifindex"))
                .is_ok_and(|text| text.trim() == index.to_string())
        })
        .map_or_else(
            || index.to_string(),
            |entry| entry.file_name().to_string_lossy().into_owned(),
        )
}

fn aligned(length: usize) -> usize {
    length.next_multiple_of(4).max(4)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
