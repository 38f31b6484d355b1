//! The way into a box that knows nothing of us yet.

use std::net::SocketAddr;

/// The key pairs that Vagrant's boxes are published with. They are no secret: everybody has them
/// (<https://github.com/hashicorp/vagrant/tree/main/keys>), and so they must not stay.
/// Each has the name that OpenSSH gives to a key of its kind.
pub const INSECURE_KEYS: [(&str, &str); 2] = [
    ("id_ed25519", include_str!("insecure_keys/id_ed25519")),
    ("id_rsa", include_str!("insecure_keys/id_rsa")),
];

/// How to log in to a box before it has its address, host key and user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstContact {
    /// Loopback port that leads to the box's sshd.
    pub address: SocketAddr,
    /// User that [`INSECURE_KEYS`] log in; has sudo without a password.
    pub user: String,
}
