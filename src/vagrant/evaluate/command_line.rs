//! Options of the command line, and commands.

use std::ops::Range;

use super::Evaluator;
use super::value::{Object, Value};

impl Evaluator {
    /// `GetoptLong.new`, `OptionParser.new`: what they are told about the options doesn't matter, as none is given.
    pub(super) fn options(&mut self, span: &Range<usize>) -> Value {
        self.assumed(
            span,
            "the command line is taken as `vagrant up`, without options",
        );
        Value::Object(Object::Options)
    }

    pub(super) fn options_method(&mut self, name: &str, span: &Range<usize>) -> Value {
        match name {
            "each" | "each_option" | "on" | "on_tail" | "on_head" | "separator" | "get"
            | "get_option" | "quiet" | "ordering" | "set_options" | "terminate" | "order!"
            | "banner" => Value::Nil,
            "parse!" | "parse" | "permute!" => Value::list(Vec::new()),
            _ => self.unknown(span, &format!("`{name}` is not followed")),
        }
    }

    /// Commands are not run; what processor this is, kinstall knows itself.
    pub(super) fn command(&mut self, span: &Range<usize>) -> Value {
        let text = self.file.text.get(span.clone()).unwrap_or_default();
        if text.trim_matches('`').trim() == "uname -m" {
            let processor = std::env::consts::ARCH;
            self.assumed(
                span,
                format!("`uname -m` is {processor}, as on this computer"),
            );
            return Value::text(processor);
        }
        self.unknown(span, "commands are not run")
    }
}
