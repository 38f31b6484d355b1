//! Ruby, as far as Vagrantfiles use it: from text to a tree.
//!
//! Ruby's own parser reads the file; its tree becomes a smaller one that owns its parts and knows only what the
//! evaluation follows. Where the parser finds an error it goes on behind it, and so does this.

mod assignment;
mod call;
mod control;
mod definition;
mod literal;
pub mod syntax;

use std::ops::Range;

use ruby_prism as prism;
use syntax::{Kind, Node};

/// Deepest nesting that is read: a tree is walked, and dropped, by recursion.
const MAXIMUM_DEPTH: usize = 1000;

/// Errors that are listed: one mistake makes many.
const MAXIMUM_PROBLEMS: usize = 5;

/// Something that couldn't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub span: Range<usize>,
    pub message: String,
}

/// Reads a whole file.
pub fn parse(text: &str) -> (Vec<Node>, Vec<Problem>) {
    let result = prism::parse(text.as_bytes());
    let mut problems: Vec<Problem> = Vec::new();
    for error in result.errors() {
        let span = span(&error.location());
        let message = String::from_utf8_lossy(error.message());
        let line = |at: usize| text.get(..at).map(|before| before.matches('\n').count());
        if problems
            .last()
            .is_none_or(|it| line(it.span.start) != line(span.start))
        {
            let message = format!("Ruby can't read this: {message}");
            problems.push(Problem { span, message });
        }
    }
    problems.truncate(MAXIMUM_PROBLEMS);
    let mut converter = Converter {
        text,
        depth: 0,
        problems,
    };
    let nodes = match result.node().as_program_node() {
        Some(program) => converter.nodes(&program.statements().body()),
        None => Vec::new(),
    };
    (nodes, converter.problems)
}

/// Makes the parser's tree into that of the evaluation.
struct Converter<'text> {
    text: &'text str,
    depth: usize,
    problems: Vec<Problem>,
}

impl Converter<'_> {
    fn node(&mut self, node: &prism::Node<'_>) -> Node {
        let span = span(&node.location());
        if self.depth == MAXIMUM_DEPTH {
            let message = "this is nested too deeply to be followed".to_owned();
            self.problems.push(Problem {
                span: span.clone(),
                message,
            });
            return Node::new(Kind::Unsupported("what is nested this deeply"), span);
        }
        self.depth += 1;
        let kind = self
            .literal(node)
            .or_else(|| self.call_or_name(node))
            .or_else(|| self.assignment(node))
            .or_else(|| self.control(node))
            .or_else(|| self.definition(node))
            .unwrap_or_else(|| not_followed(node));
        self.depth -= 1;
        Node::new(kind, span)
    }

    fn boxed(&mut self, node: &prism::Node<'_>) -> Box<Node> {
        Box::new(self.node(node))
    }

    fn nodes(&mut self, nodes: &prism::NodeList<'_>) -> Vec<Node> {
        nodes.iter().map(|node| self.node(&node)).collect()
    }

    /// Reads a body, which may be missing.
    fn statements(&mut self, body: Option<&prism::StatementsNode<'_>>) -> Vec<Node> {
        body.map_or_else(Vec::new, |body| self.nodes(&body.body()))
    }

    /// Reads the body of a method, block or class: statements, or statements with `rescue`.
    fn body(&mut self, body: Option<&prism::Node<'_>>) -> Vec<Node> {
        match body.map(|body| (body.as_statements_node(), body)) {
            None => Vec::new(),
            Some((Some(statements), _)) => self.nodes(&statements.body()),
            Some((None, other)) => vec![self.node(other)],
        }
    }
}

fn span(location: &prism::Location<'_>) -> Range<usize> {
    location.start() as usize..location.end() as usize
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn not_followed(node: &prism::Node<'_>) -> Kind {
    Kind::Unsupported(match node {
        prism::Node::ErrorRecoveryNode { .. } => return Kind::Unreadable,
        prism::Node::AliasMethodNode { .. } | prism::Node::AliasGlobalVariableNode { .. } => {
            "`alias`"
        }
        prism::Node::CaseMatchNode { .. }
        | prism::Node::MatchPredicateNode { .. }
        | prism::Node::MatchRequiredNode { .. } => "matching of patterns",
        prism::Node::SuperNode { .. } | prism::Node::ForwardingSuperNode { .. } => "`super`",
        prism::Node::RedoNode { .. } | prism::Node::RetryNode { .. } => "a repetition",
        _ => "an expression of this kind",
    })
}

#[cfg(test)]
mod tests;
