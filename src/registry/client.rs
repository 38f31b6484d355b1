//! The requests of the OCI distribution specification.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::http::{Method, Request, Response, header};
use ureq::tls::{Certificate, PemItem, parse_pem};
use ureq::{Body, SendBody};

use super::admission::{Admission, Challenge, Token};
use super::error::RegistryError;
use super::login;
use super::reference::{Reference, Version};
use crate::digest::{self, Algorithm, Digest};
use crate::download::{Patience, Server};
use crate::secret::Secret;

/// How manifests are known.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// In bytes; registries take manifests up to this size.
const LARGEST_MANIFEST: u64 = 4 << 20;

/// How long a registry may think about a part that it has got.
const COMMIT: Duration = Duration::from_mins(5);

/// How a registry is reached.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub plain_http: bool,
    /// File of certificates (PEM) that may vouch for it, in place of the public authorities.
    pub authorities: Option<PathBuf>,
}

/// A repository of a registry.
#[derive(Debug)]
pub struct Registry {
    reference: Reference,
    /// `https://registry.example.com`
    origin: String,
    server: Server,
    patience: Patience,
    pub(super) login: Option<Secret>,
    admission: Mutex<Option<Admission>>,
}

/// What is sent.
#[derive(Clone, Copy)]
enum Content<'a> {
    Nothing,
    Bytes(&'a [u8]),
    File(&'a Path),
}

impl Registry {
    /// Finds the login for a registry; nothing is sent yet.
    pub fn open(reference: Reference, access: &Access) -> Result<Self, RegistryError> {
        let host = match reference.registry.as_str() {
            // Docker's registry has another name than its images.
            "docker.io" => "registry-1.docker.io",
            other => other,
        };
        let scheme = if access.plain_http || reference.is_local() {
            "http"
        } else {
            "https"
        };
        Ok(Self {
            origin: format!("{scheme}://{host}"),
            login: login::find(&reference.registry)?,
            reference,
            server: Server {
                authorization: None,
                authorities: access.authorities.as_deref().map(authorities).transpose()?,
            },
            patience: Patience::default(),
            admission: Mutex::new(None),
        })
    }

    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Returns the bytes of the manifest that the reference names.
    pub fn manifest(&self) -> Result<Vec<u8>, RegistryError> {
        let version = &self.reference.version;
        let url = self.url(&format!("manifests/{version}"));
        let accept = [(header::ACCEPT.as_str(), MANIFEST)];
        let response = self.send(&Method::GET, &url, &accept, Content::Nothing)?;
        let mut bytes = Vec::new();
        let body = response.into_body().into_reader();
        body.take(LARGEST_MANIFEST)
            .read_to_end(&mut bytes)
            .map_err(|error| self.unreachable(error.into()))?;
        if let Version::Digest(expected) = version {
            self.same(expected, digest::of_bytes(Algorithm::Sha256, &bytes))?;
        }
        Ok(bytes)
    }

    /// Stores a manifest under the reference's tag; returns its digest.
    pub fn put_manifest(&self, bytes: &[u8]) -> Result<Digest, RegistryError> {
        let url = self.url(&format!("manifests/{}", self.reference.version));
        let kind = [(header::CONTENT_TYPE.as_str(), MANIFEST)];
        self.send(&Method::PUT, &url, &kind, Content::Bytes(bytes))?;
        Ok(digest::of_bytes(Algorithm::Sha256, bytes))
    }

    /// Stores a file that has this digest, unless it is there; returns whether it was sent.
    pub fn put_file(&self, digest: &Digest, path: &Path) -> Result<bool, RegistryError> {
        self.put(digest, Content::File(path))
    }

    /// Stores bytes, unless they are there.
    pub fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<bool, RegistryError> {
        self.put(digest, Content::Bytes(bytes))
    }

    /// Returns where a part is to be downloaded from, and what its server wants to see.
    pub fn source(&self, digest: &Digest) -> Result<(String, Server), RegistryError> {
        let server = Server {
            authorization: self.authorization()?,
            ..self.server.clone()
        };
        Ok((self.url(&format!("blobs/{digest}")), server))
    }

    fn put(&self, digest: &Digest, content: Content<'_>) -> Result<bool, RegistryError> {
        let there = self.send(
            &Method::HEAD,
            &self.url(&format!("blobs/{digest}")),
            &[],
            Content::Nothing,
        );
        match there {
            Ok(_) => return Ok(false),
            Err(RegistryError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
        let begun = self.send(
            &Method::POST,
            &self.url("blobs/uploads/"),
            &[],
            Content::Nothing,
        )?;
        let place = begun.headers().get(header::LOCATION);
        let place = place
            .and_then(|it| it.to_str().ok())
            .ok_or_else(|| self.strange("it doesn't say where a part goes"))?;
        let place = if place.starts_with('/') {
            format!("{}{place}", self.origin)
        } else {
            place.to_owned()
        };
        let separator = if place.contains('?') { '&' } else { '?' };
        let url = format!("{place}{separator}digest={digest}");
        let kind = [(header::CONTENT_TYPE.as_str(), "application/octet-stream")];
        self.send(&Method::PUT, &url, &kind, content)?;
        Ok(true)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v2/{}/{path}", self.origin, self.reference.repository)
    }

    /// Sends a request; once more with what the registry wants to see.
    fn send(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        content: Content<'_>,
    ) -> Result<Response<Body>, RegistryError> {
        let admission = self.authorization()?;
        let mut response = self.attempt(method, url, headers, content, admission.as_ref())?;
        if response.status() == 401 {
            let wanted = response.headers().get(header::WWW_AUTHENTICATE);
            let wanted = wanted.and_then(|it| it.to_str().ok()).unwrap_or_default();
            let admission = self.admitted(wanted)?;
            let header = admission.header.clone();
            *self
                .admission
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(admission);
            response = self.attempt(method, url, headers, content, Some(&header))?;
        }
        let registry = || self.reference.registry.clone();
        match response.status().as_u16() {
            200..=299 => Ok(response),
            401 | 403 => Err(self.refused()),
            404 => Err(RegistryError::Missing {
                registry: registry(),
                name: format!("{}:{}", self.reference.repository, self.reference.version),
            }),
            status => Err(RegistryError::Status {
                registry: registry(),
                status,
                said: said(response),
            }),
        }
    }

    fn attempt(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        content: Content<'_>,
        admission: Option<&Secret>,
    ) -> Result<Response<Body>, RegistryError> {
        let failed = |error: ureq::Error| self.unreachable(error);
        let mut request = Request::builder().method(method.clone()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(admission) = admission {
            request = request.header(header::AUTHORIZATION, admission.expose());
        }
        let agent = self.patience.agent_that_waits(&self.server, COMMIT);
        let unsendable = |error: ureq::http::Error| failed(error.into());
        match content {
            Content::Nothing => agent.run(request.body(()).map_err(unsendable)?),
            Content::Bytes(bytes) => agent.run(request.body(bytes).map_err(unsendable)?),
            Content::File(path) => {
                let unreadable = |source| RegistryError::File {
                    path: path.to_owned(),
                    source,
                };
                let file = File::open(path).map_err(unreadable)?;
                let size = file.metadata().map_err(unreadable)?.len();
                let request = request.header(header::CONTENT_LENGTH, size);
                let body = SendBody::from_owned_reader(file);
                agent.run(request.body(body).map_err(unsendable)?)
            }
        }
        .map_err(failed)
    }

    /// Returns what to show, as far as it is known; a token that ends is got anew.
    fn authorization(&self) -> Result<Option<Secret>, RegistryError> {
        let mut admission = self
            .admission
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let ended = |it: &Admission| it.ends.is_some_and(|ends| ends <= Instant::now());
        if let Some(Admission {
            challenge: Some(challenge),
            ..
        }) = admission.clone().filter(ended)
        {
            *admission = Some(self.token(challenge)?);
        }
        Ok(admission.as_ref().map(|it| it.header.clone()))
    }

    /// Gets what a registry wants, by the header that it answered with.
    fn admitted(&self, wanted: &str) -> Result<Admission, RegistryError> {
        if let Some(challenge) = Challenge::read(wanted) {
            return self.token(challenge);
        }
        let login = self.login.as_ref().ok_or_else(|| self.refused())?;
        Ok(Admission {
            header: Secret::new(format!("Basic {}", login.expose())),
            challenge: None,
            ends: None,
        })
    }

    fn token(&self, challenge: Challenge) -> Result<Admission, RegistryError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&challenge.parameters);
        let separator = if challenge.realm.contains('?') {
            '&'
        } else {
            '?'
        };
        let url = format!("{}{separator}{}", challenge.realm, query.finish());
        if self.origin.starts_with("https:") && !url.starts_with("https:") {
            return Err(self.strange("it wants logins where there is no TLS"));
        }
        let login = self.login.as_ref();
        let login = login.map(|it| Secret::new(format!("Basic {}", it.expose())));
        let mut response =
            self.attempt(&Method::GET, &url, &[], Content::Nothing, login.as_ref())?;
        if !response.status().is_success() {
            return Err(self.refused());
        }
        let text = response.body_mut().read_to_string();
        let text = Secret::new(text.map_err(|error| self.unreachable(error))?);
        let token: Token = serde_json::from_str(text.expose())
            .map_err(|_| self.strange("no token in its answer"))?;
        // Downloads look at it only when they begin.
        let life = Duration::from_secs(token.expires_in.saturating_sub(30));
        Ok(Admission {
            header: Secret::new(format!("Bearer {}", token.token.expose())),
            challenge: Some(challenge),
            ends: Some(Instant::now() + life),
        })
    }

    fn same(&self, expected: &Digest, actual: Digest) -> Result<(), RegistryError> {
        if *expected == actual {
            return Ok(());
        }
        Err(RegistryError::Digest {
            registry: self.reference.registry.clone(),
            expected: expected.clone(),
            actual,
        })
    }

    fn strange(&self, what: &'static str) -> RegistryError {
        RegistryError::Strange {
            registry: self.reference.registry.clone(),
            what,
        }
    }

    fn refused(&self) -> RegistryError {
        RegistryError::Refused {
            registry: self.reference.registry.clone(),
            known: self.login.is_some(),
        }
    }

    fn unreachable(&self, source: ureq::Error) -> RegistryError {
        RegistryError::Connection {
            registry: self.reference.registry.clone(),
            source: Box::new(source),
        }
    }
}

/// What a registry says about a failure.
fn said(mut response: Response<Body>) -> String {
    #[derive(Deserialize)]
    struct Said {
        errors: Vec<OneError>,
    }
    #[derive(Deserialize)]
    struct OneError {
        message: String,
    }
    let body = response.body_mut().with_config().limit(1 << 16);
    let said = body.read_to_string().ok();
    let said = said.and_then(|text| serde_json::from_str::<Said>(&text).ok());
    let said = said.map(|it| it.errors).unwrap_or_default();
    let said: Vec<String> = said.into_iter().map(|it| it.message).collect();
    said.join("; ")
}

fn authorities(path: &Path) -> Result<Arc<Vec<Certificate<'static>>>, RegistryError> {
    let failed = |source| RegistryError::File {
        path: path.to_owned(),
        source,
    };
    let text = fs::read(path).map_err(failed)?;
    let items = parse_pem(&text).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let found: Vec<_> = items.collect();
    if found.is_empty() {
        let source = io::Error::new(io::ErrorKind::InvalidData, "no certificate (PEM) is in it");
        return Err(failed(source));
    }
    Ok(Arc::new(found))
}
