//! Hosts that the inventory gives a name and an address: they are reached by the name, as ssh does it, and by
//! the address where the name can't be looked up.

use std::net::ToSocketAddrs as _;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::target::Target;
use crate::model::host::Connection;

/// Returns the target with the address that it falls back to, if it has one.
pub(super) fn by_address(target: &Target) -> Option<Target> {
    let fallback = target.connection.fallback?;
    let mut target = target.clone();
    target.connection.host = fallback.to_string();
    target.connection.fallback = None;
    Some(target)
}

/// Returns the target as this computer reaches it.
pub(super) async fn looked_up(target: &Target, limit: Duration) -> Target {
    let connection = &target.connection;
    let Some(by_address) = by_address(target) else {
        return target.clone();
    };
    let lookup = lookup_host((connection.host.as_str(), connection.port()));
    match timeout(limit, lookup).await {
        Ok(Ok(_)) => target.clone(),
        _ => by_address,
    }
}

/// Returns the name or the address by which programs on this computer reach a host.
pub fn reached_at(connection: &Connection) -> String {
    let host = &connection.host;
    match connection.fallback {
        Some(address)
            if (host.as_str(), connection.port())
                .to_socket_addrs()
                .is_err() =>
        {
            address.to_string()
        }
        _ => host.clone(),
    }
}
