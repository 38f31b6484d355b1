//! A TLS server that answers as an API server does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use ureq::tls::{RootCerts, TlsConfig};

use crate::converge::kubernetes::client::certificates;
use crate::credentials::pki::{self, KeyedCertificate, Subject};

/// An authority that servers have their certificates from.
pub(super) struct Authority(KeyedCertificate);

impl Authority {
    pub(super) fn new() -> Self {
        Self(pki::make_authority("kubernetes", SystemTime::now()).unwrap())
    }

    pub(super) fn certificate(&self) -> &str {
        &self.0.certificate
    }

    /// Gets a path over a connection of its own.
    pub(super) fn get(&self, server: SocketAddr, path: &str) -> Option<String> {
        let roots = certificates(self.certificate().as_bytes());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .new_agent();
        let answer = agent.get(format!("https://{server}{path}")).call();
        answer.ok()?.body_mut().read_to_string().ok()
    }

    fn server_configuration(&self) -> rustls::ServerConfig {
        let subject = Subject {
            common_name: "kube-apiserver",
            organizations: &[],
            names: &["127.0.0.1"],
            is_client: false,
        };
        let made = pki::make_certificate(&self.0, subject, pki::ONE_YEAR, SystemTime::now());
        let made = made.unwrap();
        let chain = CertificateDer::pem_slice_iter(made.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(made.key.expose().as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap()
    }
}

/// Answers `/readyz` with a status of choice and everything else with its name, until the test ends.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    readiness: Arc<AtomicU16>,
}

impl Server {
    pub(super) fn start(name: &'static str, authority: &Authority) -> Self {
        let configuration = Arc::new(authority.server_configuration());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let readiness = Arc::new(AtomicU16::new(200));
        let status = Arc::clone(&readiness);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (configuration, status) = (Arc::clone(&configuration), Arc::clone(&status));
                thread::spawn(move || serve(name, stream, configuration, &status));
            }
        });
        Self { address, readiness }
    }

    pub(super) fn answer_readiness_with(&self, status: u16) {
        self.readiness.store(status, Ordering::Relaxed);
    }
}

fn serve(
    name: &str,
    stream: TcpStream,
    configuration: Arc<rustls::ServerConfig>,
    readiness: &AtomicU16,
) {
    let connection = rustls::ServerConnection::new(configuration).unwrap();
    let mut reader = BufReader::new(rustls::StreamOwned::new(connection, stream));
    loop {
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            if reader.read_line(&mut request).unwrap_or(0) == 0 {
                return;
            }
        }
        let status = if request.starts_with("GET /readyz ") {
            readiness.load(Ordering::Relaxed)
        } else {
            200
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{name}",
            name.len()
        );
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
