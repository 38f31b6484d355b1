//! What the strings of one playbook mean on one host.

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::Context;

use super::load::{Playbook, location};
use super::schema::Text;
use super::secrets::Secrets;
use crate::addon;
use crate::bundle::Release;
use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use crate::did_you_mean::closest;
use crate::manifest::UserObject;
use crate::model::{ClusterSpec, HostSpec};
use crate::resource::{BlobRef, Content};
use crate::secret::Secret;
use crate::template::source::Source;
use crate::template::{Engine, context};
use crate::wire::Facts;
use crate::yaml;

/// What all scopes share.
pub struct Parts<'a> {
    pub engine: &'a Engine,
    pub cluster: &'a ClusterSpec,
    pub bundle: &'a Release,
    /// Texts of [`Release::files`].
    pub files: &'a BTreeMap<String, Arc<SourceFile>>,
    /// Objects of the user's own.
    pub manifests: &'a [UserObject],
    pub secrets: &'a Secrets,
    /// Names of the hosts that didn't answer, and of Nodes that the inventory doesn't have.
    pub silent: Vec<String>,
    /// Hosts whose machines are taken from another cluster.
    pub taken_over: &'a [&'a str],
    /// Hosts that run all of the release already, in an upgrade.
    pub upgraded: &'a [String],
    /// The host on which etcd begins as a service.
    pub first_of_etcd: Option<&'a str>,
}

/// Renders the strings of one playbook for one host.
pub struct Scope<'a> {
    pub parts: &'a Parts<'a>,
    /// The host that is concerned; the steps may run on another one.
    pub host: &'a HostSpec,
    pub playbook: &'a Playbook,
    open: Context,
    secret: Context,
}

impl<'a> Scope<'a> {
    /// Without `facts`, because the host didn't answer, templates can't name them.
    pub fn new(
        parts: &'a Parts<'a>,
        host: &'a HostSpec,
        facts: Option<&Facts>,
        playbook: &'a Playbook,
    ) -> Self {
        let standing = context::Standing {
            is_taken_over: parts.taken_over.contains(&host.name.as_str()),
            is_upgraded: parts.upgraded.contains(&host.name),
            begins_etcd: parts.first_of_etcd == Some(&host.name),
        };
        let open = context::local(parts.cluster, host, facts, standing, &playbook.component);
        let secret = context::with_secrets(&open, parts.secrets.of(&host.name));
        Self {
            parts,
            host,
            playbook,
            open,
            secret,
        }
    }

    /// Returns the scope in which `item` is the given value.
    #[must_use]
    pub fn with_item(&self, item: &serde_json::Value) -> Scope<'a> {
        let with = |context: &Context| {
            let mut context = context.clone();
            context.insert("item", item);
            context
        };
        Scope {
            open: with(&self.open),
            secret: with(&self.secret),
            ..*self
        }
    }

    /// Renders a string.
    pub fn text(&self, text: &Text) -> Result<String, Diagnostic> {
        self.render(text, &self.open)
    }

    /// Renders a string that may not be there.
    pub fn optional(&self, text: Option<&Text>) -> Result<Option<String>, Diagnostic> {
        text.map(|text| self.text(text)).transpose()
    }

    /// Renders several.
    pub fn texts(&self, texts: &[Text]) -> Result<Vec<String>, Diagnostic> {
        texts.iter().map(|text| self.text(text)).collect()
    }

    /// Evaluates `when`; true where there is none.
    pub fn holds(&self, when: Option<&Text>) -> Result<bool, Diagnostic> {
        when.map_or(Ok(true), |text| {
            self.with_source(text, |source| self.parts.engine.holds(source, &self.open))
        })
    }

    /// Evaluates `for_each`.
    pub fn items(&self, expression: &Text) -> Result<Vec<serde_json::Value>, Diagnostic> {
        self.with_source(expression, |source| {
            self.parts.engine.items(source, &self.open)
        })
    }

    /// Renders a string into the content of a file.
    pub fn content(&self, text: &Text, secret: bool) -> Result<Content, Diagnostic> {
        Ok(if secret {
            Content::Secret(Secret::new(self.render(text, &self.secret)?))
        } else {
            Content::Text(self.text(text)?)
        })
    }

    /// Renders a template, named by a string, into the content of a file.
    pub fn template(&self, name: &Text, secret: bool) -> Result<Content, Diagnostic> {
        Ok(if secret {
            Content::Secret(Secret::new(self.render_file(name, &self.secret)?))
        } else {
            Content::Text(self.render_file(name, &self.open)?)
        })
    }

    /// Renders a template into text that anybody may see.
    pub fn template_text(&self, name: &Text) -> Result<String, Diagnostic> {
        self.render_file(name, &self.open)
    }

    /// Finds a program of the bundle by `COMPONENT/PROGRAM`, or by `PROGRAM` where only one has that name.
    pub fn program(&self, name: &Text) -> Result<BlobRef, Diagnostic> {
        let programs = &self.parts.bundle.programs;
        let wanted = self.text(name)?;
        if let Some(program) = programs.get(&wanted) {
            return Ok(program.blob);
        }
        let mut named = programs.iter().filter(|(key, _)| {
            key.rsplit_once('/')
                .is_some_and(|(_, program)| program == wanted)
        });
        match (named.next(), named.next()) {
            (Some((_, program)), None) => Ok(program.blob),
            _ => Err(self.not_in_bundle("program", name, &wanted, programs.keys())),
        }
    }

    /// Says that the bundle lacks something.
    pub fn not_in_bundle<'k>(
        &self,
        what: &str,
        name: &Text,
        wanted: &str,
        known: impl Iterator<Item = &'k String>,
    ) -> Diagnostic {
        let message = format!("no {what} `{wanted}` in the bundle");
        let diagnostic = self.wrong(name, message).with_kind(Kind::Bundle);
        if addon::find(&self.playbook.component).is_some() {
            return diagnostic.hint(
                "it is part of an add-on that the bundle was built without: `kinstall bundle build INVENTORY` builds those \
                 that the inventory switches on",
            );
        }
        match closest(wanted, known.map(String::as_str)) {
            Some(known) => diagnostic.hint(format!("did you mean `{known}`?")),
            None => diagnostic.hint("`kinstall bundle show` lists what is there"),
        }
    }

    /// Reads file permissions, written in octal; `default` where there are none.
    pub fn mode(&self, mode: Option<&Text>, default: u32) -> Result<u32, Diagnostic> {
        let Some(mode) = mode else {
            return Ok(default);
        };
        let text = self.text(mode)?;
        u32::from_str_radix(&text, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .ok_or_else(|| {
                self.wrong(mode, format!("`{text}` is no file mode"))
                    .hint("write it in octal: \"0644\"")
            })
    }

    /// Reads a length of time into seconds; `default` where there is none.
    pub fn seconds(&self, duration: Option<&Text>, default: u32) -> Result<u32, Diagnostic> {
        let Some(duration) = duration else {
            return Ok(default);
        };
        let text = self.text(duration)?;
        let parsed = [("h", 3600), ("m", 60), ("s", 1)]
            .iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
            .and_then(|(number, seconds)| number.parse::<u32>().ok()?.checked_mul(*seconds));
        parsed.ok_or_else(|| {
            self.wrong(duration, format!("`{text}` is no length of time"))
                .hint("write it like `30s`, `5m` or `1h`")
        })
    }

    /// Makes an error that points at a string of the playbook.
    pub fn wrong(&self, at: &Text, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Kind::Inventory, message).at(location(&self.playbook.file, at), "here")
    }

    fn render(&self, text: &Text, context: &Context) -> Result<String, Diagnostic> {
        self.with_source(text, |source| {
            self.parts.engine.render_text(source, context)
        })
    }

    fn render_file(&self, name: &Text, context: &Context) -> Result<String, Diagnostic> {
        let file = self.text(name)?;
        self.with_source(name, |source| {
            self.parts.engine.render_file(&file, source, context)
        })
    }

    fn with_source<T>(&self, text: &Text, read: impl FnOnce(&Source<'_>) -> T) -> T {
        let file = &self.playbook.file;
        read(&Source {
            text: &text.value,
            file,
            span: &yaml::byte_span(file, &text.referenced),
        })
    }
}
