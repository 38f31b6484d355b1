//! The phrases that docs/style.md rules out: in no page, help text or message.

use std::collections::BTreeSet;

use crate::architecture::source::Source;
use crate::documentation::pages;
use crate::help;

const PAGE: &str = "docs/style.md";

/// Returns the first column of the page's last table.
fn phrases() -> Vec<String> {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (_, table) = page.split_once("## Phrases that we don't use").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| "));
    let first = rows.filter_map(|row| Some(row.split_once(" | ")?.0.to_owned()));
    let phrases: Vec<String> = first.skip(1).collect();
    assert!(phrases.len() > 10);
    phrases
}

/// Returns whether a text has the phrase as words of its own, in any case and over line breaks.
fn has(text: &str, phrase: &str) -> bool {
    let words = |text: &str| {
        let words: Vec<&str> = text
            .split(|letter: char| !letter.is_alphanumeric() && letter != '\'')
            .filter(|word| !word.is_empty())
            .collect();
        format!(" {} ", words.join(" ").to_lowercase())
    };
    words(text).contains(&words(phrase))
}

/// Returns the texts between double quotes, with continued lines as one.
fn messages(code: &str) -> String {
    let code = code.replace("\\\"", "'").replace("'\"'", "");
    code.split('"')
        .skip(1)
        .step_by(2)
        .map(|text| text.replace('\\', " ") + "\n")
        .collect()
}

#[test]
fn no_text_for_users_has_a_phrase_that_the_style_rules_out() {
    let mut texts: Vec<(String, String)> = Vec::new();
    for (path, page) in pages() {
        let path = path.display().to_string();
        if path != PAGE {
            texts.push((path, page));
        }
    }
    for (words, mut command) in help::commands() {
        let text = command.render_long_help().to_string();
        texts.push((format!("kinstall {} --help", words.join(" ")), text));
    }
    for source in Source::all("src") {
        texts.push((source.path.display().to_string(), messages(&source.code)));
    }
    let phrases = phrases();
    let mut wrong = BTreeSet::new();
    for (place, text) in &texts {
        for phrase in phrases.iter().filter(|phrase| has(text, phrase)) {
            wrong.insert(format!("{place}: {phrase}"));
        }
    }
    assert!(wrong.is_empty(), "docs/style.md: {wrong:#?}");
}

#[test]
fn a_phrase_is_found_over_line_breaks_and_not_inside_of_words() {
    let code = messages("f(\"it\", \"Nobody \\\n    can read it\"); g(\"a \\\"b\\\" c\")");
    assert!(has(&code, "nobody can"));
    assert!(has(&code, "c"));
    assert!(!has("plain mendicants", "mend"));
}
