//! What this computer itself knows: its system, its processors, and how to count addresses.

use std::net::Ipv4Addr;

use super::value::{Object, Value};

const AS_HERE: &str = "as on this computer";

/// Constants that name the system.
pub(super) fn constant(name: &str) -> Option<(Value, String)> {
    let value = match name {
        "RUBY_PLATFORM" => Value::text(platform()),
        "RbConfig::CONFIG" => Value::map(vec![
            (Value::text("host_os"), Value::text(host_system())),
            (Value::text("target_os"), Value::text(host_system())),
            (Value::text("host_cpu"), Value::text(std::env::consts::ARCH)),
            (Value::text("arch"), Value::text(platform())),
        ]),
        _ => return None,
    };
    Some((
        value,
        format!("`{name}` is that of {}, {AS_HERE}", std::env::consts::OS),
    ))
}

fn platform() -> String {
    let processor = std::env::consts::ARCH;
    match std::env::consts::OS {
        "windows" => "x64-mingw-ucrt".to_owned(),
        "macos" if processor == "aarch64" => "arm64-darwin".to_owned(),
        "macos" => format!("{processor}-darwin"),
        system => format!("{processor}-{system}"),
    }
}

fn host_system() -> &'static str {
    match std::env::consts::OS {
        "windows" => "mingw32",
        "macos" => "darwin",
        "linux" => "linux-gnu",
        other => other,
    }
}

/// Methods of modules that ask for the computer, with what the answer was taken from.
pub(super) fn method(
    module: &str,
    name: &str,
    arguments: &[Value],
) -> Option<(Value, Option<String>)> {
    let is_system = |wanted: &str| Value::Bool(std::env::consts::OS == wanted);
    let value = match (module, name, arguments) {
        ("Vagrant::Util::Platform", "windows?", []) => is_system("windows"),
        ("Vagrant::Util::Platform", "darwin?", []) => is_system("macos"),
        ("Vagrant::Util::Platform", "linux?", []) => is_system("linux"),
        ("Vagrant::Util::Platform", "wsl?" | "cygwin?" | "msys?" | "solaris?", []) => {
            Value::Bool(false)
        }
        ("Vagrant::Util::Platform", "architecture", []) => Value::text(std::env::consts::ARCH),
        ("Vagrant::Util::Platform", "platform", []) => Value::text(platform()),
        ("Etc", "nprocessors", []) => {
            let count = std::thread::available_parallelism().ok()?;
            let message = format!("`Etc.nprocessors` is {count}, {AS_HERE}");
            return Some((Value::count(count.get()), Some(message)));
        }
        ("IPAddr", "new", [address, ..]) => return Some((new_address(address)?, None)),
        _ => return None,
    };
    let system = std::env::consts::OS;
    Some((
        value,
        Some(format!("`{module}.{name}` answers for {system}, {AS_HERE}")),
    ))
}

/// An address; one with a prefix is that of its network.
fn new_address(value: &Value) -> Option<Value> {
    let address = match value {
        Value::Integer(number) => Ipv4Addr::from_bits(u32::try_from(*number).ok()?),
        value => {
            let text = value.as_text()?;
            match text.split_once('/') {
                Some(_) => text.parse::<ipnet::Ipv4Net>().ok()?.network(),
                None => text.parse().ok()?,
            }
        }
    };
    Some(Value::Object(Object::Address(address)))
}

/// Methods of `IPAddr`.
pub(super) fn address_method(address: Ipv4Addr, name: &str, arguments: &[Value]) -> Option<Value> {
    let bits = address.to_bits();
    Some(match (name, arguments) {
        ("to_s" | "to_string", []) => Value::text(address.to_string()),
        ("to_i", []) => Value::Integer(i64::from(bits)),
        ("succ" | "next", []) => {
            Value::Object(Object::Address(Ipv4Addr::from_bits(bits.checked_add(1)?)))
        }
        ("ipv4?", []) => Value::Bool(true),
        ("ipv6?", []) => Value::Bool(false),
        ("<=>", [Value::Object(Object::Address(other))]) => {
            Value::Integer(address.cmp(other) as i64)
        }
        ("|", [Value::Integer(other)]) => {
            let bits = bits | u32::try_from(*other).ok()?;
            Value::Object(Object::Address(Ipv4Addr::from_bits(bits)))
        }
        ("mask", [Value::Integer(prefix)]) => {
            let net = ipnet::Ipv4Net::new(address, u8::try_from(*prefix).ok()?).ok()?;
            Value::Object(Object::Address(net.network()))
        }
        _ => return None,
    })
}
