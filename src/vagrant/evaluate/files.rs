//! Files beside the Vagrantfile: settings in YAML and JSON, and further Ruby.
//!
//! Paths stay relative to the Vagrantfile's folder, and only files that such a path leads to are read.

use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::value::Value;
use super::{Evaluated, Evaluator, Flow};
use crate::diagnostic::SourceFile;
use crate::yaml;

/// Files of Ruby within each other.
const MAXIMUM_FILES: usize = 20;

/// Disks that the Vagrantfile makes itself: in a new lab there are none.
const DISKS: [&str; 5] = [".vdi", ".vmdk", ".vhd", ".qcow2", ".img"];

impl Evaluator {
    /// `require`, `require_relative`, `load`.
    pub(super) fn require(
        &mut self,
        name: &str,
        path: &Value,
        span: &Range<usize>,
    ) -> Result<(), Flow> {
        let Some(path) = path.as_text() else {
            self.fill_in(span, "which file is read here can't be told");
            return Ok(());
        };
        let path = &*path;
        if path == "dotenv/load" {
            self.dotenv(&[], span);
            return Ok(());
        }
        let with_suffix = format!("{path}.rb");
        let found = [path, with_suffix.as_str()].into_iter().find_map(|path| {
            let path = self.resolve(path)?;
            path.is_file().then_some(path)
        });
        // `require 'yaml'` is a library; it is no file of the lab.
        let is_library = name == "require" && !path.starts_with(['.', '/']);
        let Some(found) = found.filter(|it| !is_library || it.extension().is_some()) else {
            if !is_library {
                let reason = format!("`{path}` is not there to be read");
                self.fail(span, "LoadError", &reason)?;
                self.fill_in(span, reason);
            }
            return Ok(());
        };
        let is_read = name != "load" && self.files_read.contains(&found);
        if is_read || self.files_read.len() >= MAXIMUM_FILES {
            return Ok(());
        }
        self.files_read.push(found.clone());
        match SourceFile::read(&found) {
            Ok(file) => self.file(&file),
            Err(error) => self.fill_in(span, error.message),
        }
        Ok(())
    }

    pub(super) fn file_method(
        &mut self,
        class: &str,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        if let Some(unknown) = arguments.iter().find_map(Value::why_within) {
            return Ok(Some(Value::Unknown(unknown)));
        }
        let texts: Vec<Rc<str>> = arguments.iter().filter_map(Value::as_text).collect();
        let texts: Vec<&str> = texts.iter().map(|it| &**it).collect();
        Ok(Some(match (name, &texts[..]) {
            ("join", parts) => Value::text(join(parts)),
            ("dirname", [path]) => Value::text(match path.rsplit_once('/') {
                Some(("", _)) => "/",
                Some((folder, _)) => folder,
                None => ".",
            }),
            ("basename", [path]) => Value::text(path.rsplit('/').next().unwrap_or(path)),
            ("basename", [path, suffix]) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                Value::text(name.strip_suffix(suffix).unwrap_or(name))
            }
            ("extname", [path]) => match path.rsplit_once('.') {
                Some((_, suffix)) => Value::text(format!(".{suffix}")),
                None => Value::text(""),
            },
            ("expand_path" | "absolute_path" | "realpath", [path]) => Value::text(normal(path)),
            ("expand_path" | "absolute_path" | "realpath", [path, base]) => {
                Value::text(if path.starts_with(['/', '~']) {
                    normal(path)
                } else {
                    normal(&join(&[base, path]))
                })
            }
            ("pwd" | "getwd", []) => Value::text("."),
            ("exist?" | "exists?" | "file?" | "directory?" | "readable?", [path]) => {
                self.exists(path, span)
            }
            ("read" | "open" | "new", [path, ..]) if class != "Dir" => self.contents(path, span)?,
            ("readlines" | "foreach", [path, ..]) => match self.contents(path, span)? {
                Value::Text(text) => {
                    let text = text.text();
                    let is_chomped = arguments.last().is_some_and(|it| it.has_option("chomp"));
                    let line = |it: &str| {
                        if is_chomped {
                            it.trim_end_matches('\n').into()
                        } else {
                            Rc::from(it)
                        }
                    };
                    Value::list(
                        text.split_inclusive('\n')
                            .map(|it| Value::text(line(it)))
                            .collect(),
                    )
                }
                other => other,
            },
            _ => return Ok(None),
        }))
    }

    fn exists(&mut self, path: &str, span: &Range<usize>) -> Value {
        if DISKS.iter().any(|suffix| path.ends_with(suffix)) {
            self.assumed(
                span,
                format!("`{path}` is taken as not there, as in a new lab"),
            );
            return Value::Bool(false);
        }
        match self.resolve(path) {
            Some(found) => {
                let is_there = found.exists();
                let state = if is_there { "is there" } else { "is not there" };
                self.assumed(span, format!("`{path}` {state}"));
                Value::Bool(is_there)
            }
            None => self.unknown(span, &format!("whether `{path}` is there is not looked up")),
        }
    }

    fn contents(&mut self, path: &str, span: &Range<usize>) -> Evaluated {
        let Some(found) = self.resolve(path) else {
            return Ok(self.unknown(
                span,
                &format!("`{path}` is not read: it is not beside the Vagrantfile"),
            ));
        };
        match SourceFile::read(&found) {
            Ok(file) => Ok(Value::text(file.text.as_str())),
            Err(_) => self.fail(span, "Errno::ENOENT", &format!("`{path}` can't be read")),
        }
    }

    /// `YAML.load_file`, `JSON.parse` and their like.
    pub(super) fn data_method(
        &mut self,
        class: &str,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let [first, options @ ..] = arguments else {
            return Ok(None);
        };
        if let Some(why) = first.why() {
            return Ok(Some(Value::Unknown(Rc::clone(why))));
        }
        let Some(text) = first.as_text() else {
            return Ok(None);
        };
        let is_file = matches!(name, "load_file" | "safe_load_file" | "unsafe_load_file");
        let is_text = matches!(name, "load" | "safe_load" | "unsafe_load" | "parse");
        let (path, text) = if is_file {
            match self.contents(&text, span)? {
                Value::Text(contents) => (text.to_string(), contents.text()),
                other => return Ok(Some(other)),
            }
        } else if is_text {
            (format!("the {class} here"), text)
        } else {
            return Ok(None);
        };
        let symbols = options.iter().any(|it| it.has_option("symbolize_names"));
        let file = SourceFile {
            path: PathBuf::from(&path),
            text: text.to_string(),
        };
        let error = match class {
            "JSON" => "JSON::ParserError",
            _ => "Psych::SyntaxError",
        };
        Ok(Some(match yaml::parse_value(&Arc::new(file)) {
            Ok(value) => from_yaml(&value, symbols),
            Err(found) => self.fail(
                span,
                error,
                &format!("`{path}` can't be read: {}", found.message),
            )?,
        }))
    }

    /// Finds a file that a relative path names; absolute ones are of another computer.
    pub(super) fn resolve(&self, path: &str) -> Option<PathBuf> {
        let path = normal(path);
        let is_relative = !path.starts_with(['/', '~']) && !path.contains([':', '\\']);
        is_relative.then(|| self.folder.join(path))
    }
}

/// `File.join`
fn join(parts: &[&str]) -> String {
    let mut path = String::new();
    for part in parts {
        if path.is_empty() {
            path.push_str(part);
        } else {
            let joined = path.trim_end_matches('/').len();
            path.truncate(joined);
            path.push('/');
            path.push_str(part.trim_start_matches('/'));
        }
    }
    path
}

/// Takes `.` and `..` out of a path.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|it| *it != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let start = if path.starts_with('/') { "/" } else { "" };
    if parts.is_empty() && start.is_empty() {
        ".".to_owned()
    } else {
        format!("{start}{}", parts.join("/"))
    }
}

fn from_yaml(value: &yaml::Value, symbols: bool) -> Value {
    match &value.node {
        yaml::Node::Null => Value::Nil,
        yaml::Node::Bool(value) => Value::Bool(*value),
        yaml::Node::Number(text) => match (text.parse(), text.parse()) {
            (Ok(number), _) => Value::Integer(number),
            (_, Ok(number)) => Value::Float(number),
            _ => Value::text(text.as_str()),
        },
        yaml::Node::Text(text) => Value::text(text.as_str()),
        yaml::Node::List(items) => {
            Value::list(items.iter().map(|it| from_yaml(it, symbols)).collect())
        }
        yaml::Node::Map(entries) => {
            let pair = |entry: &yaml::Entry| {
                // Ruby writes its symbols as `:name:`.
                let key = match (symbols, entry.key.strip_prefix(':')) {
                    (_, Some(name)) => Value::symbol(name),
                    (true, None) => Value::symbol(entry.key.as_str()),
                    (false, None) => Value::text(entry.key.as_str()),
                };
                (key, from_yaml(&entry.value, symbols))
            };
            Value::map(entries.iter().map(pair).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{join, normal};

    #[test]
    fn paths_are_put_together_as_ruby_does() {
        assert_eq!(join(&["a/", "/b", "c"]), "a/b/c");
        assert_eq!(join(&[".", "settings.yaml"]), "./settings.yaml");
        assert_eq!(normal("./Vagrantfile/../data/./x"), "data/x");
        assert_eq!(normal("../x"), "../x");
        assert_eq!(normal("/a/../b"), "/b");
        assert_eq!(normal("."), ".");
    }
}
