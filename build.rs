//! Builds again when a playbook or a template is added: the embedding macro only sees those that it knew.

fn main() {
    #[expect(
        clippy::print_stdout,
        reason = "this is how a build script speaks to cargo"
    )]
    for folder in ["playbooks", "templates"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
