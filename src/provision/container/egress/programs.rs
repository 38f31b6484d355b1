//! The programs that make internet access: `ip`, and `nft` of the lab's image.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::provision::ProviderError;

/// The image's program: not every computer has one.
pub(super) fn nft(image: &Path) -> Command {
    if image.join("usr/sbin/nft").exists() {
        let mut command = Command::new("chroot");
        command.arg(image).arg("/usr/sbin/nft");
        command
    } else {
        Command::new("nft")
    }
}

pub(super) fn run(command: &mut Command) -> Result<String, ProviderError> {
    let output = command.stdin(Stdio::null()).output();
    finish(command, output)
}

/// Runs a program with this text as its input.
pub(super) fn feed(command: &mut Command, text: &str) -> Result<String, ProviderError> {
    let output = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            // A program that ended early says why.
            let _ = child
                .stdin
                .take()
                .map(|mut stdin| stdin.write_all(text.as_bytes()));
            child.wait_with_output()
        });
    finish(command, output)
}

fn finish(command: &Command, output: io::Result<Output>) -> Result<String, ProviderError> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let action = format!("run `{}`", words.join(" "));
    let output = output.map_err(|error| failed(&action, &error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(
        &action,
        String::from_utf8_lossy(&output.stderr).trim(),
    ))
}

pub(super) fn failed(action: &str, detail: &str) -> ProviderError {
    ProviderError::Lab {
        action: action.to_owned(),
        detail: detail.to_owned(),
    }
}
