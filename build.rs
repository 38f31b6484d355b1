//! Builds again when a playbook or a template is added: the embedding macro only sees those that it knew.

fn main() {
    for folder in ["playbooks", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
