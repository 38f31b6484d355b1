//! The logins that docker and podman keep, which is where everybody has them.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use etcetera::BaseStrategy as _;
use serde::Deserialize;

use super::error::RegistryError;
use crate::secret::Secret;

/// The names of docker's own registry, in the order in which its login is looked for.
const DOCKER_HUB: [&str; 4] = [
    "https://index.docker.io/v1/",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
];

/// One of these files.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Logins {
    auths: HashMap<String, Login>,
    /// The program that has them all.
    creds_store: Option<String>,
    /// By registry, the program that has its login.
    cred_helpers: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Login {
    /// `user:password` in base64.
    auth: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FromProgram {
    username: String,
    secret: Secret,
}

/// Returns `user:password` in base64 for a registry, where there is one.
pub(super) fn find(registry: &str) -> Result<Option<Secret>, RegistryError> {
    for path in files() {
        let text = match fs::read_to_string(&path) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(RegistryError::File { path, source }),
        };
        // The parser's own words could quote a password.
        let logins: Logins = serde_json::from_str(text.expose()).map_err(|error| {
            let place = format!(
                "line {}, column {}: no file of logins",
                error.line(),
                error.column()
            );
            let source = io::Error::new(io::ErrorKind::InvalidData, place);
            RegistryError::File { path, source }
        })?;
        if let Some(login) = logins.of(registry)? {
            return Ok(Some(login));
        }
    }
    Ok(None)
}

impl Logins {
    fn of(&self, registry: &str) -> Result<Option<Secret>, RegistryError> {
        let own = [registry];
        let names: &[&str] = if DOCKER_HUB.contains(&registry) {
            &DOCKER_HUB
        } else {
            &own
        };
        for name in names {
            let program = self.cred_helpers.get(*name).or(self.creds_store.as_ref());
            let found = match program {
                Some(program) => ask(program, name)?,
                None => self.auths.get(*name).and_then(|it| it.auth.clone()),
            };
            if let Some(login) = found.filter(|it| !it.expose().is_empty()) {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

/// In the order in which they count.
fn files() -> Vec<PathBuf> {
    let variable = |name: &str| {
        env::var_os(name)
            .filter(|it| !it.is_empty())
            .map(PathBuf::from)
    };
    let folders = etcetera::choose_base_strategy().ok();
    let home = folders.as_ref().map(|it| it.home_dir().to_owned());
    let docker = variable("DOCKER_CONFIG").or_else(|| Some(home?.join(".docker")));
    [
        variable("REGISTRY_AUTH_FILE"),
        docker.map(|it| it.join("config.json")),
        variable("XDG_RUNTIME_DIR").map(|it| it.join("containers/auth.json")),
        folders.map(|it| it.config_dir().join("containers/auth.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Asks a credential helper of docker's; it says so in its output when it has none.
fn ask(program: &str, registry: &str) -> Result<Option<Secret>, RegistryError> {
    let program = format!("docker-credential-{program}");
    let failed = |reason: String| RegistryError::LoginProgram {
        registry: registry.to_owned(),
        program: program.clone(),
        reason,
    };
    let started = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        let written = stdin.write_all(registry.as_bytes());
        written.map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    let said = Secret::new(String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        if said.expose().contains("credentials not found") {
            return Ok(None);
        }
        return Err(failed(output.status.to_string()));
    }
    let login: FromProgram = serde_json::from_str(said.expose())
        .map_err(|_| failed("no login in its output".to_owned()))?;
    let pair = Secret::new(format!("{}:{}", login.username, login.secret.expose()));
    Ok(Some(Secret::new(STANDARD.encode(pair.expose()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(text: &str) -> Logins {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_login_is_found_by_the_name_of_its_registry() {
        let found = logins(
            r#"{"auths": {"r.example.com:5000": {"auth": "dTpw"}, "docker.io": {"auth": "ZDpk"}, "empty": {"auth": ""}},
                "currentContext": "x"}"#,
        );
        let of = |registry| found.of(registry).unwrap().map(|it| it.expose().to_owned());
        assert_eq!(of("r.example.com:5000").as_deref(), Some("dTpw"));
        assert_eq!(of("registry-1.docker.io").as_deref(), Some("ZDpk"));
        assert_eq!(of("empty"), None);
        assert_eq!(of("r.example.com"), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let found = logins(r#"{"credHelpers": {"r": "of-nobody"}}"#);
        let error = found.of("r").unwrap_err().to_string();
        assert!(error.contains("`docker-credential-of-nobody`"), "{error}");
        assert!(found.of("other").unwrap().is_none());
    }
}
