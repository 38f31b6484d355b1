//! Conditions, loops, and what is done after errors.

use ruby_prism as prism;

use super::Converter;
use super::syntax::{Kind, Node, Rescue};

impl Converter<'_> {
    pub(super) fn control(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        self.condition(node)
            .or_else(|| self.repetition(node))
            .or_else(|| self.sequence(node))
    }

    fn condition(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        Some(if let Some(both) = node.as_and_node() {
            Kind::And(self.boxed(&both.left()), self.boxed(&both.right()))
        } else if let Some(either) = node.as_or_node() {
            Kind::Or(self.boxed(&either.left()), self.boxed(&either.right()))
        } else if let Some(branch) = node.as_if_node() {
            let otherwise = branch.subsequent();
            Kind::If {
                condition: self.boxed(&branch.predicate()),
                then: self.statements(branch.statements().as_ref()),
                // `else`, or another `if` for `elsif`.
                otherwise: match otherwise.map(|it| (it.as_else_node(), it)) {
                    None => Vec::new(),
                    Some((Some(last), _)) => self.statements(last.statements().as_ref()),
                    Some((None, next)) => vec![self.node(&next)],
                },
            }
        } else if let Some(branch) = node.as_unless_node() {
            Kind::If {
                condition: self.boxed(&branch.predicate()),
                then: self.otherwise(branch.else_clause()),
                otherwise: self.statements(branch.statements().as_ref()),
            }
        } else {
            let case = node.as_case_node()?;
            let branch = |when: prism::Node<'_>| {
                let when = when.as_when_node()?;
                let conditions = self.nodes(&when.conditions());
                Some((conditions, self.statements(when.statements().as_ref())))
            };
            let branches = case.conditions().iter().filter_map(branch).collect();
            Kind::Case {
                subject: case.predicate().map(|it| self.boxed(&it)),
                branches,
                otherwise: self.otherwise(case.else_clause()),
            }
        })
    }

    fn otherwise(&mut self, last: Option<prism::ElseNode<'_>>) -> Vec<Node> {
        last.map_or_else(Vec::new, |it| self.statements(it.statements().as_ref()))
    }

    fn repetition(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        Some(if let Some(repeat) = node.as_while_node() {
            Kind::While {
                condition: self.boxed(&repeat.predicate()),
                negated: false,
                is_body_first: repeat.is_begin_modifier(),
                body: self.statements(repeat.statements().as_ref()),
            }
        } else if let Some(repeat) = node.as_until_node() {
            Kind::While {
                condition: self.boxed(&repeat.predicate()),
                negated: true,
                is_body_first: repeat.is_begin_modifier(),
                body: self.statements(repeat.statements().as_ref()),
            }
        } else if let Some(repeat) = node.as_for_node() {
            Kind::For {
                targets: self.loop_targets(&repeat.index()),
                values: self.boxed(&repeat.collection()),
                body: self.statements(repeat.statements().as_ref()),
            }
        } else if let Some(end) = node.as_return_node() {
            Kind::Return(self.result(end.arguments().as_ref()))
        } else if let Some(end) = node.as_next_node() {
            Kind::Next(self.result(end.arguments().as_ref()))
        } else {
            Kind::Break(self.result(node.as_break_node()?.arguments().as_ref()))
        })
    }

    /// `return a, b` returns a list.
    fn result(&mut self, arguments: Option<&prism::ArgumentsNode<'_>>) -> Option<Box<Node>> {
        let place = super::span(&arguments?.location());
        let mut values = self.arguments(arguments);
        Some(Box::new(match (values.len(), values.pop()) {
            (1, Some(only)) if !matches!(only.kind, Kind::Splat(_)) => only,
            (_, last) => {
                values.extend(last);
                Node::new(Kind::List(values), place)
            }
        }))
    }

    fn sequence(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        Some(if let Some(statements) = node.as_statements_node() {
            Kind::Sequence(self.nodes(&statements.body()))
        } else if let Some(inner) = node.as_parentheses_node() {
            Kind::Sequence(self.body(inner.body().as_ref()))
        } else if let Some(modified) = node.as_rescue_modifier_node() {
            Kind::Begin {
                body: vec![self.node(&modified.expression())],
                rescues: vec![Rescue {
                    classes: Vec::new(),
                    target: None,
                    body: vec![self.node(&modified.rescue_expression())],
                }],
                otherwise: Vec::new(),
                ensure: Vec::new(),
            }
        } else {
            let begin = node.as_begin_node()?;
            let mut rescues = Vec::new();
            let mut next = begin.rescue_clause();
            while let Some(clause) = next {
                rescues.push(Rescue {
                    classes: self.nodes(&clause.exceptions()),
                    target: clause.reference().map(|it| self.boxed(&it)),
                    body: self.statements(clause.statements().as_ref()),
                });
                next = clause.subsequent();
            }
            let ensure = begin.ensure_clause();
            Kind::Begin {
                body: self.statements(begin.statements().as_ref()),
                rescues,
                otherwise: self.otherwise(begin.else_clause()),
                ensure: ensure
                    .map_or_else(Vec::new, |it| self.statements(it.statements().as_ref())),
            }
        })
    }
}
