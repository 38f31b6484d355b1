//! What the server has of the objects of a set.

use serde_json::Value;

use crate::converge::file::unified_diff;
use crate::converge::kubernetes::listing::Listed;
use crate::converge::kubernetes::object::{desired_part, has_fields_of};
use crate::converge::kubernetes::text::{hide_values, render};
use crate::converge::kubernetes::{Answer, Client, Discovery, Listing, Object};
use crate::converge::marker::Marker;
use crate::converge::{Node, ResourceError};
use crate::resource::{ObjectName, Sha256};

/// What the server has of an object.
#[derive(Debug)]
pub(super) enum State {
    /// Not there, or its kind or namespace isn't.
    Missing,
    Same,
    /// With the difference as text.
    Differs(String),
}

/// Compares all objects with the server's, many at a time.
pub(super) fn states(
    client: &Client,
    objects: &[Object],
    node: &Node,
) -> Result<Vec<State>, ResourceError> {
    let names: Vec<ObjectName> = objects.iter().map(|it| it.id.clone()).collect();
    let discovery = Discovery::new(client, &names)?;
    let listing = Listing::new(client, &names, &discovery)?;
    let records: Vec<Marker> = objects
        .iter()
        .map(|object| record(client, object, node))
        .collect();
    let work: Vec<_> = objects.iter().zip(&records).collect();
    let found = client.in_parallel(&work, |client, (object, record)| {
        let path = object.id.path(&discovery);
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
    if object.is_definition() && !listed.is_ours && object.origin.is_none() {
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
        return Err(live.refused(format!("show {}", object.title_with_place())));
    }
    // It may have changed since it was listed.
    let version = self::version(object, &Listed::of(&live.body, client.manager()).version);
    let is_ours = has_fields_of(client.manager(), &live.body);
    let live = desired_part(live.body);
    let found = fingerprint(object, &live);
    let same = || Ok((State::Same, Some(format!("{found}\n{version}"))));
    if known == found {
        return same();
    }
    let differs = |text| Ok((State::Differs(text), None));
    let wanted = client.apply(path, object.text.expose(), true)?;
    if is_passing(wanted.status) {
        // A webhook's pod isn't ready, say: applying waits for it.
        return differs(format!("? {}\n", wanted.message()));
    }
    if is_ours && is_fixed(object, &wanted) {
        return differs(format!("made anew: {}\n", wanted.message()));
    }
    if !wanted.is_success() {
        return Err(wanted.refused(format!("apply {}", object.title_with_place())));
    }
    let (mut live, mut wanted) = (live, desired_part(wanted.body));
    if live == wanted {
        return same();
    }
    if object.is_secret() {
        hide_values(&mut live, &mut wanted);
    }
    differs(unified_diff(&render(&live), &render(&wanted)))
}

/// Where it is remembered how an object looked when applying changed nothing any more: if it still looks like that,
/// and is still wanted like that, the server need not be asked what applying would change; and if it has the version that
/// it had then, not even how it looks. Controllers write into many
/// objects right after they were applied; what is learned of those is what a probe found.
pub(super) fn record(client: &Client, object: &Object, node: &Node) -> Marker {
    let key = format!(
        "{} {} {}",
        client.server(),
        object.id.api_version,
        object.title()
    );
    Marker::new(node, "objects", &key, "")
}

fn version(object: &Object, listed: &str) -> String {
    Sha256::of(format!("{}\n{listed}", object.text.expose()).as_bytes()).to_string()
}

pub(super) fn fingerprint(object: &Object, live: &Value) -> String {
    Sha256::of(format!("{}\n{}", object.text.expose(), render(live)).as_bytes()).to_string()
}

/// Tells whether the server refuses because what differs can't be changed. Classes can be made anew: volumes were made
/// after the old one and stay as they are, Ingress objects know theirs by its name.
pub(super) fn is_fixed(object: &Object, answer: &Answer) -> bool {
    matches!(object.id.kind.as_str(), "StorageClass" | "IngressClass") && answer.status == 422
}

/// Tells whether the server may think better of it by itself: it starts, its kinds or namespaces
/// appear, a webhook's pod gets ready.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 404 | 409 | 429 | 500 | 502 | 503 | 504)
}
