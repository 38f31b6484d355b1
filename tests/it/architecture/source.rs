//! The sources, without comments and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file without comments and tests.
#[derive(Clone)]
pub struct Source {
    pub path: PathBuf,
    pub code: String,
    /// Of the whole file.
    pub lines: usize,
}

impl Source {
    /// Reads all files below a folder of the package.
    pub fn all(folder: &str) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join(folder)];
        let mut sources = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    sources.push(Self::read(root, &path));
                }
            }
        }
        assert!(!sources.is_empty());
        sources
    }

    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_owned();
        let is_test = |part: &str| matches!(part, "tests" | "tests.rs" | "law.rs");
        let code = if path
            .iter()
            .skip(1)
            .any(|part| is_test(part.to_str().unwrap()))
        {
            String::new()
        } else {
            let code = without_tests(&text);
            let code = code
                .into_iter()
                .filter(|line| !line.trim_start().starts_with("//"));
            code.flat_map(|line| [line, "\n"]).collect()
        };
        let lines = text.lines().count();
        Self { path, code, lines }
    }

    /// Returns the file's place among the modules: `ssh`, `auth` for `src/ssh/auth.rs`.
    pub fn place(&self) -> Vec<String> {
        let path = self.path.with_extension("");
        let names = path.iter().skip(1).map(|name| name.to_str().unwrap());
        let mut place: Vec<String> = names.map(str::to_owned).collect();
        if place.last().is_some_and(|name| name == "mod") {
            place.pop();
        }
        place
    }

    /// Returns the module of the crate that the file belongs to.
    pub fn module(&self) -> String {
        let first = self.path.iter().nth(1).unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    pub fn modules_used(&self) -> Vec<String> {
        let name = |text: &str| {
            text.chars()
                .take_while(|it| it.is_ascii_lowercase() || *it == '_')
                .collect()
        };
        self.code.split("crate::").skip(1).map(name).collect()
    }

    /// Returns whether a word stands in the code as a word.
    pub fn names(&self, word: &str) -> bool {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        self.code.match_indices(word).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            let after = self.code[at + word.len()..].chars().next();
            // Neither the end of a longer word, nor a file's suffix, nor a field.
            !before.is_some_and(|it| is_part(it) || it == '.') && !after.is_some_and(is_part)
        })
    }
}

/// Leaves out what only tests have, wherever it stands in a file.
fn without_tests(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indentation = line.len() - line.trim_start().len();
        let end = format!("{:indentation$}}}", "");
        let mut item = lines
            .by_ref()
            .skip_while(|line| line.trim_start().starts_with("#["));
        let first = item.next().unwrap_or_default();
        if !first.ends_with([';', ',']) && !first.ends_with('}') {
            let _ = item.find(|line| *line == end);
        }
    }
    kept
}

#[test]
fn what_stands_behind_a_test_is_read() {
    let text = "#[cfg(test)]\nmod tests;\nuse a;\n    #[cfg(test)]\n    #[ignore]\n    fn x() {\n        1\n    }\nfn y() {}";
    assert_eq!(without_tests(text), ["use a;", "fn y() {}"]);
}
