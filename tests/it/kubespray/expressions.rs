//! Values that refer to others, and values that are encrypted.

use kinstall::inventory::Vault;
use kinstall::secret::Secret;

use super::{INI, errors, load_at, messages, spec, warnings};

#[test]
fn expressions_look_at_other_hosts_and_at_the_environment() {
    let home = std::env::var("PATH").unwrap();
    let text = "[all]\nn1 ip=10.0.0.11\ngate ansible_host=gate.example.com\n[bastion]\ngate\n[kube_control_plane]\nn1\n\
                [kube_node]\nn1\n";
    for (expression, expected) in [
        ("{{ hostvars['gate']['ansible_host'] }}", "gate.example.com"),
        ("{{ hostvars['gate'].ansible_host }}", "gate.example.com"),
        (
            "{{ hostvars[groups['bastion'][0]].ansible_host }}",
            "gate.example.com",
        ),
        (
            "{{ hostvars[groups['bastion'] | first]['ansible_host'] }}",
            "gate.example.com",
        ),
        ("{{ lookup('env', 'PATH') }}", &home),
        (
            "{{ lookup('env', 'KINSTALL_IS_NOT_SET') | default('x', true) }}",
            "x",
        ),
        ("{{ hostvars['n9']['ip'] | default('y') }}", "y"),
        ("{{ groups['kube_node'][0] }}.lab", "n1.lab"),
    ] {
        let variables = format!("ansible_user: \"{expression}\"\n");
        let cluster = spec(&[("inventory.ini", text), ("group_vars/all.yml", &variables)]);
        let user = cluster.hosts[0].connection.user.as_deref();
        assert_eq!(user, Some(expected), "{expression}");
    }
    let variables = "ansible_ssh_common_args: '-o ProxyCommand=\"ssh -W %h:%p -q {{ lookup(''env'', ''NOBODY'') | default(''me'', true) }}@{{ hostvars[''gate''][''ansible_host''] }}\"'\n";
    let cluster = spec(&[("inventory.ini", text), ("group_vars/all.yml", variables)]);
    let hop = &cluster.hosts[0].connection.jumps()[0];
    assert_eq!(
        (hop.user.as_deref(), hop.host.as_str()),
        (Some("me"), "gate.example.com")
    );
}

const INLINE: &str = include_str!("../../fixtures/vault/inline.yml");

fn vault() -> Vault {
    Vault::with_password(Secret::new("open sesame"))
}

#[test]
fn encrypted_values_are_opened_where_they_are_needed() {
    let whole = include_str!("../../fixtures/vault/whole.vault");
    let files = [
        ("inventory.ini", INI),
        (
            "group_vars/all/plain.yml",
            "ansible_become_password: \"{{ vault_become }}\"\n",
        ),
        ("group_vars/all/vault.yml", whole),
        ("host_vars/n1.yml", INLINE),
    ];
    let (_folder, loaded) = load_at("inventory.ini", &files, vault());
    let connection = &loaded.unwrap().cluster.hosts[0].connection;
    assert_eq!(connection.password.as_ref().unwrap().expose(), "geheim");
    assert_eq!(
        format!("{:?}", connection.escalation),
        "SudoWithPassword(***)"
    );

    // What nothing refers to stays closed, with a warning.
    let unneeded = [("inventory.ini", INI), ("group_vars/all/vault.yml", whole)];
    assert!(
        warnings(&unneeded)
            .ends_with("is encrypted with ansible-vault, so its variables are not known")
    );
    assert!(errors(&files).contains("`vault_become` is not set for host `n1`"));
    assert!(errors(&files).contains("a value is encrypted with ansible-vault"));
    let wrong = Vault::with_password(Secret::new("other"));
    let (_folder, loaded) = load_at("inventory.ini", &unneeded, wrong);
    assert!(messages(&loaded.unwrap_err()).contains("the password is another one"));
}

#[test]
fn no_message_shows_what_was_decrypted() {
    let whole = include_str!("../../fixtures/vault/broken.vault");
    let files = [("inventory.ini", INI), ("group_vars/all/vault.yml", whole)];
    let (_folder, loaded) = load_at("inventory.ini", &files, vault());
    let errors = loaded.unwrap_err();
    let text: Vec<String> = errors
        .iter()
        .map(|it| kinstall::ui::diagnostic::render(it, false))
        .collect();
    assert!(!text.concat().contains("geheim"), "{}", text.concat());
    assert!(
        text.concat().contains("decrypted text"),
        "{}",
        text.concat()
    );
}
