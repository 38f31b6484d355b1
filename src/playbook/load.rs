//! Reads playbooks and checks what the schema's types can't say.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builtin::Sources;
use super::phase::{self, PhaseName};
use super::schema::{self, Hosts, On, Text, UnitState};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, SourceFile};
use crate::did_you_mean::closest;
use crate::yaml;

/// A playbook in which every step has its one resource.
#[derive(Clone, Debug)]
pub struct Playbook {
    pub file: Arc<SourceFile>,
    pub component: String,
    pub phase: PhaseName,
    pub placement: Placement,
    pub after: Vec<Text>,
    pub when: Option<Text>,
    pub steps: Vec<Step>,
    /// Steps of the phase `verify`.
    pub checks: Vec<Step>,
    pub handlers: Vec<Handler>,
}

/// Where a playbook's steps run, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// On each of these hosts, for itself.
    Each(Hosts),
    /// Once, on one host, for the cluster.
    Once(On),
    /// On one host, for each of these.
    OnFor(On, Hosts),
}

/// One step, before it is expanded.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: Text,
    pub when: Option<Text>,
    pub for_each: Option<Text>,
    pub notify: Vec<Text>,
    pub action: Action,
}

/// One handler, before it is expanded.
#[derive(Clone, Debug)]
pub struct Handler {
    pub name: Text,
    pub action: Action,
}

/// The resource key that was set.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there are some hundred, for a moment"
)]
pub enum Action {
    Absent(schema::Absent),
    AbsentNode(schema::AbsentNode),
    Archive(schema::Archive),
    Block(schema::Block),
    Command(schema::Command),
    Directory(schema::Directory),
    Download(schema::Download),
    EtcdLeaderElsewhere(schema::EtcdLeaderElsewhere),
    EtcdMemberAbsent(schema::EtcdMemberAbsent),
    File(schema::File),
    Images(Vec<Text>),
    KernelModule(schema::KernelModule),
    Manifests(schema::Manifests),
    NodeObject(schema::NodeObject),
    Package(schema::Package),
    PodAddresses(schema::PodAddresses),
    Registration(schema::Registration),
    Remains(schema::Remains),
    Swap(schema::Swap),
    Symlink(schema::Symlink),
    Sysctl(schema::Sysctl),
    Template(schema::Template),
    Unit(schema::Unit),
    Wait(schema::Wait),
}

/// Reads all playbooks of an action, each with its phase in it, in the order of their file names.
pub fn load(sources: &Sources, action: phase::Action) -> Result<Vec<Playbook>, Diagnostics> {
    let mut playbooks = Vec::new();
    let mut moved = Vec::new();
    let mut errors = Diagnostics::new();
    for (path, file) in &sources.playbooks {
        match yaml::parse::<schema::Playbook>(file) {
            Ok(mut playbook) => {
                let own = playbook.phase;
                let Some(phase) = action.phase_of(
                    path,
                    own,
                    playbook.upgrade_phase,
                    playbook.authorities_phase,
                ) else {
                    continue;
                };
                if phase != own {
                    // What it comes after stays in the other phase, as what comes after it does.
                    playbook.after.clear();
                    moved.push((playbook.component.value.clone(), phase));
                }
                playbook.phase = phase;
                playbooks.push(check(file, playbook, &mut errors));
            }
            Err(error) => errors.push(error),
        }
    }
    for playbook in &mut playbooks {
        let phase = playbook.phase;
        let is_elsewhere = |name: &str| moved.iter().any(|it| it.0 == name && it.1 != phase);
        playbook.after.retain(|it| !is_elsewhere(&it.value));
    }
    check_handlers(&playbooks, &mut errors);
    if errors.is_empty() {
        Ok(playbooks)
    } else {
        Err(errors)
    }
}

/// Returns where a string stands in its playbook.
pub fn location(file: &Arc<SourceFile>, text: &Text) -> Location {
    Location {
        file: Arc::clone(file),
        span: yaml::byte_span(file, &text.referenced),
    }
}

fn check(file: &Arc<SourceFile>, from: schema::Playbook, errors: &mut Diagnostics) -> Playbook {
    let mut steps = |steps: Vec<schema::Step>| -> Vec<Step> {
        let checked = steps.into_iter().map(|step| check_step(file, step));
        checked
            .filter_map(|result| result.map_err(|error| errors.push(error)).ok())
            .collect()
    };
    let (steps, checks) = (steps(from.steps), steps(from.checks));
    for check in &checks {
        if !matches!(check.action, Action::Wait(_)) {
            errors.push(wrong(
                file,
                &check.name,
                format!("check `{}` is not a `wait`", check.name.value),
                "`checks` only wait; steps belong into `steps`",
            ));
        }
    }
    if from.for_each_host.is_some()
        && let Some(name) = steps.iter().find_map(|step| step.notify.first())
    {
        errors.push(wrong(
            file,
            name,
            format!("`for_each_host` and the handler `{}`", name.value),
            "handlers belong to the host that the steps run on: they can't be notified for other hosts",
        ));
    }
    let handlers = from.handlers.into_iter();
    let handlers = handlers.map(|handler| check_handler(file, handler));
    let handlers = handlers
        .filter_map(|result| result.map_err(|error| errors.push(error)).ok())
        .collect();
    let placement = match (from.hosts, from.on, from.for_each_host) {
        (hosts, None, None) => Placement::Each(hosts.unwrap_or_default()),
        (None, Some(on), None) => Placement::Once(on),
        (None, Some(on), Some(hosts)) => Placement::OnFor(on, hosts),
        (Some(_), Some(_), _) | (_, None, Some(_)) => {
            errors.push(wrong(
                file,
                &from.component,
                "it doesn't say where the steps run".to_owned(),
                "write either `hosts`, or `on` with or without `for_each_host`",
            ));
            Placement::Each(Hosts::default())
        }
    };
    Playbook {
        file: Arc::clone(file),
        component: from.component.value,
        phase: from.phase,
        placement,
        after: from.after,
        when: from.when,
        steps,
        checks,
        handlers,
    }
}

fn check_step(file: &Arc<SourceFile>, step: schema::Step) -> Result<Step, Diagnostic> {
    let actions = vec![
        ("absent", step.absent.map(Action::Absent)),
        ("absent_node", step.absent_node.map(Action::AbsentNode)),
        ("archive", step.archive.map(Action::Archive)),
        ("block", step.block.map(Action::Block)),
        ("command", step.command.map(Action::Command)),
        ("directory", step.directory.map(Action::Directory)),
        ("download", step.download.map(Action::Download)),
        (
            "etcd_leader_elsewhere",
            step.etcd_leader_elsewhere.map(Action::EtcdLeaderElsewhere),
        ),
        (
            "etcd_member_absent",
            step.etcd_member_absent.map(Action::EtcdMemberAbsent),
        ),
        ("file", step.file.map(Action::File)),
        ("images", step.images.map(Action::Images)),
        (
            "kernel_module",
            step.kernel_module.map(Action::KernelModule),
        ),
        ("manifests", step.manifests.map(Action::Manifests)),
        ("node_object", step.node_object.map(Action::NodeObject)),
        ("package", step.package.map(Action::Package)),
        (
            "pod_addresses",
            step.pod_addresses.map(Action::PodAddresses),
        ),
        ("registration", step.registration.map(Action::Registration)),
        ("remains", step.remains.map(Action::Remains)),
        ("swap", step.swap.map(Action::Swap)),
        ("symlink", step.symlink.map(Action::Symlink)),
        ("sysctl", step.sysctl.map(Action::Sysctl)),
        ("template", step.template.map(Action::Template)),
        ("unit", step.unit.map(Action::Unit)),
        ("wait", step.wait.map(Action::Wait)),
    ];
    let action = only_action(file, "step", &step.name, actions)?;
    let problem = match &action {
        Action::Command(command) if guards(command) != 1 => Some(
            "a command needs exactly one of `once`, `creates`, `unless`, `object`, `while_object`, `valid_kubeconfig` and \
             `valid_certificates`",
        ),
        Action::Unit(unit) if unit.state == UnitState::Restarted => {
            Some("only handlers restart units: put it into `handlers` and name it in `notify`")
        }
        _ => None,
    };
    match problem {
        Some(problem) => {
            let message = format!("step `{}` would run every time", step.name.value);
            Err(wrong(file, &step.name, message, problem))
        }
        None => Ok(Step {
            name: step.name,
            when: step.when,
            for_each: step.for_each,
            notify: step.notify,
            action,
        }),
    }
}

fn check_handler(file: &Arc<SourceFile>, handler: schema::Handler) -> Result<Handler, Diagnostic> {
    let actions = vec![
        ("command", handler.command.map(Action::Command)),
        ("unit", handler.unit.map(Action::Unit)),
        ("wait", handler.wait.map(Action::Wait)),
    ];
    let action = only_action(file, "handler", &handler.name, actions)?;
    if matches!(&action, Action::Command(command) if guards(command) > 1) {
        let message = format!("handler `{}` has two guards", handler.name.value);
        let hint = "leave out all but one of them";
        return Err(wrong(file, &handler.name, message, hint));
    }
    if matches!(&action, Action::Command(command) if !command.inputs.is_empty()) {
        let message = format!("handler `{}` has inputs", handler.name.value);
        let hint =
            "a pending handler is kept in a file on the node, and secrets must not be in files";
        return Err(wrong(file, &handler.name, message, hint));
    }
    Ok(Handler {
        name: handler.name,
        action,
    })
}

fn guards(command: &schema::Command) -> usize {
    usize::from(command.once)
        + usize::from(command.creates.is_some())
        + usize::from(command.unless.is_some())
        + usize::from(command.object.is_some())
        + usize::from(command.while_object.is_some())
        + usize::from(command.valid_kubeconfig.is_some())
        + usize::from(command.valid_certificates.is_some())
}

fn only_action(
    file: &Arc<SourceFile>,
    what: &str,
    name: &Text,
    actions: Vec<(&'static str, Option<Action>)>,
) -> Result<Action, Diagnostic> {
    let keys: Vec<&str> = actions.iter().map(|(key, _)| *key).collect();
    let mut set: Vec<(&str, Action)> = actions
        .into_iter()
        .filter_map(|(key, action)| Some((key, action?)))
        .collect();
    match (set.pop(), set.pop()) {
        (Some((_, action)), None) => Ok(action),
        (Some((last, _)), Some((first, _))) => Err(wrong(
            file,
            name,
            format!("{what} `{}` has `{first}` and `{last}`", name.value),
            "exactly one resource belongs into it: make two of it",
        )),
        (None, _) => Err(wrong(
            file,
            name,
            format!("{what} `{}` has no resource", name.value),
            format!("add one of {}", keys.join(", ")),
        )),
    }
}

/// Every name in `notify` needs its handler, and every handler its own name.
fn check_handlers(playbooks: &[Playbook], errors: &mut Diagnostics) {
    let mut known: BTreeMap<String, Location> = BTreeMap::new();
    for playbook in playbooks {
        for handler in &playbook.handlers {
            let id = qualified(&playbook.component, &handler.name.value);
            let place = location(&playbook.file, &handler.name);
            if let Some(first) = known.get(&id) {
                let message = format!("handler `{id}` is defined twice");
                let hint = format!("the first one: {}:{}", first.path().display(), first.line());
                errors.push(wrong(&playbook.file, &handler.name, message, hint));
            }
            known.entry(id).or_insert(place);
        }
    }
    for playbook in playbooks {
        for name in playbook.steps.iter().flat_map(|step| &step.notify) {
            let id = qualified(&playbook.component, &name.value);
            if known.contains_key(&id) {
                continue;
            }
            let hint = match closest(&id, known.keys().map(String::as_str)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "add it to `handlers`".to_owned(),
            };
            errors.push(wrong(
                &playbook.file,
                name,
                format!("no handler `{id}`"),
                hint,
            ));
        }
    }
}

/// Completes a handler's name with its component.
pub fn qualified(component: &str, name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{component}/{name}")
    }
}

fn wrong(
    file: &Arc<SourceFile>,
    at: &Text,
    message: String,
    hint: impl Into<String>,
) -> Diagnostic {
    Diagnostic::error(Kind::Inventory, message)
        .at(location(file, at), "here")
        .hint(hint)
}
