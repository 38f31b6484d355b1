use std::fmt::Write as _;
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::ui::diagnostic::render;

/// Reads text as an inventory file without folders beside it.
fn parse(name: &str, text: &str) -> (Inventory, Diagnostics) {
    let file = Arc::new(SourceFile {
        path: PathBuf::from(name),
        text: text.to_owned(),
    });
    let mut diagnostics = Diagnostics::new();
    let inventory = Inventory::of(&[file], Vault::default(), &mut diagnostics).unwrap();
    group::check(&inventory, &mut diagnostics);
    (inventory, diagnostics)
}

/// Loads an inventory of these files; the first is the inventory file.
fn load(files: &[(&str, &str)]) -> Inventory {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (inventory, warnings) =
        Inventory::load(&folder.path().join(files[0].0), Vault::default()).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    inventory
}

fn variable<'a>(inventory: &'a Inventory, host: &str, name: &str) -> &'a str {
    inventory.hosts[host].variables[name].value.text().unwrap()
}

fn names(inventory: &Inventory, group: &str) -> String {
    let hosts = inventory.hosts_in(group);
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    names.join(" ")
}

#[test]
fn sections_comments_ranges_and_ports() {
    let (inventory, diagnostics) = parse(
        "hosts.ini",
        "lonely\n; comment\n# comment\n[kube-master] # old\n  a:2222 x=1 y='q r' # end\n\
         [db]\nn[1:2].lab z=[1,2]\n[::1]:22\n[c:d]x w=True\n[k8s-cluster:children]\nkube-master # c\ndb\n\
         [k8s-cluster:vars]\nv = a b # kept\nn = 5 # five\n",
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(
        names(&inventory, "k8s_cluster"),
        "a n1.lab n2.lab ::1 cx dx"
    );
    assert_eq!(names(&inventory, "kube-master"), "a");
    assert_eq!(names(&inventory, "kube_control_plane"), "a");
    assert_eq!(names(&inventory, "ungrouped"), "lonely");
    let a = &inventory.hosts["a"].variables;
    assert_eq!(a["ansible_port"].value.text(), Some("2222"));
    assert_eq!(a["y"].value.text(), Some("q r"));
    let place = &a["y"].value.location;
    assert_eq!(&place.file.text[place.span.clone()], "'q r'");
    assert_eq!(
        inventory.hosts["n2.lab"].variables["z"]
            .value
            .items()
            .unwrap()
            .len(),
        2
    );
    let variables = &inventory.groups["k8s_cluster"].variables;
    assert_eq!(variables["v"].value.text(), Some("a b # kept"));
    assert_eq!(variables["n"].value.text(), Some("5"));
}

#[test]
fn variables_win_in_ansibles_order() {
    // Each variable is set at its own level and all weaker ones.
    let levels = [
        ("in_all", 0),
        ("in_parent", 1),
        ("in_child", 2),
        ("folder_all", 3),
        ("folder_parent", 4),
        ("folder_child", 5),
        ("in_host", 6),
        ("folder_host", 7),
    ];
    let text = |level: usize, separator: &str, line: &str| -> String {
        let own = levels.iter().filter(|(_, own)| *own >= level);
        own.fold(String::new(), |text, (name, _)| {
            text + &format!("{name}{separator}level{level}{line}")
        })
    };
    let inventory_text = format!(
        "[child]\nh {}\n[parent:children]\nchild\n[all:vars]\n{}[parent:vars]\n{}[child:vars]\n{}",
        text(6, "=", " "),
        text(0, "=", "\n"),
        text(1, "=", "\n"),
        text(2, "=", "\n"),
    );
    let inventory = load(&[
        ("inventory.ini", &inventory_text),
        ("group_vars/all/a.yml", &text(3, ": ", "\n")),
        ("group_vars/parent.yml", &text(4, ": ", "\n")),
        ("group_vars/child/deep/a.yaml", &text(5, ": ", "\n")),
        ("host_vars/h.json", "{\"folder_host\": \"level7\"}"),
    ]);
    for (name, level) in levels {
        assert_eq!(
            variable(&inventory, "h", name),
            format!("level{level}"),
            "{name}"
        );
    }
}

#[test]
fn among_groups_depth_then_priority_then_name_decide() {
    let inventory = load(&[(
        "inventory.ini",
        "[a]\nh\n[b]\nh\n[c]\nh\n[z:children]\na\n[a:vars]\nx=a\ny=a\n[b:vars]\nx=b\ny=b\nw=b\n\
         [c:vars]\ny=c\nw=c\n[z:vars]\nx=z\n[b:vars]\nansible_group_priority=10\n",
    )]);
    assert_eq!(variable(&inventory, "h", "x"), "a", "deeper");
    assert_eq!(variable(&inventory, "h", "y"), "a", "deeper");
    assert_eq!(variable(&inventory, "h", "w"), "b", "priority");
}

#[test]
fn old_and_new_group_names_are_the_same() {
    let inventory = load(&[
        (
            "inventory.ini",
            "[kube-master]\na\n[kube_control_plane:children]\nkube-master\n[kube_node]\nb\n",
        ),
        ("group_vars/kube_control_plane.yml", "x: new\n"),
        ("group_vars/kube-node/x.yml", "x: old\n"),
    ]);
    assert_eq!(names(&inventory, "kube_control_plane"), "a");
    assert_eq!(variable(&inventory, "a", "x"), "new");
    assert_eq!(variable(&inventory, "b", "x"), "old");
}

#[test]
fn references_are_resolved_where_they_are_asked_for() {
    let inventory = load(&[(
        "inventory.ini",
        "[all]\nh.lab net=10.0.0 ip='{{ net }}.1' n={{list}} list=[1] d=\"{{ nope | default('x') }}\" \
         e='{{ nope | default(net) }}' s='{{ inventory_hostname_short }}' m=\"{'k':'v'}\" k='{{ m.k }}' \
         never=\"{% if x %}\" f='{{ nope|default(22) }}'\n",
    )]);
    let host = &inventory.hosts["h.lab"];
    let resolved =
        |name: &str| template::resolve(&host.variables[name].value, host, &inventory).unwrap();
    for (name, expected) in [
        ("ip", "10.0.0.1"),
        ("d", "x"),
        ("e", "10.0.0"),
        ("s", "h"),
        ("k", "v"),
        ("f", "22"),
    ] {
        assert_eq!(resolved(name).text(), Some(expected), "{name}");
    }
    assert_eq!(resolved("n").items().unwrap().len(), 1);
    assert!(template::resolve(&host.variables["never"].value, host, &inventory).is_err());
}

#[test]
fn a_script_is_refused() {
    let (_, diagnostics) = parse("hosts", "#!/bin/sh\necho\n");
    assert_eq!(
        diagnostics[0].message,
        "inventory scripts are not supported"
    );
}

#[test]
fn deep_diamonds_are_no_problem() {
    let mut text = String::from("[g0]\nh\n");
    for level in 0..60 {
        let _ = write!(text, "[g{}:children]\na{level}\nb{level}\n", level + 1);
        let _ = write!(
            text,
            "[a{level}:children]\ng{level}\n[b{level}:children]\ng{level}\n"
        );
    }
    let inventory = load(&[("inventory.ini", &text)]);
    assert_eq!(names(&inventory, "g60"), "h");
}

/// Text that is nearly an INI inventory.
fn nearly_ini() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[all]\n".to_owned()),
        Just("[g:children]\n".to_owned()),
        Just("[g:vars]\n".to_owned()),
        Just("\n".to_owned()),
        Just("node[1:3] ".to_owned()),
        Just("ip=".to_owned()),
        Just("ansible_password=".to_owned()),
        Just("{{ a }}".to_owned()),
        "[\\[\\]:='\"#; \\\\{}(),a-cé0-3\r\n]{0,12}",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_breaks_the_parsers_or_the_messages(text in nearly_ini()) {
        for name in ["inventory.ini", "hosts.yaml", "hosts"] {
            let (inventory, diagnostics) = parse(name, &text);
            for diagnostic in &diagnostics {
                render(diagnostic, false);
            }
            if diagnostics.is_empty() {
                group::depths(&inventory);
            }
            for host in inventory.hosts.values() {
                for entry in host.variables.values() {
                    let _ = template::resolve(&entry.value, host, &inventory);
                }
            }
        }
    }

    #[test]
    fn no_text_breaks_yaml(text in "[a-b:\\-\\[\\]{}&*!|>'\"#%,? \n0-1é]{0,60}") {
        let file = Arc::new(SourceFile { path: PathBuf::from("x.yml"), text });
        if let Err(error) = crate::yaml::parse_value(&file) {
            render(&error, false);
        }
    }
}
