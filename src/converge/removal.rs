//! Takes objects of one field manager out of the cluster.
//!
//! Only objects that carry fields of the client's field manager go. A kind goes only if none of its objects is somebody
//! else's, and a namespace only if nothing of anybody else is in it: removing them would remove that as well.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::kubernetes::object::has_fields_of;
use super::kubernetes::{Client, Discovery, Listing};
use super::{Node, ResourceError};
use crate::resource::ObjectName;

/// How long objects may take to be gone, in all.
const PATIENCE: Duration = Duration::from_mins(3);
const INTERVAL: Duration = Duration::from_millis(500);

/// What people keep in a namespace.
const CONTENTS: &[&str] = &[
    "/api/v1/namespaces/{}/pods",
    "/api/v1/namespaces/{}/services",
    "/api/v1/namespaces/{}/configmaps",
    "/api/v1/namespaces/{}/secrets",
    "/api/v1/namespaces/{}/persistentvolumeclaims",
    "/apis/apps/v1/namespaces/{}/deployments",
    "/apis/apps/v1/namespaces/{}/daemonsets",
    "/apis/apps/v1/namespaces/{}/statefulsets",
    "/apis/batch/v1/namespaces/{}/jobs",
    "/apis/batch/v1/namespaces/{}/cronjobs",
    "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
];

/// What there still is.
#[derive(Debug, Default)]
pub struct Removal {
    /// In the order of removal.
    pub leaving: Vec<Leaving>,
    /// What has to stay, and why.
    pub staying: Vec<(ObjectName, &'static str)>,
}

/// An object that goes.
#[derive(Debug)]
pub struct Leaving {
    pub title: String,
    path: String,
    rank: Rank,
}

/// The order of removal: what would refuse changes to the rest goes first, what holds others goes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Gate,
    Part,
    Definition,
    Namespace,
}

impl Removal {
    /// Finds what is there of these objects, which are in the order in which they were applied.
    pub fn find(
        client: &Client,
        discovery: &Discovery,
        objects: &[ObjectName],
    ) -> Result<Self, ResourceError> {
        let mut removal = Self::default();
        let listing = Listing::new(client, objects, discovery)?;
        let found = client.in_parallel(objects, |client, object| {
            let path = object.path(discovery);
            let ours = path.filter(|path| {
                listing
                    .find(path)
                    .is_some_and(|it| it.is_ours && !it.is_shared)
            });
            ours.map_or(Ok(Fate::Absent), |path| look(client, object, path))
        });
        for fate in found {
            match fate? {
                Fate::Absent => {}
                Fate::Leaves(leaving) => removal.leaving.push(leaving),
                Fate::Stays(object, reason) => removal.staying.push((object, reason)),
            }
        }
        // What was applied last goes first.
        removal.leaving.reverse();
        removal.leaving.sort_by_key(|it| it.rank);
        Ok(removal)
    }

    /// Removes these objects, and returns what has to stay.
    pub fn carry_out(
        client: &Client,
        objects: &[ObjectName],
        node: &Node,
    ) -> Result<Vec<ObjectName>, ResourceError> {
        let end = Instant::now() + PATIENCE;
        loop {
            // Removing some may set others free: a kind, when the last foreign object of it is gone.
            let discovery = Discovery::new(client, objects)?;
            let Self { leaving, staying } = Self::find(client, &discovery, objects)?;
            let Some(first) = leaving.first() else {
                for (object, reason) in &staying {
                    node.tell(&format!("{} stays: {reason}", object.title()));
                }
                return Ok(staying.into_iter().map(|(object, _)| object).collect());
            };
            for object in leaving.iter().filter(|it| it.rank == first.rank) {
                let answer = client.delete(&object.path)?;
                if !answer.is_success() && answer.status != 404 {
                    return Err(answer.refused(format!("remove {}", object.title)));
                }
                node.tell(&object.title);
            }
            if Instant::now() > end {
                return Err(ResourceError::other(format!(
                    "{} is still there after {} s: something holds it (`metadata.finalizers`)",
                    first.title,
                    PATIENCE.as_secs()
                )));
            }
            node.cancel().sleep(INTERVAL)?;
        }
    }
}

/// What becomes of an object.
enum Fate {
    /// It isn't there, or was never kinstall's.
    Absent,
    Leaves(Leaving),
    Stays(ObjectName, &'static str),
}

/// Decides about an object of kinstall's.
fn look(client: &Client, object: &ObjectName, path: String) -> Result<Fate, ResourceError> {
    let title = object.title();
    let rank = match object.kind.as_str() {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" | "APIService" => {
            Rank::Gate
        }
        "CustomResourceDefinition" => Rank::Definition,
        "Namespace" => Rank::Namespace,
        _ => Rank::Part,
    };
    Ok(match rank {
        Rank::Definition if has_foreign_objects(client, &path)? => {
            let reason = "there are objects of it that kinstall didn't make";
            Fate::Stays(object.clone(), reason)
        }
        Rank::Namespace if has_foreign_contents(client, &object.name)? => {
            Fate::Stays(object.clone(), "there is more in it than kinstall made")
        }
        rank => Fate::Leaves(Leaving { title, path, rank }),
    })
}

fn has_foreign_objects(client: &Client, definition: &str) -> Result<bool, ResourceError> {
    let definition = client.get(definition)?;
    if !definition.is_success() && definition.status != 404 {
        return Err(definition.refused("show the kind"));
    }
    let spec = &definition.body["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let Some(version) = versions.into_iter().find(|it| it["served"] == true) else {
        return Ok(false);
    };
    let path = format!(
        "/apis/{}/{}/{}",
        text(&spec["group"]),
        text(&version["name"]),
        text(&spec["names"]["plural"])
    );
    has_foreign(client, &path)
}

fn has_foreign_contents(client: &Client, namespace: &str) -> Result<bool, ResourceError> {
    for path in CONTENTS {
        if has_foreign(client, &path.replace("{}", namespace))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells whether a list has objects that neither kinstall nor a controller of an object made.
fn has_foreign(client: &Client, list: &str) -> Result<bool, ResourceError> {
    let answer = client.metadata_of_all(list)?;
    if answer.status == 404 {
        return Ok(false);
    }
    if !answer.is_success() {
        return Err(answer.refused(format!("list {list}")));
    }
    let mut items = answer.body["items"].as_array().into_iter().flatten();
    Ok(items.any(|object| {
        let metadata = &object["metadata"];
        // Who would finish its end goes first: it would never be gone.
        let is_held = !metadata["finalizers"].is_null();
        let is_made_by_kubernetes = metadata["name"] == "kube-root-ca.crt"
            || (!metadata["ownerReferences"].is_null() && !is_held);
        !has_fields_of(client.manager(), object) && !is_made_by_kubernetes
    }))
}
