//! Names, and calls with their arguments and blocks.

use std::rc::Rc;

use ruby_prism as prism;

use super::syntax::{Block, Call, Kind, Node, Parameter, ParameterKind, Pattern};
use super::{Converter, span, text};

impl Converter<'_> {
    pub(super) fn call_or_name(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        if let Some(call) = node.as_call_node() {
            return Some(self.call(&call));
        }
        variable(node).or_else(|| self.value_with_arguments(node))
    }

    fn value_with_arguments(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        Some(if let Some(value) = node.as_implicit_node() {
            self.node(&value.value()).kind
        } else if let Some(splat) = node.as_splat_node() {
            match splat.expression() {
                Some(value) => Kind::Splat(self.boxed(&value)),
                None => Kind::Unsupported("a list without a name"),
            }
        } else if let Some(lambda) = node.as_lambda_node() {
            Kind::Lambda(self.block(
                lambda.parameters().as_ref(),
                lambda.body().as_ref(),
                span(&node.location()),
            ))
        } else if let Some(call) = node.as_yield_node() {
            Kind::Yield(self.arguments(call.arguments().as_ref()))
        } else if let Some(defined) = node.as_defined_node() {
            Kind::Defined(self.boxed(&defined.value()))
        } else if let Some(found) = node.as_match_write_node() {
            // The groups become variables.
            let call = self.call(&found.call());
            let targets = self.targets(&found.targets());
            let call = Node::new(call, span(&node.location()));
            Kind::AssignGroups(Box::new(call), targets)
        } else {
            return None;
        })
    }

    fn call(&mut self, call: &prism::CallNode<'_>) -> Kind {
        let name = text(call.name().as_slice());
        let receiver = call.receiver();
        if let (Some(receiver), "!") = (&receiver, name.as_str()) {
            return Kind::Not(self.boxed(receiver));
        }
        let receiver = receiver.map(|it| self.boxed(&it));
        let mut arguments = self.arguments(call.arguments().as_ref());
        if call.is_attribute_write()
            && let Some(value) = arguments.pop()
        {
            let plain = name.strip_suffix('=').unwrap_or(&name).to_owned();
            let target = Call::plain(receiver, plain, arguments);
            let target = Node::new(Kind::Call(target), span(&call.location()));
            return Kind::Assign {
                target: Box::new(target),
                operator: None,
                value: Box::new(value),
            };
        }
        let mut found = Call::plain(receiver, name, arguments);
        found.safe = call.is_safe_navigation();
        if let Some(block) = call.block() {
            if let Some(argument) = block.as_block_argument_node() {
                found.block_argument = argument.expression().map(|it| self.boxed(&it));
            } else if let Some(block) = block.as_block_node() {
                let place = span(&block.location());
                let (parameters, body) = (block.parameters(), block.body());
                found.block = Some(self.block(parameters.as_ref(), body.as_ref(), place));
            }
        }
        Kind::Call(found)
    }

    pub(super) fn arguments(&mut self, arguments: Option<&prism::ArgumentsNode<'_>>) -> Vec<Node> {
        arguments.map_or_else(Vec::new, |it| self.nodes(&it.arguments()))
    }

    /// Reads a block, which has parameters, or numbered ones.
    fn block(
        &mut self,
        parameters: Option<&prism::Node<'_>>,
        body: Option<&prism::Node<'_>>,
        place: std::ops::Range<usize>,
    ) -> Rc<Block> {
        let mut found = Vec::new();
        if let Some(parameters) = parameters {
            if let Some(named) = parameters.as_block_parameters_node() {
                found = self.parameters(named.parameters().as_ref());
                for local in &named.locals() {
                    if let Some(local) = local.as_block_local_variable_node() {
                        let name = text(local.name().as_slice());
                        found.push(Parameter::named(name, ParameterKind::Local));
                    }
                }
            } else if let Some(numbered) = parameters.as_numbered_parameters_node() {
                let names = (1..=numbered.maximum()).map(|number| format!("_{number}"));
                found = names
                    .map(|name| Parameter::named(name, ParameterKind::Position))
                    .collect();
            } else if parameters.as_it_parameters_node().is_some() {
                found.push(Parameter::named("it".to_owned(), ParameterKind::Position));
            }
        }
        Rc::new(Block {
            parameters: found,
            body: self.body(body),
            span: place,
        })
    }

    pub(super) fn parameters(&mut self, all: Option<&prism::ParametersNode<'_>>) -> Vec<Parameter> {
        let Some(all) = all else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let before = all.requireds();
        let behind = all.posts();
        found.extend(before.iter().filter_map(|it| position(&it)));
        for parameter in &all.optionals() {
            if let Some(optional) = parameter.as_optional_parameter_node() {
                let name = text(optional.name().as_slice());
                let mut parameter = Parameter::named(name, ParameterKind::Position);
                parameter.default = Some(self.node(&optional.value()));
                found.push(parameter);
            }
        }
        // `|a,|` takes a list apart as `|a, *|` does.
        if all
            .rest()
            .is_some_and(|it| it.as_implicit_rest_node().is_some())
        {
            found.push(Parameter::named(String::new(), ParameterKind::Rest));
        }
        if let Some(rest) = all.rest().and_then(|it| it.as_rest_parameter_node()) {
            let name = rest.name().map(|it| text(it.as_slice()));
            found.push(Parameter::named(
                name.unwrap_or_default(),
                ParameterKind::Rest,
            ));
        }
        found.extend(behind.iter().filter_map(|it| position(&it)));
        for parameter in &all.keywords() {
            let (name, default) = if let Some(key) = parameter.as_optional_keyword_parameter_node()
            {
                (key.name(), Some(self.node(&key.value())))
            } else if let Some(key) = parameter.as_required_keyword_parameter_node() {
                (key.name(), None)
            } else {
                continue;
            };
            let mut parameter = Parameter::named(text(name.as_slice()), ParameterKind::Key);
            parameter.default = default;
            found.push(parameter);
        }
        let rest = all.keyword_rest();
        if let Some(rest) = rest.and_then(|it| it.as_keyword_rest_parameter_node()) {
            let name = rest.name().map(|it| text(it.as_slice()));
            found.push(Parameter::named(
                name.unwrap_or_default(),
                ParameterKind::KeyRest,
            ));
        }
        if let Some(name) = all
            .block()
            .and_then(|it| it.as_block_parameter_node()?.name())
        {
            found.push(Parameter::named(
                text(name.as_slice()),
                ParameterKind::Block,
            ));
        }
        found
    }
}

/// Reads what has a name.
fn variable(node: &prism::Node<'_>) -> Option<Kind> {
    let name = |id: prism::ConstantId<'_>| text(id.as_slice());
    Some(if let Some(variable) = node.as_local_variable_read_node() {
        Kind::Name(name(variable.name()))
    } else if node.as_it_local_variable_read_node().is_some() {
        Kind::Name("it".to_owned())
    } else if let Some(variable) = node.as_global_variable_read_node() {
        Kind::Variable(name(variable.name()))
    } else if let Some(variable) = node.as_instance_variable_read_node() {
        Kind::Variable(name(variable.name()))
    } else if let Some(variable) = node.as_class_variable_read_node() {
        Kind::Variable(name(variable.name()))
    } else if let Some(constant) = node.as_constant_read_node() {
        Kind::Constant(name(constant.name()))
    } else if let Some(path) = node.as_constant_path_node() {
        constant_path(path.parent(), path.name())?
    } else if let Some(group) = node.as_numbered_reference_read_node() {
        Kind::Group(group.number() as usize)
    } else if let Some(group) = node.as_back_reference_read_node() {
        match group.name().as_slice() {
            b"$&" => Kind::Group(0),
            _ => Kind::Unsupported("what stands around a match"),
        }
    } else if node.as_self_node().is_some() {
        Kind::Own
    } else {
        return None;
    })
}

/// Reads a parameter that has a position: a name, or `(a, b)`.
fn position(node: &prism::Node<'_>) -> Option<Parameter> {
    if let Some(required) = node.as_required_parameter_node() {
        let name = text(required.name().as_slice());
        return Some(Parameter::named(name, ParameterKind::Position));
    }
    if let Some(splat) = node.as_splat_node() {
        let name = splat
            .expression()
            .and_then(|it| it.as_required_parameter_node());
        let name = name.map(|it| text(it.name().as_slice()));
        return Some(Parameter::named(
            name.unwrap_or_default(),
            ParameterKind::Rest,
        ));
    }
    let parts = node.as_multi_target_node()?;
    let (before, behind) = (parts.lefts(), parts.rights());
    let rest = parts.rest();
    let all = before.iter().chain(rest).chain(behind.iter());
    Some(Parameter {
        name: Pattern::List(all.filter_map(|it| position(&it)).collect()),
        default: None,
        kind: ParameterKind::Position,
    })
}

/// Reads `A::B`; `::A` is `A`.
pub(super) fn constant_path(
    parent: Option<prism::Node<'_>>,
    name: Option<prism::ConstantId<'_>>,
) -> Option<Kind> {
    let mut names = vec![text(name?.as_slice())];
    let mut next = parent;
    while let Some(parent) = next {
        if let Some(constant) = parent.as_constant_read_node() {
            names.push(text(constant.name().as_slice()));
            break;
        }
        let path = parent.as_constant_path_node()?;
        names.push(text(path.name()?.as_slice()));
        next = path.parent();
    }
    names.reverse();
    Some(Kind::Constant(names.join("::")))
}
