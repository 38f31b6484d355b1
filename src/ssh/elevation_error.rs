//! Why nothing can be run as root on a host.

use super::process::Exit;

/// Why nothing can be run as root.
#[derive(Debug, thiserror::Error)]
pub enum ElevationError {
    #[error("sudo on the host asks for a password")]
    PasswordNeeded,
    #[error("sudo on the host says that the password is wrong")]
    PasswordWrong,
    #[error("sudo on the host refuses: {detail}")]
    SudoRefused { detail: String },
    #[error("there is no sudo on the host")]
    NoSudo,
    #[error("the host ran no command within {} s{}", super::elevation::SILENCE_LIMIT.as_secs(), quoted(.said))]
    Silent { said: String },
    #[error("the host didn't run kinstall's command (exit code {}){}", .exit.code(), quoted(.said))]
    NotStarted { exit: Exit, said: String },
}

impl ElevationError {
    /// Returns what to do about it.
    pub(super) fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::PasswordNeeded => {
                "set `ansible_become_password`, or allow the user `NOPASSWD` in sudoers"
            }
            Self::PasswordWrong => "check `ansible_become_password`",
            Self::SudoRefused { .. } => {
                "the user must be allowed to run any command as root; `ansible_become: false` is \
                 for users who are root already"
            }
            Self::NoSudo => "install sudo on the host, or log in as root (`ansible_user: root`)",
            Self::Silent { .. } | Self::NotStarted { .. } => {
                "does the user's login shell on the host run commands (`ssh HOST true`)?"
            }
        };
        vec![hint.to_owned()]
    }
}

fn quoted(said: &str) -> String {
    match said.trim() {
        "" => String::new(),
        said => format!("; it said: {said}"),
    }
}
