//! systemd units.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::program::{Program, exists};
use super::{Converge, Node, ResourceError};
use crate::resource::command_line::quoted;
use crate::resource::{Action, Change, Unit, UnitState};

/// Folders of units of the administrator (systemd.unit(5)).
pub const OWN_FOLDERS: [&str; 2] = ["/etc/systemd/system", "/run/systemd/system"];
/// Folders of units of packages.
pub const PACKAGED_FOLDERS: [&str; 2] =
    ["/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];
/// How long a unit that ended again and again is watched after its start.
const TRIAL: Duration = Duration::from_secs(5);

/// What systemd says about a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// `LoadState`.
    load: String,
    /// `ActiveState`.
    active: String,
    /// `SubState`.
    sub: String,
    /// `UnitFileState`; empty for a unit without a file.
    file: String,
    /// The file changed since systemd read it.
    needs_reload: bool,
}

/// Answers of `systemctl show` for all units of a batch.
#[derive(Debug, Default)]
pub struct Units {
    names: Vec<String>,
    known: BTreeMap<String, Observed>,
}

impl Units {
    /// Says which units will be asked for.
    pub fn begin(&mut self, names: Vec<String>) {
        self.names = names;
        self.known.clear();
    }

    /// Forgets the answers.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    fn find(&mut self, name: &str, node: &Node) -> Result<Observed, ResourceError> {
        if !self.known.contains_key(name) {
            if !self.names.iter().any(|known| known == name) {
                self.names.push(name.to_owned());
            }
            self.known = show(&self.names, node)?;
        }
        Ok(self.known.get(name).cloned().unwrap_or_default())
    }
}

impl Converge for Unit {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        node.units.borrow_mut().find(&self.name, node)
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(enabled) = self.enabled
            && observed.is_enabled().unwrap_or(enabled) != enabled
        {
            let word = |enabled| if enabled { "enabled" } else { "disabled" };
            let from = Some(observed.file.clone()).filter(|state| !state.is_empty());
            changes.push(
                Change::new(Action::Update, "enabled").values(from, Some(word(enabled).to_owned())),
            );
        }
        let state = |to: &str| {
            Change::new(Action::Restart, "state").values(observed.state(), Some(to.to_owned()))
        };
        match self.state {
            UnitState::Running if !observed.is_running() => changes.push(state("running")),
            UnitState::Stopped if !observed.is_stopped() => changes.push(state("stopped")),
            UnitState::Restarted => changes.push(state("restarted")),
            UnitState::Running | UnitState::Stopped | UnitState::Any => {}
        }
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let observed = self.probe(node)?;
        if self.state == UnitState::Restarted || observed.needs_reload || observed.load != "loaded"
        {
            systemctl(&["daemon-reload"]).output(node)?;
        }
        for change in changes {
            match (change.action, change.to.as_deref()) {
                (Action::Update, Some("enabled")) => self.call("enable", node)?,
                (Action::Update, _) => self.call("disable", node)?,
                (_, Some("stopped")) => self.call("stop", node)?,
                (_, Some("restarted")) => self.restart(node)?,
                _ if observed.is_failing() => self.start_for_good(node)?,
                _ => self.start("start", node)?,
            }
        }
        Ok(())
    }
}

impl Unit {
    fn call(&self, verb: &str, node: &Node) -> Result<(), ResourceError> {
        systemctl(&[verb, &self.name]).output(node).map(drop)
    }

    /// Starts the unit; where it doesn't, its own last words are part of the error. Earlier starts don't count: after five
    /// within ten seconds, systemd refuses the next one, also when what failed is mended (`StartLimitBurst`,
    /// systemd.unit(5)).
    fn start(&self, verb: &str, node: &Node) -> Result<(), ResourceError> {
        // It fails for a unit that was never loaded, of which systemd counts nothing.
        self.call("reset-failed", node).ok();
        let mut result = self.call(verb, node);
        if let Err(ResourceError::Command { output, .. }) = &mut result {
            output.extend(how_it_ended(&self.name, node));
            output.extend(last_words(&self.name, node));
        }
        result
    }

    /// systemd's restart fails where the unit ends by itself in that moment, as one does that ends again and again: it
    /// is stopped and started then.
    fn restart(&self, node: &Node) -> Result<(), ResourceError> {
        let restarted = self.start("restart", node);
        let is_failing = || -> Result<bool, ResourceError> {
            let shown = show(std::slice::from_ref(&self.name), node)?;
            Ok(shown.get(&self.name).is_some_and(Observed::is_failing))
        };
        if restarted.is_ok() || !is_failing()? {
            return restarted;
        }
        self.call("stop", node)?;
        self.start("start", node)
    }

    /// Starts a unit that ended again and again; fails when it still does.
    fn start_for_good(&self, node: &Node) -> Result<(), ResourceError> {
        self.restart(node)?;
        let end = Instant::now() + TRIAL;
        while Instant::now() < end {
            node.cancel().sleep(TRIAL / 20)?;
            let shown = show(std::slice::from_ref(&self.name), node)?;
            if shown.get(&self.name).is_some_and(Observed::is_failing) {
                return Err(ResourceError::Command {
                    command: quoted(&["systemctl", "restart", &self.name].map(str::to_owned)),
                    status: "a unit that ends again and again".to_owned(),
                    output: last_words(&self.name, node),
                });
            }
        }
        Ok(())
    }
}

/// Restarts a unit; its last words are part of the error.
pub fn restart(name: &str, node: &Node) -> Result<(), ResourceError> {
    let unit = Unit {
        name: name.to_owned(),
        enabled: None,
        state: UnitState::Restarted,
    };
    unit.restart(node)
}

/// Returns what `systemctl status` says of the unit's processes that ended: systemd's own reasons, such as a program that
/// can't be run, are not in the unit's journal everywhere.
fn how_it_ended(name: &str, node: &Node) -> Vec<String> {
    // It ends with code 3 where the unit doesn't run.
    let line = "systemctl status --no-pager --lines=0 -- \"$0\" | grep \"(code=\"";
    let shown = Program::new(["sh", "-c", line]).argument(name).timeout(10);
    let shown = shown.output(node).unwrap_or_default();
    shown.lines().map(|line| line.trim().to_owned()).collect()
}

/// Returns the last lines of a unit's journal; none where there is none.
pub fn last_words(name: &str, node: &Node) -> Vec<String> {
    let journal = Program::new([
        "journalctl",
        "--no-pager",
        "-q",
        "-o",
        "cat",
        "-n",
        "20",
        "-u",
    ])
    .argument(name)
    .timeout(10)
    .output(node)
    // Only an ornament of an error.
    .unwrap_or_default();
    journal.lines().map(str::to_owned).collect()
}

impl Observed {
    /// `None` where the unit has no say in it: static units, generated ones.
    fn is_enabled(&self) -> Option<bool> {
        match self.file.as_str() {
            "enabled" | "enabled-runtime" | "linked" | "alias" => Some(true),
            "static" | "indirect" | "generated" | "transient" => None,
            _ => Some(false),
        }
    }

    /// A unit that systemd is still starting isn't there for others yet; one that ends again and again never is.
    fn is_running(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading")
    }

    /// Nothing of it runs, and nothing will by itself.
    fn is_stopped(&self) -> bool {
        matches!(self.active.as_str(), "" | "inactive" | "failed")
    }

    fn is_failing(&self) -> bool {
        self.sub.starts_with("auto-restart")
    }

    fn state(&self) -> Option<String> {
        if self.is_failing() {
            return Some("ends again and again".to_owned());
        }
        Some(self.active.clone()).filter(|state| !state.is_empty())
    }
}

fn systemctl(arguments: &[&str]) -> Program {
    Program::new(["systemctl"].iter().chain(arguments).copied()).timeout(300)
}

fn show(names: &[String], node: &Node) -> Result<BTreeMap<String, Observed>, ResourceError> {
    if !exists("systemctl", node) {
        return Err(ResourceError::other(
            "systemd is not there (no `systemctl` on the node)",
        ));
    }
    let properties = "--property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload";
    let output = systemctl(&["show", properties, "--"])
        .arguments(names)
        .output(node)?;
    Ok(parse(&output, names))
}

/// Reads the blocks of `systemctl show`, which come in the order of the names.
fn parse(output: &str, names: &[String]) -> BTreeMap<String, Observed> {
    names
        .iter()
        .zip(output.split("\n\n"))
        .map(|(name, block)| {
            let value = |key: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                    .unwrap_or_default()
                    .to_owned()
            };
            let observed = Observed {
                load: value("LoadState"),
                active: value("ActiveState"),
                sub: value("SubState"),
                file: value("UnitFileState"),
                needs_reload: value("NeedDaemonReload") == "yes",
            };
            (name.clone(), observed)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As printed by systemd 257 for a running, an unknown, and a changed unit.
    const SHOWN: &str = "LoadState=loaded\n\
        ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no\n\n\
        LoadState=not-found\nActiveState=inactive\n\
        UnitFileState=\nNeedDaemonReload=no\n\n\
        LoadState=loaded\nActiveState=failed\n\
        UnitFileState=disabled\nNeedDaemonReload=yes\n";

    fn shown(name: &str) -> Observed {
        let names = ["sshd.service", "nothing.service", "containerd.service"].map(str::to_owned);
        parse(SHOWN, &names)[name].clone()
    }

    fn subjects(enabled: Option<bool>, state: UnitState, name: &str) -> Vec<String> {
        let unit = Unit {
            name: name.to_owned(),
            enabled,
            state,
        };
        unit.diff(&shown(name))
            .into_iter()
            .map(|change| format!("{} {}", change.subject, change.to.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn the_difference_follows_from_what_systemd_shows() {
        use UnitState::{Any, Restarted, Running, Stopped};
        assert!(shown("containerd.service").needs_reload);
        let none: Vec<String> = Vec::new();
        assert_eq!(subjects(Some(true), Running, "sshd.service"), none);
        assert_eq!(
            subjects(Some(true), Running, "nothing.service"),
            ["enabled enabled", "state running"]
        );
        assert_eq!(
            subjects(None, Running, "containerd.service"),
            ["state running"]
        );
        assert_eq!(subjects(Some(false), Stopped, "containerd.service"), none);
        assert_eq!(
            subjects(Some(false), Stopped, "sshd.service"),
            ["enabled disabled", "state stopped"]
        );
        assert_eq!(subjects(None, Any, "sshd.service"), none);
        assert_eq!(
            subjects(None, Restarted, "sshd.service"),
            ["state restarted"]
        );
    }

    #[test]
    fn a_static_unit_cannot_be_enabled_and_is_left_alone() {
        let observed = Observed {
            file: "static".into(),
            active: "active".into(),
            ..Observed::default()
        };
        let unit = Unit {
            name: "x.service".into(),
            enabled: Some(true),
            state: UnitState::Running,
        };
        assert!(unit.diff(&observed).is_empty());
    }

    #[test]
    fn a_unit_that_ends_again_and_again_does_not_run() {
        let observed = Observed {
            load: "loaded".into(),
            active: "activating".into(),
            sub: "auto-restart".into(),
            file: "enabled".into(),
            needs_reload: false,
        };
        let unit = Unit {
            name: "kubelet.service".into(),
            enabled: Some(true),
            state: UnitState::Running,
        };
        let changes = unit.diff(&observed);
        assert_eq!(changes[0].from.as_deref(), Some("ends again and again"));
        assert_eq!(changes[0].to.as_deref(), Some("running"));
    }
    /// Whoever comes next would find nobody there: starting it again waits until it has started.
    #[test]
    fn a_unit_that_is_being_started_is_waited_for_and_one_that_comes_again_is_stopped() {
        let observed = |sub: &str| Observed {
            load: "loaded".into(),
            active: "activating".into(),
            sub: sub.into(),
            ..Observed::default()
        };
        for (state, word) in [
            (UnitState::Running, "running"),
            (UnitState::Stopped, "stopped"),
        ] {
            let unit = Unit {
                name: "containerd.service".into(),
                enabled: None,
                state,
            };
            for sub in ["start", "auto-restart"] {
                let changes = unit.diff(&observed(sub));
                assert_eq!(changes[0].to.as_deref(), Some(word), "{sub}");
            }
        }
    }
}
