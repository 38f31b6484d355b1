use std::path::PathBuf;

use serde::Deserialize;
use serde_json::json;

use super::*;

fn file(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from("test.yml"),
        text: text.to_owned(),
    })
}

fn marked(diagnostic: &Diagnostic) -> (usize, String) {
    let (location, _) = diagnostic.label.as_ref().unwrap();
    let text = location.file.text[location.span.clone()].to_owned();
    (location.line(), text)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[expect(dead_code)]
    path: String,
    #[expect(dead_code)]
    mode: Option<u16>,
}

#[test]
fn an_unknown_field_is_marked_and_its_neighbour_suggested() {
    let error = parse::<Step>(&file("path: /ä\nmoed: 7\n")).unwrap_err();
    assert_eq!(error.message, "unknown field `moed`");
    assert_eq!(error.hints, ["did you mean `mode`?"]);
    assert_eq!(marked(&error), (2, "moed".to_owned()));
}

#[test]
fn a_wrong_type_is_marked() {
    let error = parse::<Step>(&file("path: a\nmode: high\n")).unwrap_err();
    assert_eq!(marked(&error), (2, "high".to_owned()));
}

#[test]
fn duplicate_keys_are_errors_in_files_of_our_own() {
    for result in [
        parse_value(&file("a: 1\nb: 2\na: 3\n")).map(|_| ()),
        documents(&file("a: 1\nb: 2\na: 3\n")).map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.message, "key `a` stands twice in the same mapping");
        assert_eq!(marked(&error), (3, "a".to_owned()));
    }
}

#[test]
fn broken_yaml_has_a_line() {
    let error = parse_value(&file("a: 1\nb: [1, 2\nc: 3\n")).unwrap_err();
    assert!(marked(&error).0 >= 2, "{error:?}");
}

#[test]
fn values_know_their_place_and_numbers_their_text() {
    let value = parse_value(&file(
        "# ü\nv: 1.30\nlist:\n  - \"a\"\n  - yes\nm: {k: ~}\no: 0644\n",
    ))
    .unwrap();
    let version = value.get("v").unwrap();
    assert_eq!(version.text(), Some("1.30"));
    assert_eq!(version.location.line(), 2);
    assert_eq!(
        &version.location.file.text[version.location.span.clone()],
        "1.30"
    );
    let list = value.get("list").unwrap().items().unwrap();
    assert_eq!(list[0].text(), Some("a"));
    assert_eq!(list[0].location.line(), 4);
    assert_eq!(list[1].node, Node::Bool(true));
    assert_eq!(value.get("m").unwrap().get("k").unwrap().node, Node::Null);
    assert_eq!(value.get("o").unwrap().node, Node::Number("420".to_owned()));
    let key = &value.entries().unwrap()[2].key_location;
    assert_eq!(&key.file.text[key.span.clone()], "m");
}

#[test]
fn only_plain_scalars_are_interpreted() {
    let text = "a: \"010\"\nb: '1:30'\nc: !!str 010\nd: |\n  yes\ne: >-\n  1_000\nf: !x \"on\"\n\
                g: &x 010\nh: *x\ni: [010, y, 'on']\nj: {k: n}\nl: .inf\n";
    let value = parse_value(&file(text)).unwrap();
    let shown: Vec<String> = value
        .entries()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {:?}", entry.key, entry.value.node))
        .map(|text| text.split(", location").next().unwrap().to_owned())
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a Text("010")
    b Text("1:30")
    c Text("010")
    d Text("yes\n")
    e Text("1_000")
    f Text("on")
    g Number("8")
    h Number("8")
    i List([a number in test.yml:11, text in test.yml:11, text in test.yml:11])
    j Map([Entry { key: "k", key_location: Location { file: test.yml, span: 106..107 }, value: text in test.yml:12 }])
    l Text(".inf")
    "#);
}

#[test]
fn of_doubled_keys_ansible_takes_the_last() {
    let mut warnings = Vec::new();
    let value = parse_as_ansible(&file("a: 1\nb: {c: 2, c: 3}\na: 4\n"), &mut warnings).unwrap();
    assert_eq!(value.get("a").unwrap().text(), Some("4"));
    assert_eq!(value.get("b").unwrap().get("c").unwrap().text(), Some("3"));
    let places: Vec<_> = warnings.iter().map(marked).collect();
    assert_eq!(places, [(2, "c".to_owned()), (3, "a".to_owned())]);
    assert_eq!(
        warnings[1].hints,
        ["remove the first one, in line 1, or this one"]
    );
}

#[test]
fn an_empty_file_is_null() {
    for text in ["", "---\n", "# only a comment\n"] {
        assert_eq!(
            parse_value(&file(text)).unwrap().node,
            Node::Null,
            "{text:?}"
        );
    }
}

#[test]
fn documents_are_read_as_kubernetes_reads_them() {
    let documents = documents(&file("---\n---\nmode: 0644\n---\n# nothing\n---\ny: n\n")).unwrap();
    assert_eq!(documents, [json!({"mode": 420}), json!({"y": false})]);
}

#[test]
fn text_that_looks_like_something_else_survives() {
    let value = json!({
        "yes": ["no", "on", "0644", "1.10", "null", "~", "1e3", "0x10", "12:30", "2001-01-01"],
        "text": "a: b # c\nsecond\n",
        "n": "y",
        "empty": ["", {}, []],
        "number": 3,
        "big": "- x",
    });
    let text = to_text(&value);
    assert_eq!(documents(&file(&text)).unwrap(), [value], "{text}");
}
