//! Whole files.

use std::fs;

use similar::TextDiff;

use super::draft::Draft;
use super::error::FileContext;
use super::file_state::{self, FileState, Kind};
use super::program::Program;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Content, File, Sha256};

/// What is at the path now.
#[derive(Debug)]
pub struct Observed {
    state: Option<FileState>,
    /// Digest of a plain file's content.
    sha256: Option<Sha256>,
    /// A plain file's text, where its diff may be shown.
    text: Option<String>,
}

impl Converge for File {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let state = FileState::of(&self.path, node)?;
        let mut observed = Observed {
            sha256: None,
            text: None,
            state,
        };
        if !matches!(&observed.state, Some(state) if state.kind == Kind::File) {
            return Ok(observed);
        }
        if let Content::Blob(_) = self.content {
            observed.sha256 = Some(node.sha256(&self.path)?);
            return Ok(observed);
        }
        let path = node.path(&self.path);
        let bytes = fs::read(&path).doing("read", &path)?;
        observed.sha256 = Some(Sha256::of(&bytes));
        if let Content::Text(_) = self.content {
            observed.text = String::from_utf8(bytes).ok();
        }
        Ok(observed)
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let Some(state) = &observed.state else {
            let mut change = Change::new(Action::Create, "content");
            change.diff = self.text_diff("");
            return vec![change];
        };
        if state.kind != Kind::File {
            let from = Some(state.kind.name().to_owned());
            return vec![
                Change::new(Action::Update, "kind")
                    .values(from, Some(Kind::File.name().to_owned())),
            ];
        }
        let mut changes = Vec::new();
        if observed.sha256 != Some(self.content.sha256()) {
            let mut change = Change::new(Action::Update, "content");
            change.diff = observed
                .text
                .as_deref()
                .and_then(|text| self.text_diff(text));
            changes.push(change);
        }
        changes.extend(state.access_changes(
            self.mode,
            self.owner.as_deref(),
            self.group.as_deref(),
        ));
        changes
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let target = node.path(&self.path);
        let access = file_state::access(
            &self.path,
            self.mode,
            self.owner.as_deref(),
            self.group.as_deref(),
            node,
        )?;
        let content_stays = changes
            .iter()
            .all(|change| matches!(change.subject.as_str(), "mode" | "owner" | "group"));
        if content_stays {
            file_state::set_access(&target, access)?;
        } else {
            let draft = self.draft(node)?;
            draft.set_access(access)?;
            self.validate(&draft, node)?;
            if target.is_dir() && !target.is_symlink() {
                // Only an empty one goes; a full one is somebody's.
                fs::remove_dir(&target).doing("replace the folder", &target)?;
            }
            draft.publish(access)?;
        }
        if let Content::Blob(blob) = &self.content {
            node.learn_sha256(&self.path, blob.sha256);
        }
        Ok(())
    }
}

impl File {
    fn text_diff(&self, old: &str) -> Option<String> {
        match &self.content {
            Content::Text(new) => Some(unified_diff(old, new)),
            Content::Secret(_) | Content::Blob(_) => None,
        }
    }

    fn draft(&self, node: &Node) -> Result<Draft, ResourceError> {
        let target = node.path(&self.path);
        if let Content::Blob(blob) = &self.content {
            let source = node.blob(*blob)?;
            let mut draft = Draft::new(&target, blob.size)?;
            draft.copy_file(&source)?;
            return Ok(draft);
        }
        let text = self.content.text().unwrap_or_default();
        let mut draft = Draft::new(&target, text.len() as u64)?;
        draft.write(text.as_bytes())?;
        Ok(draft)
    }

    fn validate(&self, draft: &Draft, node: &Node) -> Result<(), ResourceError> {
        let Some(command) = &self.validate else {
            return Ok(());
        };
        let path = draft.path().display().to_string();
        Program::new(command.iter().map(|word| word.replace("%s", &path)))
            .output(node)
            .map(drop)
    }
}

/// Returns a unified diff without the file header; empty for equal texts.
pub fn unified_diff(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::BlobRef;
    use crate::secret::Secret;

    fn file(content: Content) -> File {
        File {
            path: "/etc/x.conf".to_owned(),
            content,
            mode: 0o640,
            owner: None,
            group: None,
            validate: None,
        }
    }

    fn converge(file: &File, node: &mut Node) -> Vec<Change> {
        let changes = file.diff(&file.probe(node).unwrap());
        if !changes.is_empty() {
            file.apply(&changes, node).unwrap();
        }
        changes
    }

    #[test]
    fn text_shows_its_diff() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        converge(&file(Content::Text("a\nb\n".to_owned())), &mut node);
        let changes = converge(&file(Content::Text("a\nc\n".to_owned())), &mut node);
        let diff = changes[0].diff.as_deref().unwrap();
        assert_eq!(diff, "@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    }

    #[test]
    fn a_secret_never_does_and_nobody_else_may_read_it() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        let mut secret = file(Content::Secret(Secret::new("hunter2")));
        secret.mode = 0o600;
        let changes = converge(&secret, &mut node);
        assert!(!format!("{changes:?}").contains("hunter2"));
        secret.content = Content::Secret(Secret::new("hunter3"));
        let changes = converge(&secret, &mut node);
        assert_eq!(changes[0].subject, "content");
        assert!(!format!("{changes:?}").contains("hunter"));
        let state = FileState::of("/etc/x.conf", &node).unwrap().unwrap();
        assert_eq!(state.mode, 0o600);
    }

    #[test]
    fn refused_content_does_not_take_its_place() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        let mut wanted = file(Content::Text("bad\n".to_owned()));
        wanted.validate = Some(vec!["grep".into(), "-q".into(), "good".into(), "%s".into()]);
        let changes = wanted.diff(&wanted.probe(&node).unwrap());
        assert!(matches!(
            wanted.apply(&changes, &mut node),
            Err(ResourceError::Command { .. })
        ));
        assert_eq!(root.path().join("etc").read_dir().unwrap().count(), 0);
        wanted.content = Content::Text("good\n".to_owned());
        converge(&wanted, &mut node);
        assert_eq!(node.read_or_empty("/etc/x.conf"), "good\n");
    }

    #[test]
    fn a_blob_comes_from_the_store_and_its_digest_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        let blob = BlobRef {
            sha256: Sha256::of(b"program"),
            size: 7,
        };
        let store = node.path("/var/lib/kinstall/blobs");
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join(blob.sha256.to_string()), "program").unwrap();
        let wanted = file(Content::Blob(blob));
        converge(&wanted, &mut node);
        assert_eq!(node.read_or_empty("/etc/x.conf"), "program");
        node.save_caches().unwrap();
        let node = Node::at(root.path());
        assert!(wanted.diff(&wanted.probe(&node).unwrap()).is_empty());
        fs::write(node.path("/etc/x.conf"), "changed").unwrap();
        assert_eq!(wanted.diff(&wanted.probe(&node).unwrap()).len(), 1);
    }

    #[test]
    fn a_full_folder_is_not_replaced_and_no_draft_stays() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        fs::create_dir_all(node.path("/etc/x.conf/full")).unwrap();
        let wanted = file(Content::Text(String::new()));
        let changes = wanted.diff(&wanted.probe(&node).unwrap());
        assert_eq!(changes[0].subject, "kind");
        wanted.apply(&changes, &mut node).unwrap_err();
        assert_eq!(root.path().join("etc").read_dir().unwrap().count(), 1);
    }
}
