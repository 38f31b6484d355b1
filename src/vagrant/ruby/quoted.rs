//! Text literals: escapes and `#{…}`.

use super::syntax::Piece;

/// Which escapes a literal knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// `\n` and its like, and `#{…}`.
    All,
    /// Only the closing character and the backslash itself.
    Quote,
    /// None, but `#{…}`: a regular expression.
    None,
}

/// Reads from `start` up to the closing character, or to the end of the text if it isn't there.
///
/// Returns the pieces, where to go on, and whether the literal was closed.
pub(super) fn read(
    text: &str,
    start: usize,
    open: char,
    close: char,
    escapes: Escapes,
) -> (Vec<Piece>, usize, bool) {
    let mut pieces = Pieces::default();
    let mut depth = 0;
    let mut at = start;
    while let Some(character) = text[at..].chars().next() {
        let next = at + character.len_utf8();
        match character {
            '\\' => at = escape(text, at, close, escapes, &mut pieces),
            '#' if escapes != Escapes::Quote && text[next..].starts_with('{') => {
                let end = code_end(text, next + 1);
                pieces.code(next + 1..end);
                at = (end + 1).min(text.len());
            }
            _ if character == close && depth == 0 => return (pieces.finish(), next, true),
            _ => {
                if character == close {
                    depth -= 1;
                } else if character == open {
                    depth += 1;
                }
                pieces.push(character);
                at = next;
            }
        }
    }
    (pieces.finish(), text.len(), false)
}

/// Pieces in the making.
#[derive(Default)]
pub(super) struct Pieces {
    done: Vec<Piece>,
    text: String,
}

impl Pieces {
    pub fn push(&mut self, character: char) {
        self.text.push(character);
    }

    pub fn code(&mut self, range: std::ops::Range<usize>) {
        self.end_text();
        self.done.push(Piece::Code(range));
    }

    pub fn finish(mut self) -> Vec<Piece> {
        self.end_text();
        self.done
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }
}

/// Reads an escape; returns where to go on.
pub(super) fn escape(
    text: &str,
    at: usize,
    close: char,
    escapes: Escapes,
    pieces: &mut Pieces,
) -> usize {
    let Some(letter) = text[at + 1..].chars().next() else {
        pieces.push('\\');
        return at + 1;
    };
    match escapes {
        Escapes::All => match letter {
            'n' => pieces.push('\n'),
            't' => pieces.push('\t'),
            'r' => pieces.push('\r'),
            'e' => pieces.push('\u{1b}'),
            '0' => pieces.push('\0'),
            's' => pieces.push(' '),
            '\n' => {}
            other => pieces.push(other),
        },
        Escapes::Quote if letter == close || letter == '\\' => pieces.push(letter),
        Escapes::None if letter == close => pieces.push(letter),
        Escapes::Quote | Escapes::None => {
            pieces.push('\\');
            pieces.push(letter);
        }
    }
    at + 1 + letter.len_utf8()
}

/// Finds the `}` that ends `#{`; texts inside may hold braces of their own.
pub(super) fn code_end(text: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    let mut quote: Option<char> = None;
    let mut characters = text[start..].char_indices();
    while let Some((offset, character)) = characters.next() {
        match (quote, character) {
            (_, '\\') => {
                characters.next();
            }
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '}') if depth == 0 => return start + offset,
            (None, '}') => depth -= 1,
            (None, '{') => depth += 1,
            _ => {}
        }
    }
    text.len()
}
