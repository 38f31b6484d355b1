//! Renders files of `templates/`, and the strings and expressions of playbooks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Context, Tera};

use super::source::Source;
use super::{error, filters, names};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};
use crate::did_you_mean::closest;

/// Holds the templates, the filters and the functions.
pub struct Engine {
    tera: Tera,
    globals: Context,
    files: BTreeMap<String, Arc<SourceFile>>,
}

impl Engine {
    /// Reads all templates; `images` are the bundle's full references by short name, `globals` is what
    /// every text may use.
    pub fn new(
        files: &BTreeMap<String, Arc<SourceFile>>,
        images: BTreeMap<String, String>,
        globals: Context,
    ) -> Result<Self, Diagnostics> {
        let mut tera = Tera::new();
        // The files are configuration, never HTML.
        tera.autoescape_on(Vec::<&str>::new());
        filters::register(&mut tera, images);
        tera.global_context().extend(globals.clone());
        let templates = files.iter().map(|(name, file)| (name, file.text.as_str()));
        let result = tera.add_raw_templates(templates);
        let engine = Self {
            tera,
            globals,
            files: files.clone(),
        };
        match result {
            Ok(()) => Ok(engine),
            Err(error) => Err(vec![error::diagnostic(&error, &engine.files, None)]),
        }
    }

    /// Renders the template that a playbook names.
    pub fn render_file(
        &self,
        name: &str,
        named_at: &Source<'_>,
        context: &Context,
    ) -> Result<String, Diagnostic> {
        let Some(file) = self.files.get(name) else {
            let error = Diagnostic::error(Kind::Inventory, format!("no template `{name}`"))
                .at(named_at.location(), "named here");
            return Err(match closest(name, self.files.keys().map(String::as_str)) {
                Some(known) => error.hint(format!("did you mean `{known}`?")),
                None => error.hint("templates are looked for in the folder `templates`"),
            });
        };
        names::check_template(&file.text, [context, &self.globals])
            .map_err(|unknown| error::unknown_name(unknown, file))?;
        self.tera
            .render(name, context)
            .map_err(|error| error::diagnostic(&error, &self.files, Some((named_at, 0))))
    }

    /// Renders a string of a playbook.
    pub fn render_text(
        &self,
        source: &Source<'_>,
        context: &Context,
    ) -> Result<String, Diagnostic> {
        if !source.text.contains('{') {
            return Ok(source.text.to_owned());
        }
        names::check_template(source.text, [context, &self.globals])
            .map_err(|unknown| error::unknown_name_in(unknown, source))?;
        self.render(source, ["", source.text, ""], context)
    }

    /// Returns whether an expression is true: not `false`, empty, zero or none.
    pub fn holds(&self, source: &Source<'_>, context: &Context) -> Result<bool, Diagnostic> {
        self.check_expression(source, context)?;
        let parts = ["{% if ", source.text, " %}true{% endif %}"];
        Ok(self.render(source, parts, context)? == "true")
    }

    /// Returns the elements of an expression that is an array; none is an empty array.
    pub fn items(
        &self,
        source: &Source<'_>,
        context: &Context,
    ) -> Result<Vec<serde_json::Value>, Diagnostic> {
        self.check_expression(source, context)?;
        let parts = ["{{ (", source.text, ") | to_json }}"];
        let json = self.render(source, parts, context)?;
        match serde_json::from_str(&json) {
            Ok(serde_json::Value::Array(items)) => Ok(items),
            Ok(serde_json::Value::Null) => Ok(Vec::new()),
            _ => Err(
                Diagnostic::error(Kind::Inventory, "`for_each` needs an array")
                    .at(source.location(), "this is none"),
            ),
        }
    }

    fn check_expression(&self, source: &Source<'_>, context: &Context) -> Result<(), Diagnostic> {
        names::check_expression(source.text, [context, &self.globals])
            .map_err(|unknown| error::unknown_name_in(unknown, source))
    }

    /// Renders the middle part, wrapped so that it becomes a whole template.
    fn render(
        &self,
        source: &Source<'_>,
        parts: [&str; 3],
        context: &Context,
    ) -> Result<String, Diagnostic> {
        self.tera
            .render_str(&parts.concat(), context, false)
            .map_err(|error| error::diagnostic(&error, &self.files, Some((source, parts[0].len()))))
    }
}
