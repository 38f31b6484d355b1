//! The environment: what is given to the import, what `.env` files say, and what the file sets itself.
//!
//! Everything else of the environment of whoever used the Vagrantfile isn't known: it is taken as not set.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::given::Given;
use super::value::{Value, Why};
use super::{Evaluated, Evaluator};
use crate::diagnostic::SourceFile;

impl Evaluator {
    pub(super) fn set_environment(&mut self, name: &str, value: Value) {
        // nil takes the variable away.
        self.environment.insert(name.to_owned(), value);
    }

    /// Returns a variable of the environment that the file sets itself.
    pub fn environment_variable(&self, name: &str) -> Option<Rc<str>> {
        self.environment.get(name)?.as_text()
    }

    pub(super) fn environment_method(
        &mut self,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        let Some(variable) = arguments.first().and_then(Value::as_text) else {
            return Ok(self.unknown(span, "the environment is not known"));
        };
        let known = self.known(&variable, span);
        let why = Rc::new(Why {
            place: self.place(span),
            reason: format!("ENV['{variable}'] is taken as not set"),
        });
        let unset = Value::Unset(why);
        let is_question = matches!(name, "key?" | "has_key?" | "include?" | "member?");
        Ok(match (name, &arguments[1..], known) {
            ("[]" | "fetch", _, Some(value)) => value,
            (_, [], known) if is_question => {
                if known.is_none() {
                    self.note_unset(&unset, None);
                }
                Value::Bool(known.is_some_and(|it| !matches!(it, Value::Nil)))
            }
            ("[]", [], None) => unset,
            ("fetch", [default], None) => {
                self.note_unset(&unset, Some(default));
                default.clone()
            }
            ("fetch", [], None) if given.is_some() => {
                let value = self.give(given, arguments, span)?;
                self.note_unset(&unset, Some(&value));
                value
            }
            ("fetch", [], None) if self.rescues > 0 => {
                self.note_unset(&unset, None);
                self.fail(span, "KeyError", &format!("key not found: \"{variable}\""))?
            }
            ("delete", [], known) => {
                self.environment.insert(variable.to_string(), Value::Nil);
                Value::or_nil(known)
            }
            ("store" | "[]=", [value], _) => {
                self.set_environment(&variable, value.clone());
                value.clone()
            }
            _ => self.unknown(span, &format!("ENV['{variable}'] is not known")),
        })
    }

    /// Returns a variable that is known; one that every computer has is that of this one.
    fn known(&mut self, name: &str, span: &Range<usize>) -> Option<Value> {
        if let Some(value) = self.environment.get(name) {
            return Some(value.clone());
        }
        let value = self.computer.get(name)?.clone();
        self.assumed(
            span,
            format!("ENV['{name}'] is `{value}`, as on this computer"),
        );
        Some(Value::text(value))
    }

    /// `config.env.enable` and `Dotenv.load`: variables that are set already keep their values.
    pub(super) fn dotenv(&mut self, files: &[Value], span: &Range<usize>) -> Value {
        let default = [Value::text(".env")];
        let files = if files.is_empty() {
            &default[..]
        } else {
            files
        };
        for file in files {
            let Some(path) = file.as_text() else {
                self.fill_in(span, "which file of variables is read here can't be told");
                continue;
            };
            let found = self.resolve(&path).map(|it| SourceFile::read(&it));
            let Some(Ok(file)) = found else {
                self.assumed(span, format!("`{path}` is not there: it sets no variables"));
                continue;
            };
            self.read_variables(&path, &file, span);
        }
        Value::Nil
    }

    fn read_variables(&mut self, path: &str, file: &Arc<SourceFile>, span: &Range<usize>) {
        let mut names: Vec<&str> = Vec::new();
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, text)) = assignment(line) else {
                // What stands there may be a password.
                let message = format!("line {} of `{path}` is not followed", index + 1);
                self.fill_in(span, message);
                continue;
            };
            // What was set before stays; in the file itself the last line wins.
            if self.environment.contains_key(name) && !names.contains(&name) {
                continue;
            }
            let value = match self.expand(text) {
                Some(value) => Value::text(value),
                None => self.unknown(span, &format!("`{name}` of `{path}` is not followed")),
            };
            self.environment.insert(name.to_owned(), value);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        self.assumed(span, format!("`{path}` is read: {}", names.join(", ")));
    }

    /// Returns the value of an assignment: in single quotes as it stands, else with `$NAME` and `${NAME}` put in.
    fn expand(&self, text: &str) -> Option<String> {
        if let Some(rest) = text.strip_prefix('\'') {
            return Some(rest.split_once('\'')?.0.to_owned());
        }
        let text = match text.strip_prefix('"') {
            Some(rest) => rest.split_once('"')?.0,
            None => text.split_once(" #").map_or(text, |it| it.0).trim_end(),
        };
        if text.contains(['\\', '`']) || text.contains("$(") {
            return None;
        }
        let mut parts = text.split('$');
        let mut value = parts.next()?.to_owned();
        for part in parts {
            let part = part.strip_prefix('{').unwrap_or(part);
            let end = part.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            let (name, rest) = part.split_at(end.unwrap_or(part.len()));
            value.push_str(
                &self
                    .environment
                    .get(name)
                    .and_then(Value::as_text)
                    .unwrap_or_default(),
            );
            value.push_str(rest.strip_prefix('}').unwrap_or(rest));
        }
        Some(value)
    }
}

/// Takes `export NAME=value` or `NAME: value` apart.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let end = line.find(['=', ':'])?;
    let (name, value) = (line[..end].trim(), line[end + 1..].trim());
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '.');
    is_name.then_some((name, value))
}
