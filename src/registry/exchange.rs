//! One request to a registry, or to the server that gives its tokens.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use ureq::http::{Method, Request, Response, header};
use ureq::tls::{Certificate, PemItem, parse_pem};
use ureq::{Body, SendBody};

use super::error::RegistryError;
use crate::download::{Patience, Server};
use crate::secret::Secret;

/// How long a registry may think about a part that it has got.
const COMMIT: Duration = Duration::from_mins(5);

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    Nothing,
    Bytes(&'a [u8]),
    File(&'a Path),
}

/// How requests are made.
#[derive(Debug)]
pub(super) struct Exchange {
    /// For errors.
    pub(super) registry: String,
    pub(super) server: Server,
    pub(super) patience: Patience,
}

impl Exchange {
    pub(super) fn attempt(
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

    pub(super) fn unreachable(&self, source: ureq::Error) -> RegistryError {
        RegistryError::Connection {
            registry: self.registry.clone(),
            source: Box::new(source),
        }
    }
}

/// What a registry says about a failure.
pub(super) fn said(mut response: Response<Body>) -> String {
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

pub(super) fn authorities(path: &Path) -> Result<Arc<Vec<Certificate<'static>>>, RegistryError> {
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
