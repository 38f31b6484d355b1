//! Ruby, as far as Vagrantfiles use it: from text to a tree.
//!
//! What can't be read is left out statement by statement and listed as a [`Problem`]; the rest of the
//! file is read all the same.

mod arguments;
mod block;
mod expression;
mod heredoc;
mod keyword;
mod lexer;
mod parser;
mod primary;
mod quoted;
pub mod syntax;
mod token;

use std::ops::Range;

use syntax::Node;

/// Something that couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub span: Range<usize>,
    pub message: String,
}

/// Reads a whole file.
pub fn parse(text: &str) -> (Vec<Node>, Vec<Problem>) {
    parse_part(text, 0..text.len())
}

/// Reads a part of a file, as between `#{` and `}`; all places are those of the file.
pub fn parse_part(text: &str, range: Range<usize>) -> (Vec<Node>, Vec<Problem>) {
    parser::parse(text, lexer::tokens(text, range))
}

#[cfg(test)]
mod tests;
