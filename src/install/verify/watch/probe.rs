//! One request after the other on one path.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::diagnostic::SourceFile;
use crate::secret::Secret;
use crate::verify::availability::Connections;
use crate::yaml;

/// Longest time for an answer: what takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time until a request that was turned away is made again.
const PAUSE: Duration = Duration::from_millis(50);

/// Who asks, and whom it trusts.
pub(super) struct Identity {
    authority: Certificate<'static>,
    client: ClientCert,
}

/// What is asked for.
#[derive(Clone)]
pub(super) struct Question {
    url: String,
    /// For the API.
    identity: Option<Arc<Identity>>,
}

/// Asks a question again and again.
pub(super) struct Probe {
    agent: ureq::Agent,
    url: String,
    /// The value that was written last, where it writes.
    written: Option<u64>,
}

impl Identity {
    /// Takes it out of a kubeconfig.
    pub(super) fn of(kubeconfig: &Secret) -> Option<Self> {
        let file = Arc::new(SourceFile {
            path: PathBuf::from("kubeconfig"),
            text: kubeconfig.expose().to_owned(),
        });
        let document = yaml::documents(&file).ok()?.pop()?;
        let bytes = |pointer: &str| {
            let text = document.pointer(pointer).and_then(Value::as_str)?;
            STANDARD.decode(text).ok()
        };
        let certificate = |pointer: &str| Certificate::from_pem(&bytes(pointer)?).ok();
        let key = bytes("/users/0/user/client-key-data")?;
        Some(Self {
            authority: certificate("/clusters/0/cluster/certificate-authority-data")?,
            client: ClientCert::new_with_certs(
                &[certificate("/users/0/user/client-certificate-data")?],
                PrivateKey::from_pem(&key).ok()?,
            ),
        })
    }
}

impl Question {
    /// Asks the API for an object.
    pub(super) fn api(address: SocketAddr, path: &str, identity: &Arc<Identity>) -> Self {
        Self {
            url: format!("https://{address}{path}"),
            identity: Some(Arc::clone(identity)),
        }
    }

    /// Asks a Pod for its name.
    pub(super) fn web(address: SocketAddr) -> Self {
        Self {
            url: format!("http://{address}/hostname"),
            identity: None,
        }
    }
}

impl Probe {
    pub(super) fn new(question: &Question, connections: Connections) -> Self {
        let kept = usize::from(connections != Connections::New);
        let mut config = ureq::Agent::config_builder()
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept);
        if let Some(identity) = &question.identity {
            let authorities = Arc::new(vec![identity.authority.clone()]);
            let tls = TlsConfig::builder()
                .root_certs(RootCerts::Specific(authorities))
                .client_cert(Some(identity.client.clone()))
                .build();
            config = config.tls_config(tls);
        }
        Self {
            agent: config.build().new_agent(),
            url: question.url.clone(),
            written: (connections == Connections::Writes).then_some(0),
        }
    }

    /// Asks once, and doesn't repeat it.
    pub(super) fn ask(&mut self) -> Result<(), String> {
        let asked = match self.written {
            None => self.read().map(|_| ()),
            Some(last) => {
                self.written = Some(last + 1);
                return self.write_and_read_back(last + 1);
            }
        };
        asked.map_err(|error| said(&error))
    }

    fn read(&self) -> Result<String, ureq::Error> {
        // Read to its end, so that the connection can be used again.
        until_taken(|| {
            let mut answer = self.agent.get(&self.url).call()?;
            answer.body_mut().read_to_string()
        })
    }

    fn write_and_read_back(&self, value: u64) -> Result<(), String> {
        let body = json!({ "data": { "value": value.to_string() } }).to_string();
        let written = until_taken(|| {
            let request = self.agent.patch(&self.url);
            let request = request.content_type("application/merge-patch+json");
            request.send(&body)?.body_mut().read_to_string()
        });
        let read = written.and_then(|_| self.read());
        let text = read.map_err(|error| said(&error))?;
        let object: Value = serde_json::from_str(&text).unwrap_or_default();
        let read = &object["data"]["value"];
        if read.as_str() == Some(value.to_string().as_str()) {
            Ok(())
        } else {
            Err(format!("wrote {value}, read {read}"))
        }
    }
}

/// Asks again as long as the answer is to come again: an API server that is about to end says so and closes the connection,
/// and all clients of Kubernetes do it.
fn until_taken<T>(ask: impl Fn() -> Result<T, ureq::Error>) -> Result<T, ureq::Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Err(ureq::Error::StatusCode(429)) if Instant::now() < end => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}

fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        error => error.to_string(),
    }
}
