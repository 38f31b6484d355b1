//! Fields of Kubernetes' objects.

use serde_json::Value;

/// The items of a list; none where it isn't one.
pub(super) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().into_iter().flatten()
}

/// The elements of a field; none where it isn't there.
pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text; empty where it isn't there.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn name(object: &Value) -> String {
    text(&object["metadata"]["name"])
}

pub(super) fn namespace(object: &Value) -> String {
    text(&object["metadata"]["namespace"])
}
