//! Why the agent can't be started on a host.

use super::agent_binary::AgentBinary;

/// Why the agent can't be started.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    #[error("there is no `{tool}` on the host")]
    NoTool { tool: String },
    #[error("no folder on the host takes an executable file: {}", .folders.join(", "))]
    NoFolder { folders: Vec<String> },
    #[error("the host's disk is full: {detail}")]
    DiskFull { detail: String },
    #[error("failed to store the agent on the host: {detail}")]
    Write { detail: String },
    #[error("the agent arrived damaged on the host")]
    Damaged,
    #[error("the host is {host}, and this kinstall is built for {ours}")]
    OtherSystem { host: String, ours: String },
    #[error("the host said something else than expected: {said}")]
    Unexpected { said: String },
    #[error("failed to read kinstall's own program")]
    Binary(#[source] std::io::Error),
}

impl BootstrapError {
    /// Makes the error that a line other than `have` stands for.
    pub(super) fn from_line(line: &str, agent: &AgentBinary) -> Self {
        let reason = line.strip_prefix("failed ").unwrap_or(line);
        let (word, detail) = reason.split_once(' ').unwrap_or((reason, ""));
        let detail = detail.to_owned();
        match word {
            "no-tool" => BootstrapError::NoTool { tool: detail },
            "no-folder" => BootstrapError::NoFolder {
                folders: agent.folders.clone(),
            },
            "write" if detail.contains("No space left") || detail.contains("quota exceeded") => {
                BootstrapError::DiskFull { detail }
            }
            "write" => BootstrapError::Write { detail },
            "sum" => BootstrapError::Damaged,
            _ => BootstrapError::Unexpected {
                said: line.to_owned(),
            },
        }
    }
}
