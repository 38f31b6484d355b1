//! Objects as people read them: the look of YAML, one value a line, so that a diff is short.

use std::fmt::Write;

use serde_json::Value;

/// Returns the object as YAML-like text, keys sorted.
pub fn render(object: &Value) -> String {
    let mut text = String::new();
    block(object, 0, &mut text);
    text
}

/// Where `kubectl apply` keeps the whole object.
const LAST_APPLIED: &str =
    "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

/// Hides the values of a Secret, as it is and as it is wanted: what is told is only which of them change.
pub fn hide_values(live: &mut Value, wanted: &mut Value) {
    for part in ["data", "stringData"] {
        if let Some(values) = wanted.get_mut(part).and_then(Value::as_object_mut) {
            for (key, value) in values {
                let old = live.get(part).and_then(|it| it.get(key));
                let is_changed = old.is_some_and(|old| old != value);
                *value = Value::from(if is_changed { "*** (changed)" } else { "***" });
            }
        }
        if let Some(values) = live.get_mut(part).and_then(Value::as_object_mut) {
            for value in values.values_mut() {
                *value = Value::from("***");
            }
        }
    }
    for object in [live, wanted] {
        if let Some(whole) = object.pointer_mut(LAST_APPLIED) {
            *whole = Value::from("***");
        }
    }
}

fn block(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            for (key, value) in fields {
                let _ = write!(text, "{:indent$}{key}:", "");
                nested(value, indent + 2, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = write!(text, "{:indent$}-", "");
                nested(item, indent + 2, text);
            }
        }
        scalar => {
            let _ = writeln!(text, "{:indent$}{scalar}", "");
        }
    }
}

fn nested(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            text.push('\n');
            block(value, indent, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            block(value, indent, text);
        }
        Value::String(string) if string.contains('\n') => {
            text.push_str(" |\n");
            for line in string.lines() {
                let _ = writeln!(text, "{:indent$}{line}", "");
            }
        }
        Value::String(string) => {
            let _ = writeln!(text, " {string}");
        }
        scalar => {
            let _ = writeln!(text, " {scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_look_like_yaml() {
        let object = json!({
            "kind": "ConfigMap",
            "data": {"Corefile": ".:53 {\n  errors\n}\n"},
            "metadata": {"name": "x", "labels": {}, "finalizers": [], "ports": [{"b": 1, "a": true}]},
        });
        let expected = "data:\n  Corefile: |\n    .:53 {\n      errors\n    }\nkind: ConfigMap\n\
            metadata:\n  finalizers: []\n  labels: {}\n  name: x\n  ports:\n    -\n      a: true\n      b: 1\n";
        assert_eq!(render(&object), expected);
    }

    #[test]
    fn values_of_secrets_are_hidden_and_it_is_told_which_change() {
        let secret = |data: Value| {
            json!({"data": data, "metadata": {"annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": data.to_string(),
            }}})
        };
        let mut live =
            secret(json!({"old": "aHVudGVyMQ==", "same": "aHVudGVyMg==", "token": "aHVudGVyMw=="}));
        let mut wanted =
            secret(json!({"new": "aHVudGVyNA==", "same": "aHVudGVyMg==", "token": "aHVudGVyNQ=="}));
        hide_values(&mut live, &mut wanted);
        let shown = [render(&live), render(&wanted)];
        assert!(shown[0].starts_with("data:\n  old: ***\n  same: ***\n  token: ***\n"));
        assert!(shown[1].starts_with("data:\n  new: ***\n  same: ***\n  token: *** (changed)\n"));
        assert!(!shown.concat().contains("aHVudGVy"), "{shown:?}");
    }
}
