//! Reads registries, their mirrors and logins: kubespray's variables for containerd, and those of its ancestors.

use super::super::{Login, Mirror, Registries};
use super::{Reader, boolean};
use crate::diagnostic::{Diagnostic, Kind, Location};
use crate::yaml::{Node, Value};

const MIRRORS: &str = "containerd_registries_mirrors";
const LOGINS: &str = "containerd_registry_auth";
const DOCKER_HUB: &str = "docker.io";
/// Where containerd finds what is named `docker.io`.
const DOCKER_HUB_SERVER: &str = "registry-1.docker.io";
/// What a mirror may be asked for.
const CAPABILITIES: [&str; 3] = ["pull", "resolve", "push"];

/// Reads all of them into one list.
pub(super) fn registries(reader: &mut Reader<'_>) -> Registries {
    let mut all = Registries::default();
    for value in reader.list(MIRRORS) {
        registry(reader, &value, &mut all);
    }
    older(reader, "containerd_registries", false, &mut all);
    older(reader, "containerd_insecure_registries", true, &mut all);
    for value in reader.list("docker_registry_mirrors") {
        if let Some(url) = host(reader, "docker_registry_mirrors", &value) {
            add(&mut all, DOCKER_HUB, Mirror::new(url));
        }
    }
    insecure_of_docker(reader, &mut all);
    for value in reader.list(LOGINS) {
        let server = value.get("registry").and_then(Value::text);
        match server.filter(|server| is_plain(server)) {
            Some(server) => login(reader, LOGINS, server, &value, &mut all),
            None => hidden(
                reader,
                LOGINS,
                &value.location,
                "an entry has no `registry`",
            ),
        }
    }
    all
}

/// Reads `{prefix, server, mirrors: [{host, capabilities, skip_verify, override_path, ca, auth}]}`.
fn registry(reader: &mut Reader<'_>, value: &Value, all: &mut Registries) {
    let Some(entries) = value.entries() else {
        reader.wrong_kind(
            MIRRORS,
            value,
            "a list of mappings with `prefix` and `mirrors`",
        );
        return;
    };
    let Some(name) = value.get("prefix") else {
        let label = "an entry without `prefix`";
        let hint = "`prefix` is the registry that names of images begin with: `docker.io`";
        let message = format!("`{MIRRORS}` has {label}");
        reader.error(&value.location, message, label, hint);
        return;
    };
    let Some(name) = registry_name(reader, MIRRORS, name) else {
        return;
    };
    all.entry(&name);
    for entry in entries {
        match entry.key.as_str() {
            "prefix" => {}
            "server" => all.entry(&name).server = host(reader, MIRRORS, &entry.value),
            "mirrors" => {
                for mirror in entry.value.items().unwrap_or_default() {
                    self::mirror(reader, &name, mirror, all);
                }
            }
            other => no_effect(reader, other, &entry.key_location),
        }
    }
}

fn mirror(reader: &mut Reader<'_>, registry: &str, value: &Value, all: &mut Registries) {
    let Some(url) = value.get("host") else {
        let message = format!("`{MIRRORS}`: a mirror of `{registry}` has no `host`");
        let hint = "`host` is its URL: `https://mirror.example.com`";
        reader.error(&value.location, message, "no `host`", hint);
        return;
    };
    let Some(url) = host(reader, MIRRORS, url) else {
        return;
    };
    let mut mirror = Mirror::new(url);
    let mut pem = String::new();
    for entry in value.entries().unwrap_or_default() {
        let value = &entry.value;
        match entry.key.as_str() {
            "host" => {}
            "capabilities" => mirror.capabilities = capabilities(reader, value),
            "skip_verify" => mirror.skip_verify = switch(reader, "skip_verify", value),
            "override_path" => mirror.override_path = switch(reader, "override_path", value),
            "ca" => {
                for one in one_or_more(value) {
                    authority(reader, one, &mut mirror, &mut pem);
                }
            }
            "auth" => {
                let server = server_of(&mirror.host).to_owned();
                login(reader, MIRRORS, &server, value, all);
            }
            other => no_effect(reader, other, &entry.key_location),
        }
    }
    if !pem.is_empty() {
        let registry = all.entry(registry);
        mirror.authorities.push(registry.authorities_file());
        registry.authorities.push_str(&pem);
    }
    add(all, registry, mirror);
}

fn capabilities(reader: &mut Reader<'_>, value: &Value) -> Vec<String> {
    let mut capabilities = Vec::new();
    for one in one_or_more(value) {
        match one.text().filter(|text| CAPABILITIES.contains(text)) {
            Some(text) => capabilities.push(text.to_owned()),
            None => reader.wrong_kind("capabilities", one, "`pull`, `resolve` or `push`"),
        }
    }
    capabilities
}

/// A path of the node, or the certificates themselves.
fn authority(reader: &mut Reader<'_>, value: &Value, mirror: &mut Mirror, pem: &mut String) {
    let text = value.text().unwrap_or_default().trim();
    if text.starts_with("-----BEGIN CERTIFICATE") {
        pem.push_str(text);
        pem.push('\n');
    } else if text.starts_with('/') && is_plain(text) {
        mirror.authorities.push(text.to_owned());
    } else {
        let hint = "`ca` is the path of a file on the nodes, or the certificate itself: text that begins with \
                    `-----BEGIN CERTIFICATE-----`";
        let message = format!("`{MIRRORS}`: `ca` must be an absolute path or a certificate");
        reader.error(&value.location, message, "neither of them", hint);
    }
}

/// Reads `{name: URL}` or `{name: [URL, …]}`.
fn older(reader: &mut Reader<'_>, name: &'static str, skip_verify: bool, all: &mut Registries) {
    let Some(value) = reader.value(name) else {
        return;
    };
    let Some(entries) = value.entries() else {
        reader.wrong_kind(name, &value, "a mapping from registries to URLs");
        return;
    };
    for entry in entries {
        let key = Value {
            node: Node::Text(entry.key.clone()),
            location: entry.key_location.clone(),
        };
        let Some(registry) = registry_name(reader, name, &key) else {
            continue;
        };
        for value in one_or_more(&entry.value) {
            let Some(url) = host(reader, name, value) else {
                continue;
            };
            // kubespray's own value, and what containerd does anyway.
            if registry == DOCKER_HUB && server_of(&url) == DOCKER_HUB_SERVER {
                continue;
            }
            let mut mirror = Mirror::new(url);
            mirror.skip_verify = skip_verify;
            add(all, &registry, mirror);
        }
    }
}

/// Docker asks such registries with TLS of any certificate, then without TLS.
fn insecure_of_docker(reader: &mut Reader<'_>, all: &mut Registries) {
    let variable = "docker_insecure_registries";
    for value in reader.list(variable) {
        if let Some(network) = value.text().filter(|text| text.contains('/')) {
            let message = format!("`{variable}`: `{network}` has no effect");
            let hint =
                "containerd knows registries by their names, not by networks: name each registry";
            reader.warning(&value.location, message, "not a registry", hint);
            continue;
        }
        let Some(name) = registry_name(reader, variable, &value) else {
            continue;
        };
        for scheme in ["https", "http"] {
            let mut mirror = Mirror::new(format!("{scheme}://{name}"));
            mirror.skip_verify = scheme == "https";
            add(all, &name, mirror);
        }
    }
}

/// Reads a login; what is wrong with it is said without its line, where the password may be.
fn login(
    reader: &mut Reader<'_>,
    variable: &str,
    server: &str,
    value: &Value,
    all: &mut Registries,
) {
    let text = |key| {
        value
            .get(key)
            .and_then(Value::text)
            .filter(|it| !it.is_empty())
    };
    let (user, secret) = match (text("username"), text("password"), text("auth")) {
        (Some(user), Some(password), _) => (Some(user.to_owned()), password),
        (_, _, Some(auth)) => (None, auth),
        _ => {
            let problem =
                format!("the login of `{server}` needs `username` and `password`, or `auth`");
            hidden(reader, variable, &value.location, &problem);
            return;
        }
    };
    let server = match server_of(server) {
        "docker.io" | "index.docker.io" => DOCKER_HUB_SERVER,
        other => other,
    };
    if all.logins.iter().any(|login| login.server == server) {
        return;
    }
    all.logins.push(Login {
        server: server.to_owned(),
        user,
        secret_name: format!("registry_login_{}", all.logins.len()),
        secret: Some(crate::secret::Secret::new(secret)),
    });
}

fn hidden(reader: &mut Reader<'_>, variable: &str, place: &Location, problem: &str) {
    let error = Diagnostic::error(Kind::Inventory, format!("`{variable}`: {problem}"));
    let place = format!("{}:{}", place.path().display(), place.line());
    reader.diagnostics.push(error.hint(place));
}

/// Adds a mirror, unless the registry has it.
fn add(all: &mut Registries, registry: &str, mirror: Mirror) {
    let registry = all.entry(registry);
    if registry.mirrors.iter().all(|it| it.host != mirror.host) {
        registry.mirrors.push(mirror);
    }
}

/// Reads what becomes a folder's name.
fn registry_name(reader: &mut Reader<'_>, variable: &str, value: &Value) -> Option<String> {
    let text = value.text().unwrap_or_default();
    let is_name = |it: char| it.is_ascii_alphanumeric() || "._-:[]".contains(it);
    let is_right = text.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '[')
        && text.chars().all(is_name);
    if is_right || text == "_default" {
        return Some(text.to_owned());
    }
    reader.error(
        &value.location,
        format!("`{variable}`: `{}` is not a registry", text.escape_debug()),
        "not a host, or a host with a port",
        "write it as names of images begin: `docker.io`, `10.0.0.2:5000`; `_default` is all others",
    );
    None
}

fn host(reader: &mut Reader<'_>, variable: &str, value: &Value) -> Option<String> {
    let text = value.text().filter(|text| is_plain(text));
    if text.is_none() {
        let message = format!("`{variable}` has a server that is not a URL");
        let hint = "write it like `https://mirror.example.com`";
        reader.error(&value.location, message, "not a URL", hint);
    }
    text.map(|text| text.trim_end_matches('/').to_owned())
}

/// Host and port of a URL.
fn server_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn switch(reader: &mut Reader<'_>, name: &str, value: &Value) -> bool {
    boolean(value).unwrap_or_else(|| {
        reader.wrong_kind(name, value, "true or false");
        false
    })
}

fn no_effect(reader: &mut Reader<'_>, key: &str, place: &Location) {
    let message = format!("`{MIRRORS}`: `{key}` has no effect");
    let hint = "kinstall reads `prefix`, `server` and `mirrors`, and of mirrors `host`, `capabilities`, \
                `skip_verify`, `override_path`, `ca` and `auth`";
    reader.warning(place, message, "no effect", hint);
}

/// A list, or what stands in place of a list of one.
fn one_or_more(value: &Value) -> &[Value] {
    value.items().unwrap_or_else(|| std::slice::from_ref(value))
}

fn is_plain(text: &str) -> bool {
    let is_wrong = |it: char| it.is_whitespace() || it.is_control() || "\"'\\".contains(it);
    !text.is_empty() && !text.contains(is_wrong)
}
