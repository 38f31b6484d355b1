//! Methods, modules and classes that the file defines.

use std::rc::Rc;

use ruby_prism as prism;

use super::call::constant_path;
use super::syntax::{Block, Function, Kind};
use super::{Converter, span, text};

impl Converter<'_> {
    pub(super) fn definition(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        if let Some(function) = node.as_def_node() {
            return Some(self.function(&function));
        }
        if let Some(module) = node.as_module_node() {
            return Some(Kind::Module {
                name: path(&module.constant_path())?,
                body: self.body(module.body().as_ref()),
            });
        }
        if let Some(class) = node.as_class_node() {
            let parent = class.superclass().map(|it| path(&it).unwrap_or_default());
            return Some(match parent {
                Some(parent) if !parent.ends_with("Error") => {
                    Kind::Unsupported("a class made from another")
                }
                _ => Kind::Module {
                    name: path(&class.constant_path())?,
                    body: self.body(class.body().as_ref()),
                },
            });
        }
        // `class << self`: what it defines are methods of the module around it.
        let singleton = node.as_singleton_class_node()?;
        let is_own = singleton.expression().as_self_node().is_some();
        is_own.then(|| Kind::OwnMethods(self.body(singleton.body().as_ref())))
    }

    fn function(&mut self, function: &prism::DefNode<'_>) -> Kind {
        let block = Block {
            parameters: self.parameters(function.parameters().as_ref()),
            body: self.body(function.body().as_ref()),
            span: span(&function.location()),
        };
        let receiver = function.receiver();
        let owner = match &receiver {
            Some(receiver) if receiver.as_self_node().is_some() => Some("self".to_owned()),
            Some(receiver) => match path(receiver) {
                Some(name) => Some(name),
                None => return Kind::Unsupported("a method of one object"),
            },
            None => None,
        };
        Kind::Define(Rc::new(Function {
            name: text(function.name().as_slice()),
            owner,
            block: Rc::new(block),
        }))
    }
}

fn path(node: &prism::Node<'_>) -> Option<String> {
    if let Some(constant) = node.as_constant_read_node() {
        return Some(text(constant.name().as_slice()));
    }
    let path = node.as_constant_path_node()?;
    match constant_path(path.parent(), path.name())? {
        Kind::Constant(name) => Some(name),
        _ => None,
    }
}
