//! The checks that are part of the program: those of `checks/`, and those of add-ons.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use regex_lite::{Captures, Regex};
use rust_embed::Embed;

use super::{Check, Need};
use crate::addon;
use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use crate::yaml;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/checks"]
struct Files;

/// Reads all checks, in the order of their files' names; those of an add-on need it.
pub fn builtin() -> Result<Vec<Check>, Diagnostic> {
    let own = Files::iter().filter_map(|name| {
        let source = SourceFile {
            path: PathBuf::from(format!("<kinstall>/checks/{name}")),
            text: String::from_utf8_lossy(&Files::get(&name)?.data).into_owned(),
        };
        Some((name.into_owned(), None, Arc::new(source)))
    });
    let of_addons = addon::files(".check.yml").into_iter();
    let of_addons = of_addons.map(|it| (it.name, addon::find(&it.addon), it.source));
    let mut files: Vec<_> = own.chain(of_addons).collect();
    files.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    let checks = files.iter().map(|(_, addon, source)| {
        let mut check: Check = yaml::parse(source)?;
        if let Some(number) = check.steps.iter().position(|it| it.action().is_none()) {
            let (path, number) = (source.path.display(), number + 1);
            let message = format!("{path}: step {number} is not exactly one thing");
            return Err(Diagnostic::error(Kind::Internal, message));
        }
        check.needs.extend(addon.map(Need::Addon));
        Ok(check)
    });
    checks.collect()
}

/// Puts values in the place of `{{ NAME }}`; fails with the first name that has none.
pub fn fill_in(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    #[expect(clippy::expect_used, reason = "the pattern is a constant")]
    let pattern = Regex::new(r"\{\{ ([a-z_]+) \}\}").expect("a valid pattern");
    let mut unknown = None;
    let filled_in = pattern.replace_all(text, |captures: &Captures<'_>| {
        let name = captures[1].to_owned();
        values.get(&name).cloned().unwrap_or_else(|| {
            unknown.get_or_insert(name);
            String::new()
        })
    });
    let filled_in = filled_in.into_owned();
    unknown.map_or(Ok(filled_in), Err)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{builtin, fill_in};
    use crate::verify::Action;

    const ALWAYS_THERE: [&str; 7] = [
        "ingress_class",
        "namespace",
        "image",
        "domain",
        "node",
        "node_address",
        "node_local_dns",
    ];

    #[test]
    fn every_check_of_the_program_can_be_read_and_has_a_name_of_its_own() {
        let checks = builtin().unwrap();
        let names: BTreeSet<_> = checks.iter().map(|it| &it.name).collect();
        assert_eq!(names.len(), checks.len());
        assert!(checks[0].foundation && checks[0].quick, "{:?}", checks[0]);
    }

    #[test]
    fn steps_use_only_names_that_are_saved_before() {
        let mut values: BTreeMap<String, String> = ALWAYS_THERE
            .iter()
            .map(|name| ((*name).to_owned(), "x".to_owned()))
            .collect();
        for check in builtin().unwrap() {
            for step in &check.steps {
                let texts = match step.action().unwrap() {
                    Action::Apply(text) | Action::Kubectl(text) | Action::OnEveryNode(text) => {
                        vec![text]
                    }
                    Action::Request { url, host } => vec![url, host.unwrap_or_default()],
                    _ => Vec::new(),
                };
                let expect = &step.expect;
                let expected = [&expect.equals, &expect.contains, &expect.matches];
                let expected = expected.into_iter().flatten().map(String::as_str);
                for text in texts.into_iter().chain(expected) {
                    let filled_in = fill_in(text, &values);
                    assert!(filled_in.is_ok(), "{}: no {filled_in:?}", check.name);
                }
                if let Some(name) = &step.save {
                    values.insert(name.clone(), "x".to_owned());
                }
            }
        }
    }

    #[test]
    fn unknown_names_are_named() {
        let values = BTreeMap::from([("node".to_owned(), "node1".to_owned())]);
        assert_eq!(fill_in("on {{ node }}", &values), Ok("on node1".to_owned()));
        assert_eq!(
            fill_in("{{ node }} {{ nod }}", &values),
            Err("nod".to_owned())
        );
    }
}
