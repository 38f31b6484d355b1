//! What counts as made by kinstall, and what goes when it isn't wanted any more.

use super::*;
use crate::resource::{
    Block, Content, Directory, File, KernelModule, NoLongerWanted, Symlink, Sysctl,
};

const PERSISTED: &str = "/etc/sysctl.d/99-zz-kinstall.conf";

struct Machine {
    _root: tempfile::TempDir,
    node: Node,
}

impl Machine {
    fn with(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let machine = Self { _root: root, node };
        for (path, text) in files {
            machine.write(path, text);
        }
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.node.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Does what the agent does with a step.
    fn apply(&mut self, resource: &Resource) {
        let changes = resource.check(&self.node).unwrap();
        if !changes.is_empty() {
            note(resource, &changes, &self.node);
            resource.apply(&changes, &mut self.node).unwrap();
        }
    }

    /// Returns what is there of what was made; `!` is behind what was changed since.
    fn made(&self) -> Vec<String> {
        let made = present(&self.node).into_iter();
        made.map(|made| format!("{}{}", made.thing, if made.is_changed { "!" } else { "" }))
            .collect()
    }

    /// Removes what isn't wanted any more, folders last; returns the changes that a plan shows.
    fn remove(&mut self, things: &[Thing]) -> Vec<String> {
        let mut shown = Vec::new();
        let paths = things.iter().filter_map(Thing::path).map(str::to_owned);
        let inside: Vec<String> = paths.collect();
        for thing in things {
            let resource = Resource::NoLongerWanted(NoLongerWanted {
                thing: thing.clone(),
                inside: inside.clone(),
            });
            let changes = resource.check(&self.node).unwrap();
            shown.extend(changes.iter().map(|change| {
                let (from, to) = (change.from.as_deref(), change.to.as_deref());
                format!(
                    "{} {} -> {}",
                    change.subject,
                    from.unwrap_or(""),
                    to.unwrap_or("")
                )
            }));
            self.apply(&resource);
            assert_eq!(resource.check(&self.node).unwrap(), []);
        }
        shown
    }
}

fn file(path: &str, text: &str) -> Resource {
    Resource::File(File {
        path: path.to_owned(),
        content: Content::Text(text.to_owned()),
        mode: 0o600,
        owner: None,
        group: None,
        validate: None,
    })
}

fn directory(path: &str) -> Resource {
    Resource::Directory(Directory {
        path: path.to_owned(),
        mode: 0o755,
        owner: None,
        group: None,
    })
}

fn link(path: &str, target: &str) -> Resource {
    Resource::Symlink(Symlink {
        path: path.to_owned(),
        target: target.to_owned(),
    })
}

fn block(content: &str) -> Resource {
    Resource::Block(Block {
        path: "/etc/hosts".to_owned(),
        name: "hosts".to_owned(),
        content: content.to_owned(),
    })
}

fn parameter(key: &str, value: &str) -> Resource {
    Resource::Sysctl(Sysctl {
        key: key.to_owned(),
        value: value.to_owned(),
    })
}

#[test]
fn only_what_was_not_there_before_is_made_by_kinstall() {
    let found = [("/etc/x", "old\n"), ("/etc/folder/other", "")];
    // (the steps, what counts as made)
    let table: [(Vec<Resource>, &[&str]); 9] = [
        (vec![file("/etc/new", "a\n")], &["/etc/new"]),
        // As it should be, of other access rights, of other content: it is the user's all the same.
        (vec![file("/etc/x", "old\n")], &[]),
        (vec![file("/etc/x", "a\n"), file("/etc/x", "b\n")], &[]),
        (vec![link("/etc/x", "y")], &[]),
        (vec![directory("/etc/folder")], &[]),
        (
            vec![
                directory("/etc/a"),
                file("/etc/a/b", ""),
                link("/etc/c", "a"),
            ],
            &["/etc/a/b", "/etc/c", "/etc/a"],
        ),
        // A later version's content is kinstall's as well; and a path may become something else.
        (
            vec![file("/etc/new", "a\n"), file("/etc/new", "b\n")],
            &["/etc/new"],
        ),
        (
            vec![file("/etc/new", "a\n"), link("/etc/new", "y")],
            &["/etc/new"],
        ),
        // Nobody could make them again.
        (
            vec![
                file("/etc/kubernetes/pki/ca.key", "key"),
                file("/etc/kubernetes/encryption/providers.yaml", "key"),
                directory("/var/lib/etcd"),
                file("/var/lib/kubelet/config.yaml", ""),
                file("/var/lib/kinstall/etcd/before.db", ""),
                file("/etc/kubernetes/pki-of-others", ""),
            ],
            &["/etc/kubernetes/pki-of-others"],
        ),
    ];
    for (steps, expected) in table {
        let mut machine = Machine::with(&found);
        for step in &steps {
            machine.apply(step);
        }
        assert_eq!(machine.made(), expected, "{steps:?}");
    }
}

#[test]
fn what_was_changed_since_stays_and_is_named() {
    let mut machine = Machine::with(&[]);
    machine.apply(&file("/etc/changed", "a\n"));
    machine.apply(&file("/etc/gone", "a\n"));
    machine.apply(&file("/etc/replaced", "a\n"));
    machine.apply(&link("/etc/link", "a"));
    machine.apply(&block("192.0.2.1 a\n"));
    machine.write("/etc/changed", "b\n");
    machine.write(
        "/etc/hosts",
        &machine
            .node
            .read_or_empty("/etc/hosts")
            .replace("192", "193"),
    );
    for path in ["/etc/gone", "/etc/replaced", "/etc/link"] {
        fs::remove_file(machine.node.path(path)).unwrap();
    }
    fs::create_dir(machine.node.path("/etc/replaced")).unwrap();
    machine.apply(&Resource::Symlink(Symlink {
        path: "/etc/link2".to_owned(),
        target: "a".to_owned(),
    }));
    std::os::unix::fs::symlink("b", machine.node.path("/etc/link")).unwrap();
    let expected = [
        "/etc/changed!",
        "/etc/replaced!",
        "/etc/link!",
        "/etc/link2",
        "block hosts in /etc/hosts!",
    ];
    assert_eq!(machine.made(), expected);
    let things: Vec<Thing> = present(&machine.node)
        .into_iter()
        .map(|it| it.thing)
        .collect();
    assert_eq!(machine.remove(&things), ["link  -> "]);
    assert_eq!(
        machine.made(),
        [
            "/etc/changed!",
            "/etc/replaced!",
            "/etc/link!",
            "block hosts in /etc/hosts!"
        ]
    );
}

#[test]
fn what_comes_in_the_place_of_what_is_gone_is_not_kinstalls() {
    let mut machine = Machine::with(&[]);
    machine.apply(&file("/etc/new", "a\n"));
    fs::remove_file(machine.node.path("/etc/new")).unwrap();
    forget_gone(&machine.node);
    machine.write("/etc/new", "a\n");
    assert_eq!(machine.made(), [""; 0]);
}

#[test]
fn a_folder_goes_only_with_nothing_else_in_it() {
    let folder = |path: &str| Thing::Directory(path.to_owned());
    let all = || {
        let a = "/etc/a".to_owned();
        vec![
            Thing::File("/etc/a/b/c".to_owned()),
            folder("/etc/a/b"),
            Thing::Directory(a),
        ]
    };
    let mut machine = Machine::with(&[]);
    for path in ["/etc/a", "/etc/a/b"] {
        machine.apply(&directory(path));
    }
    machine.apply(&file("/etc/a/b/c", ""));
    machine.write("/etc/a/b/of the user", "");
    assert_eq!(machine.remove(&all()), ["file  -> "]);
    assert_eq!(machine.node.read_or_empty("/etc/a/b/of the user"), "");
    fs::remove_file(machine.node.path("/etc/a/b/of the user")).unwrap();
    assert_eq!(machine.remove(&all()), ["directory  -> ", "directory  -> "]);
    assert!(!machine.node.path("/etc/a").exists());
}

#[test]
fn lines_in_files_of_others_go_alone() {
    let mut machine = Machine::with(&[("/etc/hosts", "127.0.0.1 localhost\n")]);
    machine.apply(&block("192.0.2.1 a\n"));
    let [made] = present(&machine.node).try_into().unwrap();
    let resource = Resource::NoLongerWanted(NoLongerWanted {
        thing: made.thing,
        inside: vec![],
    });
    let changes = resource.check(&machine.node).unwrap();
    assert!(
        changes[0].diff.as_ref().unwrap().contains("-192.0.2.1 a\n"),
        "{changes:?}"
    );
    machine.apply(&resource);
    assert_eq!(
        machine.node.read_or_empty("/etc/hosts"),
        "127.0.0.1 localhost\n"
    );
    assert_eq!(machine.made(), [""; 0]);
}

#[test]
fn a_parameter_gets_the_value_of_the_file_that_is_left_or_keeps_its_own_until_the_next_boot() {
    let live = |key: &str| format!("/proc/sys/vm/{key}");
    let mut machine = Machine::with(&[
        (&live("a"), "0"),
        (&live("b"), "0"),
        ("/etc/sysctl.d/50-user.conf", "vm.b = 0\n"),
    ]);
    machine.apply(&parameter("vm.a", "1"));
    machine.apply(&parameter("vm.b", "1"));
    assert_eq!(
        machine.node.read_or_empty(PERSISTED),
        "vm.a = 1\nvm.b = 1\n"
    );
    let [a, b] = ["vm.a", "vm.b"].map(|key| Thing::Sysctl(key.to_owned()));
    let shown = machine.remove(std::slice::from_ref(&b));
    assert_eq!(
        shown,
        ["value 1 -> 0 by /etc/sysctl.d/50-user.conf, now and at boot"]
    );
    assert_eq!(machine.node.read_or_empty(PERSISTED), "vm.a = 1\n");
    assert_eq!(machine.node.read_or_empty(&live("b")), "0");
    let shown = machine.remove(std::slice::from_ref(&a));
    assert_eq!(
        shown,
        ["value at boot (the kernel keeps it until then) 1 -> "]
    );
    assert!(!machine.node.path(PERSISTED).exists());
    assert_eq!(machine.node.read_or_empty(&live("a")), "1");
}

/// Another file says the same: kinstall has not written anything.
#[test]
fn a_value_that_others_set_is_theirs() {
    let mut machine = Machine::with(&[
        ("/proc/sys/vm/a", "0"),
        ("/etc/sysctl.d/50-user.conf", "vm.a = 1\n"),
        ("/proc/modules", "vxlan 155648 0 - Live 0x0\n"),
    ]);
    machine.apply(&parameter("vm.a", "1"));
    assert_eq!(machine.made(), [""; 0]);
    let module = "vxlan".to_owned();
    machine.apply(&Resource::KernelModule(KernelModule {
        name: module.clone(),
    }));
    assert_eq!(machine.made(), ["kernel module vxlan"]);
    assert_eq!(
        machine.remove(&[Thing::KernelModule(module)]),
        ["loaded at boot  -> "]
    );
    let folder = machine.node.path("/etc/modules-load.d");
    assert_eq!(folder.read_dir().unwrap().count(), 0);
}

#[test]
fn records_that_another_version_wrote_and_can_not_be_read_mean_that_a_thing_stays() {
    let machine = Machine::with(&[("/var/lib/kinstall/made/x", "{\"thing\":{\"future\":1}}")]);
    assert_eq!(machine.made(), [""; 0]);
    forget_gone(&machine.node);
    assert!(machine.node.path("/var/lib/kinstall/made/x").exists());
}
