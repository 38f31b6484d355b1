//! What users see when a playbook or a template is wrong.

use super::fixture::Fixture;
use crate::diagnostic::Diagnostics;
use crate::ui::diagnostic::render;

fn shown(errors: &Diagnostics) -> String {
    let messages: Vec<String> = errors.iter().map(|error| render(error, false)).collect();
    messages.join("\n\n")
}

/// Returns all messages for one playbook and one template, `a.tera`.
fn messages(playbook: &str, template: &str) -> String {
    let mut fixture = Fixture::without_playbooks();
    fixture.add_playbook(playbook);
    fixture.add_template("a.tera", template);
    shown(&fixture.build().unwrap_err())
}

/// Returns all messages for some steps; every line of `steps` stands below `steps:`.
fn of_steps(steps: &str) -> String {
    messages(
        &format!("component: test\nphase: prepare\nsteps:\n{steps}\n"),
        "",
    )
}

#[test]
fn an_unknown_field() {
    insta::assert_snapshot!(of_steps(
        "  - name: file\n    file: { path: /x, content: x, mod: \"0644\" }"
    ));
}

#[test]
fn an_unknown_phase() {
    insta::assert_snapshot!(messages("component: test\nphase: perpare\n", ""));
}

#[test]
fn steps_whose_hosts_are_said_in_two_ways() {
    let header = "component: test\nphase: prepare\nhosts: all\non: control_plane\n";
    insta::assert_snapshot!(messages(header, ""));
}

#[test]
fn a_handler_for_other_hosts() {
    let playbook = "component: test\nphase: prepare\non: control_plane\nfor_each_host: workers\nsteps:\n  - name: file\n    file: { path: /x, content: x }\n    notify: [restart]\nhandlers:\n  - name: restart\n    unit: { name: a.service, state: restarted }\n";
    insta::assert_snapshot!(messages(playbook, ""));
}

#[test]
fn facts_of_a_host_that_answers_only() {
    let mut fixture = Fixture::without_playbooks();
    fixture.facts.shift_remove("node1");
    fixture.add_playbook("component: test\nphase: prepare\nsteps:\n  - name: file\n    file: { path: /x, content: \"{{ host.facts.cpus }}\" }\n");
    let plan = fixture.build().unwrap();
    let hosts: Vec<_> = plan.phases[0].batches.keys().collect();
    assert_eq!(hosts, ["control1", "node2"]);
}

#[test]
fn two_resources_and_none() {
    insta::assert_snapshot!(of_steps(
        "  - name: both\n    package: { name: x }\n    swap: {}\n  - name: neither\n    notify: []"
    ));
}

#[test]
fn steps_that_would_run_every_time() {
    insta::assert_snapshot!(of_steps(
        "  - name: command\n    command: { argv: [date] }\n  - name: restart\n    unit: { name: a.service, state: restarted }"
    ));
}

#[test]
fn a_handler_whose_inputs_would_be_written_down() {
    insta::assert_snapshot!(messages(
        "component: test\nphase: prepare\nhandlers:\n  - name: tell\n    command:\n      argv: [cat, /x]\n      inputs: [{ path: /x, content: \"{{ secrets.token }}\" }]\n",
        ""
    ));
}

#[test]
fn a_missing_template() {
    insta::assert_snapshot!(of_steps(
        "  - name: configuration\n    template: { source: b.tera, path: /x }"
    ));
}

#[test]
fn an_undefined_variable_in_a_template() {
    let playbook = "component: test\nphase: prepare\nsteps:\n  - name: file\n    template: { source: a.tera, path: /x }\n";
    insta::assert_snapshot!(messages(
        playbook,
        "# Names\n\n  name = {{ cluster.nmae }}\n"
    ));
}

#[test]
fn a_template_that_is_no_template() {
    insta::assert_snapshot!(messages(
        "component: test\nphase: prepare\n",
        "one\n{% if %}\n"
    ));
}

#[test]
fn undefined_variables_in_a_playbook() {
    insta::assert_snapshot!(of_steps(
        "  - name: block\n    file:\n      path: /x\n      content: |\n        one\n        two {{ hsot.name }}\n  - name: quoted\n    when: host.facts.cgroup == 1\n    package: { name: \"{{ host.nmae }}\" }"
    ));
}

#[test]
fn a_secret_where_anybody_can_read_it() {
    insta::assert_snapshot!(of_steps(
        "  - name: file\n    file: { path: /x, content: \"{{ secrets.token }}\" }\n  - name: command\n    command: { argv: [login, \"{{ secrets.token }}\"], once: true }"
    ));
}

#[test]
fn values_that_are_no_such_thing() {
    insta::assert_snapshot!(of_steps(
        "  - name: mode\n    directory: { path: /x, mode: \"0888\" }\n  - name: time\n    wait: { path: /x, timeout: soon }\n  - name: port\n    wait: { tcp: { address: a, port: http } }\n  - name: kind\n    wait: { rolled_out: { kind: pod, namespace: a, name: b } }\n  - name: conditions\n    wait: { path: /x, unix_socket: /y }\n  - name: content\n    file: { path: /x, content: x, program: ctr }\n  - name: hash\n    download: { url: http://a/, path: /a, sha256: abc }\n  - name: array\n    for_each: cluster.name\n    package: { name: x }"
    ));
}

#[test]
fn parts_that_the_bundle_lacks() {
    insta::assert_snapshot!(of_steps(
        "  - name: image\n    images: [pasue]\n  - name: program\n    file: { path: /x, program: docker }\n  - name: objects\n    manifests: { files: [pool/definitoin.yaml] }\n  - name: function\n    file: { path: /y, content: \"{{ image(name='x') }}\" }"
    ));
}

#[test]
fn handlers_that_are_not_there_or_there_twice() {
    insta::assert_snapshot!(messages(
        "component: test\nphase: prepare\nsteps:\n  - name: file\n    file: { path: /x, content: x }\n    notify: [restrat]\nhandlers:\n  - name: restart\n    unit: { name: a.service, state: restarted }\n  - name: restart\n    unit: { name: b.service, state: restarted }\n",
        ""
    ));
}

#[test]
fn a_check_that_is_not_a_wait() {
    insta::assert_snapshot!(messages(
        "component: test\nphase: prepare\nchecks:\n  - name: file\n    file: { path: /x, content: x }\n",
        ""
    ));
}

#[test]
fn two_steps_that_own_the_same_path() {
    insta::assert_snapshot!(of_steps(
        "  - name: file\n    file: { path: /x, content: x }\n  - name: gone\n    absent: { path: /x }\n  - name: file\n    package: { name: x }"
    ));
}

#[test]
fn components_that_wait_for_each_other() {
    let mut fixture = Fixture::new();
    fixture.add_playbook("component: base\nphase: prepare\nafter: [runtime]\n");
    insta::assert_snapshot!(shown(&fixture.build().unwrap_err()));
}

#[test]
fn a_component_after_one_that_is_not_there() {
    let mut fixture = Fixture::new();
    fixture.add_playbook("component: test\nphase: prepare\nafter: [runtmie]\n");
    insta::assert_snapshot!(shown(&fixture.build().unwrap_err()));
}

#[test]
fn an_unknown_host_in_the_limit() {
    let mut fixture = Fixture::new();
    fixture.limit = Some(vec!["ndoe1".to_owned()]);
    insta::assert_snapshot!(shown(&fixture.build().unwrap_err()));
}

#[test]
fn broken_objects_in_a_rendered_template() {
    insta::assert_snapshot!(messages(
        "component: test\nphase: add-ons\non: control_plane\nsteps:\n  - name: objects\n    manifests: { template: a.tera }\n",
        "kind: {{ cluster.name }}\nmetadata: [\n"
    ));
}
