//! Short Vagrantfiles, each for one thing that was once read wrongly, and the machines that Vagrant makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kinstall::diagnostic::Diagnostic;
use kinstall::image::{ImageReference, ImageStore};
use kinstall::vagrant::{Environment, Import, import};

fn read(files: &[(&str, &str)], environment: &Environment) -> Result<Import, Diagnostic> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let store = ImageStore::at("no store".into())?;
    let images = |image: &str| {
        let reference = ImageReference::parse(image, Path::new("."))?;
        store.find(&reference).map(drop).map_err(Diagnostic::from)
    };
    import(&folder.path().join("Vagrantfile"), environment, &images)
}

/// Reads the inside of a `Vagrant.configure` block.
pub fn inside(text: &str) -> Import {
    let text = format!("Vagrant.configure('2') do |config|\n{text}\nend\n");
    read(&[("Vagrantfile", &text)], &Environment::default()).unwrap()
}

/// Writes names, addresses and memory of all machines.
pub fn machines(import: &Import) -> String {
    let all = import.machines.iter().map(|it| {
        let known = |value: Option<String>| value.map(|it| format!(" {it}")).unwrap_or_default();
        let address = known(it.address.map(|it| it.to_string()));
        let memory = known(it.memory_mib.map(|it| it.to_string()));
        format!("{}{address}{memory}", it.name)
    });
    all.collect::<Vec<_>>().join(", ")
}

fn given(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.to_owned(), value.to_owned())])
}

/// A loop over `count` machines.
const LOOP: &str = "(1..count).each { |i| config.vm.define(\"w#{i}\") { |m| m.vm.network 'private_network', ip: \"192.168.56.1#{i}\" } }";

#[test]
fn variables_come_from_env_files() {
    let loads = |line: &str| {
        let text = format!(
            "Vagrant.configure('2') do |config|\n{line}\ncount = (ENV['WORKERS'] || 1).to_i\n{LOOP}\nend\n"
        );
        let variables = "# a lab\nexport PREFIX=\"1\"\nWORKERS=${PREFIX} # one\nWORKERS=3\n";
        let files = [
            ("Vagrantfile", text.as_str()),
            (".env", variables),
            ("lab.env", "WORKERS: '2'\n"),
        ];
        let import = read(&files, &Environment::default()).unwrap();
        assert!(import.is_complete(), "{:#?}", import.notes.to_fill_in);
        import.machines.len()
    };
    for (line, count) in [
        ("config.env.enable", 3),
        ("config.env.load('lab.env')", 2),
        ("config.env.load('lab.env', '.env')", 2),
        ("Dotenv.load('lab.env')", 2),
        ("require 'dotenv/load'", 3),
        ("config.env.load('none.env')", 1),
        ("", 1),
    ] {
        assert_eq!(loads(line), count, "{line}");
    }
}

#[test]
fn variables_are_given_on_the_command_line() {
    let text = format!(
        "Vagrant.configure('2') do |config|\ncount = Integer(ENV.fetch('NODES'))\n{LOOP}\nend\n"
    );
    let environment = Environment {
        given: given("NODES", "2"),
        ..Environment::default()
    };
    let import = read(&[("Vagrantfile", &text)], &environment).unwrap();
    assert_eq!(machines(&import), "w1 192.168.56.11, w2 192.168.56.12");
    assert!(import.is_complete());
    let error = read(&[("Vagrantfile", &text)], &Environment::default()).unwrap_err();
    assert_eq!(
        error.label.unwrap().1,
        "the block is left out: ENV['NODES'] is not known"
    );
}

#[test]
fn the_user_is_that_of_this_computer() {
    let text = "user = ENV['USER']\nVagrant.configure('2') { |config| config.vm.define \"#{user}-k8s-01\" }";
    let environment = Environment {
        computer: given("USER", "kim"),
        ..Environment::default()
    };
    let import = read(&[("Vagrantfile", text)], &environment).unwrap();
    assert_eq!(machines(&import), "kim-k8s-01");
    assert_eq!(
        import.notes.assumed[0].message,
        "ENV['USER'] is `kim`, as on this computer"
    );
}

#[test]
fn labs_are_those_that_vagrant_makes() {
    for (text, expected) in [
        // What a regular expression found.
        (
            "%w[cp1 w1 w2].each do |name|
               addr = name =~ /^w(\\d+)$/ ? \"192.168.56.2#{$1}\" : '192.168.56.10'
               config.vm.define(name) { |m| m.vm.network 'private_network', ip: addr }
             end",
            "cp1 192.168.56.10, w1 192.168.56.21, w2 192.168.56.22",
        ),
        // Changes in place.
        (
            "nodes = { 'cp1' => 11, 'w1' => 12, 'old' => 13 }
             nodes.delete_if { |k, v| k == 'old' }
             nodes.each { |n, i| config.vm.define(n) { |m| m.vm.network 'private_network', ip: \"192.168.56.#{i}\" } }",
            "cp1 192.168.56.11, w1 192.168.56.12",
        ),
        // A block decides between defaults and settings.
        (
            "defaults = { 'cp' => { 'memory' => 4096, 'ip' => '192.168.56.10' } }
             settings = defaults.merge({ 'cp' => { 'memory' => 2048 } }) { |_, a, b| a.merge(b) }
             settings.each do |name, it|
               config.vm.define(name) do |m|
                 m.vm.network 'private_network', ip: it['ip']
                 m.vm.provider('virtualbox') { |v| v.memory = it['memory'] }
               end
             end",
            "cp 192.168.56.10 2048",
        ),
        // Texts are shared.
        (
            "prefix = '192.168.56.'
             address = prefix
             address << '44'
             config.vm.define('cp') { |m| m.vm.network 'private_network', ip: prefix }",
            "cp 192.168.56.44",
        ),
        // An error that is caught, whose value nothing uses.
        (
            "config.vm.define('cp') do |m|
               m.vm.network 'private_network', ip: '192.168.56.2'
               m.vm.provider 'virtualbox' do |v|
                 begin
                   YAML.load_file('none.yml')
                 rescue Errno::ENOENT
                   v.memory = 1111
                 end
               end
             end",
            "cp 192.168.56.2 1111",
        ),
        // Addresses that count themselves.
        (
            "require 'ipaddr'
             ip = IPAddr.new('192.168.56.10')
             %w[cp w].each do |n|
               address = ip.to_s
               config.vm.define(n) { |m| m.vm.network 'private_network', ip: address }
               ip = ip.succ
             end",
            "cp 192.168.56.10, w 192.168.56.11",
        ),
        // The provider that the file itself names.
        (
            "ENV['VAGRANT_DEFAULT_PROVIDER'] = 'libvirt'
             config.vm.define('cp') { |m| m.vm.network 'private_network', ip: '192.168.56.2' }
             config.vm.provider('virtualbox') { |v| v.memory = 1024 }
             config.vm.provider('libvirt') { |v| v.memory = 4096 }",
            "cp 192.168.56.2 4096",
        ),
        // A method that yields, and an object of a class of the file.
        (
            "Node = Struct.new(:name, :ip)
             def each_node(nodes) nodes.each { |n| yield n } end
             each_node([Node.new('cp', '192.168.56.5')]) do |n|
               config.vm.define(n.name) { |m| m.vm.network 'private_network', ip: n.ip }
             end",
            "cp 192.168.56.5",
        ),
    ] {
        let import = inside(text);
        assert_eq!(machines(&import), expected, "{text}");
        assert!(import.is_complete(), "{text}: {:#?}", import.notes.to_fill_in);
    }
}

#[test]
fn the_block_runs_after_the_whole_file() {
    let text = format!(
        "Vagrant.configure('2') do |config|
           count = number('COUNT', 2)
           {LOOP}
         end
         def number(key, default) = ENV[key] ? ENV[key].to_i : default
         module OS
           def OS.windows?
             (/cygwin|mswin|mingw/ =~ RUBY_PLATFORM) != nil
           end
         end"
    );
    let import = read(&[("Vagrantfile", &text)], &Environment::default()).unwrap();
    assert_eq!(machines(&import), "w1 192.168.56.11, w2 192.168.56.12");
    assert!(import.is_complete());
}

#[test]
fn a_command_line_without_options_has_the_defaults() {
    let text = format!(
        "require 'getoptlong'
         opts = GetoptLong.new(['--count', GetoptLong::OPTIONAL_ARGUMENT])
         count = 2
         opts.ordering = GetoptLong::REQUIRE_ORDER
         opts.each do |opt, arg|
           case opt
           when '--count' then count = arg.to_i
           end
         end
         Vagrant.configure('2') {{ |config| {LOOP} }}"
    );
    let import = read(&[("Vagrantfile", &text)], &Environment::default()).unwrap();
    assert_eq!(machines(&import), "w1 192.168.56.11, w2 192.168.56.12");
    assert!(import.is_complete(), "{:#?}", import.notes.to_fill_in);
}

#[test]
fn what_is_not_followed_makes_its_value_unknown() {
    for text in [
        "nodes = { 'cp1' => 11 }\nnodes.frobnicate\nnodes.each { |n, i| config.vm.define n }",
        "nodes = ['cp1']\nalias_of = nodes\nalias_of.frobnicate!(1)\nnodes.each { |n| config.vm.define n }",
        "name = 'cp1'\nname.squish!\nconfig.vm.define name",
        "name = 'cp1'\n[name].each { |n| n.frobnicate }\nconfig.vm.define name",
        "nodes = ['cp1']\nnodes.clear if `x`.empty?\nnodes.each { |n| config.vm.define n }",
        "nodes = {}\nnodes[`x`] = 1\nnodes.each { |n, _| config.vm.define n }",
    ] {
        let text = format!("Vagrant.configure('2') do |config|\n{text}\nend\n");
        assert!(
            read(&[("Vagrantfile", &text)], &Environment::default()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn a_machine_is_never_invented() {
    for (text, line, label) in [
        (
            "Vagrant.configure('2') do |config|\n  nodes = YAML.load_file('servers.yml')\n  nodes.each { |n| config.vm.define n['name'] }\nend\n",
            3,
            "the block is left out: `servers.yml` can't be read",
        ),
        (
            "Vagrant.configure('2') do |config|\n  config.vm.define \"#{`hostname`}\" do |m|\n  end\nend\n",
            2,
            "a machine without a known name: commands are not run",
        ),
    ] {
        let error = read(&[("Vagrantfile", text)], &Environment::default()).unwrap_err();
        let (place, found) = error.label.unwrap();
        assert_eq!((place.line(), found.as_str()), (line, label));
        assert!(
            error.message.starts_with("none of the machines"),
            "{}",
            error.message
        );
    }
    // Without any `define`, Vagrant makes one machine, and so it is where a loop goes through nothing.
    let import = inside("[].each { |n| config.vm.define n }");
    assert_eq!(machines(&import), "default");
}

#[test]
fn what_guards_only_scripts_is_nothing_to_fill_in() {
    let import = inside(
        "config.vm.define('a') do |m|\nm.vm.network 'private_network', ip: '10.9.8.5'\n\
         if `x`.empty? then m.vm.provision 'shell', inline: 'y' end\nend",
    );
    assert_eq!(machines(&import), "a 10.9.8.5");
    assert!(import.is_complete(), "{}", import.report());
}

#[test]
fn what_is_assumed_is_shown_as_it_counts() {
    let import = inside(
        "network = '10.9.8'\naddress = ENV['KINSTALL_TEST_VIP'] || \"#{network}.5\"\n\
         config.vm.define('a') { |m| m.vm.network 'private_network', ip: address }",
    );
    assert_eq!(machines(&import), "a 10.9.8.5");
    assert!(
        import.report().contains("\"10.9.8.5\""),
        "{}",
        import.report()
    );
}

#[test]
fn a_box_of_centos_by_its_address_is_known_to_be_out_of_support() {
    let hash = "0".repeat(64);
    let import = inside(&format!(
        "config.vm.define('a') {{ |m| m.vm.box = 'c7'\nm.vm.box_url = 'http://x/CentOS-7.box'\n\
         m.vm.box_download_checksum = '{hash}'\nm.vm.box_download_checksum_type = 'sha256' }}"
    ));
    let report = import.report();
    assert!(report.contains("CentOS Linux is end of life"), "{report}");
}

#[test]
fn scripts_are_no_vagrantfiles() {
    for text in [
        "#!/bin/bash\nset -e\necho \"Vagrant is needed: ${PATH}\"\nvagrant up\n",
        "puts 'Vagrant'\n",
        "<html>Vagrant</html>\n",
    ] {
        let error = read(&[("Vagrantfile", text)], &Environment::default()).unwrap_err();
        assert!(
            error.message.ends_with("is not a Vagrantfile"),
            "{}",
            error.message
        );
    }
}
