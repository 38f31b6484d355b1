//! Assignments, and what they assign to.

use ruby_prism as prism;

use super::call::constant_path;
use super::syntax::{Call, Kind, Node};
use super::{Converter, span, text};

/// Reads `target ||= value`, `target &&= value` and `target += value`: three nodes for each kind of target.
macro_rules! changes {
    ($converter:ident, $node:ident, $or:ident, $and:ident, $operator:ident, |$write:ident| $target:expr) => {
        if let Some($write) = $node.$or() {
            let target = $target;
            return Some($converter.assign(target, $node, Some("||".to_owned()), &$write.value()));
        }
        if let Some($write) = $node.$and() {
            let target = $target;
            return Some($converter.assign(target, $node, Some("&&".to_owned()), &$write.value()));
        }
        if let Some($write) = $node.$operator() {
            let target = $target;
            let sign = text($write.binary_operator().as_slice());
            return Some($converter.assign(target, $node, Some(sign), &$write.value()));
        }
    };
}

/// The same for variables, and `target = value` beside it.
macro_rules! variable {
    ($converter:ident, $node:ident, $plain:ident, $or:ident, $and:ident, $operator:ident, $kind:ident) => {
        if let Some(write) = $node.$plain() {
            let target = Kind::$kind(text(write.name().as_slice()));
            return Some($converter.assign(target, $node, None, &write.value()));
        }
        changes!(
            $converter,
            $node,
            $or,
            $and,
            $operator,
            |write| Kind::$kind(text(write.name().as_slice()))
        );
    };
}

#[rustfmt::skip]
macro_rules! variables {
    ($converter:ident, $node:ident) => {
        variable!($converter, $node, as_local_variable_write_node, as_local_variable_or_write_node,
            as_local_variable_and_write_node, as_local_variable_operator_write_node, Name);
        variable!($converter, $node, as_global_variable_write_node, as_global_variable_or_write_node,
            as_global_variable_and_write_node, as_global_variable_operator_write_node, Variable);
        variable!($converter, $node, as_instance_variable_write_node, as_instance_variable_or_write_node,
            as_instance_variable_and_write_node, as_instance_variable_operator_write_node, Variable);
        variable!($converter, $node, as_class_variable_write_node, as_class_variable_or_write_node,
            as_class_variable_and_write_node, as_class_variable_operator_write_node, Variable);
        variable!($converter, $node, as_constant_write_node, as_constant_or_write_node,
            as_constant_and_write_node, as_constant_operator_write_node, Constant);
    };
}

impl Converter<'_> {
    pub(super) fn assignment(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        variables!(self, node);
        changes!(
            self,
            node,
            as_call_or_write_node,
            as_call_and_write_node,
            as_call_operator_write_node,
            |write| self.attribute(
                write.receiver().as_ref(),
                &text(write.read_name().as_slice())
            )
        );
        changes!(
            self,
            node,
            as_index_or_write_node,
            as_index_and_write_node,
            as_index_operator_write_node,
            |write| self.element(write.receiver().as_ref(), write.arguments().as_ref())
        );
        if let Some(write) = node.as_constant_path_write_node() {
            let path = write.target();
            let target = constant_path(path.parent(), path.name())?;
            return Some(self.assign(target, node, None, &write.value()));
        }
        if let Some(write) = node.as_multi_write_node() {
            return Some(Kind::AssignAll {
                targets: self.all_targets(&write.lefts(), write.rest(), &write.rights()),
                value: self.boxed(&write.value()),
            });
        }
        self.target(node)
    }

    fn assign(
        &mut self,
        target: Kind,
        node: &prism::Node<'_>,
        operator: Option<String>,
        value: &prism::Node<'_>,
    ) -> Kind {
        Kind::Assign {
            target: Box::new(Node::new(target, span(&node.location()))),
            operator,
            value: self.boxed(value),
        }
    }

    fn attribute(&mut self, receiver: Option<&prism::Node<'_>>, name: &str) -> Kind {
        let receiver = receiver.map(|it| self.boxed(it));
        Kind::Call(Call::plain(receiver, name.to_owned(), Vec::new()))
    }

    fn element(
        &mut self,
        receiver: Option<&prism::Node<'_>>,
        arguments: Option<&prism::ArgumentsNode<'_>>,
    ) -> Kind {
        let receiver = receiver.map(|it| self.boxed(it));
        let arguments = self.arguments(arguments);
        Kind::Call(Call::plain(receiver, "[]".to_owned(), arguments))
    }

    pub(super) fn targets(&mut self, targets: &prism::NodeList<'_>) -> Vec<Node> {
        self.nodes(targets)
    }

    /// `a, *b, c`
    fn all_targets(
        &mut self,
        before: &prism::NodeList<'_>,
        rest: Option<prism::Node<'_>>,
        behind: &prism::NodeList<'_>,
    ) -> Vec<Node> {
        let all = before.iter().chain(rest).chain(behind.iter());
        all.map(|target| self.node(&target)).collect()
    }

    /// Reads one of several things that are assigned to.
    fn target(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        let name = |id: prism::ConstantId<'_>| text(id.as_slice());
        Some(if let Some(target) = node.as_local_variable_target_node() {
            Kind::Name(name(target.name()))
        } else if let Some(target) = node.as_global_variable_target_node() {
            Kind::Variable(name(target.name()))
        } else if let Some(target) = node.as_instance_variable_target_node() {
            Kind::Variable(name(target.name()))
        } else if let Some(target) = node.as_constant_target_node() {
            Kind::Constant(name(target.name()))
        } else if let Some(target) = node.as_call_target_node() {
            let name = name(target.name());
            let plain = name.strip_suffix('=').unwrap_or(&name);
            self.attribute(Some(&target.receiver()), plain)
        } else if let Some(target) = node.as_index_target_node() {
            self.element(Some(&target.receiver()), target.arguments().as_ref())
        } else if let Some(target) = node.as_multi_target_node() {
            Kind::List(self.all_targets(&target.lefts(), target.rest(), &target.rights()))
        } else {
            return None;
        })
    }

    /// Reads what a `for` loop goes through with: one variable or several.
    pub(super) fn loop_targets(&mut self, index: &prism::Node<'_>) -> Vec<Node> {
        match self.node(index) {
            Node {
                kind: Kind::List(targets),
                ..
            } => targets,
            target => vec![target],
        }
    }
}
