//! The cluster's kubeconfig, in `.kinstall` and merged into the user's own.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::project::Project;
use crate::credentials::kubeconfig::{admin_kubeconfig, is_current};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};
use crate::resource::Sha256;
use crate::secret::Secret;
use crate::wire::{authority_digests, authority_of_data};

/// Longest time for one API server to accept a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes `.kinstall/kubeconfig` and returns it: a new one when its certificate nears its end, or when its
/// API server doesn't answer and another one does.
pub fn write(project: &mut Project) -> Result<Secret, Diagnostics> {
    let secrets = project.secrets()?;
    let server = answering(&project.api_urls());
    let path = project.directory.join("kubeconfig");
    let now = std::time::SystemTime::now();
    if let Ok(text) = fs::read_to_string(&path) {
        let kubeconfig = Secret::new(text);
        if is_current(&kubeconfig, &secrets.cluster_authorities, &server, now) {
            return Ok(kubeconfig);
        }
    }
    let name = &project.cluster.name;
    let kubeconfig = admin_kubeconfig(&secrets.cluster_authorities, name, &server, now)
        .map_err(|error| vec![Diagnostic::from_error(Kind::Internal, &error)])?;
    write_private(&path, kubeconfig.expose())?;
    Ok(kubeconfig)
}

/// Tells whether the cluster has been up, and so may have members.
pub fn is_written(project: &Project) -> bool {
    project.directory.join("kubeconfig").exists()
}

/// Merges the cluster into a kubeconfig, by default the user's own; returns where it is now.
pub fn merge_into(project: &mut Project, path: Option<&Path>) -> Result<PathBuf, Diagnostics> {
    let path = path.map_or_else(default_path, Path::to_owned);
    let kubeconfig = write(project)?;
    let (old, new) = (read(&path)?, parse(&kubeconfig, &path)?);
    let ours = authority_digests(&project.secrets()?.all_authorities());
    refuse_to_replace(&old, &new, &project.cluster.name, &path, &ours)?;
    save(&path, &merge(old, &new))?;
    Ok(path)
}

/// Takes the cluster out of the user's kubeconfig again, if it is there.
pub fn forget(project: &mut Project) -> Result<(), Diagnostics> {
    let path = default_path();
    let servers = project.api_urls();
    let mut config = read(&path)?;
    if remove(&mut config, &project.cluster.name, &servers) {
        save(&path, &config)?;
    }
    Ok(())
}

/// Removes a cluster with its context and user; another cluster of the same name stays.
fn remove(config: &mut Value, name: &str, servers: &[String]) -> bool {
    let is_ours = |it: &Value| servers.iter().any(|server| it["server"] == *server);
    if !cluster(config, name).is_some_and(is_ours) {
        return false;
    }
    let user = format!("{name}-admin");
    for (list, entry) in [("clusters", name), ("contexts", name), ("users", &user)] {
        if let Some(entries) = config[list].as_array_mut() {
            entries.retain(|it| it["name"] != entry);
        }
    }
    if config["current-context"] == name {
        config["current-context"] = json!("");
    }
    true
}

/// Finds a cluster in a kubeconfig.
fn cluster<'a>(config: &'a Value, name: &str) -> Option<&'a Value> {
    let entries = config["clusters"].as_array()?;
    Some(&entries.iter().find(|it| it["name"] == name)?["cluster"])
}

/// Refuses to replace another cluster of the same name, with another authority than these: its credentials would be lost.
fn refuse_to_replace(
    config: &Value,
    new: &Value,
    name: &str,
    path: &Path,
    ours: &[Sha256],
) -> Result<(), Diagnostics> {
    const AUTHORITY: &str = "certificate-authority-data";
    let (Some(old), Some(new)) = (cluster(config, name), cluster(new, name)) else {
        return Ok(());
    };
    let authority = old[AUTHORITY].as_str().and_then(authority_of_data);
    if old[AUTHORITY] == new[AUTHORITY] || authority.is_some_and(|it| ours.contains(&it)) {
        return Ok(());
    }
    let server = old["server"].as_str().unwrap_or("another server");
    let message = format!(
        "`{}` has another cluster `{name}`, at {server}",
        path.display()
    );
    Err(vec![
        Diagnostic::error(Kind::Environment, message)
            .hint("give this one a name of its own: `cluster_name` in the inventory")
            .hint("or write it to another file: `kinstall kubeconfig --file FILE`")
            .hint(format!(
                "or remove the old one: `kubectl config delete-cluster {name}`"
            )),
    ])
}

/// Returns the first of the URLs whose server accepts connections; the first of all if none does. kubectl
/// knows one server for each cluster.
fn answering(urls: &[String]) -> String {
    let accepts = |url: &&String| {
        let server = url.trim_start_matches("https://");
        let mut addresses = server.to_socket_addrs().into_iter().flatten();
        addresses.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
    };
    // A single one is right whether it answers or not.
    let found = urls.iter().filter(|_| urls.len() > 1).find(accepts);
    found.or(urls.first()).cloned().unwrap_or_default()
}

fn default_path() -> PathBuf {
    let from_environment = std::env::var_os("KUBECONFIG")
        .and_then(|value| std::env::split_paths(&value).find(|path| !path.as_os_str().is_empty()));
    from_environment.unwrap_or_else(|| {
        std::env::home_dir()
            .unwrap_or_default()
            .join(".kube/config")
    })
}

fn read(path: &Path) -> Result<Value, Diagnostics> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Ok(Value::Null),
        Ok(text) => parse(&Secret::new(text), path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => {
            let message = format!("failed to read `{}`: {error}", path.display());
            Err(vec![Diagnostic::error(Kind::Environment, message)])
        }
    }
}

/// The parser's own message could quote a key, so it is not repeated.
fn parse(text: &Secret, path: &Path) -> Result<Value, Diagnostics> {
    let unreadable = || {
        let message = format!("`{}` is not a kubeconfig that can be read", path.display());
        vec![
            Diagnostic::error(Kind::Environment, message)
                .hint("repair it, or write another file with `kinstall kubeconfig --file FILE`"),
        ]
    };
    let file = SourceFile {
        path: path.to_owned(),
        text: text.expose().to_owned(),
    };
    let documents = crate::yaml::documents(&Arc::new(file)).map_err(|_| unreadable())?;
    documents
        .into_iter()
        .next()
        .filter(Value::is_object)
        .ok_or_else(unreadable)
}

fn merge(mut into: Value, from: &Value) -> Value {
    if !into.is_object() {
        into = json!({ "apiVersion": "v1", "kind": "Config", "preferences": {} });
    }
    for list in ["clusters", "users", "contexts"] {
        let mut entries = into[list].as_array().cloned().unwrap_or_default();
        for new in from[list].as_array().into_iter().flatten() {
            entries.retain(|old| old["name"] != new["name"]);
            entries.push(new.clone());
        }
        into[list] = Value::Array(entries);
    }
    into["current-context"] = from["current-context"].clone();
    into
}

fn save(path: &Path, config: &Value) -> Result<(), Diagnostics> {
    write_private(path, &crate::yaml::to_text(config))
}

fn write_private(path: &Path, text: &str) -> Result<(), Diagnostics> {
    crate::private_file::write(path, text.as_bytes()).map_err(|error| {
        let message = format!("failed to write `{}`: {error}", path.display());
        vec![Diagnostic::error(Kind::Environment, message)]
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};

    use super::{answering, merge, refuse_to_replace, remove};
    use crate::resource::Sha256;

    fn config(name: &str, server: &str, authority: &str) -> Value {
        let cluster = json!({ "server": server, "certificate-authority-data": authority });
        json!({
            "clusters": [{ "name": name, "cluster": cluster }],
            "contexts": [{ "name": name }],
            "users": [{ "name": format!("{name}-admin") }],
            "current-context": name,
        })
    }

    #[test]
    fn merging_keeps_other_clusters_and_replaces_ours() {
        let work = config("work", "a", "w");
        let lab = config("lab", "b", "l");
        let merged = merge(merge(work.clone(), &lab), &config("lab", "c", "l"));
        let names = |list: &str| -> Vec<Value> {
            let entries = merged[list].as_array().unwrap();
            entries.iter().map(|entry| entry["name"].clone()).collect()
        };
        assert_eq!(names("clusters"), ["work", "lab"]);
        assert_eq!(names("users"), ["work-admin", "lab-admin"]);
        assert_eq!(merged["clusters"][1]["cluster"]["server"], "c");
        assert_eq!(merged["current-context"], "lab");
    }

    #[test]
    fn what_was_merged_is_removed_again_and_nothing_else() {
        let work = config("work", "a", "w");
        let mut merged = merge(work.clone(), &config("lab", "b", "l"));
        assert!(remove(&mut merged, "lab", &["a", "b"].map(str::to_owned)));
        assert_eq!(merged["clusters"], work["clusters"]);
        assert_eq!(merged["users"], work["users"]);
        assert_eq!(merged["current-context"], "");
    }

    #[test]
    fn the_kubeconfig_leads_to_a_control_plane_that_answers() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let alive = format!("https://{}", listener.local_addr().unwrap());
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let dead = format!("https://{}", free.local_addr().unwrap());
        drop(free);
        assert_eq!(answering(&[dead.clone(), alive.clone()]), alive);
        assert_eq!(answering(&[dead.clone(), dead.clone()]), dead);
        assert_eq!(answering(std::slice::from_ref(&dead)), dead);
    }

    #[test]
    fn a_cluster_of_the_same_name_elsewhere_is_neither_replaced_nor_removed() {
        let mut theirs = config("lab", "https://elsewhere", "x");
        let ours = config("lab", "b", "l");
        let path = Path::new("config");
        let refused = refuse_to_replace(&theirs, &ours, "lab", path, &[]).unwrap_err();
        assert_eq!(
            refused[0].message,
            "`config` has another cluster `lab`, at https://elsewhere"
        );
        let before = theirs.clone();
        assert!(!remove(&mut theirs, "lab", &["b".to_owned()]));
        assert_eq!(theirs, before);
    }

    #[test]
    fn a_cluster_that_has_got_a_new_authority_is_the_same() {
        let data = |name: &str| {
            let body = STANDARD.encode(name);
            let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            STANDARD.encode(pem)
        };
        let (old, new) = (data("old"), data("new"));
        let had = config("lab", "https://a", &old);
        let has = config("lab", "https://a", &new);
        let refused = |ours: &[&str]| {
            let ours: Vec<_> = ours.iter().map(|it| Sha256::of(it.as_bytes())).collect();
            refuse_to_replace(&had, &has, "lab", Path::new("config"), &ours).is_err()
        };
        assert!(!refused(&["new", "old"]));
        assert!(refused(&["new"]));
    }
}
