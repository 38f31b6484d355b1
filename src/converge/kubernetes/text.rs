//! Objects as people read them: the look of YAML, one value a line, so that a diff is short.

use std::fmt::Write;

use serde_json::Value;

/// Returns the object as YAML-like text, keys sorted.
pub fn render(object: &Value) -> String {
    let mut text = String::new();
    block(object, 0, &mut text);
    text
}

/// Blanks the values of a Secret: what changed is told by the digest's first digits.
pub fn without_secrets(mut object: Value) -> Value {
    for part in ["data", "stringData"] {
        if let Some(values) = object.get_mut(part).and_then(Value::as_object_mut) {
            for value in values.values_mut() {
                *value = Value::from("***");
            }
        }
    }
    object
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
    fn secrets_are_blanked() {
        let secret = json!({"kind": "Secret", "data": {"token": "aHVudGVyMg=="}});
        assert_eq!(
            render(&without_secrets(secret)),
            "data:\n  token: ***\nkind: Secret\n"
        );
    }
}
