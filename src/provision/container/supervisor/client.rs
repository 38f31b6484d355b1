//! kinstall's side of the supervisor: start it, ask it, end it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::control::{Request, Response, ask};
use crate::provision::ProviderError;
use crate::provision::container::egress;
use crate::provision::container::group::LabGroups;
use crate::provision::container::lab_directory::{LabDirectory, read_json};
use crate::provision::last_words::last_lines;

/// How long a supervisor may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Names the machines that run; none where there is no supervisor.
pub(in crate::provision::container) fn running_machines(
    directory: &LabDirectory,
) -> Result<Vec<String>, ProviderError> {
    Ok(request(directory, &Request::Running)?.unwrap_or_default())
}

/// Starts machines of the lab's record, by a new supervisor if none runs; names those that didn't run.
pub(in crate::provision::container) fn start(
    directory: &LabDirectory,
    program: &Path,
    lab: &str,
    names: &[&str],
) -> Result<Vec<String>, ProviderError> {
    let start = Request::Start(owned(names));
    if let Some(started) = request(directory, &start)? {
        return Ok(started);
    }
    kill(directory)?;
    let mut child = launch(directory, program, lab)?;
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if let Some(started) = request(directory, &start)? {
            return Ok(started);
        }
        let has_failed = child
            .try_wait()
            .map_err(|error| failed(error.to_string()))?
            .is_some_and(|status| !status.success());
        if has_failed || Instant::now() > deadline {
            return Err(failed(last_words(&directory.supervisor_log())));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Powers machines off; the supervisor ends with the last one.
pub(in crate::provision::container) fn halt(
    directory: &LabDirectory,
    names: &[&str],
) -> Result<(), ProviderError> {
    let left = request(directory, &Request::Halt(owned(names)))?.unwrap_or_default();
    if let Some(name) = left.first() {
        return Err(ProviderError::Machine {
            action: "halt",
            machine: name.clone(),
            detail: "it doesn't shut down".into(),
        });
    }
    if running_machines(directory)?.is_empty() {
        request(directory, &Request::Stop)?;
        kill(directory)?;
        egress::close(directory)?;
        directory.namespace().remove()?;
    }
    Ok(())
}

/// Kills every process of the lab and removes its control groups.
pub(in crate::provision::container) fn kill(directory: &LabDirectory) -> Result<(), ProviderError> {
    let file = directory.groups_file();
    if !file.exists() {
        return Ok(());
    }
    read_json::<LabGroups>(&file)?.remove()?;
    fs::remove_file(&file).map_err(ProviderError::file("remove", &file))
}

fn request(
    directory: &LabDirectory,
    request: &Request,
) -> Result<Option<Vec<String>>, ProviderError> {
    if !directory.path().exists() {
        return Ok(None);
    }
    match ask(directory, request).map_err(ProviderError::file(
        "talk to the supervisor in",
        directory.path(),
    ))? {
        None => Ok(None),
        Some(Response::Machines(names)) => Ok(Some(names)),
        Some(Response::Failed(detail)) => Err(ProviderError::Lab {
            action: "start the lab".into(),
            detail,
        }),
    }
}

/// Starts the supervisor so that it outlives this process and the user's session.
fn launch(directory: &LabDirectory, program: &Path, lab: &str) -> Result<Child, ProviderError> {
    let log_path = directory.supervisor_log();
    let (output, errors) = File::create(&log_path)
        .and_then(|log| Ok((log.try_clone()?, log)))
        .map_err(ProviderError::file("create", &log_path))?;
    let mut command = if super::has_systemd() {
        // A service of its own is not ended with the user's session, and its control group is ours.
        let mut command = Command::new("systemd-run");
        command
            .args([
                "--quiet",
                "--collect",
                "--slice=machine.slice",
                "--property=Delegate=yes",
            ])
            // unshare ignores the usual signal, and systemd would wait for it when the computer is shut down.
            .arg("--property=KillSignal=SIGKILL")
            .arg(unit_name(lab))
            .arg(format!(
                "--property=StandardOutput=append:{}",
                log_path.display()
            ))
            .arg(format!(
                "--property=StandardError=append:{}",
                log_path.display()
            ))
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .arg(super::SUBCOMMAND)
        .arg(directory.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(|error| failed(error.to_string()))
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    if text.trim().is_empty() {
        return format!("it doesn't answer, and `{}` is empty", log.display());
    }
    last_lines(&text, 10)
}

/// The name is new each time: systemd takes a moment to forget a service that was killed.
fn unit_name(lab: &str) -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    format!("--unit=kinstall-{lab}-{}", now.as_millis())
}

fn failed(detail: String) -> ProviderError {
    ProviderError::Lab {
        action: "start the lab's supervisor".into(),
        detail,
    }
}
