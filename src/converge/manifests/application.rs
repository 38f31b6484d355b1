//! One set on its way to the server.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::made;
use super::state::{fingerprint, is_fixed, is_passing, record};
use crate::converge::kubernetes::object::{desired_part, group_path, has_fields_of};
use crate::converge::kubernetes::{Answer, Client, Discovery, Object};
use crate::converge::{Node, ResourceError};
use crate::resource::ObjectName;

/// How long new kinds and webhooks may take to be there, in all.
const PATIENCE: Duration = Duration::from_mins(3);
const INTERVAL: Duration = Duration::from_millis(500);

/// What is applied, and until when it is tried.
pub struct Application {
    pub client: Client,
    end: Instant,
}

impl Application {
    /// Begins: from now on the time counts.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            end: Instant::now() + PATIENCE,
        }
    }

    /// Applies objects in their order; what comes after a new kind waits for it.
    pub fn apply_all(&self, objects: &[&Object], node: &Node) -> Result<(), ResourceError> {
        let mut definitions = Vec::new();
        for object in objects.iter().copied() {
            if !object.is_definition() {
                for definition in definitions.drain(..) {
                    self.wait_until_established(definition, node)?;
                }
            }
            self.apply(object, node)?;
            node.tell(&object.title());
            if object.is_definition() {
                definitions.push(object);
            }
        }
        let mut definitions = definitions.into_iter();
        definitions.try_for_each(|definition| self.wait_until_established(definition, node))
    }

    /// Applies one object.
    fn apply(&self, object: &Object, node: &Node) -> Result<(), ResourceError> {
        let applied = self.patiently(node, |it| {
            let answer = it.attempt(object)?;
            if answer.is_success() {
                return Ok(answer.body);
            }
            Err(answer.refused(format!("apply {}", object.title_with_place())))
        })?;
        let text = fingerprint(object, &desired_part(applied));
        record(&self.client, object, node).write(&text)
    }

    /// Keeps which objects kinstall made.
    pub fn keep(
        &self,
        made: &[ObjectName],
        before: &[ObjectName],
        node: &Node,
    ) -> Result<(), ResourceError> {
        if made == before {
            return Ok(());
        }
        if made.is_empty() {
            return self.patiently(node, |it| made::forget(&it.client));
        }
        self.apply(&made::object(made)?, node)
    }

    /// Tries again and again while what blocks the attempt can go away by itself.
    pub fn patiently<T>(
        &self,
        node: &Node,
        attempt: impl Fn(&Self) -> Result<T, ResourceError>,
    ) -> Result<T, ResourceError> {
        loop {
            let error = match attempt(self) {
                Err(ResourceError::Api {
                    action,
                    status,
                    message,
                }) if !can_pass(status, &message) => {
                    return Err(ResourceError::Api {
                        action,
                        status,
                        message,
                    });
                }
                Err(error) => error,
                done => return done,
            };
            if Instant::now() > self.end {
                return Err(error);
            }
            node.cancel().sleep(INTERVAL)?;
        }
    }

    fn attempt(&self, object: &Object) -> Result<Answer, ResourceError> {
        // The client knows what it was told before.
        let discovery = Discovery::new(&self.client, std::slice::from_ref(&object.id))?;
        match object.id.path(&discovery) {
            Some(path) => {
                let text = object.text.expose();
                let answer = self.client.apply(&path, text, false)?;
                let manager = self.client.manager();
                if !is_fixed(object, &answer)
                    || !has_fields_of(manager, &self.client.get(&path)?.body)
                {
                    return Ok(answer);
                }
                self.client.delete(&path)?;
                self.client.apply(&path, text, false)
            }
            None => Err(ResourceError::Api {
                action: format!("apply {}", object.title_with_place()),
                status: 404,
                message: format!("it has no {} of {}", object.id.kind, object.id.api_version),
            }),
        }
    }

    /// Waits until the server serves the kind that a definition brings.
    fn wait_until_established(
        &self,
        definition: &Object,
        node: &Node,
    ) -> Result<(), ResourceError> {
        let base = group_path(&definition.id.api_version);
        let path = format!("{base}/customresourcedefinitions/{}", definition.id.name);
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

/// Tells whether the server may think better of a refusal: of what [`is_passing`] lists; of a pod whose namespace has no
/// ServiceAccount yet, which Kubernetes makes right after the namespace; and where it says that the administrator may not do
/// this, or isn't known: a server that starts doesn't know its roles yet.
pub fn can_pass(status: u16, message: &str) -> bool {
    let lacks = |text| message.contains(text);
    let is_early = || lacks("error looking up service account") || lacks("forbidden: User ");
    matches!(status, 0 | 401) || is_passing(status) || status == 403 && is_early()
}

#[cfg(test)]
mod tests {
    use super::can_pass;

    #[test]
    fn of_what_is_forbidden_only_what_a_starting_server_says_can_pass() {
        let starting = r#"serviceaccounts "a" is forbidden: User "kubernetes-admin" cannot patch resource "serviceaccounts""#;
        assert!(can_pass(403, starting));
        assert!(can_pass(
            403,
            r#"forbidden: User "kubernetes-admin" cannot get path "/api/v1""#
        ));
        let quota = r#"pods "a" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"#;
        assert!(!can_pass(403, quota));
        assert!(can_pass(503, "") && !can_pass(422, ""));
    }
}
