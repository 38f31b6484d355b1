use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::{UserObject, read};
use crate::diagnostic::{Diagnostics, Location, SourceFile};

/// Writes files into a folder, and reads all of it.
fn objects(files: &[(&str, &str)]) -> Result<Vec<UserObject>, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    all(folder.path()).map_err(|errors| messages(&errors, folder.path()))
}

fn all(path: &Path) -> Result<Vec<UserObject>, Diagnostics> {
    let place = Location {
        file: Arc::new(SourceFile {
            path: "all.yml".into(),
            text: "kinstall_manifests: manifests\n".to_owned(),
        }),
        span: 20..29,
    };
    read([(path.to_owned(), &place)].into_iter())
}

/// Returns each message with its place and its hints, without the folder.
fn messages(errors: &Diagnostics, folder: &Path) -> Vec<String> {
    let folder = format!("{}/", folder.display());
    let errors = errors.iter().map(|error| {
        let (location, _) = error.label.as_ref().unwrap();
        let place = format!("{}:{}", location.path().display(), location.line());
        let hints = error.hints.join("; ");
        format!("{place}: {}; {hints}", error.message).replace(&folder, "")
    });
    errors.collect()
}

fn titles(objects: &[UserObject]) -> Vec<String> {
    objects.iter().map(|it| it.name.title()).collect()
}

#[test]
fn objects_come_in_the_order_of_files_after_what_they_need() {
    let objects = objects(&[
        (
            "b.yml",
            "apiVersion: example.com/v1\nkind: Pool\nmetadata: { name: first, namespace: shop }\n---\n# nothing\n---\n\
             apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n",
        ),
        (
            "a/list.yaml",
            "apiVersion: v1\nkind: List\nitems:\n  - { apiVersion: v1, kind: ConfigMap, metadata: { name: one } }\n  \
             - { apiVersion: v1, kind: ServiceAccount, metadata: { name: two, namespace: shop } }\n",
        ),
        (
            "c.json",
            r#"{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "pools.example.com"}}"#,
        ),
        ("README.md", "not a manifest"),
        (".git/x.yaml", "neither"),
    ])
    .unwrap();
    assert_eq!(
        titles(&objects),
        [
            "Namespace shop",
            "CustomResourceDefinition pools.example.com",
            "ServiceAccount shop/two",
            "ConfigMap one",
            "Pool shop/first",
        ]
    );
    let origin = objects[0].manifest.origin.as_deref().unwrap();
    assert!(origin.ends_with("/b.yml:7"), "{origin}");
}

#[test]
fn a_file_may_be_named_whatever_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("objects.txt");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata: { mode: \"0644\" }\n";
    fs::write(&file, text).unwrap();
    let objects = all(&file).unwrap();
    assert_eq!(titles(&objects), ["ConfigMap a"]);
}

#[test]
fn every_object_has_a_field_by_which_it_is_known_later() {
    let objects = objects(&[(
        "a.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: { name: b, annotations: { c: d } }\n",
    )])
    .unwrap();
    let texts = objects.iter().map(|it| it.manifest.text.expose());
    let texts: Vec<&str> = texts.collect();
    let mark = r#""kinstall.local/made-from":"kinstall_manifests""#;
    assert!(texts[0].contains(&format!("{{{mark}}}")), "{}", texts[0]);
    assert!(
        texts[1].contains(&format!(r#"{{"c":"d",{mark}}}"#)),
        "{}",
        texts[1]
    );
}

#[test]
fn everything_that_is_wrong_is_told_with_its_line() {
    let errors = objects(&[
        ("broken.yaml", "kind: [\n"),
        (
            "incomplete.yaml",
            "# first\n- a\n---\napiVersion: v2\nname: chart\n---\nkind: Pod\nmetadata: { name: a }\n---\n\
             apiVersion: batch/v1\nkind: Job\nmetadata: { generateName: a- }\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: { name: 7 }\n",
        ),
        (
            "kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n",
        ),
        (
            "saved.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, creationTimestamp: null, resourceVersion: \"7\" }\n",
        ),
        (
            "twice.yaml",
            "apiVersion: v1\nkind: Service\nmetadata: { name: a }\n---\n\
             apiVersion: v1\nkind: Service\nmetadata: { name: a, namespace: default }\n",
        ),
    ])
    .unwrap_err();
    insta::assert_snapshot!(errors.join("\n"), @r"
    broken.yaml:1: broken YAML: unclosed bracket '['; 
    incomplete.yaml:2: a manifest must be a mapping; every object has `apiVersion`, `kind` and `metadata.name`
    incomplete.yaml:4: a manifest has no `kind`; every object has `apiVersion`, `kind` and `metadata.name`
    incomplete.yaml:7: a Pod has no `apiVersion`; every object has `apiVersion`, `kind` and `metadata.name`
    incomplete.yaml:10: a Job has no `metadata.name`; `generateName` makes another object each time: replace it with `name`
    incomplete.yaml:14: `metadata.name` of a manifest must be text; put the value in quotes
    kustomization.yaml:1: a Kustomization isn't an object of a cluster; replace its folder with what it makes: `kubectl kustomize FOLDER > FILE.yaml`
    saved.yaml:1: `metadata.resourceVersion` can't be applied; the API server sets it; remove `managedFields`, `resourceVersion`, `uid` from the manifest
    twice.yaml:5: Service default/a stands in two manifests; the first one: twice.yaml:1; remove one of the two
    ");
}

#[test]
fn a_folder_that_is_not_there_is_told_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let errors = all(&folder.path().join("manifests")).unwrap_err();
    insta::assert_snapshot!(messages(&errors, folder.path()).join("\n"), @"all.yml:1: there are no manifests at `manifests`; create the file or folder, or correct the path: it starts at the folder of this file");
}

#[test]
fn an_error_beside_a_secret_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("login.yaml");
    let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData: { pin: hunter2, other: \"hunter3\"\n";
    fs::write(&file, text).unwrap();
    let errors = all(folder.path()).unwrap_err();
    let (location, _) = errors[0].label.as_ref().unwrap();
    assert_eq!(location.file.text.len(), text.len());
    insta::assert_snapshot!(location.file.text, @"
    apiVersion: v1
    kind: Secret
    metadata:
      name: a
    stringData: { ***: *******, *****: *********
    ");
    fs::write(
        &file,
        "apiVersion: v1\nkind: Secret\nmetadata: { name: a }\nstringData:\n  pin: 1234\n  file: |\n    name: hunter2\n",
    )
    .unwrap();
    let errors = all(folder.path()).unwrap_err();
    assert_eq!(
        errors[0].message,
        "`stringData.pin` of a Secret must be text"
    );
    let shown = &errors[0].label.as_ref().unwrap().0.file.text;
    assert!(
        !shown.contains("1234") && !shown.contains("hunter2"),
        "{shown}"
    );
    let one_line = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","uid":"x"},"data":{"a":"aHVudGVy"}}"#;
    fs::write(&file, one_line).unwrap();
    let errors = all(folder.path()).unwrap_err();
    let (location, _) = errors[0].label.as_ref().unwrap();
    assert!(!location.file.text.contains("aHVudGVy"));
    assert!(!format!("{errors:?}").contains("aHVudGVy"));
}
