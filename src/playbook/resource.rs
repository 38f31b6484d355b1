//! Turns the resource of a step into what the node gets.

use super::load::Action;
use super::schema::{self, Text};
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::resource::{
    Absent, Archive, Block, Command, Content, Directory, Download, EtcdLeaderElsewhere,
    EtcdMemberAbsent, File, Guard, Image, Input, KernelModule, Package, Resource, Swap, Symlink,
    Sysctl, Unit, UnitState, Wait,
};

/// Where a kubeconfig is when a playbook doesn't say.
pub(super) const ADMIN_KUBECONFIG: &str = "/etc/kubernetes/admin.conf";
const COMMAND_TIMEOUT: u32 = 5 * 60;
const WAIT_TIMEOUT: u32 = 2 * 60;

impl Scope<'_> {
    /// Builds the resource; `name` is the step's, for errors that concern all of it. Images are not
    /// among them: see [`Scope::image`].
    pub(super) fn resource(
        &self,
        name: &Text,
        id: &str,
        action: &Action,
    ) -> Result<Resource, Diagnostic> {
        Ok(match action {
            Action::Absent(it) => Resource::Absent(Absent {
                path: self.text(&it.path)?,
            }),
            Action::AbsentNode(it) => Resource::AbsentNode(self.absent_node(it)?),
            Action::Archive(it) => Resource::Archive(self.archive(it)?),
            Action::Block(it) => Resource::Block(self.block(name, it)?),
            Action::Command(it) => Resource::Command(self.command(name, it)?),
            Action::Directory(it) => Resource::Directory(Directory {
                path: self.text(&it.path)?,
                mode: self.mode(it.mode.as_ref(), 0o755)?,
                owner: self.optional(it.owner.as_ref())?,
                group: self.optional(it.group.as_ref())?,
            }),
            Action::Download(it) => Resource::Download(self.download(it)?),
            Action::EtcdLeaderElsewhere(_) => Resource::EtcdLeaderElsewhere(EtcdLeaderElsewhere {
                host: self.host.name.clone(),
                address: self.address(),
            }),
            Action::EtcdMemberAbsent(it) => Resource::EtcdMemberAbsent(EtcdMemberAbsent {
                host: self.host.name.clone(),
                address: self.address(),
                unless_healthy: it.unless_healthy,
                kubeconfig: self.kubeconfig_unless(it.etcd_only, it.kubeconfig.as_ref())?,
            }),
            Action::File(it) => Resource::File(self.file(name, it)?),
            Action::Images(names) => match names.as_slice() {
                [image] => Resource::Image(self.image(image)?),
                _ => return Err(self.wrong(name, "images come one by one here")),
            },
            Action::KernelModule(it) => Resource::KernelModule(KernelModule {
                name: self.text(&it.name)?,
            }),
            Action::Manifests(it) => Resource::Manifests(self.manifests(name, id, it)?),
            Action::NodeObject(it) => Resource::NodeObject(self.node_object(it)?),
            Action::PodAddresses(it) => Resource::PodAddresses(self.pod_addresses(it)?),
            Action::Registration(_) => Resource::Registration(self.registration()),
            Action::Remains(_) => Resource::Remains(self.remains()),
            Action::Package(it) => Resource::Package(Package {
                name: self.text(&it.name)?,
            }),
            Action::Swap(_) => Resource::Swap(Swap),
            Action::Symlink(it) => Resource::Symlink(Symlink {
                path: self.text(&it.path)?,
                target: self.text(&it.target)?,
            }),
            Action::Sysctl(it) => Resource::Sysctl(Sysctl {
                key: self.text(&it.key)?,
                value: self.text(&it.value)?,
            }),
            Action::Template(it) => Resource::File(self.templated_file(it)?),
            Action::Unit(it) => Resource::Unit(Unit {
                name: self.text(&it.name)?,
                enabled: it.enabled,
                state: match it.state {
                    schema::UnitState::Running => UnitState::Running,
                    schema::UnitState::Stopped => UnitState::Stopped,
                    schema::UnitState::Restarted => UnitState::Restarted,
                    schema::UnitState::Any => UnitState::Any,
                },
            }),
            Action::Wait(it) => Resource::Wait(Wait {
                condition: self.condition(name, it)?,
                timeout: self.seconds(it.timeout.as_ref(), WAIT_TIMEOUT)?,
            }),
        })
    }

    /// Finds an image of the bundle.
    pub(super) fn image(&self, name: &Text) -> Result<Image, Diagnostic> {
        let images = &self.parts.bundle.images;
        let wanted = self.text(name)?;
        let image = images
            .get(&wanted)
            .ok_or_else(|| self.not_in_bundle("image", name, &wanted, images.keys()))?;
        Ok(Image {
            name: image.name.clone(),
            manifest: image.manifest,
            config: image.config,
            layers: image.layers.clone(),
        })
    }

    fn archive(&self, it: &schema::Archive) -> Result<Archive, Diagnostic> {
        let files = &self.parts.bundle.files;
        let wanted = self.text(&it.source)?;
        let file = files
            .get(&wanted)
            .ok_or_else(|| self.not_in_bundle("file", &it.source, &wanted, files.keys()))?;
        Ok(Archive {
            source: file.blob,
            path: self.text(&it.path)?,
            strip: it.strip,
        })
    }

    fn block(&self, step: &Text, it: &schema::Block) -> Result<Block, Diagnostic> {
        let content = match (&it.content, &it.template) {
            (Some(content), None) => self.text(content)?,
            (None, Some(template)) => self.template_text(template)?,
            _ => return Err(self.not_one_of(step, "content", "template")),
        };
        Ok(Block {
            path: self.text(&it.path)?,
            name: self.text(&it.name)?,
            content,
        })
    }

    fn command(&self, step: &Text, it: &schema::Command) -> Result<Command, Diagnostic> {
        let guard = match (it.once, &it.creates, &it.unless) {
            (true, ..) => Guard::Once,
            (_, Some(path), _) => Guard::Creates(self.text(path)?),
            (_, _, Some(argv)) => Guard::Unless(self.texts(argv)?),
            (false, None, None) => self.remote_guard(it)?,
        };
        let environment = it
            .environment
            .iter()
            .map(|(name, value)| Ok((name.clone(), self.text(value)?)))
            .collect::<Result<_, Diagnostic>>()?;
        let input = |input: &schema::Input| {
            let content = match (&input.content, &input.template) {
                (Some(content), None) => self.content(content, true)?,
                (None, Some(template)) => self.template(template, true)?,
                _ => return Err(self.not_one_of(step, "content", "template")),
            };
            let path = self.text(&input.path)?;
            Ok(Input { path, content })
        };
        Ok(Command {
            argv: self.texts(&it.argv)?,
            environment,
            guard,
            inputs: it.inputs.iter().map(input).collect::<Result<_, _>>()?,
            timeout: self.seconds(it.timeout.as_ref(), COMMAND_TIMEOUT)?,
            critical: it.critical,
            preflight: it
                .preflight
                .as_deref()
                .map(|argv| self.texts(argv))
                .transpose()?,
            leaves: self.texts(&it.leaves)?,
            recover: it
                .recover
                .as_deref()
                .map(|argv| self.texts(argv))
                .transpose()?,
        })
    }

    /// A guard that asks the cluster, or looks at what the cluster gave.
    fn remote_guard(&self, it: &schema::Command) -> Result<Guard, Diagnostic> {
        Ok(if let Some(path) = &it.object {
            Guard::Object {
                kubeconfig: ADMIN_KUBECONFIG.to_owned(),
                path: self.text(path)?,
            }
        } else if let Some(path) = &it.while_object {
            Guard::NoObject {
                kubeconfig: ADMIN_KUBECONFIG.to_owned(),
                path: self.text(path)?,
            }
        } else if let Some(path) = &it.valid_kubeconfig {
            Guard::ValidKubeconfig {
                path: self.text(path)?,
                signed_by: self.texts(&it.signed_by)?,
            }
        } else if let Some(certificates) = &it.valid_certificates {
            Guard::ValidCertificates {
                paths: self.texts(&certificates.paths)?,
                days: certificates.days,
                signed_by: self.texts(&it.signed_by)?,
            }
        } else {
            Guard::Always
        })
    }

    fn download(&self, it: &schema::Download) -> Result<Download, Diagnostic> {
        let sha256 = self.text(&it.sha256)?;
        Ok(Download {
            url: self.text(&it.url)?,
            sha256: sha256
                .parse()
                .map_err(|error| self.wrong(&it.sha256, format!("`{sha256}` is {error}")))?,
            path: self.text(&it.path)?,
            mode: self.mode(it.mode.as_ref(), 0o644)?,
        })
    }

    fn file(&self, step: &Text, it: &schema::File) -> Result<File, Diagnostic> {
        let (content, mode) = match (&it.content, &it.program) {
            (Some(content), None) => (self.content(content, it.secret)?, default_mode(it.secret)),
            (None, Some(program)) => (Content::Blob(self.program(program)?), 0o755),
            _ => return Err(self.not_one_of(step, "content", "program")),
        };
        Ok(File {
            path: self.text(&it.path)?,
            content,
            mode: self.mode(it.mode.as_ref(), mode)?,
            owner: self.optional(it.owner.as_ref())?,
            group: self.optional(it.group.as_ref())?,
            validate: None,
        })
    }

    fn templated_file(&self, it: &schema::Template) -> Result<File, Diagnostic> {
        Ok(File {
            path: self.text(&it.path)?,
            content: self.template(&it.source, it.secret)?,
            mode: self.mode(it.mode.as_ref(), default_mode(it.secret))?,
            owner: self.optional(it.owner.as_ref())?,
            group: self.optional(it.group.as_ref())?,
            validate: it
                .validate
                .as_deref()
                .map(|argv| self.texts(argv))
                .transpose()?,
        })
    }

    fn not_one_of(&self, step: &Text, first: &str, second: &str) -> Diagnostic {
        self.wrong(
            step,
            format!("exactly one of `{first}` and `{second}` is needed"),
        )
    }
}

fn default_mode(secret: bool) -> u32 {
    if secret { 0o600 } else { 0o644 }
}
