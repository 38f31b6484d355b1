//! Waits for machines that are being started.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tracing::debug;

use super::error::SshError;
use super::session::Session;
use super::target::Target;
use crate::error_chain::error_chain;

/// How long one TCP connection may take: a machine that is starting drops what comes too early.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Pause after an attempt that found nobody.
const NOBODY_THERE: Duration = Duration::from_millis(200);

/// Pause after an attempt that sshd has seen: it locks out those who come and go too often.
const NOT_READY: Duration = Duration::from_secs(1);

/// Connects as soon as the host answers, at most until `limit` has passed.
///
/// Every attempt is a whole login, never a bare look at the port. What waiting can't cure, such as a
/// wrong host key or a refused login, ends it at once.
pub async fn wait_for(target: &Target, limit: Duration) -> Result<Session, SshError> {
    let deadline = Instant::now() + limit;
    let mut last = SshError::Timeout {
        address: target.address(),
        after: limit,
    };
    while let Ok(result) =
        timeout_at(deadline, Session::connect_within(target, CONNECT_LIMIT)).await
    {
        let error = match result {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        debug!(error = error_chain(&error), "isn't ready");
        let Some(pause) = pause(&error) else {
            return Err(error);
        };
        last = error;
        if timeout_at(deadline, sleep(pause)).await.is_err() {
            break;
        }
    }
    Err(SshError::NotReady {
        address: target.address(),
        after: limit,
        source: Box::new(last),
    })
}

/// Returns how long to wait before the next attempt; `None` if waiting won't help.
fn pause(error: &SshError) -> Option<Duration> {
    match error {
        SshError::Timeout { .. } | SshError::Tunnel { .. } => Some(NOBODY_THERE),
        SshError::Connect { source, .. } => match source.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut
            | ErrorKind::ConnectionReset => Some(NOBODY_THERE),
            // Hung up on without a reason from the system, which happens while a machine's network comes up.
            _ if source.raw_os_error().is_none() => Some(NOBODY_THERE),
            _ => None,
        },
        SshError::Handshake { .. } | SshError::Lost { .. } => Some(NOT_READY),
        SshError::Refused(refusal) if refusal.is_booting() => Some(NOT_READY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_machine_that_hangs_up_without_a_reason_is_asked_again() {
        let connect = |source| SshError::Connect {
            address: "192.0.2.1:22".to_owned(),
            source,
        };
        assert!(pause(&connect(io::Error::other("no error set after POLLHUP"))).is_some());
        // Permission denied by this computer, which waiting doesn't change.
        assert!(pause(&connect(io::Error::from_raw_os_error(13))).is_none());
    }
}
