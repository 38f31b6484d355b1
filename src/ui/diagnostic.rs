//! Renders a message with the line of the file that it talks about.
//!
//! The excerpt never shows passwords: a host line may well hold one beside the wrong word.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Severity};

/// Parts of variable names whose values are not shown.
const SECRET_NAMES: [&str; 4] = ["pass", "secret", "token", "api_pwd"];

/// Returns the message as text of several lines without a newline at the end.
pub fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message));
    if let Some((location, label)) = &diagnostic.label {
        let path = location.path().display().to_string();
        let text = &location.file.text;
        let end = location.span.end.min(text.len());
        let start = location.span.start.min(end);
        group = if text.is_empty() {
            group.element(Origin::path(path))
        } else {
            group.element(
                Snippet::source(mask_secrets(text))
                    .path(path)
                    .annotation(AnnotationKind::Primary.span(start..end).label(label)),
            )
        };
    }
    if !diagnostic.others.is_empty() {
        group = group.element(Level::NOTE.with_name("also").message(others(diagnostic)));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.with_name("hint").message(hint));
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group])
}

/// Returns the further places, one a line.
fn others(diagnostic: &Diagnostic) -> String {
    let lines: Vec<String> = diagnostic
        .others
        .iter()
        .map(|(location, what)| {
            format!("{}:{}: {what}", location.path().display(), location.line())
        })
        .collect();
    lines.join("\n")
}

/// Overwrites values of secret variables with asterisks; every byte keeps its place.
fn mask_secrets(text: &str) -> String {
    text.split_inclusive('\n').map(mask_line).collect()
}

fn mask_line(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(start) = rest.find(is_name_character) {
        let name_length = rest[start..]
            .find(|character| !is_name_character(character))
            .unwrap_or(rest.len() - start);
        let (before, after) = rest.split_at(start + name_length);
        let name = before[start..].to_ascii_lowercase();
        masked.push_str(before);
        rest = after;
        if SECRET_NAMES.iter().any(|part| name.contains(part))
            && let Some(range) = value_range(after)
            && !is_switch(&after[range.clone()])
        {
            masked.push_str(&after[..range.start]);
            for character in after[range.clone()].chars() {
                masked.extend(std::iter::repeat_n('*', character.len_utf8()));
            }
            rest = &after[range.end..];
        }
    }
    masked.push_str(rest);
    masked
}

/// `kube_encrypt_secret_data: true` tells no secret.
fn is_switch(value: &str) -> bool {
    ["true", "false", "yes", "no"].contains(&value)
}

/// Finds the value in `=value …`, ` = value` or `: value`.
fn value_range(text: &str) -> Option<std::ops::Range<usize>> {
    let separator = text.find(|character: char| !character.is_whitespace() && character != '"')?;
    if !text[separator..].starts_with(['=', ':']) {
        return None;
    }
    let value = &text[separator + 1..];
    let start = separator + 1 + (value.len() - value.trim_start().len());
    let value = text[start..].trim_end();
    let inline = separator == 0 && start == 1;
    let length = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].find(quote).map_or(value.len(), |end| end + 2),
        _ if inline => end_of_inline_value(value),
        _ => value.len(),
    };
    Some(start..start + length)
}

/// A value without quotes ends where the next `name=` begins: on a broken line, its words belong together.
fn end_of_inline_value(value: &str) -> usize {
    let mut spaces = value
        .match_indices(char::is_whitespace)
        .map(|(offset, _)| offset);
    let end = spaces.find(|offset| {
        let next = value[*offset..].trim_start();
        let word = next.split(char::is_whitespace).next().unwrap_or_default();
        word.starts_with('#') || word.contains('=')
    });
    end.unwrap_or(value.len())
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Kind, Location, SourceFile};

    #[test]
    fn shows_the_line_the_mark_and_the_hints() {
        let file = Arc::new(SourceFile {
            path: PathBuf::from("inventory.ini"),
            text: "[all]\nnode1 ip=10.0.0.300 ansible_password='a b' x=1\n".to_owned(),
        });
        let diagnostic = Diagnostic::error(Kind::Inventory, "`10.0.0.300` is not an IP address")
            .at(Location { file, span: 15..25 }, "the last part is over 255")
            .hint("write an address such as 192.168.56.21");
        insta::assert_snapshot!(render(&diagnostic, false), @r"
        error: `10.0.0.300` is not an IP address
         --> inventory.ini:2:10
          |
        2 | node1 ip=10.0.0.300 ansible_password=***** x=1
          |          ^^^^^^^^^^ the last part is over 255
          |
          = hint: write an address such as 192.168.56.21
        ");
        assert!(render(&diagnostic, true).contains("\u{1b}["));
    }

    #[test]
    fn a_message_without_a_place_is_one_line() {
        let diagnostic = Diagnostic::error(Kind::Environment, "no bundle");
        insta::assert_snapshot!(render(&diagnostic, false), @r"error: no bundle");
    }

    #[test]
    fn secrets_are_masked_in_every_notation() {
        let text = "a ansible_ssh_pass=geh§im ip=1\nansible_password: \"x y\"\nkube_api_pwd = a b\nkube_encrypt_secret_data: true\n\
                    \"token\": abc\npassive mode\nansible_become_pass='q w' ip=2\n";
        let masked = mask_secrets(text);
        assert_eq!(masked.len(), text.len());
        insta::assert_snapshot!(masked, @r#"
        a ansible_ssh_pass=******* ip=1
        ansible_password: *****
        kube_api_pwd = ***
        kube_encrypt_secret_data: true
        "token": ***
        passive mode
        ansible_become_pass=***** ip=2
        "#);
    }
}
