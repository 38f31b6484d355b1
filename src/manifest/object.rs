//! The objects of one file, each checked as far as that can be done without a cluster.

use std::sync::Arc;

use serde_json::Value;

use super::UserObject;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, SourceFile};
use crate::resource::{Manifest, ObjectName};
use crate::secret::Secret;
use crate::yaml;

/// What the API server sets and nobody can apply.
const OF_SERVER: [&str; 3] = ["managedFields", "resourceVersion", "uid"];
/// The annotation that every object gets.
const MARK: (&str, &str) = ("kinstall.local/made-from", "kinstall_manifests");
/// Keys whose values are shown beside an error in a file that holds a Secret.
const OPEN_KEYS: [&str; 5] = ["apiVersion", "kind", "metadata", "name", "namespace"];

/// Reads the objects of a file, also those in a `List`.
pub(super) fn all(file: &Arc<SourceFile>, errors: &mut Diagnostics) -> Vec<UserObject> {
    let shown = without_secrets(file);
    let documents = match yaml::placed_documents(file) {
        Ok(documents) => documents,
        Err(mut error) => {
            if let Some((location, _)) = &mut error.label {
                location.file = shown;
            }
            errors.push(error);
            return Vec::new();
        }
    };
    let mut objects = Vec::new();
    for (document, mut location) in documents {
        location.file = Arc::clone(&shown);
        for object in items(document) {
            match read(object, &location) {
                Ok(object) => objects.push(object),
                Err(error) => errors.push(error.at(location.clone(), "this object")),
            }
        }
    }
    objects
}

/// Returns the objects of a list, and of its lists.
fn items(mut document: Value) -> Vec<Value> {
    let is_list = document["kind"]
        .as_str()
        .is_some_and(|it| it.ends_with("List"));
    match document.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) if is_list => items.into_iter().flat_map(self::items).collect(),
        Some(items) => {
            document["items"] = items;
            vec![document]
        }
        None => vec![document],
    }
}

/// Marks an object as one of the user's. The API server remembers who applied a field, and some objects have none of their
/// own: a namespace has only its name.
fn mark(object: &mut Value) {
    let annotations = &mut object["metadata"]["annotations"];
    if annotations.is_null() || annotations.is_object() {
        annotations[MARK.0] = Value::from(MARK.1);
    }
}

fn read(mut object: Value, location: &Location) -> Result<UserObject, Diagnostic> {
    let wrong = |message: String| Diagnostic::error(Kind::Inventory, message);
    if !object.is_object() {
        return Err(wrong("a manifest must be a mapping".to_owned())
            .hint("every object has `apiVersion`, `kind` and `metadata.name`"));
    }
    if object["kind"] == "Kustomization" {
        return Err(
            wrong("a Kustomization isn't an object of a cluster".to_owned()).hint(
                "replace its folder with what it makes: `kubectl kustomize FOLDER > FILE.yaml`",
            ),
        );
    }
    for field in [
        "/apiVersion",
        "/kind",
        "/metadata/name",
        "/metadata/namespace",
    ] {
        let name = field[1..].replace('/', ".");
        match object.pointer(field) {
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(Value::Number(_) | Value::Bool(_)) => {
                return Err(wrong(format!("`{name}` of a manifest must be text"))
                    .hint("put the value in quotes"));
            }
            _ if field == "/metadata/namespace" => {}
            _ => return Err(lacks(&name, &object)),
        }
    }
    let mut of_server = OF_SERVER.iter();
    if let Some(field) = of_server.find(|it| !object["metadata"][**it].is_null()) {
        return Err(
            wrong(format!("`metadata.{field}` can't be applied")).hint(format!(
                "the API server sets it; remove {} from the manifest",
                OF_SERVER.map(|it| format!("`{it}`")).join(", ")
            )),
        );
    }
    // The API server would show the value with its refusal.
    if let Some(key) = key_without_text(&object) {
        return Err(
            wrong(format!("`{key}` of a Secret must be text")).hint("put the value in quotes")
        );
    }
    let name = ObjectName::of(&object).ok_or_else(|| lacks("metadata.name", &object))?;
    mark(&mut object);
    let origin = format!("{}:{}", location.path().display(), location.line());
    Ok(UserObject {
        name,
        manifest: Manifest {
            text: Secret::new(object.to_string()),
            origin: Some(origin),
        },
        location: location.clone(),
    })
}

/// Finds a value of a Secret that YAML takes for something else: `pin: 1234`.
fn key_without_text(object: &Value) -> Option<String> {
    if object["kind"] != "Secret" || object["apiVersion"] != "v1" {
        return None;
    }
    ["data", "stringData"].into_iter().find_map(|field| {
        let mut values = object[field].as_object()?.iter();
        let (key, _) = values.find(|(_, value)| !value.is_string() && !value.is_null())?;
        Some(format!("{field}.{key}"))
    })
}

fn lacks(field: &str, object: &Value) -> Diagnostic {
    let what = object["kind"].as_str().unwrap_or("manifest");
    let error = Diagnostic::error(Kind::Inventory, format!("a {what} has no `{field}`"));
    error.hint(if object["metadata"]["generateName"].is_string() {
        "`generateName` makes another object each time: replace it with `name`"
    } else {
        "every object has `apiVersion`, `kind` and `metadata.name`"
    })
}

/// Returns a file as messages show it: where it may hold a Secret, every value is stars, and every byte keeps its place.
fn without_secrets(file: &Arc<SourceFile>) -> Arc<SourceFile> {
    if !file.text.contains("Secret") {
        return Arc::clone(file);
    }
    let text = file.text.split_inclusive('\n').map(without_value);
    Arc::new(SourceFile {
        path: file.path.clone(),
        text: text.collect(),
    })
}

fn without_value(line: &str) -> String {
    let (key, _) = line.split_once(':').unwrap_or_default();
    // Deeper, it may be a line of a value of many lines.
    let is_outside = key.len() - key.trim_start().len() <= 2;
    if is_outside && OPEN_KEYS.contains(&key.trim_start_matches([' ', '-']).trim_end()) {
        return line.to_owned();
    }
    let hidden = line[key.len()..].chars().flat_map(|character| {
        let is_shape = character.is_whitespace() || ":{}[],-".contains(character);
        let star = if is_shape { character } else { '*' };
        std::iter::repeat_n(star, character.len_utf8())
    });
    format!("{key}{}", hidden.collect::<String>())
}
