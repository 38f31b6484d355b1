//! Kubernetes objects, applied on the server's side.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::file::unified_diff;
use super::kubernetes::listing::Listed;
use super::kubernetes::object::{desired_part, is_ours};
use super::kubernetes::text::{render, without_secrets};
use super::kubernetes::{Answer, Client, Discovery, Listing, Object};
use super::marker::Marker;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Manifests, Sha256};

/// How long new kinds and webhooks may take to be there, in all.
const PATIENCE: Duration = Duration::from_mins(3);
const INTERVAL: Duration = Duration::from_millis(500);

/// What the server has, in the order of the objects.
#[derive(Debug)]
pub struct Observed {
    /// Why the server could not be asked.
    silent: Option<String>,
    objects: Vec<(String, State)>,
}

#[derive(Debug)]
enum State {
    /// Not there, or its kind or namespace isn't.
    Missing,
    Same,
    /// With the difference as text.
    Differs(String),
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
        };
        if !node.path(&self.kubeconfig).exists() {
            return Ok(all_missing(None));
        }
        let client = node.kubernetes(&self.kubeconfig)?;
        match states(&client, &objects, node) {
            Ok(states) => Ok(Observed {
                silent: None,
                objects: objects.iter().map(Object::title).zip(states).collect(),
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
        if let Some(reason) = &observed.silent {
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
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let objects: Vec<Object> = self
            .parse()?
            .into_iter()
            .filter(|object| {
                let title = object.title();
                changes.iter().any(|change| change.subject == title)
            })
            .collect();
        let mut application = Application {
            client: node.kubernetes(&self.kubeconfig)?,
            discovery: None,
            end: Instant::now() + PATIENCE,
        };
        let mut definitions = Vec::new();
        for object in &objects {
            if !object.is_definition() {
                for definition in definitions.drain(..) {
                    application.wait_until_established(definition, node)?;
                }
            }
            application.apply(object, &objects, node)?;
            node.tell(&object.title());
            if object.is_definition() {
                definitions.push(object);
            }
        }
        for definition in definitions {
            application.wait_until_established(definition, node)?;
        }
        Ok(())
    }
}

impl Manifests {
    fn parse(&self) -> Result<Vec<Object>, ResourceError> {
        self.objects
            .iter()
            .map(|text| Object::parse(text))
            .collect()
    }
}

/// Compares all objects with the server's, many at a time.
fn states(client: &Client, objects: &[Object], node: &Node) -> Result<Vec<State>, ResourceError> {
    let discovery = Discovery::new(client, objects)?;
    let listing = Listing::new(client, objects, &discovery)?;
    let records: Vec<Marker> = objects
        .iter()
        .map(|object| record(client, object, node))
        .collect();
    let work: Vec<_> = objects.iter().zip(&records).collect();
    let found = client.in_parallel(&work, |client, (object, record)| {
        let path = object.path(&discovery);
        let Some((path, listed)) = path.and_then(|path| {
            let listed = listing.find(&path)?;
            Some((path, listed))
        }) else {
            return Ok((State::Missing, None));
        };
        state(
            client,
            object,
            &path,
            listed,
            &record.read().unwrap_or_default(),
        )
    });
    let mut states = Vec::new();
    for (found, record) in found.into_iter().zip(records) {
        let (state, learned) = found?;
        if let Some(learned) = learned {
            // Without it the next comparison takes longer, and nothing else.
            let _ = record.jot(&learned);
        }
        states.push(state);
    }
    Ok(states)
}

/// Compares one object with the server's; the text is to be remembered of one that is the same.
fn state(
    client: &Client,
    object: &Object,
    path: &str,
    listed: &Listed,
    known: &str,
) -> Result<(State, Option<String>), ResourceError> {
    if object.is_definition() && !listed.is_ours {
        // Others brought it, perhaps another version of it, and use it.
        return Ok((State::Same, None));
    }
    let version = version(object, &listed.version);
    let (known, known_version) = known.split_once('\n').unwrap_or((known, ""));
    if known_version == version {
        return Ok((State::Same, None));
    }
    let live = client.get(path)?;
    if live.status == 404 {
        return Ok((State::Missing, None));
    }
    if !live.is_success() {
        return Err(live.refused(format!("show {}", object.title())));
    }
    // It may have changed since it was listed.
    let version = self::version(object, &Listed::of(&live.body).version);
    let is_ours = is_ours(&live.body);
    let live = desired_part(live.body);
    let found = fingerprint(object, &live);
    let same = || Ok((State::Same, Some(format!("{found}\n{version}"))));
    if known == found {
        return same();
    }
    let differs = |text| Ok((State::Differs(text), None));
    let wanted = client.apply(path, &object.text, true)?;
    if is_passing(wanted.status) {
        // A webhook's pod isn't ready, say: applying waits for it.
        return differs(format!("? {}\n", wanted.message()));
    }
    if is_ours && is_fixed(object, &wanted) {
        return differs(format!("made anew: {}\n", wanted.message()));
    }
    if !wanted.is_success() {
        return Err(wanted.refused(format!("apply {}", object.title())));
    }
    let wanted = desired_part(wanted.body);
    if live == wanted {
        return same();
    }
    let text = |value: Value| {
        render(&if object.is_secret() {
            without_secrets(value)
        } else {
            value
        })
    };
    differs(unified_diff(&text(live), &text(wanted)))
}

/// Where it is remembered how an object looked when applying changed nothing any more: if it still looks like that,
/// and is still wanted like that, the server need not be asked what applying would change; and if it has the version that
/// it had then, not even how it looks. Controllers write into many
/// objects right after they were applied; what is learned of those is what a probe found.
fn record(client: &Client, object: &Object, node: &Node) -> Marker {
    let key = format!(
        "{} {} {}",
        client.server(),
        object.api_version,
        object.title()
    );
    Marker::new(node, "objects", &key, "")
}

fn version(object: &Object, listed: &str) -> String {
    Sha256::of(format!("{}\n{listed}", object.text).as_bytes()).to_string()
}

fn fingerprint(object: &Object, live: &Value) -> String {
    Sha256::of(format!("{}\n{}", object.text, render(live)).as_bytes()).to_string()
}

/// One set on its way to the server.
struct Application {
    client: Client,
    /// `None` until it is asked for the first time, and after new kinds came.
    discovery: Option<Discovery>,
    end: Instant,
}

impl Application {
    /// Applies one object, again and again while what is in the way can go away by itself.
    fn apply(&mut self, object: &Object, all: &[Object], node: &Node) -> Result<(), ResourceError> {
        loop {
            let answer = match self.attempt(object, all) {
                Ok(answer) if answer.is_success() => {
                    let text = fingerprint(object, &desired_part(answer.body));
                    return record(&self.client, object, node).write(&text);
                }
                Ok(answer) if !is_passing(answer.status) => {
                    return Err(answer.refused(format!("apply {}", object.title())));
                }
                Ok(answer) => answer.refused(format!("apply {}", object.title())),
                Err(error) => error,
            };
            if Instant::now() > self.end {
                return Err(answer);
            }
            self.discovery = None;
            node.cancel().sleep(INTERVAL)?;
        }
    }

    fn attempt(&mut self, object: &Object, all: &[Object]) -> Result<Answer, ResourceError> {
        let discovery = match self.discovery.take() {
            Some(discovery) => discovery,
            None => Discovery::new(&self.client, all)?,
        };
        let path = object.path(&discovery);
        self.discovery = Some(discovery);
        match path {
            Some(path) => {
                let answer = self.client.apply(&path, &object.text, false)?;
                if !is_fixed(object, &answer) || !is_ours(&self.client.get(&path)?.body) {
                    return Ok(answer);
                }
                self.client.delete(&path)?;
                self.client.apply(&path, &object.text, false)
            }
            None => Err(ResourceError::Api {
                action: format!("apply {}", object.title()),
                status: 404,
                message: format!("it has no {} of {}", object.kind, object.api_version),
            }),
        }
    }

    /// Waits until the server serves the kind that a definition brings.
    fn wait_until_established(
        &mut self,
        definition: &Object,
        node: &Node,
    ) -> Result<(), ResourceError> {
        self.discovery = None;
        let base = super::kubernetes::object::group_path(&definition.api_version);
        let path = format!("{base}/customresourcedefinitions/{}", definition.name);
        loop {
            let last = match self.client.get(&path) {
                Ok(answer) if is_established(&answer.body) => return Ok(()),
                Ok(answer) => answer.refused(format!("establish {}", definition.title())),
                Err(error) => error,
            };
            if Instant::now() > self.end {
                return Err(last);
            }
            node.cancel().sleep(Duration::from_millis(100))?;
        }
    }
}

fn is_established(definition: &Value) -> bool {
    definition["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

/// Tells whether the server refuses because what differs can't be changed. Classes can be made anew: volumes were made
/// after the old one and stay as they are, Ingress objects know theirs by its name.
fn is_fixed(object: &Object, answer: &Answer) -> bool {
    matches!(object.kind.as_str(), "StorageClass" | "IngressClass") && answer.status == 422
}

/// Tells whether the server may think better of it by itself: it starts, its kinds or namespaces
/// appear, a webhook's pod gets ready.
fn is_passing(status: u16) -> bool {
    matches!(status, 404 | 409 | 429 | 500 | 502 | 503 | 504)
}
