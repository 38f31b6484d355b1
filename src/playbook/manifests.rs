//! Collects the Kubernetes objects of a step.

use std::sync::Arc;

use super::schema::{self, Text};
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::resource::{Manifest, Manifests, Owner};
use crate::yaml;

impl Scope<'_> {
    /// Reads the objects of the bundle's files, then those of the template; the set is named `id`.
    pub(super) fn manifests(
        &self,
        step: &Text,
        id: &str,
        it: &schema::Manifests,
    ) -> Result<Manifests, Diagnostic> {
        let has_own = !it.files.is_empty() || it.template.is_some();
        if it.of_user == has_own {
            let message = "`manifests` needs `files` or `template`, or else `of_user: true`";
            return Err(self.wrong(step, message));
        }
        let kubeconfig = self.kubeconfig(it.kubeconfig.as_ref())?;
        if it.of_user {
            let objects = self.parts.manifests.iter();
            return Ok(Manifests {
                name: id.to_owned(),
                objects: objects.map(|it| it.manifest.clone()).collect(),
                owner: Owner::User,
                kubeconfig,
            });
        }
        let mut objects = Vec::new();
        for name in &it.files {
            for file in self.bundle_files(name)? {
                objects.extend(yaml::documents(file)?);
            }
        }
        if let Some(template) = &it.template {
            // The rendered text is what an error in it has to show.
            let rendered = SourceFile {
                path: format!("{} (rendered)", self.text(template)?).into(),
                text: self.template_text(template)?,
            };
            objects.extend(yaml::documents(&Arc::new(rendered))?);
        }
        let objects = objects.iter();
        Ok(Manifests {
            name: id.to_owned(),
            objects: objects.map(|it| Manifest::new(it.to_string())).collect(),
            owner: Owner::Kinstall,
            kubeconfig,
        })
    }

    /// Finds the text of one file of the bundle, or of all in a folder (`manifests/metallb/`).
    fn bundle_files(&self, name: &Text) -> Result<Vec<&Arc<SourceFile>>, Diagnostic> {
        let wanted = self.text(name)?;
        let files = self.parts.files;
        let found: Vec<_> = files
            .iter()
            .filter(|(path, _)| {
                **path == wanted || (wanted.ends_with('/') && path.starts_with(&wanted))
            })
            .map(|(_, file)| file)
            .collect();
        if found.is_empty() {
            return Err(self.not_in_bundle("file", name, &wanted, files.keys()));
        }
        Ok(found)
    }
}
