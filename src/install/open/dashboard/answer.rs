//! Answers to a browser: what it wanted, or why not, and what it may do with it.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Request, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::gate::admit;
use super::source::{NoAnswer, Source};
use super::token::Token;
use super::wanted::{Refusal, Wanted};
use crate::dashboard::page;
use crate::error_chain::error_chain;
use crate::secret::Secret;

/// The page uses its own files and views, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers a request to the page at a port.
pub(super) async fn to<Body>(
    request: &Request<Body>,
    port: u16,
    token: &Token,
    source: &Arc<Source>,
) -> Response<Full<Bytes>> {
    let admitted = match admit(request, port, token) {
        Ok(admitted) => admitted,
        Err(refusal) => return refused(refusal),
    };
    match admitted.wanted {
        Wanted::Page => {
            let key = admitted.key.map_or("", Secret::expose);
            text("text/html", page::html(key))
        }
        Wanted::Style => text("text/css", page::STYLE),
        Wanted::Script => text("text/javascript", page::SCRIPT),
        Wanted::Views => text("text/javascript", page::VIEWS),
        Wanted::Overview => view(source, source.overview()).await,
        Wanted::Nodes => view(source, source.nodes()).await,
        Wanted::Workloads => view(source, source.workloads()).await,
        Wanted::Events => view(source, source.events()).await,
        Wanted::Addresses => view(source, source.addresses()).await,
        Wanted::History => view(source, source.history()).await,
        Wanted::Logs {
            namespace,
            pod,
            container,
            tail,
        } => view(source, source.logs(&namespace, &pod, &container, tail)).await,
        Wanted::Search { words } => view(source, source.search(&words)).await,
    }
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let status = match refusal {
        Refusal::Host { .. } => StatusCode::FORBIDDEN,
        Refusal::Token => StatusCode::UNAUTHORIZED,
        Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Path => StatusCode::NOT_FOUND,
        Refusal::Parameter => StatusCode::BAD_REQUEST,
    };
    let mut answer = with(status, "text/plain", format!("{refusal}\n"));
    if refusal == Refusal::Method {
        let headers = answer.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    answer
}

/// What can't be had says why; the page goes on with the other views.
async fn view<View: Serialize>(
    source: &Source,
    asked: impl Future<Output = Result<View, NoAnswer>>,
) -> Response<Full<Bytes>> {
    let view = source.in_time(asked).await;
    let (status, value) = match view.map(|it| serde_json::to_string(&it)) {
        Ok(Ok(text)) => (StatusCode::OK, text),
        Ok(Err(error)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({"error": error.to_string()}).to_string(),
        ),
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            json!({"error": error_chain(&error)}).to_string(),
        ),
    };
    with(status, "application/json", value)
}

fn text(kind: &str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    with(StatusCode::OK, kind, text)
}

fn with(status: StatusCode, kind: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&format!("{kind}; charset=utf-8")) {
        headers.insert(CONTENT_TYPE, kind);
    }
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    answer
}
