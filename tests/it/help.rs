//! What the program says of itself: `--help` of every command, completions, manual pages.

use clap::CommandFactory as _;
use kinstall::cli::Cli;

use crate::program::Project;

/// Every command by the words that lead to it, the program itself first.
pub fn commands() -> Vec<(Vec<String>, clap::Command)> {
    let mut program = Cli::command();
    program.build();
    let mut all = Vec::new();
    collect(&program, &[], &mut all);
    all
}

fn collect(command: &clap::Command, words: &[String], all: &mut Vec<(Vec<String>, clap::Command)>) {
    all.push((words.to_vec(), command.clone()));
    for inner in command.get_subcommands() {
        let words = [words, &[inner.get_name().to_owned()]].concat();
        collect(inner, &words, all);
    }
}

#[test]
fn every_command_explains_itself_and_each_of_its_arguments() {
    for (words, command) in commands() {
        let name = words.join(" ");
        assert!(command.get_about().is_some(), "kinstall {name}");
        if command.is_hide_set() {
            continue;
        }
        for argument in command.get_arguments() {
            let is_said = argument.get_help().is_some() || argument.is_hide_set();
            assert!(
                is_said || argument.is_positional(),
                "kinstall {name}: {argument}"
            );
        }
    }
}

#[test]
fn help_of_every_command() {
    let project = Project::of_host("node1");
    let mut texts = Vec::new();
    for (words, command) in commands() {
        if command.is_hide_set() {
            continue;
        }
        let arguments: Vec<&str> = (words.iter().map(String::as_str))
            .chain(["--help"])
            .collect();
        let text = project.run(&arguments);
        assert!(text.starts_with("exit code 0\n"), "{text}");
        texts.push(format!("$ kinstall {}\n{text}", arguments.join(" ")));
    }
    assert!(texts.len() > 25);
}

#[test]
fn completions_know_the_commands() {
    let project = Project::of_host("node1");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let text = project.run(&["completions", shell]);
        assert!(text.starts_with("exit code 0\n"), "{text}");
        for word in ["kubeconfig", "ssh-config", "--inventory"] {
            assert!(
                text.contains(word.trim_start_matches('-')),
                "{shell}: {word}"
            );
        }
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let project = Project::of_host("node1");
    let folder = project.path("man");
    let text = project.run(&["man", folder.to_str().unwrap()]);
    assert_eq!(text, "exit code 0");
    for (words, command) in commands() {
        if command.is_hide_set() {
            continue;
        }
        let name = [vec!["kinstall".to_owned()], words].concat().join("-");
        let page = std::fs::read_to_string(folder.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
}
