//! Collects the Kubernetes objects of a step.

use std::sync::Arc;

use super::resource::ADMIN_KUBECONFIG;
use super::schema::{self, Text};
use super::scope::Scope;
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::resource::Manifests;
use crate::yaml;

impl Scope<'_> {
    /// Reads the objects of the bundle's files, then those of the template; the set is named `id`.
    pub(super) fn manifests(
        &self,
        step: &Text,
        id: &str,
        it: &schema::Manifests,
    ) -> Result<Manifests, Diagnostic> {
        if it.files.is_empty() && it.template.is_none() {
            return Err(self.wrong(step, "`manifests` needs `files` or `template`"));
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
        let kubeconfig = self.optional(it.kubeconfig.as_ref())?;
        Ok(Manifests {
            name: id.to_owned(),
            objects: objects.iter().map(ToString::to_string).collect(),
            kubeconfig: kubeconfig.unwrap_or_else(|| ADMIN_KUBECONFIG.to_owned()),
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
