//! Heredocs: `<<~NAME`, `<<-NAME`, `<<NAME`, with or without quotes.

use super::lexer::Lexer;
use super::quoted::{Escapes, Pieces, code_end, escape};
use super::syntax::Piece;

/// Reads a heredoc whose `<<` stands here; `None` if it is none.
///
/// Its text lies on the lines below, so the lexer goes on behind the name, and leaps over the text at the
/// end of the line.
pub(super) fn read(lexer: &mut Lexer<'_>) -> Option<Vec<Piece>> {
    let rest = lexer.rest().strip_prefix("<<")?;
    let (mode, rest) = match rest.chars().next()? {
        mode @ ('~' | '-') => (Some(mode), &rest[1..]),
        _ => (None, rest),
    };
    let quote = rest.chars().next().filter(|it| matches!(it, '"' | '\''));
    let rest = &rest[quote.map_or(0, char::len_utf8)..];
    let length = rest.find(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    let name = &rest[..length.unwrap_or(rest.len())];
    if name.is_empty() || name.starts_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    // `<<end` is no heredoc, but `list <<item` is not written by anybody.
    if quote.is_some_and(|quote| !rest[name.len()..].starts_with(quote)) {
        return None;
    }
    let header = 2 + usize::from(mode.is_some()) + 2 * usize::from(quote.is_some()) + name.len();
    let end_of_line = |at: usize| {
        let length = lexer.text[at..].find('\n');
        length.map_or(lexer.text.len(), |it| at + it + 1)
    };
    let start = lexer
        .after_heredocs
        .unwrap_or_else(|| end_of_line(lexer.at));
    let mut end = start;
    let mut after = lexer.text.len();
    while end < lexer.text.len() {
        let next = end_of_line(end);
        let line = lexer.text[end..next].trim_end();
        let line = if mode.is_some() {
            line.trim_start()
        } else {
            line
        };
        if line == name {
            after = next;
            break;
        }
        end = next;
    }
    let body = start..end;
    let pieces = match quote {
        Some('\'') => pieces(lexer.text, body, mode, false),
        _ => pieces(lexer.text, body, mode, true),
    };
    lexer.at += header;
    lexer.after_heredocs = Some(after);
    Some(pieces)
}

fn pieces(
    text: &str,
    body: std::ops::Range<usize>,
    mode: Option<char>,
    is_interpolated: bool,
) -> Vec<Piece> {
    let indentation = match mode {
        Some('~') => common_indentation(&text[body.clone()]),
        _ => 0,
    };
    let text = &text[..body.end];
    let mut pieces = Pieces::default();
    let mut at = body.start;
    let mut is_line_start = true;
    while at < text.len() {
        if is_line_start {
            let blanks = text[at..]
                .bytes()
                .take_while(|it| matches!(it, b' ' | b'\t'));
            at += blanks.take(indentation).count();
            is_line_start = false;
            continue;
        }
        let Some(character) = text[at..].chars().next() else {
            break;
        };
        let next = at + character.len_utf8();
        match character {
            '\\' if is_interpolated => at = escape(text, at, '\0', Escapes::All, &mut pieces),
            '#' if is_interpolated && text[next..].starts_with('{') => {
                let end = code_end(text, next + 1);
                pieces.code(next + 1..end);
                at = (end + 1).min(text.len());
            }
            '\r' if text[next..].starts_with('\n') => at = next,
            _ => {
                pieces.push(character);
                is_line_start = character == '\n';
                at = next;
            }
        }
    }
    pieces.finish()
}

fn common_indentation(text: &str) -> usize {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0)
}
