//! From characters to tokens.

use std::collections::HashSet;
use std::ops::Range;

use super::heredoc;
use super::quoted::{self, Escapes};
use super::syntax::Piece;
use super::token::{OPERATORS, Token, TokenKind, keyword};

/// Reads all tokens of a part of a file; the last one is [`TokenKind::End`].
///
/// A character that can't be anything is left to the parser as the operator `@`.
pub(super) fn tokens(text: &str, range: Range<usize>) -> Vec<Token> {
    let mut lexer = Lexer {
        text: &text[..range.end],
        at: range.start,
        tokens: Vec::new(),
        after_heredocs: None,
        variables: HashSet::new(),
    };
    while lexer.token() {}
    lexer.push(TokenKind::End, lexer.at, false);
    lexer.tokens
}

pub(super) struct Lexer<'a> {
    pub text: &'a str,
    pub at: usize,
    tokens: Vec<Token>,
    /// Where the next line begins, if heredocs of this line lie between.
    pub after_heredocs: Option<usize>,
    /// Names that something was assigned to: `a -1` subtracts if `a` is one.
    variables: HashSet<String>,
}

impl Lexer<'_> {
    /// Reads the next token; false at the end.
    fn token(&mut self) -> bool {
        let space_before = self.skip_space();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return false;
        };
        if first == '\n' || first == ';' {
            self.at += 1;
            if first == '\n'
                && let Some(next) = self.after_heredocs.take()
            {
                self.at = next.max(self.at);
            }
            if !self.continues_with_dot() {
                self.push(TokenKind::Newline, start, space_before);
            }
            return true;
        }
        if self.rest().starts_with("__END__") && self.is_line_start() {
            self.at = self.text.len();
            return false;
        }
        let is_value = self.is_value_expected(space_before);
        let kind = match first {
            '0'..='9' => self.number(),
            '"' => self.text_literal(Escapes::All, '"'),
            '\'' => self.text_literal(Escapes::Quote, '\''),
            '`' => {
                let (pieces, _) = self.pieces(1, '`', '`', Escapes::All);
                TokenKind::Command(pieces)
            }
            '%' if is_value && let Some(kind) = self.percent_literal() => kind,
            '/' if is_value => {
                let (pieces, _) = self.pieces(1, '/', '/', Escapes::None);
                let flags = self.rest().bytes().take_while(u8::is_ascii_alphabetic);
                self.at += flags.count();
                TokenKind::Regex(pieces)
            }
            '<' if is_value && let Some(pieces) = heredoc::read(self) => TokenKind::Text(pieces),
            ':' if let Some(kind) = self.symbol() => kind,
            '?' if is_value && let Some(kind) = self.character() => kind,
            '$' | '@' => self.variable(),
            _ if first == '_' || first.is_alphabetic() => self.word(),
            _ => self.operator(first),
        };
        if let TokenKind::Operator("=") = kind
            && let Some(TokenKind::Name(name)) = self.tokens.last().map(|it| &it.kind)
        {
            self.variables.insert(name.clone());
        }
        self.push(kind, start, space_before);
        true
    }

    pub fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: TokenKind, start: usize, space_before: bool) {
        self.tokens.push(Token {
            kind,
            span: start..self.at,
            space_before,
        });
    }

    /// Skips spaces, comments and joined lines.
    fn skip_space(&mut self) -> bool {
        let start = self.at;
        loop {
            let rest = self.rest();
            if rest.starts_with("=begin") && self.is_line_start() {
                let end = rest.find("\n=end").map_or(rest.len(), |it| it + 5);
                self.at += end;
                let line = self.rest().find('\n').unwrap_or(self.rest().len());
                self.at += line;
            } else if rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(joined) = ["\\\r\n", "\\\n"].iter().find(|it| rest.starts_with(**it))
            {
                self.at += joined.len();
            } else {
                let blank = |it: char| it != '\n' && (it.is_whitespace() || it == '\u{feff}');
                let length = rest.len() - rest.trim_start_matches(blank).len();
                if length == 0 {
                    return self.at > start;
                }
                self.at += length;
            }
        }
    }

    fn is_line_start(&self) -> bool {
        self.at == 0 || self.text[..self.at].ends_with('\n')
    }

    /// `.method` on a new line belongs to the line before; comments may stand between.
    fn continues_with_dot(&self) -> bool {
        let mut rest = self.rest().trim_start();
        while rest.starts_with('#') {
            rest = rest.split_once('\n').map_or("", |it| it.1).trim_start();
        }
        (rest.starts_with('.') && !rest.starts_with("..")) || rest.starts_with("&.")
    }

    /// Tells whether `%`, `/`, `<<` or `?` starts a literal here.
    fn is_value_expected(&self, space_before: bool) -> bool {
        let Some(last) = self.tokens.last() else {
            return true;
        };
        if !last.ends_value() {
            return true;
        }
        let mut rest = self.rest().chars();
        let next_is_space = rest.nth(1).is_none_or(|it| it.is_whitespace() || it == '=');
        match &last.kind {
            TokenKind::Name(name) => {
                let is_method =
                    self.tokens.len() > 1 && self.tokens[self.tokens.len() - 2].is_operator(".");
                let is_variable = !is_method && self.variables.contains(name);
                space_before && !next_is_space && !is_variable
            }
            _ => false,
        }
    }

    fn number(&mut self) -> TokenKind {
        let rest = self.rest();
        for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
            if let Some(digits) = rest.strip_prefix(prefix) {
                let length = digits
                    .find(|it: char| !it.is_ascii_alphanumeric() && it != '_')
                    .unwrap_or(digits.len());
                let number = i64::from_str_radix(&digits[..length].replace('_', ""), radix);
                self.at += prefix.len() + length;
                return TokenKind::Integer(number.unwrap_or(i64::MAX));
            }
        }
        let digits = |text: &str| {
            text.find(|it: char| !it.is_ascii_digit() && it != '_')
                .unwrap_or(text.len())
        };
        let mut length = digits(rest);
        let mut is_float = false;
        if let Some(fraction) = rest[length..].strip_prefix('.')
            && fraction.starts_with(|it: char| it.is_ascii_digit())
        {
            is_float = true;
            length += 1 + digits(fraction);
        }
        let text = rest[..length].replace('_', "");
        self.at += length;
        match text.parse() {
            Ok(number) if !is_float => TokenKind::Integer(number),
            _ => TokenKind::Float(text.parse().unwrap_or(f64::INFINITY)),
        }
    }

    /// Reads up to the closing character; returns whether it was there.
    pub fn pieces(
        &mut self,
        skip: usize,
        open: char,
        close: char,
        escapes: Escapes,
    ) -> (Vec<Piece>, bool) {
        self.at += skip;
        let (pieces, end, is_closed) = quoted::read(self.text, self.at, open, close, escapes);
        self.at = end;
        (pieces, is_closed)
    }

    /// A quoted text, or a quoted key of a hash.
    fn text_literal(&mut self, escapes: Escapes, quote: char) -> TokenKind {
        let (pieces, _) = self.pieces(1, quote, quote, escapes);
        let is_colon = self.rest().starts_with(':') && !self.rest().starts_with("::");
        let may_be_key = self.tokens.last().is_some_and(|last| {
            matches!(last.kind, TokenKind::Newline | TokenKind::Name(_))
                || ["{", ",", "("].iter().any(|it| last.is_operator(it))
        });
        if is_colon && may_be_key {
            self.at += 1;
            return TokenKind::Label(pieces);
        }
        TokenKind::Text(pieces)
    }

    /// `%w[…]`, `%q(…)`, `%(…)`, `%x(…)`.
    fn percent_literal(&mut self) -> Option<TokenKind> {
        let mut characters = self.rest().chars().skip(1);
        let mut open = characters.next()?;
        let mut kind = 'Q';
        let mut skip = 2;
        if open.is_ascii_alphabetic() {
            kind = open;
            open = characters.next()?;
            skip = 3;
        }
        if open.is_alphanumeric() || open.is_whitespace() || !open.is_ascii() || open == '=' {
            return None;
        }
        let close = match open {
            '(' => ')',
            '[' => ']',
            '{' => '}',
            '<' => '>',
            other => other,
        };
        let escapes = match kind {
            'Q' | 'W' | 'I' | 'x' => Escapes::All,
            'q' | 'w' | 'i' | 's' => Escapes::Quote,
            'r' => Escapes::None,
            _ => return None,
        };
        let (pieces, _) = self.pieces(skip, open, close, escapes);
        Some(match kind {
            'w' | 'i' | 'W' | 'I' => match &pieces[..] {
                [] => TokenKind::Words(Vec::new(), kind == 'i'),
                [Piece::Text(text)] => {
                    let words = text.split_whitespace().map(str::to_owned).collect();
                    TokenKind::Words(words, kind.eq_ignore_ascii_case(&'i'))
                }
                _ => TokenKind::Command(pieces),
            },
            'x' => TokenKind::Command(pieces),
            'r' => TokenKind::Regex(pieces),
            's' => TokenKind::Symbol(pieces),
            _ => TokenKind::Text(pieces),
        })
    }

    /// `:name`, `:"name"` and `:+`.
    fn symbol(&mut self) -> Option<TokenKind> {
        let rest = &self.rest()[1..];
        let first = rest.chars().next()?;
        if first == '"' || first == '\'' {
            let (pieces, _) = self.pieces(2, first, first, Escapes::All);
            return Some(TokenKind::Symbol(pieces));
        }
        let length = if first == '_' || first.is_alphabetic() {
            let length = word_length(rest);
            length + usize::from(rest[length..].starts_with(['?', '!']))
        } else if matches!(first, '+' | '*') {
            1
        } else {
            return None;
        };
        let name = rest[..length].to_owned();
        self.at += 1 + length;
        Some(TokenKind::Symbol(vec![Piece::Text(name)]))
    }

    /// `?a` is the text "a".
    fn character(&mut self) -> Option<TokenKind> {
        let mut rest = self.rest().chars().skip(1);
        let character = rest.next().filter(|it| it.is_alphanumeric())?;
        if rest
            .next()
            .is_some_and(|it| it.is_alphanumeric() || it == '_')
        {
            return None;
        }
        self.at += 1 + character.len_utf8();
        Some(TokenKind::Text(vec![Piece::Text(character.to_string())]))
    }

    fn variable(&mut self) -> TokenKind {
        let rest = self.rest();
        let sigils = rest.len() - rest.trim_start_matches(['$', '@']).len();
        let length = sigils + word_length(&rest[sigils..]);
        let name = rest[..length].to_owned();
        self.at += length;
        if length == sigils {
            return TokenKind::Operator("@");
        }
        TokenKind::Variable(name)
    }

    fn word(&mut self) -> TokenKind {
        let rest = self.rest();
        let mut length = word_length(rest);
        let after = &rest[length..];
        let is_suffix = after.starts_with(['?', '!'])
            && !after[1..].starts_with(['=', '~'])
            && !(after.starts_with('?') && after[1..].starts_with(':'));
        length += usize::from(is_suffix || after.starts_with("?=="));
        let word = rest[..length].to_owned();
        let after = &rest[length..];
        let is_colon = after.starts_with(':') && !after.starts_with("::");
        self.at += length;
        let follows = |sign: &str| self.tokens.last().is_some_and(|it| it.is_operator(sign));
        let is_ternary = follows("?");
        let is_method = follows(".") || follows("&.");
        if is_colon && !is_ternary && !is_method {
            self.at += 1;
            return TokenKind::Label(vec![Piece::Text(word)]);
        }
        if !is_method && let Some(keyword) = keyword(&word) {
            return TokenKind::Keyword(keyword);
        }
        if word.starts_with(char::is_uppercase) {
            TokenKind::Constant(word)
        } else {
            TokenKind::Name(word)
        }
    }

    fn operator(&mut self, first: char) -> TokenKind {
        let found = OPERATORS.iter().find(|it| self.rest().starts_with(**it));
        self.at += found.map_or(first.len_utf8(), |it| it.len());
        TokenKind::Operator(found.copied().unwrap_or("@"))
    }
}

fn word_length(text: &str) -> usize {
    text.find(|it: char| !it.is_alphanumeric() && it != '_')
        .unwrap_or(text.len())
}
