//! Kubernetes objects, applied on the server's side.

mod application;
mod made;
mod state;

pub(super) use self::application::{Application, can_pass};
use self::state::{State, is_passing, states};
use super::kubernetes::{Client, Discovery, Object};
use super::removal::Removal;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Manifests, ObjectName, Owner};

/// What the server has, in the order of the objects.
#[derive(Debug)]
pub struct Observed {
    /// Why the server could not be asked.
    silent: Option<String>,
    objects: Vec<(String, State)>,
    /// Objects that the set had before.
    leaving: Vec<String>,
}

impl Converge for Manifests {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let objects = self.parse()?;
        let all_missing = |silent| Observed {
            silent,
            objects: objects
                .iter()
                .map(|object| (object.title(), State::Missing))
                .collect(),
            leaving: Vec::new(),
        };
        if !node.path(&self.kubeconfig).exists() {
            return Ok(all_missing(None));
        }
        let client = node.kubernetes(&self.kubeconfig)?.of(self.owner);
        let observed = states(&client, &objects, node)
            .and_then(|states| Ok((states, self.leaving(&client, &objects)?)));
        match observed {
            Ok((states, leaving)) => Ok(Observed {
                silent: None,
                objects: objects.iter().map(Object::title).zip(states).collect(),
                leaving,
            }),
            // While the control plane is being made it answers with this and that; forbidden means that its
            // administrator has no role yet.
            Err(ResourceError::Api {
                status, message, ..
            }) if matches!(status, 0 | 403) || is_passing(status) => Ok(all_missing(Some(message))),
            Err(error) => Err(error),
        }
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(reason) = observed
            .silent
            .as_ref()
            .filter(|_| !self.objects.is_empty())
        {
            changes.push(
                Change::new(Action::Wait, "the API server answers")
                    .values(Some(reason.clone()), None),
            );
        }
        for (title, state) in &observed.objects {
            match state {
                State::Missing => changes.push(Change::new(Action::Create, title)),
                State::Same => {}
                State::Differs(diff) => {
                    let mut change = Change::new(Action::Update, title);
                    change.diff = Some(diff.clone());
                    changes.push(change);
                }
            }
        }
        let leaving = observed.leaving.iter();
        changes.extend(leaving.map(|title| Change::new(Action::Remove, title)));
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let wanted = self.parse()?;
        let is_to = |action, object: &Object| {
            let title = object.title();
            let mut changes = changes.iter();
            changes.any(|change| change.subject == title && change.action == action)
        };
        let objects = wanted.iter();
        let objects = objects.filter(|it| is_to(Action::Create, it) || is_to(Action::Update, it));
        let different: Vec<&Object> = objects.collect();
        let client = node.kubernetes(&self.kubeconfig)?.of(self.owner);
        let application = Application::new(client);
        if self.owner == Owner::Kinstall {
            return application.apply_all(&different, node);
        }
        let before = application.patiently(node, |it| made::read(&it.client))?;
        // What is there by now is somebody else's, whatever a server that started said before.
        let new = application.patiently(node, |it| absent(&it.client, &different))?;
        let made = [before.clone(), not_in(&new, &before)].concat();
        // Before they are made: a run that is killed leaves nothing unknown.
        application.keep(&made, &before, node)?;
        application.apply_all(&different, node)?;
        let old = not_in(&made, &names(&wanted));
        let staying = Removal::carry_out(&application.client, &old, node)?;
        let left = not_in(&made, &not_in(&old, &staying));
        application.keep(&left, &made, node)
    }
}

impl Manifests {
    fn parse(&self) -> Result<Vec<Object>, ResourceError> {
        self.objects.iter().map(Object::parse).collect()
    }

    /// Returns the titles of what kinstall made and the set doesn't have any more.
    fn leaving(&self, client: &Client, objects: &[Object]) -> Result<Vec<String>, ResourceError> {
        if self.owner == Owner::Kinstall {
            return Ok(Vec::new());
        }
        let old = not_in(&made::read(client)?, &names(objects));
        let removal = Removal::find(client, &Discovery::new(client, &old)?, &old)?;
        Ok(removal.leaving.into_iter().map(|it| it.title).collect())
    }
}

/// Returns those that the server doesn't have.
fn absent(client: &Client, objects: &[&Object]) -> Result<Vec<ObjectName>, ResourceError> {
    let names: Vec<ObjectName> = objects.iter().map(|it| it.id.clone()).collect();
    let discovery = Discovery::new(client, &names)?;
    let mut absent = Vec::new();
    for name in names {
        let is_there = match name.path(&discovery) {
            Some(path) => {
                let answer = client.metadata(&path)?;
                if !answer.is_success() && answer.status != 404 {
                    return Err(answer.refused(format!("show {}", name.title())));
                }
                answer.is_success()
            }
            None => false,
        };
        if !is_there {
            absent.push(name);
        }
    }
    Ok(absent)
}

fn names(objects: &[Object]) -> Vec<ObjectName> {
    objects.iter().map(|it| it.id.clone()).collect()
}

/// Returns those of `names` that name none of `others`.
fn not_in(names: &[ObjectName], others: &[ObjectName]) -> Vec<ObjectName> {
    let names = names.iter();
    names
        .filter(|name| !others.iter().any(|it| it.is_same(name)))
        .cloned()
        .collect()
}
