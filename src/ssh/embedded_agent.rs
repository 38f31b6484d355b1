//! Linux agents that travel inside builds for other systems.

/// A kinstall for Linux. `build.rs` puts it here.
#[derive(Debug)]
pub(super) struct EmbeddedAgent {
    pub(super) architecture: &'static str,
    pub(super) gzip: &'static [u8],
}

/// Those in this build: none on Linux, where the running program is the agent.
pub(super) const EMBEDDED: &[EmbeddedAgent] =
    include!(concat!(env!("OUT_DIR"), "/embedded_agents.rs"));
