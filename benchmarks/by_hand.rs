//! The same cluster by `benchmarks/by-hand`, a script, on machines that the same provider made.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::SystemTime;

use indexmap::IndexMap;
use kinstall::bundle::{Bundle, bundle_directory};
use kinstall::credentials::{ClusterSecrets, KeptCertificates};
use kinstall::diagnostic::{Diagnostics, SourceFile};
use kinstall::model::{self, ClusterSpec, HostSpec};
use kinstall::plan::{self, Plan, PlanInput};
use kinstall::playbook::{Action, Secrets, Sources};
use kinstall::secret::Secret;
use kinstall::wire::{self, Event, Facts};

use crate::lab::{Lab, repository};
use crate::table::{Table, median, seconds};
use crate::{Result, measure, rendered};

/// Measures the script, each time with new machines. What it copies is written before.
pub fn measure(runs: usize, table: &mut Table) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..runs {
        let lab = Lab::new()?;
        make_machines(&lab)?;
        let folder = tempfile::tempdir()?;
        write_content(&lab, folder.path())?;
        let script = repository().join("benchmarks/by-hand");
        let (script, folder) = (script.to_string_lossy(), folder.path().to_string_lossy());
        let measured = measure::run(&mut lab.kinstall(&["net", "--", &script, &folder]))?;
        eprintln!("  {:.1} s", measured.seconds);
        times.push(measured.seconds);
    }
    let what = "the same by hand, without making the machines";
    table.row(what, seconds(&times), "");
    table.by_hand = Some(median(&times));
    Ok(())
}

/// Runs `up` with playbooks that do nothing.
fn make_machines(lab: &Lab) -> Result<()> {
    let overrides = lab.folder().join("nothing");
    for (name, playbook) in &Sources::builtin().playbooks {
        let lines = playbook.text.lines();
        let head =
            lines.filter(|line| line.starts_with("component:") || line.starts_with("phase:"));
        let path = overrides.join("playbooks").join(name);
        fs::create_dir_all(path.parent().ok_or("a playbook without a folder")?)?;
        fs::write(path, head.collect::<Vec<_>>().join("\n") + "\n")?;
    }
    let overrides = overrides.to_string_lossy();
    measure::run(&mut lab.kinstall(&["--output", "json", "--overrides", &overrides, "up"]))
        .map(drop)
}

/// Writes what kinstall would install, and how the machines are reached.
fn write_content(lab: &Lab, folder: &Path) -> Result<()> {
    let (cluster, _) = model::load(&lab.folder().join("inventory.ini")).map_err(told)?;
    let directory = bundle_directory().ok_or("there is no folder for the bundle")?;
    let bundle = Bundle::open(&directory).map_err(|error| error.message)?;
    rendered::write(&plan(lab, &cluster, &bundle)?, &bundle, folder)?;

    let keys = lab.folder().join(".kinstall/ssh");
    let mut config = format!(
        "User root\nIdentityFile {0}/id_ed25519\nUserKnownHostsFile {0}/known_hosts\n\
         HostKeyAlgorithms ssh-ed25519\nControlMaster auto\nControlPersist 60\nControlPath {1}/%h\n",
        keys.display(),
        folder.display(),
    );
    for host in &cluster.hosts {
        let address = host.address.ok_or("a machine without an address")?;
        writeln!(config, "Host {}\n  HostName {address}", host.name)?;
    }
    fs::write(folder.join("ssh_config"), config)?;
    let names = |control_plane: bool| {
        let hosts = cluster.hosts.iter();
        let hosts = hosts.filter(|host| host.roles.control_plane == control_plane);
        let names: Vec<&str> = hosts.map(|host| host.name.as_str()).collect();
        names.join("\n") + "\n"
    };
    fs::write(folder.join("control-plane"), names(true))?;
    fs::write(folder.join("workers"), names(false))?;
    Ok(())
}

fn plan(lab: &Lab, cluster: &ClusterSpec, bundle: &Bundle) -> Result<Plan> {
    let mut facts = IndexMap::new();
    for host in &cluster.hosts {
        facts.insert(host.name.clone(), facts_of(lab, &host.name)?);
    }
    let mut files = BTreeMap::new();
    let release = bundle.release(None).map_err(|error| error.message)?;
    for (name, entry) in &release.files {
        let text = bundle.text(&entry.blob).map_err(|error| error.message)?;
        let path = name.into();
        files.insert(name.clone(), Arc::new(SourceFile { path, text }));
    }
    let state = lab.folder().join(".kinstall");
    let now = SystemTime::now();
    let kept = KeptCertificates::load_or_make(&state, &[], false, now)?;
    let of_kubelet = |host: &HostSpec| {
        let pair = kept.get(&format!("kubelet/{}", host.name))?.clone();
        let certificate = Secret::new(pair.certificate);
        let named = [
            ("kubelet_certificate", certificate),
            ("kubelet_key", pair.key),
        ];
        let named = named.map(|(name, secret)| (name.to_owned(), secret));
        Some((host.name.clone(), named.into()))
    };
    let secrets = Secrets {
        cluster: ClusterSecrets::load_or_make(&state, now)?.as_map(),
        hosts: cluster.hosts.iter().filter_map(of_kubelet).collect(),
    };
    let input = PlanInput {
        cluster,
        facts: &facts,
        bundle: release,
        files: &files,
        manifests: &[],
        secrets: &secrets,
        sources: &Sources::builtin(),
        take_over: &[],
        limit: None,
        leaving: &[],
        upgraded: &[],
        action: Action::Up,
    };
    Ok(plan::build(&input).map_err(told)?)
}

/// Asks the agent, which says hello first and ends when nobody answers.
fn facts_of(lab: &Lab, host: &str) -> Result<Facts> {
    let agent = "/usr/local/libexec/kinstall/*";
    let output = lab
        .kinstall(&["ssh", host, "--", "sudo", agent, "agent"])
        .stdin(Stdio::null())
        .output()?;
    match wire::frame::read(&mut output.stdout.as_slice())? {
        Some(Event::Hello { facts, .. }) => Ok(facts),
        _ => Err(format!("the agent of {host} doesn't say hello").into()),
    }
}

fn told(diagnostics: Diagnostics) -> String {
    let messages: Vec<String> = diagnostics.into_iter().map(|it| it.message).collect();
    messages.join("\n")
}
