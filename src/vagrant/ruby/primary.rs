//! Literals, names, lists and maps.

use super::parser::{Parsed, Parser};
use super::syntax::{Call, Kind, Node, Piece};
use super::token::TokenKind;

impl Parser<'_> {
    /// Reads a value without what may follow it.
    pub fn primary(&mut self) -> Parsed<Node> {
        let token = self.peek().clone();
        let start = token.span.start;
        let kind = match token.kind {
            TokenKind::Integer(number) => self.taken(Kind::Integer(number)),
            TokenKind::Float(number) => self.taken(Kind::Float(number)),
            TokenKind::Text(pieces) => {
                self.advance();
                Kind::Text(self.neighbours(pieces))
            }
            TokenKind::Symbol(pieces) => self.taken(Kind::Symbol(pieces)),
            TokenKind::Regex(pieces) => self.taken(Kind::Regex(pieces)),
            TokenKind::Command(_) => self.taken(Kind::Command),
            TokenKind::Words(words, are_symbols) => {
                let word = |text: String| {
                    let pieces = vec![Piece::Text(text)];
                    let kind = if are_symbols {
                        Kind::Symbol(pieces)
                    } else {
                        Kind::Text(pieces)
                    };
                    Node::new(kind, token.span.clone())
                };
                let items = words.into_iter().map(word).collect();
                self.taken(Kind::List(items))
            }
            TokenKind::Variable(name) => self.taken(Kind::Variable(name)),
            TokenKind::Constant(name) => self.constant(name)?,
            TokenKind::Name(name) => self.name(name)?,
            TokenKind::Keyword(word) => self.keyword(word)?,
            TokenKind::Operator(sign) => match sign {
                "(" => self.parentheses()?,
                "[" => self.list()?,
                "{" => self.map()?,
                "->" => self.lambda()?,
                "::" => {
                    self.advance();
                    return self.primary();
                }
                _ => return Err(self.unexpected()),
            },
            TokenKind::Label(_) | TokenKind::Newline | TokenKind::End => {
                return Err(self.unexpected());
            }
        };
        Ok(Node::new(kind, start..self.last_end()))
    }

    fn taken(&mut self, kind: Kind) -> Kind {
        self.advance();
        kind
    }

    /// `"a" "b"` is one text.
    fn neighbours(&mut self, mut pieces: Vec<Piece>) -> Vec<Piece> {
        while let TokenKind::Text(more) = self.peek().kind.clone() {
            self.advance();
            pieces.extend(more);
        }
        pieces
    }

    fn name(&mut self, name: String) -> Parsed<Kind> {
        self.advance();
        let is_variable = self.variables.contains(&name);
        let next = self.peek();
        if is_variable && (next.space_before || !next.is_operator("(")) {
            return Ok(Kind::Name(name));
        }
        match self.call_rest(None, name, !is_variable)? {
            Kind::Call(Call {
                name,
                arguments,
                block: None,
                block_argument: None,
                ..
            }) if arguments.is_empty() => Ok(Kind::Name(name)),
            kind => Ok(kind),
        }
    }

    /// A constant, or a call as in `Integer("5")`.
    fn constant(&mut self, name: String) -> Parsed<Kind> {
        self.advance();
        let next = self.peek();
        let is_call = (next.is_operator("(") && !next.space_before)
            || (next.space_before && matches!(next.kind, TokenKind::Text(_)));
        if is_call {
            return self.call_rest(None, name, true);
        }
        Ok(Kind::Constant(name))
    }

    fn parentheses(&mut self) -> Parsed<Kind> {
        self.advance();
        let mut nodes = self.body(|parser| {
            let nodes = parser.statements(&[]);
            parser.expect_operator(")")?;
            Ok(nodes)
        })?;
        Ok(match nodes.pop() {
            None => Kind::Nil,
            Some(only) if nodes.is_empty() => Kind::Sequence(vec![only]),
            Some(last) => {
                nodes.push(last);
                Kind::Sequence(nodes)
            }
        })
    }

    fn list(&mut self) -> Parsed<Kind> {
        self.advance();
        self.body(|parser| {
            let mut items = Vec::new();
            parser.skip_newlines();
            while !parser.take_operator("]") {
                items.push(parser.element()?);
                parser.skip_newlines();
                if !parser.take_operator(",") {
                    parser.expect_operator("]")?;
                    break;
                }
                parser.skip_newlines();
            }
            Ok(Kind::List(items))
        })
    }

    /// `[a: 1]` is a list with one map.
    fn element(&mut self) -> Parsed<Node> {
        let start = self.peek().span.start;
        if let TokenKind::Label(_) = self.peek().kind {
            let pair = self.labelled()?;
            let span = start..self.last_end();
            return Ok(Node::new(Kind::Map(vec![pair]), span));
        }
        let value = self.splat_or_expression()?;
        if self.take_operator("=>") {
            self.skip_newlines();
            let pair = (Some(value), self.expression()?);
            let span = start..self.last_end();
            return Ok(Node::new(Kind::Map(vec![pair]), span));
        }
        Ok(value)
    }

    fn map(&mut self) -> Parsed<Kind> {
        self.advance();
        self.body(|parser| {
            let mut pairs = Vec::new();
            parser.skip_newlines();
            while !parser.take_operator("}") {
                if let TokenKind::Label(_) = parser.peek().kind {
                    pairs.push(parser.labelled()?);
                } else if parser.take_operator("**") {
                    pairs.push((None, parser.ternary()?));
                } else {
                    let key = parser.ternary()?;
                    parser.skip_newlines();
                    parser.expect_operator("=>")?;
                    parser.skip_newlines();
                    pairs.push((Some(key), parser.expression()?));
                }
                parser.skip_newlines();
                if !parser.take_operator(",") {
                    parser.expect_operator("}")?;
                    break;
                }
                parser.skip_newlines();
            }
            Ok(Kind::Map(pairs))
        })
    }

    /// `->(a) { … }`
    fn lambda(&mut self) -> Parsed<Kind> {
        let start = self.advance().span.start;
        let parameters = if self.take_operator("(") {
            let parameters = self.parameters(")")?;
            self.expect_operator(")")?;
            parameters
        } else if let TokenKind::Name(_) = self.peek().kind {
            self.parameters("{")?
        } else {
            Vec::new()
        };
        let block = if self.take_operator("{") {
            self.braces(start, parameters)?
        } else if self.take_keyword("do") {
            self.do_block(start, parameters)?
        } else {
            return Err(self.unexpected());
        };
        Ok(Kind::Lambda(block))
    }
}
