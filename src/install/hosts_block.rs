//! A lab's lines in the computer's hosts file, between marks of their own.

use std::ops::Range;

/// What a lab has in a hosts file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostsBlock {
    /// Name of the cluster, for people.
    pub cluster: String,
    /// The lab's id: two labs may have clusters of the same name.
    pub lab: String,
    /// `192.168.56.21 node1`, one a host.
    pub lines: Vec<String>,
}

/// Marks of a lab that don't belong together: changing the file could take away somebody else's lines.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} has a mark of kinstall without its counterpart: `{text}`")]
pub struct DamagedMarks {
    /// One-based.
    pub line: usize,
    pub text: String,
}

impl HostsBlock {
    /// Returns the block with its marks, as a hosts file has it.
    pub fn render(&self, line_end: &str) -> String {
        let begin = format!("# kinstall {} {} begin", self.cluster, self.lab);
        let end = format!("# kinstall {} {} end", self.cluster, self.lab);
        std::iter::once(&begin)
            .chain(&self.lines)
            .chain([&end])
            .fold(String::new(), |text, line| text + line + line_end)
    }

    /// Returns the file with the block where it stood, else at its end.
    pub fn written_to(&self, file: &str) -> Result<String, DamagedMarks> {
        let line_end = if file.contains("\r\n") { "\r\n" } else { "\n" };
        let block = self.render(line_end);
        if let Some(place) = self.find(file)? {
            return Ok([&file[..place.start], &block, &file[place.end..]].concat());
        }
        let gap = if file.is_empty() || file.ends_with('\n') {
            ""
        } else {
            line_end
        };
        Ok([file, gap, &block].concat())
    }

    /// Returns the file without the block; `None` where it has none.
    pub fn removed_from(&self, file: &str) -> Result<Option<String>, DamagedMarks> {
        let place = self.find(file)?;
        Ok(place.map(|place| [&file[..place.start], &file[place.end..]].concat()))
    }

    /// Finds the block of this lab, whatever its cluster was called when it was written.
    fn find(&self, file: &str) -> Result<Option<Range<usize>>, DamagedMarks> {
        let damaged = |(line, text): (usize, &str)| DamagedMarks {
            line,
            text: text.to_owned(),
        };
        let (mut begun, mut found) = (None, None);
        let mut at = 0;
        for (number, line) in (1..).zip(file.split_inclusive('\n')) {
            let start = at;
            at += line.len();
            let line = line.trim_end();
            let Some((lab, mark)) = mark(line) else {
                continue;
            };
            if lab != self.lab {
                // Another lab's mark inside our block: one of the two is not whole.
                if let Some((_, place)) = begun {
                    return Err(damaged(place));
                }
                continue;
            }
            match (mark, begun.take()) {
                ("begin", None) if found.is_none() => begun = Some((start, (number, line))),
                ("end", Some((start, _))) => found = Some(start..at),
                ("end", None) => return Err(damaged((number, line))),
                (_, other) => return Err(damaged(other.map_or((number, line), |it| it.1))),
            }
        }
        match begun {
            Some((_, place)) => Err(damaged(place)),
            None => Ok(found),
        }
    }
}

/// Returns the lab of a mark, and which of the two marks it is.
fn mark(line: &str) -> Option<(&str, &str)> {
    let words: Vec<&str> = line.strip_prefix("# kinstall ")?.split(' ').collect();
    match words[..] {
        [.., lab, mark @ ("begin" | "end")] => Some((lab, mark)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::HostsBlock;

    fn block(lines: &[&str]) -> HostsBlock {
        HostsBlock {
            cluster: "lab".into(),
            lab: "0a1b2c3d".into(),
            lines: lines.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_block_is_added_replaced_and_removed() {
        let file = "127.0.0.1 localhost\n";
        let with = block(&["10.0.0.1 a"]).written_to(file).unwrap();
        insta::assert_snapshot!(with, @r"
        127.0.0.1 localhost
        # kinstall lab 0a1b2c3d begin
        10.0.0.1 a
        # kinstall lab 0a1b2c3d end
        ");
        let mut renamed = block(&["10.0.0.2 a", "10.0.0.3 b"]);
        renamed.cluster = "other name".into();
        let with = renamed.written_to(&format!("{with}# below\n")).unwrap();
        insta::assert_snapshot!(with, @r"
        127.0.0.1 localhost
        # kinstall other name 0a1b2c3d begin
        10.0.0.2 a
        10.0.0.3 b
        # kinstall other name 0a1b2c3d end
        # below
        ");
        let without = block(&[]).removed_from(&with).unwrap().unwrap();
        assert_eq!(without, "127.0.0.1 localhost\n# below\n");
        assert_eq!(block(&[]).removed_from(&without), Ok(None));
    }

    #[test]
    fn line_ends_stay_what_they_are() {
        let written = |file: &str| block(&["10.0.0.1 a"]).written_to(file).unwrap();
        let lines = "# kinstall lab 0a1b2c3d begin\n10.0.0.1 a\n# kinstall lab 0a1b2c3d end\n";
        assert_eq!(written(""), lines);
        assert_eq!(written("127.0.0.1 x"), format!("127.0.0.1 x\n{lines}"));
        let windows = written("127.0.0.1 x\r\n");
        assert_eq!(
            windows,
            format!("127.0.0.1 x\n{lines}").replace('\n', "\r\n")
        );
        assert_eq!(written(&windows), windows);
    }

    #[test]
    fn marks_that_do_not_belong_together_are_refused() {
        let problems = |text: &str| match block(&[]).removed_from(text) {
            Err(error) => error.to_string(),
            Ok(_) => "fine".to_owned(),
        };
        let (begin, end) = (
            "# kinstall lab 0a1b2c3d begin\n",
            "# kinstall lab 0a1b2c3d end\n",
        );
        let other = "# kinstall lab ffffffff begin\n1.1.1.1 o\n# kinstall lab ffffffff end\n";
        let cases = [
            format!("x\n{begin}10.0.0.1 a\n"),
            format!("x\n10.0.0.1 a\n{end}"),
            format!("{begin}{begin}{end}"),
            format!("{begin}{end}{begin}{end}"),
            format!("{begin}{other}{end}"),
            format!("{other}{begin}{end}{other}"),
        ];
        let said: Vec<String> = cases.iter().map(|case| problems(case)).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        line 2 has a mark of kinstall without its counterpart: `# kinstall lab 0a1b2c3d begin`
        line 3 has a mark of kinstall without its counterpart: `# kinstall lab 0a1b2c3d end`
        line 1 has a mark of kinstall without its counterpart: `# kinstall lab 0a1b2c3d begin`
        line 3 has a mark of kinstall without its counterpart: `# kinstall lab 0a1b2c3d begin`
        line 1 has a mark of kinstall without its counterpart: `# kinstall lab 0a1b2c3d begin`
        fine
        ");
    }

    proptest! {
        #[test]
        fn foreign_lines_are_never_touched(before in "[ -~]{0,20}\n", after in "([ -~]{0,20}\n){0,3}") {
            let file = format!("{before}{}{after}", block(&["10.0.0.1 a"]).render("\n"));
            let without = block(&[]).removed_from(&file).unwrap().unwrap();
            prop_assert_eq!(&without, &format!("{before}{after}"));
            let again = block(&["10.0.0.9 z"]).written_to(&file).unwrap();
            prop_assert_eq!(block(&[]).removed_from(&again).unwrap().unwrap(), without);
        }
    }
}
