//! `kinstall open dashboard`: the lab in a page of kinstall's own, which only reads.
//!
//! It listens on loopback, and lets one browser in. The browser gets views of [`crate::dashboard`], never credentials of the
//! cluster.

mod answer;
mod gate;
mod source;
mod token;
mod wanted;

use std::convert::Infallible;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use self::source::Source;
use self::token::Token;
use super::{listen, no_port};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::lab::LabMachines;
use crate::install::project::Project;

/// Serves the page until the future is dropped; `tell` gets its URL when it can be opened.
pub(super) async fn serve(
    project: Project,
    machines: LabMachines,
    port: Option<u16>,
    tell: impl FnOnce(&str),
) -> Diagnostics {
    let listening = async {
        let listener = listen(port, 0).await?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    let (listener, local) = match listening.await {
        Ok(listening) => listening,
        Err(error) => return vec![no_port(port, &error)],
    };
    let Ok(token) = Token::new() else {
        let message = "this computer gave no random numbers";
        return vec![Diagnostic::error(Kind::Environment, message)];
    };
    tell(&format!("http://{local}/?token={}", token.entry()));
    let source = Arc::new(Source::new(project, machines));
    accept(listener, local.port(), Arc::new(token), source).await;
    let message = format!("{local} can't take connections any more");
    vec![Diagnostic::error(Kind::Environment, message)]
}

async fn accept(listener: TcpListener, port: u16, token: Arc<Token>, source: Arc<Source>) {
    while let Ok((client, _)) = listener.accept().await {
        let (token, source) = (Arc::clone(&token), Arc::clone(&source));
        let service = service_fn(move |request| {
            let (token, source) = (Arc::clone(&token), Arc::clone(&source));
            async move { Ok::<_, Infallible>(answer::to(&request, port, &token, &source).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(client), service);
        // A browser that goes away in the middle misses nothing.
        tokio::spawn(async move { connection.await.ok() });
    }
}
