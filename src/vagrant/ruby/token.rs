//! Words and signs of Ruby.

use std::ops::Range;

use super::syntax::Piece;

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Range<usize>,
    /// Ruby reads `a -1` and `a - 1` differently.
    pub space_before: bool,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// The end of a line, or `;`.
    Newline,
    Integer(i64),
    Float(f64),
    Text(Vec<Piece>),
    /// `:name`
    Symbol(Vec<Piece>),
    /// `%w[a b]`; true for `%i[a b]`
    Words(Vec<String>, bool),
    Regex(Vec<Piece>),
    /// Text in backticks.
    Command(Vec<Piece>),
    /// `name:` in a hash or among arguments
    Label(Vec<Piece>),
    /// A variable or a method.
    Name(String),
    Constant(String),
    /// `$name`, `@name`
    Variable(String),
    Keyword(&'static str),
    Operator(&'static str),
    End,
}

/// Words that can't be names, unless a dot stands before them.
const KEYWORDS: [&str; 36] = [
    "alias", "and", "begin", "break", "case", "class", "def", "defined?", "do", "else", "elsif",
    "end", "ensure", "false", "for", "if", "in", "module", "next", "nil", "not", "or", "redo",
    "rescue", "retry", "return", "self", "super", "then", "true", "undef", "unless", "until",
    "when", "while", "yield",
];

/// Signs, the longest first.
pub(super) const OPERATORS: [&str; 58] = [
    "**=", "<=>", "===", "...", "<<=", ">>=", "&&=", "||=", "&.", "**", "==", "!=", ">=", "<=",
    "&&", "||", "=>", "->", "=~", "!~", "..", "::", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=",
    "<<", ">>", "+", "-", "*", "/", "%", "=", "<", ">", "!", "&", "|", "^", "~", "?", ":", ",",
    ".", "(", ")", "[", "]", "{", "}", "\\", "`", "@",
];

/// Returns the keyword that a word is.
pub(super) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.iter().copied().find(|it| *it == word)
}

impl Token {
    pub fn is_operator(&self, sign: &str) -> bool {
        matches!(self.kind, TokenKind::Operator(it) if it == sign)
    }

    pub fn is_keyword(&self, word: &str) -> bool {
        matches!(self.kind, TokenKind::Keyword(it) if it == word)
    }

    /// Tells whether a value ends here, so that an operator may follow.
    pub fn ends_value(&self) -> bool {
        match &self.kind {
            TokenKind::Newline | TokenKind::Label(_) | TokenKind::End => false,
            TokenKind::Operator(sign) => matches!(*sign, ")" | "]" | "}"),
            TokenKind::Keyword(word) => {
                matches!(*word, "end" | "self" | "true" | "false" | "nil")
            }
            _ => true,
        }
    }
}
