//! Calls of the real VBoxManage.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use crate::Failure;

fn command() -> Command {
    let program = std::env::var_os("KINSTALL_STAND_IN_REAL");
    Command::new(program.unwrap_or_else(|| OsString::from("/usr/lib/virtualbox/VBoxManage")))
}

/// Becomes the real one.
pub fn become_it(arguments: &[String]) -> Result<ExitCode, Failure> {
    Err(command().args(arguments).exec().into())
}

/// Lets the real one do it, and says how that ended.
pub fn pass(arguments: &[String]) -> Result<u8, Failure> {
    let status = command().args(arguments).status()?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1))
}

/// Returns what the real one prints and its exit code; its errors go to stderr.
pub fn output(arguments: &[String]) -> Result<(String, u8), Failure> {
    let output = command()
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let code = output
        .status
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok((String::from_utf8(output.stdout)?, code.unwrap_or(1)))
}

/// Returns what the real one prints about something, or `None` where there is no such thing. What changes at
/// this moment may be asked for again.
pub fn ask(arguments: &[&str]) -> Result<Option<String>, Failure> {
    let mut attempts = 0;
    loop {
        let output = command().args(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        attempts += 1;
        if output.status.success() {
            return Ok(Some(String::from_utf8(output.stdout)?));
        } else if said.contains("OBJECT_NOT_FOUND") {
            return Ok(None);
        } else if attempts == 20 {
            return Err(said.trim().into());
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

/// Lets the real one do something that has to succeed.
pub fn must(arguments: &[&str]) -> Result<String, Failure> {
    let output = command().args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().into())
}
