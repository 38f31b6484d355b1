//! Operators, assignments and what binds how strongly.

use super::parser::{Parsed, Parser};
use super::syntax::{Call, Kind, Node};
use super::token::TokenKind;

/// Binary operators from weak to strong; all of a line bind alike.
const LEVELS: [&[&str]; 9] = [
    &["<=>", "==", "===", "!=", "=~", "!~"],
    &["<", "<=", ">", ">="],
    &["|", "^"],
    &["&"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
    // A sign before a number binds between these two.
    &[],
    &["**"],
];

impl Parser<'_> {
    /// Reads `a and b`, `not a`, and `a, b = …`.
    pub fn expression_statement(&mut self) -> Parsed<Node> {
        self.nested(|parser| {
            let mut left = parser.negation()?;
            let mut links = 0;
            loop {
                parser.link(&mut links)?;
                let is_and = parser.take_keyword("and");
                if !is_and && !parser.take_keyword("or") {
                    return Ok(left);
                }
                parser.skip_newlines();
                let right = parser.negation()?;
                let span = left.span.start..right.span.end;
                let (left_box, right) = (Box::new(left), Box::new(right));
                let kind = if is_and {
                    Kind::And(left_box, right)
                } else {
                    Kind::Or(left_box, right)
                };
                left = Node::new(kind, span);
            }
        })
    }

    fn negation(&mut self) -> Parsed<Node> {
        let start = self.peek().span.start;
        if self.take_keyword("not") {
            let inner = self.nested(Self::negation)?;
            return Ok(Node::new(
                Kind::Not(Box::new(inner)),
                start..self.last_end(),
            ));
        }
        let first = if self.peek().is_operator("*") {
            self.advance();
            let inner = self.ternary()?;
            Node::new(Kind::Splat(Box::new(inner)), start..self.last_end())
        } else {
            self.expression()?
        };
        if self.peek().is_operator(",") && is_target(&first) {
            return self.multiple_assignment(first);
        }
        Ok(first)
    }

    /// `a, b = 1, 2`
    fn multiple_assignment(&mut self, first: Node) -> Parsed<Node> {
        let start = first.span.start;
        let mut targets = vec![first];
        while self.take_operator(",") {
            let start = self.peek().span.start;
            let is_rest = self.take_operator("*");
            let target = self.ternary()?;
            targets.push(if is_rest {
                Node::new(Kind::Splat(Box::new(target)), start..self.last_end())
            } else {
                target
            });
        }
        self.expect_operator("=")?;
        self.skip_newlines();
        for target in &targets {
            self.note_variable(target);
        }
        let value = self.right_side()?;
        Ok(Node::new(
            Kind::AssignAll {
                targets,
                value: Box::new(value),
            },
            start..self.last_end(),
        ))
    }

    /// Reads an expression, assignments included.
    pub fn expression(&mut self) -> Parsed<Node> {
        self.nested(|parser| {
            let target = parser.ternary()?;
            let TokenKind::Operator(sign) = parser.peek().kind else {
                return Ok(target);
            };
            let operator = match sign {
                "=" => None,
                "+=" | "-=" | "*=" | "/=" | "%=" | "||=" | "&&=" | "<<=" | "**=" | "|=" => {
                    Some(sign.trim_end_matches('='))
                }
                _ => return Ok(target),
            };
            if !is_target(&target) {
                return Ok(target);
            }
            parser.advance();
            parser.skip_newlines();
            parser.note_variable(&target);
            let value = match operator {
                None => parser.right_side()?,
                Some(_) => parser.expression()?,
            };
            let span = target.span.start..value.span.end;
            Ok(Node::new(
                Kind::Assign {
                    target: Box::new(target),
                    operator,
                    value: Box::new(value),
                },
                span,
            ))
        })
    }

    /// What stands right of `=`: `1, 2` is a list here.
    fn right_side(&mut self) -> Parsed<Node> {
        let first = self.splat_or_expression()?;
        let is_list = self.peek().is_operator(",") && !self.is_do_taken;
        if !is_list && !matches!(first.kind, Kind::Splat(_)) {
            return Ok(first);
        }
        let start = first.span.start;
        let mut items = vec![first];
        while !self.is_do_taken && self.take_operator(",") {
            self.skip_newlines();
            items.push(self.splat_or_expression()?);
        }
        Ok(Node::new(Kind::List(items), start..self.last_end()))
    }

    /// Reads an element of a list.
    pub fn splat_or_expression(&mut self) -> Parsed<Node> {
        let start = self.peek().span.start;
        if self.take_operator("*") {
            let inner = self.ternary()?;
            return Ok(Node::new(
                Kind::Splat(Box::new(inner)),
                start..self.last_end(),
            ));
        }
        self.expression()
    }

    /// Reads `a ? b : c` and everything that binds stronger.
    pub fn ternary(&mut self) -> Parsed<Node> {
        let condition = self.range()?;
        if !self.take_operator("?") {
            return Ok(condition);
        }
        self.skip_newlines();
        let then = self.nested(Self::ternary)?;
        self.skip_newlines();
        // `a ? b :c` has a symbol there, and `a ? x: y` a label: both are rare enough to be refused.
        self.expect_operator(":")?;
        self.skip_newlines();
        let otherwise = self.nested(Self::ternary)?;
        let span = condition.span.start..otherwise.span.end;
        Ok(Node::new(
            Kind::If {
                condition: Box::new(condition),
                then: vec![then],
                otherwise: vec![otherwise],
            },
            span,
        ))
    }

    fn range(&mut self) -> Parsed<Node> {
        let first = self.or()?;
        let exclusive = self.peek().is_operator("...");
        if !exclusive && !self.peek().is_operator("..") {
            return Ok(first);
        }
        self.advance();
        let last = self.or()?;
        let span = first.span.start..last.span.end;
        Ok(Node::new(
            Kind::Range {
                first: Box::new(first),
                last: Box::new(last),
                exclusive,
            },
            span,
        ))
    }

    fn or(&mut self) -> Parsed<Node> {
        let mut left = self.and()?;
        let mut links = 0;
        while self.take_operator("||") {
            self.link(&mut links)?;
            self.skip_newlines();
            let right = self.and()?;
            let span = left.span.start..right.span.end;
            left = Node::new(Kind::Or(Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Node> {
        let mut left = self.not()?;
        let mut links = 0;
        while self.take_operator("&&") {
            self.link(&mut links)?;
            self.skip_newlines();
            let right = self.not()?;
            let span = left.span.start..right.span.end;
            left = Node::new(Kind::And(Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Node> {
        let start = self.peek().span.start;
        if self.take_keyword("defined?") {
            let inner = self.nested(Self::not)?;
            let kind = Kind::Defined(Box::new(inner));
            return Ok(Node::new(kind, start..self.last_end()));
        }
        self.binary(0)
    }

    fn binary(&mut self, level: usize) -> Parsed<Node> {
        let Some(signs) = LEVELS.get(level) else {
            return self.unary();
        };
        if signs.is_empty() {
            return self.sign(level + 1);
        }
        let mut left = self.binary(level + 1)?;
        let mut links = 0;
        loop {
            self.link(&mut links)?;
            let TokenKind::Operator(sign) = self.peek().kind else {
                return Ok(left);
            };
            if !signs.contains(&sign) {
                return Ok(left);
            }
            self.advance();
            self.skip_newlines();
            // Powers bind to the right.
            let right = match sign {
                "**" => self.nested(|parser| parser.binary(level))?,
                _ => self.binary(level + 1)?,
            };
            let span = left.span.start..right.span.end;
            left = Node::new(operation(left, sign, vec![right]), span);
        }
    }

    /// `-a`
    fn sign(&mut self, level: usize) -> Parsed<Node> {
        let start = self.peek().span.start;
        let is_minus = self.peek().is_operator("-");
        if !is_minus && !self.peek().is_operator("+") {
            return self.binary(level);
        }
        self.advance();
        let inner = self.nested(|parser| parser.sign(level))?;
        let span = start..inner.span.end;
        Ok(match (is_minus, inner.kind) {
            (false, kind) => Node::new(kind, span),
            (true, Kind::Integer(number)) => Node::new(Kind::Integer(number.wrapping_neg()), span),
            (true, Kind::Float(number)) => Node::new(Kind::Float(-number), span),
            (true, kind) => {
                let inner = Node::new(kind, span.clone());
                Node::new(operation(inner, "-@", Vec::new()), span)
            }
        })
    }

    /// `!a`
    fn unary(&mut self) -> Parsed<Node> {
        let start = self.peek().span.start;
        if self.take_operator("!") {
            let inner = self.nested(Self::unary)?;
            return Ok(Node::new(
                Kind::Not(Box::new(inner)),
                start..self.last_end(),
            ));
        }
        self.postfix()
    }

    /// Remembers a local variable.
    fn note_variable(&mut self, target: &Node) {
        if let Kind::Name(name) = &target.kind {
            self.variables.insert(name.clone());
        }
    }
}

/// Makes the call that an operator is.
fn operation(left: Node, sign: &str, arguments: Vec<Node>) -> Kind {
    Kind::Call(Call {
        receiver: Some(Box::new(left)),
        name: sign.to_owned(),
        arguments,
        block: None,
        block_argument: None,
        safe: false,
    })
}

/// Tells whether something can be assigned to.
fn is_target(node: &Node) -> bool {
    match &node.kind {
        Kind::Name(_) | Kind::Variable(_) | Kind::Constant(_) | Kind::Splat(_) => true,
        Kind::Call(call) => {
            call.receiver.is_some()
                && call.block.is_none()
                && (call.name == "[]"
                    || (call.arguments.is_empty()
                        && call
                            .name
                            .starts_with(|it: char| it == '_' || it.is_alphabetic())))
        }
        _ => false,
    }
}
