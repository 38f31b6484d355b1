//! The requests of the OCI distribution specification.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::{Method, Response, header};

use super::admission::{Admission, Challenge, Granted};
use super::error::RegistryError;
use super::exchange::{Content, Exchange, authorities, said};
use super::login;
use super::reference::{Reference, Version};
use crate::digest::{self, Algorithm, Digest};
use crate::download::{Patience, Server};
use crate::secret::Secret;

/// How manifests are known.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// In bytes; registries take manifests up to this size.
const LARGEST_MANIFEST: u64 = 4 << 20;

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
    exchange: Exchange,
    /// `user:password` in base64, once it was looked for.
    pub(super) login: OnceLock<Option<Secret>>,
    /// Whether something is to be stored.
    stores: bool,
    admission: Mutex<Option<Admission>>,
}

impl Registry {
    /// Prepares requests to a registry; nothing is sent yet.
    pub fn open(reference: Reference, access: &Access) -> Result<Self, RegistryError> {
        let is_plain = access.plain_http || reference.is_local();
        let scheme = if is_plain { "http" } else { "https" };
        let authorities = access.authorities.as_deref().map(authorities);
        Ok(Self {
            origin: format!("{scheme}://{}", reference.host()),
            exchange: Exchange {
                registry: reference.registry.clone(),
                server: Server {
                    authorization: None,
                    authorities: authorities.transpose()?,
                    https_only: !is_plain,
                    is_direct: reference.is_local(),
                },
                patience: Patience::default(),
            },
            reference,
            login: OnceLock::new(),
            stores: false,
            admission: Mutex::new(None),
        })
    }

    /// Returns the same, to store something there under its tag.
    pub fn for_storing(self) -> Result<Self, RegistryError> {
        if let Version::Digest(_) = self.reference.version {
            return Err(RegistryError::NoTag {
                reference: self.reference.to_string(),
            });
        }
        Ok(Self {
            stores: true,
            ..self
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
            .map_err(|error| self.exchange.unreachable(error.into()))?;
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
            ..self.exchange.server.clone()
        };
        Ok((self.url(&format!("blobs/{digest}")), server))
    }

    fn put(&self, digest: &Digest, content: Content<'_>) -> Result<bool, RegistryError> {
        let mut pause = self.exchange.patience.pause;
        for _ in 1..self.exchange.patience.attempts {
            match self.put_once(digest, content) {
                Err(error) if error.is_passing() => thread::sleep(pause),
                outcome => return outcome,
            }
            pause *= 2;
        }
        self.put_once(digest, content)
    }

    fn put_once(&self, digest: &Digest, content: Content<'_>) -> Result<bool, RegistryError> {
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
            Content::Bytes(&[]),
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
        // A registry may have parts sent to another server, which has no business with a login.
        let is_own = url.starts_with(&format!("{}/", self.origin));
        let admission = self.authorization()?.filter(|_| is_own);
        let attempt = |admission: Option<&Secret>| {
            self.exchange
                .attempt(method, url, headers, content, admission)
        };
        let mut response = attempt(admission.as_ref())?;
        if response.status() == 401 && is_own {
            let wanted = response.headers().get(header::WWW_AUTHENTICATE);
            let wanted = wanted.and_then(|it| it.to_str().ok()).unwrap_or_default();
            let admission = self.admitted(wanted)?;
            let header = admission.header.clone();
            *self
                .admission
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(admission);
            response = attempt(Some(&header))?;
        }
        match response.status().as_u16() {
            200..=299 => Ok(response),
            401 | 403 => Err(self.refused(said(response))?),
            404 if matches!(*method, Method::GET | Method::HEAD) => Err(RegistryError::Missing {
                registry: self.reference.registry.clone(),
                name: format!("{}:{}", self.reference.repository, self.reference.version),
            }),
            status => Err(self.status(status, response)),
        }
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
        let Some(login) = self.login()? else {
            return Err(self.refused(String::new())?);
        };
        Ok(Admission {
            header: Secret::new(format!("Basic {}", login.expose())),
            challenge: None,
            ends: None,
        })
    }

    fn token(&self, mut challenge: Challenge) -> Result<Admission, RegistryError> {
        if self.stores {
            // What a registry asks for is what the request in hand needs, which only looks at first.
            let scope = format!("repository:{}:pull,push", self.reference.repository);
            challenge.parameters.retain(|(name, _)| name != "scope");
            challenge.parameters.push(("scope".to_owned(), scope));
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&challenge.parameters);
        let separator = if challenge.realm.contains('?') {
            '&'
        } else {
            '?'
        };
        let url = format!("{}{separator}{}", challenge.realm, query.finish());
        if self.origin.starts_with("https:") && !url.starts_with("https:") {
            return Err(self.strange("its token server has no TLS"));
        }
        let login = self.login()?;
        let login = login.map(|it| Secret::new(format!("Basic {}", it.expose())));
        let mut response =
            self.exchange
                .attempt(&Method::GET, &url, &[], Content::Nothing, login.as_ref())?;
        match response.status().as_u16() {
            200..=299 => {}
            400 | 401 | 403 => return Err(self.refused(said(response))?),
            status => return Err(self.status(status, response)),
        }
        let text = response.body_mut().read_to_string();
        let text = Secret::new(text.map_err(|error| self.exchange.unreachable(error))?);
        let answer: Granted = serde_json::from_str(text.expose())
            .map_err(|_| self.strange("no token in its answer"))?;
        let token = answer
            .token()
            .ok_or_else(|| self.strange("no token in its answer"))?;
        // Downloads look at it only when they begin.
        let life = Duration::from_secs(answer.expires_in.saturating_sub(30));
        Ok(Admission {
            header: Secret::new(format!("Bearer {}", token.expose())),
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

    fn status(&self, status: u16, response: Response<Body>) -> RegistryError {
        RegistryError::Status {
            registry: self.reference.registry.clone(),
            status,
            said: said(response),
        }
    }

    fn refused(&self, said: String) -> Result<RegistryError, RegistryError> {
        Ok(RegistryError::Refused {
            registry: self.reference.registry.clone(),
            known: self.login()?.is_some(),
            said,
        })
    }

    /// Looks for a login when one is wanted, and not before: a program that can't tell it is no matter till then.
    fn login(&self) -> Result<Option<&Secret>, RegistryError> {
        if self.login.get().is_none() {
            let found = login::find(&self.reference.registry)?;
            // Another thread has found the same.
            let _ = self.login.set(found);
        }
        Ok(self.login.get().and_then(Option::as_ref))
    }
}
