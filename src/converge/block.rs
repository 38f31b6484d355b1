//! Marked lines in files that belong to somebody else.

use std::fs;
use std::io;

use super::draft;
use super::error::FileContext;
use super::file::unified_diff;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Block, Change};

impl Converge for Block {
    /// The whole file; `None` where there is none.
    type Observed = Option<String>;

    fn probe(&self, node: &Node) -> Result<Self::Observed, ResourceError> {
        let path = node.path(&self.path);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            result => result.doing("read", &path).map(Some),
        }
    }

    fn diff(&self, observed: &Self::Observed) -> Vec<Change> {
        let old = observed.as_deref().unwrap_or_default();
        let new = self.placed_in(old);
        if new == old {
            return Vec::new();
        }
        let (begin, _) = marks(&self.name);
        let action = if self.content.is_empty() {
            Action::Remove
        } else if old.lines().any(|line| line == begin) {
            Action::Update
        } else {
            Action::Create
        };
        let mut change = Change::new(action, format!("block {}", self.name));
        change.diff = Some(unified_diff(old, &new));
        vec![change]
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let old = self.probe(node)?.unwrap_or_default();
        draft::rewrite(&node.path(&self.path), self.placed_in(&old).as_bytes())
    }
}

/// Returns the lines of a block in a file, without the line end of the last one; `None` where it isn't there.
pub(super) fn content_of(name: &str, file: &str) -> Option<String> {
    let (begin, end) = marks(name);
    let mut lines = file.lines().skip_while(|line| *line != begin).skip(1);
    let content: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
    let is_whole = file.lines().any(|line| line == begin) && file.lines().any(|line| line == end);
    is_whole.then(|| content.join("\n"))
}

fn marks(name: &str) -> (String, String) {
    (
        format!("# BEGIN kinstall {name}"),
        format!("# END kinstall {name}"),
    )
}

impl Block {
    /// Returns the file with the block where it stood, else at the end.
    fn placed_in(&self, file: &str) -> String {
        let (begin, end) = marks(&self.name);
        let mut block = String::new();
        if !self.content.is_empty() {
            let content = self.content.trim_end_matches('\n');
            block = format!("{begin}\n{content}\n{end}\n");
        }
        let mut result = String::new();
        let mut placed = false;
        let mut lines = file.lines();
        while let Some(line) = lines.next() {
            // A begin without an end ends with the file only if nothing foreign could be lost.
            if line == begin && lines.clone().any(|line| line == end) {
                lines.by_ref().find(|line| *line == end);
                if !std::mem::replace(&mut placed, true) {
                    result.push_str(&block);
                }
            } else if line != begin && line != end {
                result.push_str(line);
                result.push('\n');
            }
        }
        if !placed {
            result.push_str(&block);
        }
        if !file.ends_with('\n') && block.is_empty() && !placed {
            return file.to_owned();
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(content: &str) -> Block {
        Block {
            path: "/etc/hosts".into(),
            name: "nodes".into(),
            content: content.into(),
        }
    }

    #[test]
    fn foreign_lines_stay() {
        let cases = [
            // File before, content, file after.
            (
                "",
                "a\n",
                "# BEGIN kinstall nodes\na\n# END kinstall nodes\n",
            ),
            (
                "x",
                "a",
                "x\n# BEGIN kinstall nodes\na\n# END kinstall nodes\n",
            ),
            (
                "x\n# BEGIN kinstall nodes\nold\n# END kinstall nodes\ny\n",
                "a\nb",
                "x\n# BEGIN kinstall nodes\na\nb\n# END kinstall nodes\ny\n",
            ),
            (
                "x\n# BEGIN kinstall nodes\nold\n# END kinstall nodes\ny\n",
                "",
                "x\ny\n",
            ),
            // A mark without its other half: nothing foreign is lost.
            (
                "# BEGIN kinstall nodes\nforeign\n",
                "a",
                "foreign\n# BEGIN kinstall nodes\na\n# END kinstall nodes\n",
            ),
            ("x", "", "x"),
        ];
        for (before, content, after) in cases {
            let block = block(content);
            assert_eq!(block.placed_in(before), after);
            assert_eq!(block.placed_in(after), after, "twice is once");
        }
    }
}
