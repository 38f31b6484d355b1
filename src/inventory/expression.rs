//! The part of Jinja that refers to other values: `name`, `name.key`, `hostvars['n1']['ip']`,
//! `groups['etcd'][0]`, `lookup('env', 'USER')`, and a few filters behind them.

/// An expression between `{{` and `}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Text(String),
    Number(String),
    Bool(bool),
    Name(String),
    /// `of.key` or `of[key]`.
    Item {
        of: Box<Expression>,
        key: Box<Expression>,
    },
    /// `function(arguments)` or `input | function(arguments)`: the input is the first argument.
    Call {
        function: String,
        arguments: Vec<Expression>,
    },
}

/// Reads an expression; `None` if it holds anything else than the above.
pub(super) fn parse(text: &str) -> Option<Expression> {
    let mut parser = Parser { rest: text };
    let expression = parser.expression()?;
    parser.rest.trim().is_empty().then_some(expression)
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn expression(&mut self) -> Option<Expression> {
        let mut expression = self.operand()?;
        while self.take("|") {
            let function = self.name()?;
            let mut arguments = vec![expression];
            if self.take("(") {
                arguments.extend(self.arguments()?);
            }
            expression = Expression::Call {
                function,
                arguments,
            };
        }
        Some(expression)
    }

    fn operand(&mut self) -> Option<Expression> {
        let mut operand = self.start()?;
        loop {
            let key = if self.take("[") {
                let key = self.expression()?;
                self.take("]").then_some(key)?
            } else if self.take(".") {
                Expression::Text(self.name()?)
            } else {
                return Some(operand);
            };
            operand = Expression::Item {
                of: Box::new(operand),
                key: Box::new(key),
            };
        }
    }

    fn start(&mut self) -> Option<Expression> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        if matches!(first, '\'' | '"') {
            let (text, rest) = self.rest[1..].split_once(first)?;
            self.rest = rest;
            return (!text.contains('\\')).then(|| Expression::Text(text.to_owned()));
        }
        if self.take("(") {
            let inner = self.expression()?;
            return self.take(")").then_some(inner);
        }
        let word = self.name()?;
        if first.is_ascii_digit() {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            return is_number.then_some(Expression::Number(word));
        }
        Some(match word.as_str() {
            "true" | "True" => Expression::Bool(true),
            "false" | "False" => Expression::Bool(false),
            _ if self.take("(") => Expression::Call {
                function: word,
                arguments: self.arguments()?,
            },
            _ => Expression::Name(word),
        })
    }

    /// Reads what stands behind an opening parenthesis, and the closing one.
    fn arguments(&mut self) -> Option<Vec<Expression>> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            arguments.push(self.expression()?);
            if !self.take(",") {
                return self.take(")").then_some(arguments);
            }
        }
        Some(arguments)
    }

    fn name(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|it: char| !(it.is_alphanumeric() || it == '_'))
            .unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn take(&mut self, sign: &str) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(expression: &Expression) -> String {
        match expression {
            Expression::Text(text) => format!("'{text}'"),
            Expression::Number(text) => text.clone(),
            Expression::Bool(value) => value.to_string(),
            Expression::Name(name) => name.clone(),
            Expression::Item { of, key } => format!("{}[{}]", show(of), show(key)),
            Expression::Call {
                function,
                arguments,
            } => {
                let arguments: Vec<String> = arguments.iter().map(show).collect();
                format!("{function}({})", arguments.join(", "))
            }
        }
    }

    #[test]
    fn references_and_filters_are_read() {
        for (text, expected) in [
            (" a ", "a"),
            ("a.b.c", "a['b']['c']"),
            ("a['b'][0]", "a['b'][0]"),
            (
                "hostvars[groups['x'][0]].ip",
                "hostvars[groups['x'][0]]['ip']",
            ),
            ("lookup('env', \"USER\")", "lookup('env', 'USER')"),
            ("a | default('x', true) | int", "int(default(a, 'x', true))"),
            ("a|d(b.c)", "d(a, b['c'])"),
            ("(a | d('x')).y", "d(a, 'x')['y']"),
            ("a | first", "first(a)"),
        ] {
            let found = parse(text).map(|expression| show(&expression));
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "a +",
            "a + b",
            "a if b else c",
            "a[",
            "f(",
            "'x",
            "1a",
            "a.",
            "x ~ y",
            "not a",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
