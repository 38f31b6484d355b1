//! Statements, and how reading goes on after what can't be read.

use std::collections::HashSet;
use std::ops::Range;

use super::Problem;
use super::syntax::{Kind, Node};
use super::token::{Token, TokenKind};

/// Deeper nesting isn't read: the stack is finite.
const MAXIMUM_DEPTH: usize = 100;

/// Most operators or calls one after another.
const MAXIMUM_LINKS: usize = 200;

/// Reads a sequence of tokens.
pub(super) fn parse(text: &str, tokens: Vec<Token>) -> (Vec<Node>, Vec<Problem>) {
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        depth: 0,
        variables: HashSet::new(),
        problems: Vec::new(),
        is_do_taken: false,
    };
    let mut nodes = Vec::new();
    loop {
        nodes.extend(parser.statements(&[]));
        if parser.peek().kind == TokenKind::End {
            break;
        }
        // A closing word without its beginning.
        let token = parser.advance();
        parser.problem(token.span, "there is nothing that this closes");
    }
    (nodes, parser.problems)
}

pub(super) struct Parser<'a> {
    pub text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// Names that were assigned to: `a [1]` is no call then.
    pub variables: HashSet<String>,
    problems: Vec<Problem>,
    /// In `while … do` and among arguments without parentheses, `do` belongs to what is around.
    pub is_do_taken: bool,
}

/// Why a statement can't be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub span: Range<usize>,
    pub message: String,
}

pub(super) type Parsed<T> = Result<T, Unreadable>;

impl Parser<'_> {
    /// Reads statements up to one of the words, which is left; statements that can't be read are skipped.
    pub fn statements(&mut self, until: &[&str]) -> Vec<Node> {
        let mut nodes = Vec::new();
        loop {
            while self.peek().kind == TokenKind::Newline {
                self.at += 1;
            }
            let token = self.peek();
            let is_end = match token.kind {
                TokenKind::End => true,
                TokenKind::Keyword(word) => until.contains(&word) || is_closing(word),
                TokenKind::Operator(sign) => matches!(sign, "}" | ")" | "]"),
                _ => false,
            };
            if is_end {
                return nodes;
            }
            let start = self.at;
            let outer = std::mem::replace(&mut self.is_do_taken, false);
            match self
                .statement()
                .and_then(|node| self.end_of_statement().map(|()| node))
            {
                Ok(node) => nodes.push(node),
                Err(error) => {
                    self.problem(error.span, error.message);
                    self.skip_statement(start);
                }
            }
            self.is_do_taken = outer;
        }
    }

    /// Reads a statement with what may stand behind it: `… if condition`.
    pub fn statement(&mut self) -> Parsed<Node> {
        let mut node = self.expression_statement()?;
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let TokenKind::Keyword(word) = self.peek().kind else {
                return Ok(node);
            };
            let start = node.span.start;
            let kind = match word {
                "if" | "unless" => {
                    self.at += 1;
                    let condition = Box::new(self.expression_statement()?);
                    let (then, otherwise) = match word {
                        "if" => (vec![node], Vec::new()),
                        _ => (Vec::new(), vec![node]),
                    };
                    Kind::If {
                        condition,
                        then,
                        otherwise,
                    }
                }
                "while" | "until" => {
                    self.at += 1;
                    let condition = Box::new(self.expression_statement()?);
                    Kind::While {
                        condition,
                        negated: word == "until",
                        body: vec![node],
                    }
                }
                "rescue" => {
                    self.at += 1;
                    self.expression_statement()?;
                    Kind::Sequence(vec![node])
                }
                _ => return Ok(node),
            };
            node = Node::new(kind, start..self.last_end());
        }
    }

    fn end_of_statement(&mut self) -> Parsed<()> {
        let token = self.peek();
        let is_end = match token.kind {
            TokenKind::Newline | TokenKind::End => true,
            TokenKind::Keyword(word) => is_closing(word) || word == "then",
            TokenKind::Operator(sign) => matches!(sign, "}" | ")" | "]"),
            _ => false,
        };
        if is_end {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Skips a statement that can't be read, with the blocks that it opens.
    fn skip_statement(&mut self, start: usize) {
        self.at = start;
        let mut depth = 0_usize;
        let mut is_first = true;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::End => return,
                TokenKind::Newline if depth == 0 => return,
                TokenKind::Newline => {
                    is_first = true;
                    self.at += 1;
                    continue;
                }
                TokenKind::Keyword(word) => match word {
                    "do" | "def" | "class" | "module" | "begin" | "case" => depth += 1,
                    // Behind a statement these words don't open anything.
                    "if" | "unless" | "while" | "until" | "for" if is_first => depth += 1,
                    "end" if depth > 0 => depth -= 1,
                    "end" => return,
                    _ => {}
                },
                TokenKind::Operator("{" | "(" | "[") => depth += 1,
                TokenKind::Operator("}" | ")" | "]") if depth > 0 => depth -= 1,
                // A lone `)` or `]` belongs to what can't be read.
                TokenKind::Operator("}") if self.at > start => return,
                _ => {}
            }
            is_first = token.is_operator("=");
            self.at += 1;
        }
    }

    pub fn problem(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem {
            span,
            message: message.into(),
        });
    }

    /// Runs a reader one level deeper.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAXIMUM_DEPTH {
            return Err(Unreadable {
                span: self.peek().span.clone(),
                message: "this is nested too deeply".to_owned(),
            });
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Counts the links of a chain such as `a + b + c`: the tree gets one level deeper with each.
    pub fn link(&self, links: &mut usize) -> Parsed<()> {
        *links += 1;
        if *links > MAXIMUM_LINKS {
            return Err(Unreadable {
                span: self.peek().span.clone(),
                message: "this goes on for too long".to_owned(),
            });
        }
        Ok(())
    }

    pub fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub fn peek_at(&self, offset: usize) -> &Token {
        // The last token is `End`, and nothing moves past it.
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + offset).min(last)]
    }

    pub fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    /// Where the last token ended.
    pub fn last_end(&self) -> usize {
        match self.at.checked_sub(1) {
            Some(before) => self.tokens[before].span.end,
            None => self.peek().span.start,
        }
    }

    pub fn take_operator(&mut self, sign: &str) -> bool {
        let found = self.peek().is_operator(sign);
        self.at += usize::from(found);
        found
    }

    pub fn take_keyword(&mut self, word: &str) -> bool {
        let found = self.peek().is_keyword(word);
        self.at += usize::from(found);
        found
    }

    pub fn expect_operator(&mut self, sign: &str) -> Parsed<()> {
        if self.take_operator(sign) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Takes the `end` of what began at `start`; a file that stops before is read as if it were there.
    pub fn expect_end(&mut self, start: usize) -> Parsed<()> {
        if self.take_keyword("end") {
            return Ok(());
        }
        if self.peek().kind == TokenKind::End {
            let span = start..start + 1;
            self.problem(span, "the `end` that belongs to this is missing");
            return Ok(());
        }
        Err(self.unexpected())
    }

    pub fn skip_newlines(&mut self) {
        while self.peek().kind == TokenKind::Newline {
            self.at += 1;
        }
    }

    pub fn unexpected(&self) -> Unreadable {
        let token = self.peek();
        let message = match self.text.get(token.span.clone()) {
            Some(text) if !text.trim().is_empty() => {
                let text = text.lines().next().unwrap_or_default();
                format!("can't be read from `{text}` on")
            }
            _ => "stops too early".to_owned(),
        };
        Unreadable {
            span: token.span.clone(),
            message,
        }
    }
}

fn is_closing(word: &str) -> bool {
    matches!(
        word,
        "end" | "else" | "elsif" | "when" | "in" | "rescue" | "ensure"
    )
}
