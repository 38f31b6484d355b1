//! What begins with a keyword: conditions, loops, definitions.

use std::rc::Rc;

use super::parser::{Parsed, Parser};
use super::syntax::{Block, Function, Kind, Node};
use super::token::TokenKind;

impl Parser<'_> {
    pub fn keyword(&mut self, word: &'static str) -> Parsed<Kind> {
        let start = self.advance().span.start;
        match word {
            "nil" => Ok(Kind::Nil),
            "true" => Ok(Kind::Bool(true)),
            "false" => Ok(Kind::Bool(false)),
            "self" => Ok(Kind::Own),
            "if" => self.body(|parser| parser.condition(start, false)),
            "unless" => self.body(|parser| parser.condition(start, true)),
            "case" => self.body(|parser| parser.case(start)),
            "while" | "until" => {
                let condition = Box::new(self.before_do()?);
                let body = self.body(|parser| {
                    let body = parser.statements(&[]);
                    parser.expect_end(start)?;
                    Ok(body)
                })?;
                Ok(Kind::While {
                    condition,
                    negated: word == "until",
                    body,
                })
            }
            "for" => self.for_loop(start),
            "begin" => self.body(|parser| {
                let body = parser.body_with_rescue();
                parser.expect_end(start)?;
                Ok(Kind::Sequence(body))
            }),
            "def" => self.definition(start),
            "class" | "module" => {
                self.body(|parser| {
                    parser.statements(&[]);
                    parser.expect_end(start)
                })?;
                Ok(Kind::Unsupported("a class"))
            }
            "return" => Ok(Kind::Return(self.optional_value()?)),
            "next" => Ok(Kind::Next(self.optional_value()?)),
            "break" => Ok(Kind::Break(self.optional_value()?)),
            "defined?" => {
                let inner = self.ternary()?;
                Ok(Kind::Defined(Box::new(inner)))
            }
            "not" => {
                let inner = self.expression()?;
                Ok(Kind::Not(Box::new(inner)))
            }
            "yield" | "super" => {
                self.call_rest(None, word.to_owned(), true)?;
                Ok(Kind::Unsupported("a method with a block of its own"))
            }
            "alias" | "undef" => {
                while !matches!(self.peek().kind, TokenKind::Newline | TokenKind::End) {
                    self.advance();
                }
                Ok(Kind::Unsupported("another name for a method"))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Reads what stands behind `if`, `unless` or `elsif`.
    fn condition(&mut self, start: usize, negated: bool) -> Parsed<Kind> {
        let condition = Box::new(self.expression_statement()?);
        self.take_keyword("then");
        let then = self.statements(&[]);
        let otherwise = if self.peek().is_keyword("elsif") {
            let start = self.advance().span.start;
            let kind = self.nested(|parser| parser.condition(start, false))?;
            vec![Node::new(kind, start..self.last_end())]
        } else {
            let otherwise = if self.take_keyword("else") {
                self.statements(&[])
            } else {
                Vec::new()
            };
            self.expect_end(start)?;
            otherwise
        };
        let (then, otherwise) = if negated {
            (otherwise, then)
        } else {
            (then, otherwise)
        };
        Ok(Kind::If {
            condition,
            then,
            otherwise,
        })
    }

    fn case(&mut self, start: usize) -> Parsed<Kind> {
        let subject = match self.peek().kind {
            TokenKind::Newline => None,
            _ => Some(Box::new(self.expression_statement()?)),
        };
        self.skip_newlines();
        let mut branches = Vec::new();
        while self.take_keyword("when") {
            let mut values = Vec::new();
            loop {
                self.skip_newlines();
                values.push(self.splat_or_expression()?);
                if !self.take_operator(",") {
                    break;
                }
            }
            self.take_keyword("then");
            branches.push((values, self.statements(&[])));
        }
        if self.peek().is_keyword("in") {
            return Err(self.unexpected());
        }
        let otherwise = if self.take_keyword("else") {
            self.statements(&[])
        } else {
            Vec::new()
        };
        self.expect_end(start)?;
        Ok(Kind::Case {
            subject,
            branches,
            otherwise,
        })
    }

    /// Reads the head of a loop; `do` belongs to the loop.
    fn before_do(&mut self) -> Parsed<Node> {
        let outer = std::mem::replace(&mut self.is_do_taken, true);
        let result = self.expression_statement();
        self.is_do_taken = outer;
        let node = result?;
        self.take_keyword("do");
        Ok(node)
    }

    fn for_loop(&mut self, start: usize) -> Parsed<Kind> {
        let targets = self.parameters("in")?;
        if !self.take_keyword("in") {
            return Err(self.unexpected());
        }
        let values = Box::new(self.before_do()?);
        let body = self.body(|parser| {
            let body = parser.statements(&[]);
            parser.expect_end(start)?;
            Ok(body)
        })?;
        let body = Rc::new(Block {
            parameters: Vec::new(),
            body,
            span: start..self.last_end(),
        });
        Ok(Kind::For {
            targets,
            values,
            body,
        })
    }

    fn definition(&mut self, start: usize) -> Parsed<Kind> {
        let mut name = match self.advance().kind {
            TokenKind::Name(name) | TokenKind::Constant(name) => name,
            TokenKind::Keyword("self") => "self".to_owned(),
            _ => return Err(self.unexpected()),
        };
        // `def self.name`, `def Thing.name`
        while self.take_operator(".") {
            match self.advance().kind {
                TokenKind::Name(method) => name = method,
                _ => return Err(self.unexpected()),
            }
        }
        let outer = self.variables.clone();
        let parameters = if self.take_operator("(") {
            let parameters = self.parameters(")")?;
            self.expect_operator(")")?;
            parameters
        } else if self.peek().is_operator("=") || self.peek().kind == TokenKind::Newline {
            Vec::new()
        } else {
            self.parameters("\n")?
        };
        let body = if self.take_operator("=") {
            self.skip_newlines();
            vec![self.statement()?]
        } else {
            self.body(|parser| {
                let body = parser.body_with_rescue();
                parser.expect_end(start)?;
                Ok(body)
            })?
        };
        self.variables = outer;
        let block = Rc::new(Block {
            parameters,
            body,
            span: start..self.last_end(),
        });
        Ok(Kind::Define(Rc::new(Function { name, block })))
    }

    fn optional_value(&mut self) -> Parsed<Option<Box<Node>>> {
        let is_none = match self.peek().kind {
            TokenKind::Newline | TokenKind::End => true,
            TokenKind::Keyword(word) => matches!(word, "if" | "unless" | "end"),
            TokenKind::Operator(sign) => matches!(sign, "}" | ")"),
            _ => false,
        };
        if is_none {
            return Ok(None);
        }
        Ok(Some(Box::new(self.expression()?)))
    }
}
