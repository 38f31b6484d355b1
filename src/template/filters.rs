//! Filters and functions of kinstall, beside Tera's own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tera::{Kwargs, State, Tera, TeraResult, Value};

use crate::did_you_mean::closest;
use crate::yaml;

/// Adds them all; `images` are full references by short name.
pub(super) fn register(tera: &mut Tera, images: BTreeMap<String, String>) {
    tera.register_filter("b64encode", |text: &str, _: Kwargs, _: &State| {
        BASE64_STANDARD.encode(text)
    });
    tera.register_filter("to_json", |value: &Value, _: Kwargs, _: &State| {
        json(value).map(|json| json.to_string())
    });
    tera.register_filter("to_yaml", |value: &Value, _: Kwargs, _: &State| {
        json(value).map(|json| yaml::to_text(&json).trim_end().to_owned())
    });
    tera.register_function("image", move |arguments: Kwargs, _: &State| {
        let name: &str = arguments.must_get("name")?;
        images.get(name).cloned().ok_or_else(|| {
            let hint = match closest(name, images.keys().map(String::as_str)) {
                Some(known) => format!("; did you mean `{known}`?"),
                None => String::new(),
            };
            tera::Error::message(format!("no image `{name}` in the bundle{hint}"))
        })
    });
}

fn json(value: &Value) -> TeraResult<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| tera::Error::chain("can't be written", error))
}
