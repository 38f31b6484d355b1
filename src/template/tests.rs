use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;
use tera::Context;

use super::Engine;
use super::source::Source;
use crate::diagnostic::{Diagnostic, SourceFile};

fn source_file(path: &str, text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from(path),
        text: text.to_owned(),
    })
}

fn engine(templates: &[(&str, &str)]) -> Engine {
    let files: BTreeMap<String, Arc<SourceFile>> = templates
        .iter()
        .map(|(name, text)| ((*name).to_owned(), source_file(name, text)))
        .collect();
    let images = BTreeMap::from([("etcd".to_owned(), "kinstall.local/etcd:v1".to_owned())]);
    Engine::new(&files, images, Context::new()).unwrap()
}

fn context() -> Context {
    let value = json!({
        "cluster": {
            "name": "lab",
            "none": null,
            "pools": [{ "first": "10.0.0.1" }],
            "labels": { "z": "1", "a": "2", "m": "3" },
        },
        "count": 0,
    });
    Context::from_serialize(&value).unwrap()
}

/// Renders the string as if it stood in a file of its own after `value: `.
fn render(text: &str) -> Result<String, Diagnostic> {
    let file = source_file("p.yml", &format!("value: {text}\n"));
    let span = 7..7 + text.len();
    let source = Source {
        text,
        file: &file,
        span: &span,
    };
    engine(&[]).render_text(&source, &context())
}

fn marked(diagnostic: &Diagnostic) -> (usize, &str) {
    let (location, _) = diagnostic.label.as_ref().unwrap();
    (location.line(), &location.file.text[location.span.clone()])
}

#[test]
fn texts_are_rendered() {
    let table = [
        ("plain", "plain"),
        ("{{ cluster.name }}!", "lab!"),
        ("{{ cluster.name | b64encode }}", "bGFi"),
        ("{{ cluster.pools | to_json }}", r#"[{"first":"10.0.0.1"}]"#),
        (
            "{{ cluster.labels | to_yaml }}",
            "z: \"1\"\na: \"2\"\nm: \"3\"",
        ),
        ("{{ image(name=\"etcd\") }}", "kinstall.local/etcd:v1"),
        // Maps keep the order that they were given in: the same input makes the same text.
        (
            "{% for k, v in cluster.labels %}{{ k }}{{ v }}{% endfor %}",
            "z1a2m3",
        ),
        // Nothing is escaped: the results are configuration files.
        ("{{ '<&\">' }}", "<&\">"),
    ];
    for (text, expected) in table {
        assert_eq!(render(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn an_unknown_name_is_marked_and_its_neighbour_suggested() {
    let error = render("a {{ cluster.nmae }}").unwrap_err();
    assert_eq!(error.message, "field `nmae` is not defined");
    assert_eq!(error.hints, ["did you mean `name`?"]);
    assert_eq!(marked(&error), (1, "nmae"));
}

#[test]
fn an_unknown_image_is_an_error() {
    let error = render("{{ image(name='etdc') }}").unwrap_err();
    assert_eq!(
        error.message,
        "no image `etdc` in the bundle; did you mean `etcd`?"
    );
}

#[test]
fn secrets_are_not_there_by_themselves() {
    let error = render("{{ secrets.token }}").unwrap_err();
    assert!(error.hints[0].contains("secret: true"), "{error:?}");
}

#[test]
fn an_error_in_a_block_scalar_is_found_behind_its_indentation() {
    let file = source_file("p.yml", "content: |\n    one\n    {{ x }}\n    three\n");
    let span = 9..file.text.len();
    let source = Source {
        text: "one\n{{ x }}\nthree\n",
        file: &file,
        span: &span,
    };
    let error = engine(&[]).render_text(&source, &context()).unwrap_err();
    assert_eq!(marked(&error), (3, "x"));
}

#[test]
fn expressions_are_true_or_false() {
    let table = [
        ("cluster.pools", true),
        ("cluster.none", false),
        ("count", false),
        ("count == 0", true),
        ("not cluster.none", true),
        ("cluster.name == \"lab\" and count < 1", true),
    ];
    let engine = engine(&[]);
    for (text, expected) in table {
        let file = source_file("p.yml", text);
        let span = 0..text.len();
        let source = Source {
            text,
            file: &file,
            span: &span,
        };
        assert_eq!(
            engine.holds(&source, &context()).unwrap(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn an_error_in_an_expression_is_marked() {
    let engine = engine(&[]);
    for (text, wrong) in [
        ("count == cluster.nmae", "nmae"),
        ("count == cuont", "cuont"),
    ] {
        let file = source_file("p.yml", text);
        let span = 0..text.len();
        let source = Source {
            text,
            file: &file,
            span: &span,
        };
        let error = engine.holds(&source, &context()).unwrap_err();
        assert_eq!(marked(&error), (1, wrong), "{error:?}");
        let error = engine.items(&source, &context()).unwrap_err();
        assert_eq!(marked(&error), (1, wrong), "{error:?}");
    }
}

#[test]
fn only_arrays_can_be_walked() {
    let engine = engine(&[]);
    let items = |text: &str| {
        let file = source_file("p.yml", text);
        let span = 0..text.len();
        let source = Source {
            text,
            file: &file,
            span: &span,
        };
        engine.items(&source, &context())
    };
    assert_eq!(
        items("cluster.pools").unwrap(),
        [json!({ "first": "10.0.0.1" })]
    );
    assert!(items("cluster.none").unwrap().is_empty());
    assert_eq!(
        items("cluster.name").unwrap_err().message,
        "`for_each` needs an array"
    );
}

#[test]
fn an_error_in_a_template_points_into_its_file() {
    let engine = engine(&[("a.tera", "one\ntwo {{ wrong }}\n")]);
    let file = source_file("p.yml", "a.tera");
    let source = Source {
        text: "a.tera",
        file: &file,
        span: &(0..6),
    };
    let error = engine
        .render_file("a.tera", &source, &context())
        .unwrap_err();
    assert_eq!(marked(&error), (2, "wrong"));
    let error = engine
        .render_file("b.tera", &source, &context())
        .unwrap_err();
    assert_eq!(error.message, "no template `b.tera`");
    assert_eq!(marked(&error), (1, "a.tera"));
}
