//! Vagrantfiles of many styles, and what `kinstall import vagrant` makes of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use kinstall::diagnostic::{Diagnostic, Kind};
use kinstall::image::{ImageReference, ImageStore};
use kinstall::model;
use kinstall::vagrant::{Environment, Import, Machine, Note, Role, import};
use proptest::prelude::*;

use crate::program::Project;

/// Worked out by hand.
const TABLE: &str = include_str!("vagrant/table.txt");

fn folder(name: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vagrantfiles");
    fixtures.join(name)
}

fn names() -> BTreeSet<String> {
    let entries = fs::read_dir(folder("")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn of(name: &str) -> Import {
    read(&folder(name).join("Vagrantfile")).unwrap()
}

/// Imports where there is no image but those of the catalog.
fn read(path: &Path) -> Result<Import, Diagnostic> {
    let store = ImageStore::at("no store".into())?;
    let images = |image: &str| {
        let reference = ImageReference::parse(image, Path::new("."))?;
        store.find(&reference).map(drop).map_err(Diagnostic::from)
    };
    import(path, &Environment::default(), &images)
}

#[test]
fn machines_and_left_overs_are_those_of_the_table() {
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    let table = TABLE.split_once("\n\n").unwrap().1;
    for block in table.split("\n\n") {
        let name = block.lines().next().unwrap().trim();
        seen.insert(name.to_owned());
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&summary(name, &of(name)));
    }
    assert_eq!(text, table);
    assert_eq!(seen, names());
    assert_eq!(seen.len(), 43);
}

/// Writes an import as the table has it.
fn summary(name: &str, import: &Import) -> String {
    let mut text = format!("{name}\n");
    for (machine, role) in import.machines.iter().zip(&import.roles) {
        let role = match role {
            Role::ControlPlane => "C",
            Role::Worker => "W",
            Role::Both => "B",
            Role::Outside => "O",
        };
        let known = |variable: &str, value: Option<String>| {
            let is_missing = machine.to_fill_in.iter().any(|it| it.variable == variable);
            value.unwrap_or_else(|| if is_missing { "?" } else { "-" }.to_owned())
        };
        let number = |value: Option<u64>| value.map(|it| it.to_string());
        let _ = write!(
            text,
            "  {} {role} {} {} {} {} {}",
            machine.name,
            known("ip", machine.address.map(|it| it.to_string())),
            known("machine_cpus", number(machine.cpus)),
            known("machine_memory", number(machine.memory_mib)),
            known("machine_disk", machine.disk.clone()),
            known("machine_image", machine.image.clone()),
        );
        for (name, variable, items) in [
            ("ports", "machine_forwarded_ports", &machine.forwarded_ports),
            ("disks", "machine_extra_disks", &machine.extra_disks),
            ("networks", "machine_networks", &machine.networks),
            ("folders", "machine_shared_folders", &machine.shared_folders),
        ] {
            let items = (!items.is_empty()).then(|| items.join(","));
            let items = known(variable, items);
            if items != "-" {
                let _ = write!(text, " {name}={items}");
            }
        }
        text.push('\n');
    }
    lines(&mut text, "left out", &import.notes.left_out);
    lines(&mut text, "to fill in", &import.notes.to_fill_in);
    text
}

fn lines(text: &mut String, title: &str, notes: &[Note]) {
    let lines: BTreeSet<usize> = notes.iter().map(|it| it.line).collect();
    if !lines.is_empty() {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "  {title}: {}", lines.join(" "));
    }
}

#[test]
fn complete_inventories_load_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for name in names() {
        let import = of(&name);
        if !import.is_complete() {
            continue;
        }
        let path = folder.path().join(format!("{name}.ini"));
        fs::write(&path, &import.inventory).unwrap();
        let (cluster, warnings) = model::load(&path).unwrap_or_else(|errors| {
            panic!("{name}: {errors:#?}\n{}", import.inventory);
        });
        let is_node = |role: &&Role| **role != Role::Outside;
        let nodes = import.roles.iter().filter(is_node).count();
        assert_eq!(cluster.hosts.len(), nodes, "{name}");
        let provider = match name.as_str() {
            "libvirt-boxes" => model::Provider::Qemu,
            _ => model::Provider::VirtualBox,
        };
        assert_eq!(cluster.provider, Some(provider), "{name}");
        for warning in warnings {
            // Each is true of the labs that it is said of.
            let is_expected = [
                "is not part of the cluster",
                "even number of members",
                "the first of 2 control planes",
            ]
            .iter()
            .any(|it| warning.message.contains(it));
            assert!(is_expected, "{name}: {}", warning.message);
        }
        for host in &cluster.hosts {
            let machine = import.machines.iter().find(|it| it.name == host.name);
            compare(&name, machine.unwrap(), host);
        }
        count += 1;
    }
    assert_eq!(count, 28);
}

/// The model must read what was meant; where the Vagrantfile says nothing, anything goes.
fn compare(name: &str, machine: &Machine, host: &model::HostSpec) {
    let address = machine.address.map(std::net::IpAddr::V4);
    assert_eq!(host.address, address, "{name}");
    let spec = &host.machine;
    let cpus = machine.cpus.unwrap_or(u64::from(spec.cpus));
    assert_eq!(u64::from(spec.cpus), cpus, "{name}");
    let memory = machine.memory_mib.unwrap_or(spec.memory_mib);
    assert_eq!(spec.memory_mib, memory, "{name}");
    let disk = format!("{}G", spec.disk_gib);
    assert_eq!(machine.disk.as_ref().unwrap_or(&disk), &disk, "{name}");
    let image = machine.image.as_ref().unwrap_or(&spec.image);
    assert_eq!(&spec.image, image, "{name}");
    // Sizes are rounded up to whole GiB.
    let disks: Vec<String> = spec
        .extra_disks_gib
        .iter()
        .map(|it| format!("{it}G"))
        .collect();
    let wanted: Vec<&str> = machine
        .extra_disks
        .iter()
        .map(|it| if it == "1536M" { "2G" } else { it })
        .collect();
    assert_eq!(disks, wanted, "{name}");
    let networks: Vec<String> = spec.networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, machine.networks, "{name}");
    let port = |it: &model::ForwardedPort| {
        let protocol = if it.protocol == model::Protocol::Udp {
            "/udp"
        } else {
            ""
        };
        format!("{}:{}{protocol}", it.host, it.guest)
    };
    let ports: Vec<String> = spec.forwarded_ports.iter().map(port).collect();
    assert_eq!(ports, machine.forwarded_ports, "{name}");
    // Relative paths start at the inventory's folder.
    assert_eq!(
        spec.shared_folders.len(),
        machine.shared_folders.len(),
        "{name}"
    );
    for (found, wanted) in spec.shared_folders.iter().zip(&machine.shared_folders) {
        let host = wanted.strip_suffix(&format!(":{}", found.guest)).unwrap();
        assert!(
            found.host.ends_with(host.trim_start_matches(['.', '/'])),
            "{name}: {found:?}"
        );
    }
}

/// Runs the command on a copy of a Vagrantfile.
fn run(name: &str, arguments: &[&str]) -> String {
    let project = Project::with_inventory("");
    copy(&folder(name), &project.path(""));
    project.run(&[&["import", "vagrant"], arguments].concat())
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn whole_output() {
    for name in [
        "course-hosts",
        "globals",
        "settings-yaml",
        "unknown-values",
        "folders-and-ports",
        "broken",
        "times",
        "box-urls",
        "beside-the-cluster",
        "libvirt-boxes",
    ] {
        insta::assert_snapshot!(name, run(name, &[]));
    }
}

#[test]
fn for_scripts() {
    insta::assert_snapshot!(run("dhcp", &["--output", "json"]));
}

#[test]
fn into_a_folder() {
    let project = Project::with_inventory("mine\n");
    copy(&folder("times"), &project.path(""));
    let run = |arguments: &[&str]| project.run(&[&["import", "vagrant"], arguments].concat());
    let refused = run(&["--output-directory", "."]);
    let before = fs::read_to_string(project.path("inventory.ini")).unwrap();
    assert_eq!(before, "mine\n");
    let written = run(&["Vagrantfile", "--output-directory", "lab/new"]);
    let replaced = run(&["--output-directory", ".", "--force"]);
    for path in ["inventory.ini", "lab/new/inventory.ini"] {
        let text = fs::read_to_string(project.path(path)).unwrap();
        assert!(
            text.contains("worker-02 ansible_host=192.168.56.102"),
            "{text}"
        );
    }
    assert_eq!(fs::read_dir(project.path("lab/new")).unwrap().count(), 1);
    insta::assert_snapshot!([refused, written, replaced].join("\n\n"));
}

#[test]
fn wrong_files() {
    let project = Project::with_inventory("");
    project.write("Gemfile", "gem 'rails'\n");
    let runs = [
        project.run(&["import", "vagrant"]),
        project.run(&["import", "vagrant", "Gemfile"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn the_course_lab_is_its_vagrantfile_line_for_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let import = read(&root.join("vagrant/Vagrantfile")).unwrap();
    assert!(import.is_complete(), "{:#?}", import.notes.to_fill_in);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.ini");
    fs::write(&path, &import.inventory).unwrap();
    let (imported, _) = model::load(&path).unwrap();
    let (written, warnings) = model::load(&root.join("vagrant/inventory.ini")).unwrap();
    assert!(warnings.is_empty(), "{warnings:#?}");
    assert_eq!(imported.provider, written.provider);
    assert_eq!(imported.node_domain, written.node_domain);
    let machines = |cluster: &model::ClusterSpec| {
        let mut machines: Vec<String> = cluster
            .hosts
            .iter()
            .map(|it| {
                format!(
                    "{} {} {:?} {:?}",
                    it.name,
                    it.address.unwrap(),
                    it.roles,
                    it.machine
                )
            })
            .collect();
        machines.sort();
        machines
    };
    assert_eq!(machines(&imported), machines(&written));
    assert_eq!(written.hosts.len(), 4);
}

fn import_text(text: &str) -> Option<Import> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Vagrantfile");
    fs::write(&path, text).unwrap();
    match read(&path) {
        Err(error) => {
            assert_ne!(error.kind, Kind::Internal, "{}", error.message);
            None
        }
        Ok(import) => Some(import),
    }
}

/// A Vagrantfile with a piece replaced by another piece of some Vagrantfile, or by signs.
fn mutated() -> impl Strategy<Value = String> {
    let texts: Vec<String> = names()
        .iter()
        .map(|name| fs::read_to_string(folder(name).join("Vagrantfile")).unwrap())
        .collect();
    let text = proptest::sample::select(texts);
    let signs = r#"[\[\](){}|"'#%/<~?:&*=.,\n \\doenif0-9$@-]{0,12}"#;
    (text.clone(), text, signs, any::<[prop::sample::Index; 4]>()).prop_map(
        |(text, other, signs, [start, end, from, to])| {
            let text: Vec<char> = text.chars().collect();
            let other: Vec<char> = other.chars().collect();
            let sorted = |a: usize, b: usize| (a.min(b), a.max(b));
            let (start, end) = sorted(start.index(text.len()), end.index(text.len()));
            let end = end.min(start + 40);
            let (from, to) = sorted(from.index(other.len()), to.index(other.len()));
            let to = to.min(from + 40);
            let head = text[..start].iter().chain(&other[from..to]).copied();
            let tail = text[end..].iter().copied();
            head.chain(signs.chars()).chain(tail).collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn any_text_is_read_to_its_end(text in r"Vagrant[\PC\n]{0,300}") {
        import_text(&text);
    }

    #[test]
    fn any_signs_are_read_to_their_end(signs in r#"[\[\](){}|"'#%/<~?:&*=.,;\n \\a-fdoenif0-9$@-]{0,300}"#) {
        import_text(&format!("Vagrant.configure('2') do |config|\n{signs}"));
    }

    #[test]
    fn changed_vagrantfiles_are_read_to_their_end(text in mutated()) {
        import_text(&text);
    }
}
