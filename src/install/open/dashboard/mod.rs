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
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use self::source::Source;
use self::token::Token;
use super::{listen, no_port};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::lab::LabMachines;
use crate::install::project::Project;

/// A browser has six.
const MOST_CONNECTIONS: usize = 64;

/// How long a connection may send no request.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Before the next try to take a connection.
const PAUSE: Duration = Duration::from_millis(200);

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
    accept(listener, local.port(), Arc::new(token), source).await
}

/// Takes connections for ever, but not more at once than a browser needs: others on this computer can connect as well.
async fn accept(listener: TcpListener, port: u16, token: Arc<Token>, source: Arc<Source>) -> ! {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        // It is never closed.
        let place = Arc::clone(&places).acquire_owned().await;
        let Ok((client, _)) = listener.accept().await else {
            // The client may be gone again, or this computer is short of something for a while.
            sleep(PAUSE).await;
            continue;
        };
        let (token, source) = (Arc::clone(&token), Arc::clone(&source));
        let service = service_fn(move |request| {
            let (token, source) = (Arc::clone(&token), Arc::clone(&source));
            async move {
                // On the heap: it is large.
                let answer = Box::pin(answer::to(&request, port, &token, &source));
                Ok::<_, Infallible>(answer.await)
            }
        });
        let connection = http1::Builder::new()
            // Without it, nobody who connects and sends nothing is ever sent away.
            .timer(TokioTimer::new())
            .header_read_timeout(LONGEST_SILENCE)
            .serve_connection(TokioIo::new(client), service);
        tokio::spawn(async move {
            // A browser that goes away in the middle misses nothing.
            connection.await.ok();
            drop(place);
        });
    }
}
