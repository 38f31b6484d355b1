//! Takes what must not be seen out of texts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex_lite::Regex;
use serde_json::Value;

use crate::inventory::{Inventory, is_confidential};

/// What stands in the place of a secret.
const REDACTED: &str = "***";

/// Shorter texts are words that stand everywhere; they are only taken out where their name says what they are.
const SHORTEST: usize = 6;

/// Forms that are secrets wherever they stand.
static FORMS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let forms = [
        // Private keys, also with line ends written as in JSON.
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----",
            REDACTED,
        ),
        // Tokens that let a node join, service account tokens, what ansible-vault has encrypted.
        (r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b", REDACTED),
        (
            r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
            REDACTED,
        ),
        (r"(?m)^[ \t]*[0-9a-f]{60,80}[ \t]*$", REDACTED),
        // Users and passwords in addresses, as of proxies; headers.
        (r"://[^/\s@]+@", "://***@"),
        (r"(?i)\b(bearer|basic) [A-Za-z0-9+/=._-]{8,}", "$1 ***"),
    ];
    let compiled = forms
        .into_iter()
        .filter_map(|(form, with)| Some((Regex::new(form).ok()?, with)));
    compiled.collect()
});

/// All that is known to be secret.
#[derive(Default)]
pub struct Redaction {
    /// The longest first: a secret may be a part of another.
    secrets: Vec<String>,
}

impl Redaction {
    /// Learns the secrets of a cluster from its folder `.kinstall`, and those of its inventory if that can be read.
    pub fn of(directory: &Path, inventory: Option<&Inventory>) -> Self {
        let mut found = BTreeSet::new();
        let secrets = fs::read(directory.join("secrets.json")).unwrap_or_default();
        if let Ok(secrets) = serde_json::from_slice(&secrets) {
            take_all(&secrets, &mut found);
        }
        for file in ["ssh/id_ed25519", "kubeconfig"] {
            let text = fs::read_to_string(directory.join(file)).unwrap_or_default();
            let words = text.split_whitespace().filter(|word| word.len() >= 40);
            found.extend(words.map(str::to_owned));
        }
        for value in inventory
            .map(Inventory::confidential_values)
            .unwrap_or_default()
        {
            take(value.expose(), &mut found);
        }
        let mut secrets: Vec<String> = found.into_iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// Returns the text without secrets.
    pub fn of_text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        for (form, with) in FORMS.iter() {
            text = form.replace_all(&text, *with).into_owned();
        }
        text
    }

    /// Returns the text of an inventory or of a file of variables without secrets: also those whose names alone say
    /// what they are.
    pub fn of_variables(&self, text: &str) -> String {
        if text.starts_with("$ANSIBLE_VAULT;") {
            return format!("{REDACTED}: encrypted with ansible-vault\n");
        }
        let mut result = String::with_capacity(text.len());
        // How far the name of a value that goes on over several lines is set in.
        let mut inside: Option<usize> = None;
        // Whether that name is the first of a list's item itself.
        let mut in_item = false;
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            // The items of a list may stand as far in as its name.
            let is_item = line.trim_start().starts_with("- ");
            let is_part = |outer| indent > outer || (indent == outer && is_item && !in_item);
            if inside.is_some_and(|outer| line.trim().is_empty() || is_part(outer)) {
                continue;
            }
            inside = None;
            let line = match line
                .split_once(':')
                .map(|(name, value)| (name_of(name), value))
            {
                Some((name, _)) if is_confidential(name) && !name.contains('=') => {
                    inside = Some(indent);
                    in_item = is_item;
                    let (name, _) = line.split_once(':').unwrap_or_default();
                    format!("{name}: {REDACTED}")
                }
                _ => without_assignments(line),
            };
            result.push_str(&line);
            result.push('\n');
        }
        self.of_text(&result)
    }
}

/// Returns the name before a colon, without what YAML puts before it.
fn name_of(text: &str) -> &str {
    text.trim()
        .trim_start_matches("- ")
        .trim_matches(['"', '\'', '#', ' '])
}

/// Redacts `name=value`, with quotes or without, where the name says that it is a secret, and the same inside of
/// mappings on one line.
fn without_assignments(line: &str) -> String {
    static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"([A-Za-z_][\w-]*)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,}]+)"#).ok()
    });
    let Some(assignment) = &*ASSIGNMENT else {
        return REDACTED.to_owned();
    };
    // `[all:vars]` has one assignment a line, whose value may have spaces.
    if let Some((name, _)) = line.split_once('=')
        && is_confidential(name.trim())
        && !name.trim().contains(char::is_whitespace)
    {
        return format!("{name}={REDACTED}");
    }
    let replaced = assignment.replace_all(line, |found: &regex_lite::Captures<'_>| {
        if is_confidential(&found[1]) {
            format!("{}{}{REDACTED}", &found[1], &found[2])
        } else {
            found[0].to_owned()
        }
    });
    replaced.into_owned()
}

fn take_all(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => take(text, found),
        Value::Array(items) => items.iter().for_each(|item| take_all(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| take_all(field, found)),
        _ => {}
    }
}

/// Takes a secret whole, in base64 as Kubernetes writes it, and line by line.
fn take(secret: &str, found: &mut BTreeSet<String>) {
    let secret = secret.trim();
    if secret.len() < SHORTEST {
        return;
    }
    found.insert(secret.to_owned());
    found.insert(STANDARD.encode(secret));
    found.insert(STANDARD.encode(format!("{secret}\n")));
    let lines = secret.lines().map(str::trim);
    let lines = lines.filter(|line| line.len() >= 20 && !line.starts_with("-----"));
    found.extend(lines.map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::Redaction;
    use crate::inventory::{Inventory, Vault};

    const SECRETS: &str = r#"{"format": 1, "key": "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n-----END PRIVATE KEY-----\n",
        "bootstrap_token": "abcdef.0123456789abcdef", "metallb_key": "c2VjcmV0c2VjcmV0"}"#;

    fn redaction() -> (tempfile::TempDir, Redaction) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secrets.json"), SECRETS).unwrap();
        let path = folder.path().join("inventory.ini");
        std::fs::write(
            &path,
            "[kube_node]\nn1 ansible_password=hunter2 ip=10.0.0.1 ansible_become_pass='x y z 1'\n",
        )
        .unwrap();
        let (inventory, _) = Inventory::load(&path, Vault::default()).unwrap();
        let redaction = Redaction::of(folder.path(), Some(&inventory));
        (folder, redaction)
    }

    #[test]
    fn what_the_cluster_keeps_to_itself_is_in_no_text() {
        let (_folder, redaction) = redaction();
        for (text, expected) in [
            ("password hunter2 refused", "password *** refused"),
            (
                r#"{"key":"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n"}"#,
                r#"{"key":"***\n"}"#,
            ),
            ("key c2VjcmV0c2VjcmV0.", "key ***."),
            ("aHVudGVyMg==", "***"),
            ("--token zzzzzz.0123456789abcdef", "--token ***"),
            (
                "proxy http://user:pw@10.0.0.9:3128/",
                "proxy http://***@10.0.0.9:3128/",
            ),
            (
                "Authorization: Bearer abcdefghij",
                "Authorization: Bearer ***",
            ),
            ("t eyJhbGci.eyJpc3Mi.c2ln t", "t *** t"),
            ("10.0.0.1 is harmless", "10.0.0.1 is harmless"),
        ] {
            assert_eq!(redaction.of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn variables_keep_their_names_and_lose_what_is_secret() {
        let (_folder, redaction) = redaction();
        let text = "\
n1 ip=10.0.0.1 ansible_password=abc ansible_user=root # note
n2 ansible_become_pass='a b' x=1
grafana_admin_password = a b c
api_token: |
  line one
  line two

next: 1
registry: { user: me, password: pw, port: 1 }
- admin_secret: 'x'
- other: y
registry_tokens:
- abc
- def
containerd_registry_auth: [{ registry: r, auth: dXNlcjpwYXNz }]
kubeadm_certificate_key: 0123
ansible_ssh_private_key_file: ~/.ssh/id
# old_password: pw
sealed: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  66386439653236336462626566653063336164663966303231363934653561363964363833313662
";
        insta::assert_snapshot!(redaction.of_variables(text), @r"
        n1 ip=10.0.0.1 ansible_password=*** ansible_user=root # note
        n2 ansible_become_pass=*** x=1
        grafana_admin_password =***
        api_token: ***
        next: 1
        registry: { user: me, password: ***, port: 1 }
        - admin_secret: ***
        - other: y
        registry_tokens: ***
        containerd_registry_auth: ***
        kubeadm_certificate_key: ***
        ansible_ssh_private_key_file: ~/.ssh/id
        # old_password: ***
        sealed: !vault |
          $ANSIBLE_VAULT;1.1;AES256
        ***
        ");
        assert_eq!(
            redaction.of_variables("$ANSIBLE_VAULT;1.1;AES256\n6638\n"),
            "***: encrypted with ansible-vault\n"
        );
    }
}
