//! Jump hosts: one connection to each, shared by all hosts behind it.
//!
//! Every connection to a jump host counts against its `MaxStartups`, and connections that pass through
//! it don't; so the first host opens it and the others use it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::dial;
use super::error::SshError;
use super::session::Session;
use super::target::{Target, address};
use crate::model::host::{Become, Connection, JumpHost, Method};

/// The open connections to jump hosts. Clones share them.
#[derive(Clone, Default)]
pub struct Jumps(Arc<Mutex<HashMap<Vec<String>, Hop>>>);

enum Hop {
    Open(Session),
    Failed { at: Instant, error: Arc<SshError> },
}

impl Jumps {
    /// Returns the connection to the last jump host on the way to the target; `None` if there is none.
    pub(super) async fn open(
        &self,
        target: &Target,
        limit: Duration,
    ) -> Result<Option<Session>, SshError> {
        let jumps = target.connection.jumps();
        if jumps.is_empty() {
            return Ok(None);
        }
        let asked = Instant::now();
        let mut hops = self.0.lock().await;
        let mut session = None;
        for last in 0..jumps.len() {
            let path: Vec<String> = jumps[..=last].iter().map(name).collect();
            let opened = match hops.get(&path) {
                Some(Hop::Open(open)) if !open.is_closed() => Ok(open.clone()),
                // Those who waited for an attempt don't repeat it, or each would wait once more.
                Some(Hop::Failed { at, error }) if *at >= asked => Err(Arc::clone(error)),
                _ => through(session.take(), &jumps[last], target, limit)
                    .await
                    .map_err(Arc::new),
            };
            let (hop, result) = match opened {
                Ok(open) => (Hop::Open(open.clone()), Ok(open)),
                Err(error) => {
                    let at = Instant::now();
                    let error_for_us = Arc::clone(&error);
                    (Hop::Failed { at, error }, Err(error_for_us))
                }
            };
            hops.insert(path, hop);
            session = Some(result.map_err(|source| SshError::Jump {
                hop: name(&jumps[last]),
                source,
            })?);
        }
        Ok(session)
    }
}

/// Connects to one jump host, through the one before it.
async fn through(
    previous: Option<Session>,
    jump: &JumpHost,
    target: &Target,
    limit: Duration,
) -> Result<Session, SshError> {
    let hop = Target {
        name: jump.host.clone(),
        connection: Connection {
            method: Method::Ssh,
            fallback: None,
            host: jump.host.clone(),
            port: jump.port,
            user: jump.user.clone(),
            private_key: jump.private_key.clone(),
            password: jump.password.clone(),
            escalation: Become::No,
            jump: Some(Vec::new()),
            configuration: None,
        },
        // Nobody but the lab's own machines knows the lab's key.
        identity: None,
        // Its session is kept there; it must not keep itself alive.
        jumps: Jumps::default(),
        ..target.clone()
    };
    let Some(previous) = previous else {
        let dial = target.dial.as_ref();
        let stream = dial::connect(&jump.host, jump.port(), dial, limit).await?;
        return Session::over(stream, &hop, None).await;
    };
    let stream = previous.tunnel(&jump.host, jump.port()).await?;
    Session::over(stream, &hop, Some(previous)).await
}

fn name(jump: &JumpHost) -> String {
    let address = address(&jump.host, jump.port());
    match &jump.user {
        Some(user) => format!("{user}@{address}"),
        None => address,
    }
}
