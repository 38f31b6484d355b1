//! Calls: receivers, arguments and indexes.

use super::parser::{Parsed, Parser};
use super::syntax::{Call, Kind, Node};
use super::token::TokenKind;

/// Arguments as they are read.
#[derive(Default)]
struct Arguments {
    values: Vec<Node>,
    pairs: Vec<(Option<Node>, Node)>,
    block_argument: Option<Box<Node>>,
}

impl Parser<'_> {
    /// Reads a value with all calls and indexes behind it.
    pub fn postfix(&mut self) -> Parsed<Node> {
        let mut node = self.nested(Self::primary)?;
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let token = self.peek();
            let TokenKind::Operator(sign) = token.kind else {
                return Ok(node);
            };
            let start = node.span.start;
            let kind = match sign {
                "." | "&." => {
                    self.advance();
                    self.skip_newlines();
                    self.method(node, sign == "&.")?
                }
                "::" => {
                    self.advance();
                    match (self.peek().kind.clone(), &node.kind) {
                        (TokenKind::Constant(name), Kind::Constant(outer))
                            if !self.peek_at(1).is_operator("(") =>
                        {
                            self.advance();
                            Kind::Constant(format!("{outer}::{name}"))
                        }
                        _ => self.method(node, false)?,
                    }
                }
                "[" if !token.space_before => {
                    self.advance();
                    let arguments = self.delimited_arguments("]")?;
                    call(Some(node), "[]".to_owned(), arguments)
                }
                _ => return Ok(node),
            };
            node = Node::new(kind, start..self.last_end());
        }
    }

    /// Reads a method's name, arguments and block, behind the dot.
    fn method(&mut self, receiver: Node, safe: bool) -> Parsed<Kind> {
        let name = match self.peek().kind.clone() {
            TokenKind::Name(name) | TokenKind::Constant(name) => {
                self.advance();
                name
            }
            // `handler.(value)`
            TokenKind::Operator("(") => "call".to_owned(),
            // In `a.b ? c.d: e` the label is a method.
            _ => return Err(self.unexpected()),
        };
        let mut kind = self.call_rest(Some(receiver), name, true)?;
        if let Kind::Call(call) = &mut kind {
            call.safe = safe;
        }
        Ok(kind)
    }

    /// Reads arguments and block of a call whose name was read.
    pub fn call_rest(
        &mut self,
        receiver: Option<Node>,
        name: String,
        may_be_command: bool,
    ) -> Parsed<Kind> {
        let token = self.peek();
        let arguments = if token.is_operator("(") && !token.space_before {
            self.advance();
            self.delimited_arguments(")")?
        } else if may_be_command && self.starts_argument() {
            self.command_arguments()?
        } else {
            Arguments::default()
        };
        let mut kind = call(receiver, name, arguments);
        if let Kind::Call(call) = &mut kind {
            call.block = self.block()?;
        }
        Ok(kind)
    }

    /// Tells whether an argument without parentheses begins here.
    fn starts_argument(&self) -> bool {
        let token = self.peek();
        if !token.space_before {
            return matches!(token.kind, TokenKind::Text(_));
        }
        let is_tight = !self.peek_at(1).space_before && self.peek_at(1).kind != TokenKind::Newline;
        match &token.kind {
            TokenKind::Integer(_)
            | TokenKind::Float(_)
            | TokenKind::Text(_)
            | TokenKind::Symbol(_)
            | TokenKind::Words(..)
            | TokenKind::Regex(_)
            | TokenKind::Command(_)
            | TokenKind::Label(_)
            | TokenKind::Name(_)
            | TokenKind::Constant(_)
            | TokenKind::Variable(_) => true,
            TokenKind::Keyword(word) => matches!(
                *word,
                "nil" | "true" | "false" | "self" | "not" | "defined?" | "case" | "super"
            ),
            TokenKind::Operator(sign) => match *sign {
                "[" | "!" | "->" | "(" => true,
                "-" | "*" | "&" | "**" | "::" => is_tight,
                _ => false,
            },
            TokenKind::Newline | TokenKind::End => false,
        }
    }

    fn command_arguments(&mut self) -> Parsed<Arguments> {
        let outer = std::mem::replace(&mut self.is_do_taken, true);
        let mut arguments = Arguments::default();
        let mut result = self.argument(&mut arguments);
        while result.is_ok() && self.take_operator(",") {
            self.skip_newlines();
            result = self.argument(&mut arguments);
        }
        self.is_do_taken = outer;
        result.map(|()| arguments)
    }

    fn delimited_arguments(&mut self, close: &str) -> Parsed<Arguments> {
        let outer = std::mem::replace(&mut self.is_do_taken, false);
        let mut arguments = Arguments::default();
        let result = self.arguments_until(close, &mut arguments);
        self.is_do_taken = outer;
        result.map(|()| arguments)
    }

    fn arguments_until(&mut self, close: &str, arguments: &mut Arguments) -> Parsed<()> {
        self.skip_newlines();
        while !self.take_operator(close) {
            self.argument(arguments)?;
            self.skip_newlines();
            if !self.take_operator(",") {
                return self.expect_operator(close);
            }
            self.skip_newlines();
        }
        Ok(())
    }

    fn argument(&mut self, arguments: &mut Arguments) -> Parsed<()> {
        let start = self.peek().span.start;
        if self.take_operator("&") {
            arguments.block_argument = Some(Box::new(self.ternary()?));
        } else if self.take_operator("**") {
            let value = self.ternary()?;
            arguments.pairs.push((None, value));
        } else if let TokenKind::Label(_) = self.peek().kind {
            let pair = self.labelled()?;
            arguments.pairs.push(pair);
        } else {
            let value = self.splat_or_expression()?;
            if self.take_operator("=>") {
                self.skip_newlines();
                let key = value;
                let value = self.expression()?;
                arguments.pairs.push((Some(key), value));
            } else {
                let span = start..self.last_end();
                arguments.values.push(Node::new(value.kind, span));
            }
        }
        Ok(())
    }

    /// Reads `key: value`; `key:` alone is `key: key`.
    pub fn labelled(&mut self) -> Parsed<(Option<Node>, Node)> {
        let token = self.advance();
        let TokenKind::Label(pieces) = token.kind else {
            return Err(self.unexpected());
        };
        let key = Node::new(Kind::Symbol(pieces), token.span.clone());
        let is_short = match self.peek().kind {
            TokenKind::Operator(sign) => matches!(sign, "," | ")" | "}"),
            TokenKind::End => true,
            _ => false,
        };
        if is_short {
            let name = key.plain_text().unwrap_or_default().to_owned();
            return Ok((Some(key), Node::new(Kind::Name(name), token.span)));
        }
        self.skip_newlines();
        let value = self.expression()?;
        Ok((Some(key), value))
    }
}

fn call(receiver: Option<Node>, name: String, arguments: Arguments) -> Kind {
    let Arguments {
        mut values,
        pairs,
        block_argument,
    } = arguments;
    if let (Some((_, first)), Some((_, last))) = (pairs.first(), pairs.last()) {
        let start = pairs[0].0.as_ref().unwrap_or(first).span.start;
        let span = start..last.span.end;
        values.push(Node::new(Kind::Map(pairs), span));
    }
    Kind::Call(Call {
        receiver: receiver.map(Box::new),
        name,
        arguments: values,
        block: None,
        block_argument,
        safe: false,
    })
}
