//! Requests to an API server.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tracing::{Span, debug, trace};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::Discovery;
use super::kubeconfig::Kubeconfig;
use crate::converge::{Node, ResourceError};
use crate::parallel;
use crate::resource::Owner;

/// Requests at a time.
const PARALLEL: usize = 8;
/// What an API server answers that has too much to do, or is about to end.
const TOO_MANY_REQUESTS: u16 = 429;
/// How often it is asked then, and the time between, as `kubectl` does.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);
/// The form of an object, and of a list, without what objects say beside their metadata.
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
const METADATA_OF_ALL: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// The name that fields of a component's objects carry in `managedFields`.
const MANAGER: &str = "kinstall";
/// The same of the user's objects: what becomes of a component doesn't touch them.
const MANAGER_OF_USERS: &str = "kinstall-manifests";
/// Who of kinstall's applies objects.
pub(super) const MANAGERS: [&str; 2] = [MANAGER, MANAGER_OF_USERS];

/// A connection pool to one API server.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    server: String,
    /// Whose fields it applies.
    manager: &'static str,
    /// The kinds that were asked for: what is served once stays.
    pub(super) discovery: Arc<Mutex<Discovery>>,
}

/// What the server said.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the `message` of a Status object.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or("no message")
    }

    /// Makes an error of an answer that isn't a success.
    pub fn refused(&self, action: impl Into<String>) -> ResourceError {
        ResourceError::Api {
            action: action.into(),
            status: self.status,
            message: self.message().to_owned(),
        }
    }
}

impl Client {
    /// Prepares requests as a kubeconfig on the node says; nothing is sent yet.
    pub fn new(kubeconfig: &str, node: &Node) -> Result<Self, ResourceError> {
        let config = Kubeconfig::load(kubeconfig, node)?;
        let damaged = |error: ureq::Error| {
            ResourceError::other(format!("`{kubeconfig}` is damaged: {error}"))
        };
        let key = PrivateKey::from_pem(config.key.expose().as_bytes()).map_err(damaged)?;
        let identity = ClientCert::new_with_certs(&certificates(&config.certificate), key);
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(certificates(
                &config.authority,
            ))))
            .client_cert(Some(identity))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .proxy(None)
            .no_delay(true)
            .timeout_connect(Some(Duration::from_secs(5)))
            // A webhook may take 30 s before the server gives up on it.
            .timeout_global(Some(Duration::from_secs(45)))
            .max_idle_connections_per_host(PARALLEL)
            .max_idle_connections(PARALLEL)
            .build()
            .new_agent();
        Ok(Self {
            agent,
            server: config.server,
            manager: MANAGER,
            discovery: Arc::default(),
        })
    }

    /// Returns the same connections, for objects of this owner.
    #[must_use]
    pub fn of(self, owner: Owner) -> Self {
        let manager = match owner {
            Owner::Kinstall => MANAGER,
            Owner::User => MANAGER_OF_USERS,
        };
        Self { manager, ..self }
    }

    /// Returns the field manager whose fields it applies.
    pub fn manager(&self) -> &'static str {
        self.manager
    }

    /// Returns where the server is.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Gets one object or list.
    pub fn get(&self, path: &str) -> Result<Answer, ResourceError> {
        self.get_as(path, "application/json")
    }

    /// Gets an object's metadata, and nothing else of it.
    pub fn metadata(&self, path: &str) -> Result<Answer, ResourceError> {
        self.get_as(path, METADATA)
    }

    /// Gets the metadata of all objects of a list.
    pub fn metadata_of_all(&self, path: &str) -> Result<Answer, ResourceError> {
        self.get_as(path, METADATA_OF_ALL)
    }

    fn get_as(&self, path: &str, form: &str) -> Result<Answer, ResourceError> {
        let start = Instant::now();
        let url = format!("{}{path}", self.server);
        let request = || self.agent.get(&url).header("accept", form).call();
        let answer = self.answer(request, || format!("read {path}"));
        trace!(
            path,
            status = status(&answer),
            milliseconds = start.elapsed().as_millis(),
            "GET"
        );
        answer
    }

    /// Lists the names of objects, and nothing else of them; gives up after `patience`.
    pub fn names(&self, path: &str, patience: Duration) -> Result<Vec<String>, ResourceError> {
        let request = self
            .agent
            .get(format!("{}{path}", self.server))
            .header("accept", METADATA_OF_ALL)
            .config()
            .timeout_global(Some(patience))
            .build();
        let action = || format!("list {path}");
        let answer = self.read(request.call(), action)?;
        if !answer.is_success() {
            return Err(answer.refused(action()));
        }
        let items = answer.body["items"].as_array().into_iter().flatten();
        let names = items.filter_map(|item| item["metadata"]["name"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Gets several at a time; the answers come in the order of the paths.
    pub fn get_all(&self, paths: &[String]) -> Vec<Result<Answer, ResourceError>> {
        self.in_parallel(paths, |client, path| client.get(path))
    }

    /// Removes one object; what belongs to it goes in the background.
    pub fn delete(&self, path: &str) -> Result<Answer, ResourceError> {
        let url = format!("{}{path}?propagationPolicy=Background", self.server);
        let request = || self.agent.delete(&url).call();
        self.answer(request, || format!("remove {path}"))
    }

    /// Applies an object on the server's side.
    pub fn apply(&self, path: &str, object: &str, dry_run: bool) -> Result<Answer, ResourceError> {
        let start = Instant::now();
        let dry_run = if dry_run { "&dryRun=All" } else { "" };
        let url = format!(
            "{}{path}?fieldManager={}&force=true{dry_run}",
            self.server, self.manager
        );
        let request = || {
            let request = self.agent.patch(&url);
            let request = request.content_type("application/apply-patch+yaml");
            request.send(object)
        };
        let answer = self.answer(request, || format!("apply {path}"));
        let is_try = !dry_run.is_empty();
        let milliseconds = start.elapsed().as_millis();
        debug!(
            path,
            is_try,
            bytes = object.len(),
            status = status(&answer),
            milliseconds,
            "PATCH"
        );
        answer
    }

    /// Changes the fields of an object that the patch has.
    pub fn merge_patch(&self, path: &str, fields: &Value) -> Result<Answer, ResourceError> {
        let url = format!("{}{path}", self.server);
        let request = || {
            let request = self.agent.patch(&url);
            let request = request.content_type("application/merge-patch+json");
            request.send(fields.to_string())
        };
        self.answer(request, || format!("change {path}"))
    }

    /// Does the same with all of `items`, several at a time, and keeps their order.
    pub fn in_parallel<T: Sync, R: Send>(
        &self,
        items: &[T],
        work: impl Fn(&Client, &T) -> R + Sync,
    ) -> Vec<R> {
        let span = Span::current();
        parallel::map(items, PARALLEL, |item| span.in_scope(|| work(self, item)))
    }

    /// Asks; again where the API server wants that.
    fn answer(
        &self,
        request: impl Fn() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        action: impl Fn() -> String,
    ) -> Result<Answer, ResourceError> {
        let mut tries = 1;
        loop {
            let answer = self.read(request(), &action)?;
            if answer.status != TOO_MANY_REQUESTS || tries == TRIES {
                return Ok(answer);
            }
            tries += 1;
            thread::sleep(PAUSE);
        }
    }

    fn read(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        action: impl Fn() -> String,
    ) -> Result<Answer, ResourceError> {
        let silent = |error: ureq::Error| ResourceError::Api {
            action: action(),
            status: 0,
            message: format!("{} does not answer: {error}", self.server),
        };
        let mut answer = answer.map_err(silent)?;
        let status = answer.status().as_u16();
        let body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_string()
            .map_err(silent)?;
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        Ok(Answer { status, body })
    }
}

/// Returns the status of an answer for the log; 0 where there is none.
fn status(answer: &Result<Answer, ResourceError>) -> u16 {
    answer.as_ref().map_or(0, |answer| answer.status)
}

/// Reads the certificates of a PEM text; the TLS library judges them.
pub fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_that_is_about_to_end_is_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let both = thread::spawn(move || {
            for status in ["429 Too Many Requests", "200 OK"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0; 4096];
                let length = stream.read(&mut asked).unwrap();
                assert!(asked[..length].starts_with(b"GET /version "));
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\n");
                let rest = "Retry-After: 1\r\nConnection: close\r\n\r\n{}";
                stream
                    .write_all(format!("{head}{rest}").as_bytes())
                    .unwrap();
            }
        });
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let client = Client {
            agent: config.build().new_agent(),
            server,
            manager: MANAGER,
            discovery: Arc::default(),
        };
        assert_eq!(client.get("/version").unwrap().status, 200);
        both.join().unwrap();
    }
}
