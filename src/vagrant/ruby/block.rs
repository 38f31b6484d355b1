//! Blocks and their parameters.

use std::rc::Rc;

use super::parser::{Parsed, Parser};
use super::syntax::{Block, Node, Parameter, Pattern};
use super::token::TokenKind;

impl Parser<'_> {
    /// Reads a block if one begins here.
    pub fn block(&mut self) -> Parsed<Option<Rc<Block>>> {
        let start = self.peek().span.start;
        if self.peek().is_operator("{") {
            self.advance();
            return self.braces(start, Vec::new()).map(Some);
        }
        if !self.is_do_taken && self.take_keyword("do") {
            return self.do_block(start, Vec::new()).map(Some);
        }
        Ok(None)
    }

    /// Reads a block behind `{`.
    pub fn braces(&mut self, start: usize, parameters: Vec<Parameter>) -> Parsed<Rc<Block>> {
        self.body(|parser| {
            let parameters = parser.bars(parameters)?;
            let body = parser.statements(&[]);
            parser.expect_operator("}")?;
            Ok(finish(parameters, body, start..parser.last_end()))
        })
    }

    /// Reads a block behind `do`.
    pub fn do_block(&mut self, start: usize, parameters: Vec<Parameter>) -> Parsed<Rc<Block>> {
        self.body(|parser| {
            let parameters = parser.bars(parameters)?;
            let body = parser.body_with_rescue();
            parser.expect_end(start)?;
            Ok(finish(parameters, body, start..parser.last_end()))
        })
    }

    /// Inside a block, `do` is free again.
    pub fn body<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = std::mem::replace(&mut self.is_do_taken, false);
        let result = self.nested(read);
        self.is_do_taken = outer;
        result
    }

    /// Reads a body; what it does after an error is read and left out.
    pub fn body_with_rescue(&mut self) -> Vec<Node> {
        let mut body = self.statements(&[]);
        while self.take_keyword("rescue") {
            while !matches!(self.peek().kind, TokenKind::Newline | TokenKind::End)
                && !self.take_keyword("then")
            {
                self.advance();
            }
            self.statements(&[]);
        }
        if self.take_keyword("else") {
            body.extend(self.statements(&[]));
        }
        if self.take_keyword("ensure") {
            body.extend(self.statements(&[]));
        }
        body
    }

    fn bars(&mut self, parameters: Vec<Parameter>) -> Parsed<Vec<Parameter>> {
        if self.take_operator("||") || !self.take_operator("|") {
            return Ok(parameters);
        }
        let parameters = self.parameters("|")?;
        self.expect_operator("|")?;
        Ok(parameters)
    }

    /// Reads parameters up to the closing sign, which is left.
    pub fn parameters(&mut self, close: &str) -> Parsed<Vec<Parameter>> {
        let mut parameters = Vec::new();
        loop {
            if close != "\n" {
                self.skip_newlines();
            }
            if self.peek().is_operator(close) || self.peek().kind == TokenKind::Newline {
                // Behind `;` stand variables of the block's own.
                while close == "|" && !self.peek().is_operator(close) {
                    if self.peek().kind == TokenKind::End {
                        return Err(self.unexpected());
                    }
                    self.advance();
                }
                return Ok(parameters);
            }
            parameters.push(self.parameter(close)?);
            if !self.take_operator(",") && !self.peek().is_operator(close) {
                match self.peek().kind {
                    TokenKind::Newline => {}
                    TokenKind::Keyword("in") if close == "in" => {}
                    _ => return Err(self.unexpected()),
                }
            }
            if close == "in" && self.peek().is_keyword("in") {
                return Ok(parameters);
            }
        }
    }

    fn parameter(&mut self, close: &str) -> Parsed<Parameter> {
        let is_rest = ["*", "**", "&"].iter().any(|it| self.take_operator(it));
        let token = self.advance();
        let (name, is_key) = match token.kind {
            TokenKind::Name(name) => (Pattern::Name(name), false),
            TokenKind::Label(pieces) => {
                let key = Node::new(super::syntax::Kind::Symbol(pieces), token.span);
                let name = key.plain_text().unwrap_or_default().to_owned();
                (Pattern::Name(name), true)
            }
            TokenKind::Operator("(") => {
                let inner = self.nested(|parser| parser.parameters(")"))?;
                self.expect_operator(")")?;
                (Pattern::List(inner), false)
            }
            // `*` alone
            _ if is_rest => (Pattern::Name(String::new()), false),
            _ => return Err(self.unexpected()),
        };
        if let Pattern::Name(name) = &name {
            self.variables.insert(name.clone());
        }
        let has_default = if is_key {
            !self.peek().is_operator(",")
                && !self.peek().is_operator(close)
                && self.peek().kind != TokenKind::Newline
        } else {
            self.take_operator("=")
        };
        // In `|a = 1|` the closing bar is no operator.
        let default = match has_default {
            true if close == "|" => Some(self.postfix()?),
            true => Some(self.ternary()?),
            false => None,
        };
        Ok(Parameter {
            name,
            default,
            is_key,
            is_rest,
        })
    }
}

fn finish(parameters: Vec<Parameter>, body: Vec<Node>, span: std::ops::Range<usize>) -> Rc<Block> {
    Rc::new(Block {
        parameters,
        body,
        span,
    })
}
