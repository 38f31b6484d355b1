//! What isn't followed: branches that nothing decides, and blocks of methods that aren't known.

use std::ops::Range;
use std::rc::Rc;

use super::Evaluator;
use super::change::is_change;
use super::given::Given;
use super::scope::Scope;
use super::value::Value;
use crate::vagrant::ruby::syntax::{Call, Kind, Node};

/// Calls that change no machine: a condition for nothing but these needs no answer.
const WITHOUT_EFFECT: [&str; 14] = [
    "puts",
    "print",
    "p",
    "pp",
    "warn",
    "raise",
    "fail",
    "abort",
    "exit",
    "system",
    "require",
    "sleep",
    "info",
    "provision",
];

/// What statements that aren't followed would do.
#[derive(Default)]
struct Effects<'a> {
    /// What they would assign to.
    targets: Vec<&'a Node>,
    /// What they would change by a method.
    changed: Vec<&'a Node>,
    /// Whether they would do more than that.
    more: bool,
}

impl Evaluator {
    /// What decides isn't known: no branch is taken, and what they set isn't known any more.
    pub(super) fn undecided(
        &mut self,
        value: &Value,
        branches: &[&[Node]],
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) {
        let has_effect = self.forget(value, branches.iter().copied().flatten(), scope);
        if has_effect && let Some(why) = value.why() {
            let message = format!("whether this holds can't be told: {}", why.reason);
            self.fill_in(span, message);
        }
    }

    /// A block that isn't run is listed if it would do more than set variables.
    pub(super) fn lost_block(&mut self, given: Option<&Given>, value: &Value, span: &Range<usize>) {
        if let (Some(Given::Block(closure)), Some(why)) = (given, value.why())
            && self.forget(value, &closure.block.body, &closure.scope)
        {
            self.fill_in(span, format!("the block is left out: {}", why.reason));
        }
    }

    /// Makes unknown what statements that aren't followed would set; tells whether they would do more.
    pub(super) fn forget<'a>(
        &mut self,
        value: &Value,
        statements: impl IntoIterator<Item = &'a Node>,
        scope: &Rc<Scope>,
    ) -> bool {
        let mut effects = Effects::default();
        for node in statements {
            effects.add(node, 0);
        }
        for target in effects.targets {
            if self.set(target, value.clone(), scope).is_err() {
                effects.more = true;
            }
        }
        for node in effects.changed {
            // Only what can be looked up without following anything.
            let is_name = matches!(
                node.kind,
                Kind::Name(_) | Kind::Variable(_) | Kind::Constant(_)
            );
            match (self.evaluate(node, scope), value.why()) {
                (Ok(changed), Some(why)) if is_name => changed.lose(why),
                _ => effects.more = true,
            }
        }
        effects.more
    }
}

impl<'a> Effects<'a> {
    fn add(&mut self, node: &'a Node, depth: usize) {
        if depth > 50 {
            self.more = true;
            return;
        }
        let mut all = |nodes: &'a [Node]| {
            for node in nodes {
                self.add(node, depth + 1);
            }
        };
        match &node.kind {
            Kind::Assign { target, .. } => self.targets.push(target),
            Kind::AssignAll { targets, .. } | Kind::AssignGroups(_, targets) => {
                self.targets.extend(targets);
            }
            Kind::If {
                then, otherwise, ..
            } => {
                all(then);
                all(otherwise);
            }
            Kind::Case {
                branches,
                otherwise,
                ..
            } => {
                for (_, body) in branches {
                    all(body);
                }
                all(otherwise);
            }
            Kind::And(left, right) | Kind::Or(left, right) => {
                self.add(left, depth + 1);
                self.add(right, depth + 1);
            }
            Kind::Sequence(nodes) => all(nodes),
            Kind::Begin {
                body,
                rescues,
                otherwise,
                ensure,
            } => {
                all(body);
                for rescue in rescues {
                    all(&rescue.body);
                }
                all(otherwise);
                all(ensure);
            }
            Kind::Call(call) => self.call(call),
            Kind::Define(_)
            | Kind::Module { .. }
            | Kind::Yield(_)
            | Kind::While { .. }
            | Kind::For { .. }
            | Kind::Return(_)
            | Kind::Next(_)
            | Kind::Break(_) => self.more = true,
            _ => {}
        }
    }

    fn call(&mut self, call: &'a Call) {
        if let (Some(receiver), true) = (&call.receiver, is_change(&call.name)) {
            self.changed.push(receiver);
            return;
        }
        let is_operator = !call
            .name
            .starts_with(|it: char| it == '_' || it.is_alphabetic());
        let is_harmless = call.arguments.is_empty() || WITHOUT_EFFECT.contains(&call.name.as_str());
        self.more |= !is_operator && (call.block.is_some() || !is_harmless);
    }
}
