//! Manifests on a real API server.

use std::process::Command;
use std::time::{Duration, Instant};

use kinstall::converge::ResourceError;
use kinstall::resource::{
    AbsentObjects, Action, Change, Condition, Manifest, Manifests, ObjectName, Owner, Resource,
    Wait,
};
use kinstall::secret::Secret;
use serde_json::{Value, json};

use super::api_server::{ApiServer, KUBECONFIG};
use super::started::program;

fn manifests(objects: &[Value]) -> Resource {
    Resource::Manifests(Manifests {
        name: "test".into(),
        objects: objects
            .iter()
            .map(|it| Manifest::new(it.to_string()))
            .collect(),
        owner: Owner::Kinstall,
        kubeconfig: KUBECONFIG.into(),
    })
}

/// The same as the user's own, all of one file.
fn of_user(objects: &[Value]) -> Resource {
    let object = |it: &Value| Manifest {
        text: Secret::new(it.to_string()),
        origin: Some("manifests/own.yaml:1".into()),
    };
    Resource::Manifests(Manifests {
        name: "manifests/objects".into(),
        objects: objects.iter().map(object).collect(),
        owner: Owner::User,
        kubeconfig: KUBECONFIG.into(),
    })
}

/// Returns changes as `plan` lists them.
fn listed(changes: &[Change]) -> Vec<String> {
    let changes = changes.iter();
    changes
        .map(|it| format!("{:?} {}", it.action, it.subject))
        .collect()
}

fn converge(resource: &Resource, server: &ApiServer) -> Result<Vec<Change>, ResourceError> {
    let mut node = server.node();
    let changes = resource.check(&node)?;
    if !changes.is_empty() {
        resource.apply(&changes, &mut node)?;
        assert_eq!(resource.check(&node)?, [], "applied and still different");
    }
    Ok(changes)
}

fn absent(objects: &[Value]) -> Resource {
    Resource::AbsentObjects(AbsentObjects {
        name: "test".into(),
        objects: objects.iter().filter_map(ObjectName::of).collect(),
        commands: Vec::new(),
        kubeconfig: KUBECONFIG.into(),
    })
}

/// Creates an object as a user does.
fn create(server: &ApiServer, object: &Value) {
    let file = server.root.path().join("users.json");
    std::fs::write(&file, object.to_string()).unwrap();
    let root = server.root.path();
    let output = Command::new(program("kubectl"))
        .args(["--server", server.client().server()])
        .arg("--certificate-authority")
        .arg(root.join("ca.crt"))
        .arg("--client-certificate")
        .arg(root.join("admin.crt"))
        .arg("--client-key")
        .arg(root.join("admin.key"))
        .args(["create", "--validate=false", "--filename"])
        .arg(file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn objects_that_are_not_wanted_any_more_go_and_nothing_of_anybody_else() {
    let server = ApiServer::start();
    let objects = component("kinstall.local/web:v1.0.0", "secret");
    // Without controllers, namespaces stay for ever: their contents are what counts here.
    let parts = &objects[1..];
    converge(&manifests(&objects), &server).unwrap();
    let gone = |changes: &[Change]| -> Vec<String> {
        assert!(changes.iter().all(|it| it.action == Action::Remove));
        changes.iter().map(|it| it.subject.clone()).collect()
    };
    // What looks is what does, and what looks changes nothing.
    let planned = absent(parts).check(&server.node()).unwrap();
    assert_eq!(planned.len(), parts.len(), "{planned:?}");

    // A user's object keeps its kind; it stays itself.
    let user = json!({"apiVersion": "test.kinstall.local/v1", "kind": "Pool",
        "metadata": {"name": "users", "namespace": "shop"}});
    let pools = "/apis/test.kinstall.local/v1/namespaces/shop/pools";
    let client = server.client();
    create(&server, &user);
    let removed = gone(&converge(&absent(parts), &server).unwrap());
    assert!(
        removed.contains(&"Pool shop/first".to_owned()),
        "{removed:?}"
    );
    assert!(
        !removed
            .iter()
            .any(|it| it.starts_with("CustomResourceDefinition")),
        "{removed:?}"
    );
    assert_eq!(client.get(&format!("{pools}/users")).unwrap().status, 200);

    client.delete(&format!("{pools}/users")).unwrap();
    let removed = gone(&converge(&absent(parts), &server).unwrap());
    assert_eq!(
        removed,
        ["CustomResourceDefinition pools.test.kinstall.local"]
    );
    assert_eq!(converge(&absent(parts), &server).unwrap(), []);
}

/// A namespace, a kind of our own, an object of it, and what add-ons are made of.
fn component(image: &str, password: &str) -> Vec<Value> {
    let labels = json!({"app": "web"});
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "pools.test.kinstall.local"},
            "spec": {
                "group": "test.kinstall.local", "scope": "Namespaced",
                "names": {"kind": "Pool", "plural": "pools", "singular": "pool", "listKind": "PoolList"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "properties": {"spec": {"type": "object",
                        "x-kubernetes-preserve-unknown-fields": true}}}}}],
            },
        }),
        json!({"apiVersion": "test.kinstall.local/v1", "kind": "Pool",
            "metadata": {"name": "first", "namespace": "shop"}, "spec": {"range": "192.168.56.50-99"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login", "namespace": "shop"},
            "stringData": {"password": password}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"},
            "data": {"index": "one\ntwo\n"}}),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [
                    {"name": "web", "image": image, "ports": [{"containerPort": 80}],
                     "resources": {"limits": {"cpu": "1000m", "memory": "0.5Gi"}}}]}}},
        }),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"type": "LoadBalancer", "selector": labels, "ports": [{"port": 80}]}}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "shop"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
    ]
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn a_component_is_applied_shown_and_left_alone() {
    let server = ApiServer::start();

    // Nothing is there, not even the namespace and the kind: everything would be created.
    let first = manifests(&component("web:1", "hunter2"));
    let changes = converge(&first, &server).unwrap();
    assert_eq!(changes.len(), 8);
    assert!(changes.iter().all(|change| change.action == Action::Create));
    assert_eq!(first.check(&server.node()).unwrap(), []);

    // Without what kinstall remembers, the server's dry run says the same.
    std::fs::remove_dir_all(server.root.path().join("var/lib/kinstall/objects")).unwrap();
    assert_eq!(first.check(&server.node()).unwrap(), []);

    // One value is another: one object changes, and the diff is that one line.
    let second = manifests(&component("web:2", "hunter3"));
    let changes = converge(&second, &server).unwrap();
    let titles: Vec<_> = changes
        .iter()
        .map(|change| change.subject.as_str())
        .collect();
    assert_eq!(titles, ["Secret shop/login", "Deployment shop/web"]);
    assert!(!format!("{changes:?}").contains("hunter"));
    let secret = changes[0].diff.as_deref().unwrap();
    assert!(secret.contains("+  password: *** (changed)"), "{secret}");
    let diff = changes[1].diff.as_deref().unwrap();
    let marked: Vec<_> = diff
        .lines()
        .filter(|line| line.starts_with(['+', '-']))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(marked, ["- image: web:1", "+ image: web:2"], "{diff}");

    // Somebody else changes a field of ours, and adds one of theirs: ours comes back, theirs stays.
    let client = server.client();
    let path = "/api/v1/namespaces/shop/configmaps/web";
    let foreign = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"},
        "data": {"index": "three\n", "theirs": "kept"}});
    assert!(
        client
            .apply(path, &foreign.to_string(), false)
            .unwrap()
            .is_success()
    );
    let changes = converge(&second, &server).unwrap();
    assert_eq!(changes[0].subject, "ConfigMap shop/web");
    let data = client.get(path).unwrap().body["data"].clone();
    assert_eq!(data["index"], "one\ntwo\n");
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn objects_of_the_user_go_with_their_manifest_and_what_was_there_before_stays() {
    let server = ApiServer::start();
    let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": name}});
    let path = |name: &str| format!("/api/v1/namespaces/default/configmaps/{name}");
    let record = "/api/v1/namespaces/kube-system/configmaps/kinstall-manifests";
    let client = server.client();
    create(&server, &map("before"));

    let all = [map("one"), map("two"), map("before")];
    let changes = converge(&of_user(&all), &server).unwrap();
    assert_eq!(
        listed(&changes),
        ["Create ConfigMap one", "Create ConfigMap two"]
    );

    // The node that applied them is not the only one that knows.
    std::fs::remove_dir_all(server.root.path().join("var/lib/kinstall/objects")).unwrap();
    let changes = converge(&of_user(&[map("three"), map("two")]), &server).unwrap();
    assert_eq!(
        listed(&changes),
        ["Create ConfigMap three", "Remove ConfigMap one"]
    );
    assert_eq!(client.get(&path("one")).unwrap().status, 404);
    assert_eq!(client.get(&path("before")).unwrap().status, 200);

    // One that somebody else made in its place is theirs.
    client.delete(&path("two")).unwrap();
    create(&server, &map("two"));
    let changes = converge(&of_user(&[]), &server).unwrap();
    assert_eq!(listed(&changes), ["Remove ConfigMap three"]);
    assert_eq!(client.get(&path("two")).unwrap().status, 200);
    assert_eq!(client.get(record).unwrap().status, 404);
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn a_run_that_was_cut_off_leaves_no_object_of_the_user_unknown() {
    let server = ApiServer::start();
    let good = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "one", "annotations": {"a": "b"}}});
    let bad = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "bad"}, "spec": {"ports": [{"port": 99_999_999}]}});
    let error = converge(&of_user(&[good, bad]), &server).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the API server refused to apply Service bad (manifests/own.yaml:1): "),
        "{error}"
    );
    let changes = converge(&of_user(&[]), &server).unwrap();
    assert_eq!(listed(&changes), ["Remove ConfigMap one"]);
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn an_add_on_that_goes_leaves_the_users_objects_of_its_kinds() {
    let server = ApiServer::start();
    let objects = component("kinstall.local/web:v1.0.0", "secret");
    let parts = &objects[1..];
    converge(&manifests(&objects), &server).unwrap();
    let own = json!({"apiVersion": "test.kinstall.local/v1", "kind": "Pool",
        "metadata": {"name": "own", "namespace": "shop", "annotations": {"a": "b"}}});
    converge(&of_user(std::slice::from_ref(&own)), &server).unwrap();
    converge(&absent(parts), &server).unwrap();
    assert_eq!(of_user(&[own]).check(&server.node()).unwrap(), []);
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn a_check_of_eighty_objects_is_quick() {
    let server = ApiServer::start();
    let objects: Vec<Value> = (0..80)
        .map(|number| {
            json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("map-{number}"), "namespace": "default"},
                "data": {"text": "x".repeat(2000)}})
        })
        .collect();
    let resource = manifests(&objects);
    converge(&resource, &server).unwrap();
    let time = |what: &str| {
        let start = Instant::now();
        assert_eq!(resource.check(&server.node()).unwrap(), []);
        println!("{what}: {:?}", start.elapsed());
        start.elapsed()
    };
    // The best of three: the machine has other things to do as well.
    let remembered = (0..3)
        .map(|_| time("80 objects, remembered"))
        .min()
        .unwrap();
    std::fs::remove_dir_all(server.root.path().join("var/lib/kinstall/objects")).unwrap();
    time("80 objects, by dry run");
    assert!(remembered < Duration::from_millis(300), "{remembered:?}");
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn refusals_and_a_stopped_server_are_told() {
    let server = ApiServer::start();
    let bad = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "bad", "namespace": "default"}, "spec": {"ports": [{"port": 99_999_999}]}});
    let error = converge(&manifests(&[bad]), &server).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the API server refused to apply Service default/bad"),
        "{error}"
    );
    let ready = Resource::Wait(Wait {
        condition: Condition::NodeReady {
            kubeconfig: KUBECONFIG.into(),
            name: "nobody".into(),
        },
        timeout: 0,
    });
    let changes = ready.check(&server.node()).unwrap();
    assert_eq!(
        changes[0].from.as_deref(),
        Some("nodes \"nobody\" not found")
    );
    let https = |ca: &str| {
        Resource::Wait(Wait {
            condition: Condition::Https {
                url: format!("{}/readyz", server.client().server()),
                ca: ca.into(),
            },
            timeout: 5,
        })
    };
    // Without the right authority nobody is believed.
    assert_eq!(https("/ca.crt").check(&server.node()).unwrap().len(), 0);
    assert_eq!(https("/server.crt").check(&server.node()).unwrap().len(), 1);

    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "x", "namespace": "default"}});
    let node = server.node();
    let root = server.stop();
    let changes = manifests(&[map]).check(&node).unwrap();
    let actions: Vec<_> = changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Wait, Action::Create]);
    drop(root);
}
