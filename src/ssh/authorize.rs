//! Lets a key log in to a host that we can log in to already.

use super::error::SshError;
use super::process::Exit;
use super::script::one_line;
use super::session::Session;

impl Session {
    /// Adds a public line to the login user's `authorized_keys`; `false` if it stands there already.
    pub async fn authorize(&self, public: &str) -> Result<bool, SshError> {
        let command = format!("exec sh -c '{}'", one_line(include_str!("authorize.sh")));
        let input = format!("{public}\n");
        let finished = self.exec(&command, input.as_bytes()).await?;
        let said = String::from_utf8_lossy(&finished.stdout);
        // A login shell's own greeting may stand before it.
        match said.lines().next_back() {
            Some("added") if finished.exit == Exit::Code(0) => Ok(true),
            Some("present") if finished.exit == Exit::Code(0) => Ok(false),
            _ => Err(SshError::Authorize {
                address: self.target().address(),
                detail: String::from_utf8_lossy(&finished.stderr).trim().to_owned(),
            }),
        }
    }
}
