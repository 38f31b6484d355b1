//! Short Vagrantfiles, each for one setting or role that was once taken over wrongly.

use kinstall::vagrant::Role;

use crate::vagrant_cases::{inside, machines};

#[test]
fn names_that_decide_nothing_are_told() {
    let import =
        inside("%w[vault base etcd-1 master-worker k8s-2].each { |n| config.vm.define n }");
    let roles = [
        Role::Outside,
        Role::Worker,
        Role::Outside,
        Role::Both,
        Role::Worker,
    ];
    assert_eq!(import.roles, roles);
    let told: Vec<&str> = import
        .notes
        .assumed
        .iter()
        .map(|it| it.message.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "base: no word of the name tells its role; it is taken as a worker",
            "k8s-2: no word of the name tells its role; it is taken as a worker",
        ]
    );
}

#[test]
fn windows_is_told_by_the_box() {
    let import = inside(
        "config.vm.define('cp') { |m| m.vm.box = 'debian/bookworm64' }
         config.vm.define('win1') { |m| m.vm.box = 'gusztavvargadr/windows-server-2022-standard-core' }",
    );
    assert_eq!(machines(&import), "cp");
}

#[test]
fn settings_of_machines_are_whole() {
    let import = inside(
        "config.vm.define 'a' do |m|
           m.vm.hostname = 'one.k8s.test'
           m.vm.network 'private_network', ip: '192.168.56.2'
           m.vm.network 'forwarded_port', guest: 80, host: 8080, disabled: true
           m.vm.provider('libvirt') { |v| v.storage :file; v.storage :file, device: :cdrom }
         end
         config.vm.define 'b' do |m|
           m.vm.hostname = 'two.k8s.test'
           m.vm.network 'private_network', ip: '192.168.56.2'
         end",
    );
    let [a, b] = &import.machines[..] else {
        panic!("{:?}", import.machines)
    };
    assert_eq!(a.forwarded_ports, Vec::<String>::new());
    assert_eq!(a.extra_disks, ["10G"]);
    assert!(
        import.inventory.contains("node_domain=k8s.test\n"),
        "{}",
        import.inventory
    );
    assert_eq!(
        b.to_fill_in[0].note.message,
        "192.168.56.2 is the address of a already"
    );
}

#[test]
fn an_image_of_another_provider_is_to_fill_in() {
    for setting in [
        "v.utm_file_url = 'https://utm.test/debian.utm'",
        "v.image = 'kindest/node'",
    ] {
        let text = format!(
            "config.vm.network 'private_network', ip: '192.168.56.2'\nconfig.vm.provider('utm') {{ |v| {setting} }}"
        );
        let import = inside(&text);
        assert_eq!(
            import.machines[0].to_fill_in[0].variable, "machine_image",
            "{setting}"
        );
    }
}

#[test]
fn hints_have_the_form_of_the_inventory() {
    let import = inside(
        "config.vm.box = 'centos/7'
         %w[cp w].each_with_index { |n, i| config.vm.define(n) { |m| m.vm.network 'private_network', ip: \"192.168.56.1#{i}\" } }",
    );
    let hints = &import.notes.to_fill_in[0].hints;
    assert!(
        hints
            .iter()
            .any(|it| it.contains("`machine_image=debian-13`")),
        "{hints:?}"
    );
    // What all machines lack is said once.
    assert_eq!(
        import.inventory.matches("# to fill in").count(),
        1,
        "{}",
        import.inventory
    );
}
