//! Expands a playbook for one host: `when`, `for_each` and templates are gone after this.

use super::load::{Action, Handler, Placement, Step, location, qualified};
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, Diagnostics, Location};
use crate::resource::{AbsentObjects, Manifest, Resource};
use crate::wire;

/// A step of the plan, and the place that it comes from.
#[derive(Clone, Debug)]
pub struct ExpandedStep {
    pub step: wire::Step,
    pub origin: Location,
}

/// Expands some steps of the scope's playbook, `steps` or `checks`; all errors at once.
pub fn expand_steps(scope: &Scope<'_>, steps: &[Step]) -> Result<Vec<ExpandedStep>, Diagnostics> {
    let mut expanded = Vec::new();
    let mut errors = Diagnostics::new();
    for step in steps {
        match expand_step(scope, step) {
            Ok(steps) => expanded.extend(steps),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(expanded)
    } else {
        Err(errors)
    }
}

/// Turns the `manifests` of a playbook that isn't wanted into their removal. `None` where it has none, or where
/// they can't be told without the settings that switch it on.
pub fn expand_removal(scope: &Scope<'_>) -> Option<ExpandedStep> {
    let component = &scope.playbook.component;
    let id = |step: &Step| format!("{component}/{}", step.name.value);
    let (mut objects, mut kubeconfig, mut first) = (Vec::new(), None, None);
    let mut commands = Vec::new();
    for step in &scope.playbook.steps {
        match &step.action {
            Action::Manifests(manifests) => {
                let set = scope.manifests(&step.name, &id(step), manifests).ok()?;
                objects.extend(set.objects.iter().filter_map(Manifest::name));
                kubeconfig.get_or_insert(set.kubeconfig);
                first.get_or_insert(step);
            }
            Action::Command(_) => commands.push(id(step)),
            _ => {}
        }
    }
    let first = first?;
    Some(ExpandedStep {
        step: wire::Step {
            id: id(first),
            resource: Resource::AbsentObjects(AbsentObjects {
                name: id(first),
                objects,
                commands,
                kubeconfig: kubeconfig?,
            }),
            notify: Vec::new(),
            host: None,
        },
        origin: location(&scope.playbook.file, &first.name),
    })
}

/// Expands a handler.
pub fn expand_handler(scope: &Scope<'_>, handler: &Handler) -> Result<wire::Handler, Diagnostic> {
    let id = qualified(&scope.playbook.component, &handler.name.value);
    let resource = scope.resource(&handler.name, &id, &handler.action)?;
    Ok(wire::Handler { id, resource })
}

fn expand_step(scope: &Scope<'_>, step: &Step) -> Result<Vec<ExpandedStep>, Diagnostic> {
    let host = match scope.playbook.placement {
        Placement::OnFor(..) => format!("[{}]", scope.host.name),
        Placement::Each(_) | Placement::Once(_) => String::new(),
    };
    let Some(for_each) = &step.for_each else {
        return expand_one(scope, step, &host);
    };
    let mut expanded = Vec::new();
    for (index, item) in scope.items(for_each)?.iter().enumerate() {
        // A name that says which one it is needs no number.
        let suffix = if step.name.value.contains("{{") {
            host.clone()
        } else {
            format!("[{index}]{host}")
        };
        expanded.extend(expand_one(&scope.with_item(item), step, &suffix)?);
    }
    Ok(expanded)
}

fn expand_one(
    scope: &Scope<'_>,
    step: &Step,
    suffix: &str,
) -> Result<Vec<ExpandedStep>, Diagnostic> {
    if !scope.holds(step.when.as_ref())? {
        return Ok(Vec::new());
    }
    let component = &scope.playbook.component;
    let id = format!("{component}/{}{suffix}", scope.text(&step.name)?);
    let resources = match &step.action {
        Action::Images(names) => {
            let image = |name| {
                // As with `for_each`: only several need telling apart.
                let id = match names.len() {
                    1 => id.clone(),
                    _ => format!("{id}[{}]", scope.text(name)?),
                };
                Ok((id, Resource::Image(scope.image(name)?)))
            };
            names.iter().map(image).collect::<Result<_, Diagnostic>>()?
        }
        action => {
            let resource = scope.resource(&step.name, &id, action)?;
            vec![(id, resource)]
        }
    };
    let notify: Vec<String> = step
        .notify
        .iter()
        .map(|name| qualified(component, &name.value))
        .collect();
    let expanded = resources.into_iter().map(|(id, resource)| ExpandedStep {
        step: wire::Step {
            id,
            resource,
            notify: notify.clone(),
            host: match scope.playbook.placement {
                Placement::OnFor(..) => Some(scope.host.name.clone()),
                Placement::Each(_) | Placement::Once(_) => None,
            },
        },
        origin: location(&scope.playbook.file, &step.name),
    });
    Ok(expanded.collect())
}
