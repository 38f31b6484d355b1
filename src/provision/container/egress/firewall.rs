//! Chains of this computer's firewall that may keep a lab from the internet.

use std::path::Path;

use serde_json::Value;

use super::programs::{nft, run};

/// A chain that drops what is forwarded and no rule accepts: Docker, ufw and firewalld have one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    family: String,
    table: String,
    name: String,
    /// Otherwise its last rule may.
    is_policy: bool,
}

/// Returns the chains that drop what they don't know and don't name the lab's card.
pub(super) fn blocking(image: &Path, interface: &str) -> Vec<Chain> {
    let list = |arguments: &[&str]| run(nft(image).args(arguments)).unwrap_or_default();
    let chains = read(&list(&["--json", "list", "chains"]));
    let is_blocking = |chain: &Chain| {
        // Rules may be in chains that it jumps to.
        let table = list(&["list", "table", &chain.family, &chain.table]);
        let own = || list(&["list", "chain", &chain.family, &chain.table, &chain.name]);
        let is_known = table.contains(interface) || table.contains("\"kin*\"");
        !is_known && (chain.is_policy || ends_by_dropping(&own()))
    };
    chains.into_iter().filter(is_blocking).collect()
}

/// Says what is to be done about a chain.
pub(super) fn notice(chain: &Chain, interface: &str) -> String {
    let Chain {
        family,
        table,
        name,
        ..
    } = chain;
    let remedy = if table == "firewalld" {
        format!("`firewall-cmd --zone=trusted --add-interface={interface}`")
    } else {
        let insert = format!("nft insert rule {family} {table} {name}");
        format!(
            "`{insert} iifname {interface} accept` and `{insert} oifname {interface} ct state established,related accept`"
        )
    };
    format!(
        "the nodes may have no internet access: this computer's nftables chain `{family} {table} {name}` drops what no \
         rule accepts (Docker, ufw and firewalld do this); to let the lab through: {remedy}"
    )
}

/// Whether the last rule of a chain, as `nft list chain` shows it, drops everything.
fn ends_by_dropping(chain: &str) -> bool {
    let mut rules = chain.lines().map(str::trim);
    let last = rules.rfind(|line| !line.is_empty() && !line.starts_with('}'));
    let mut words = last.unwrap_or_default().split(' ');
    let mut first = words.next();
    if first == Some("counter") {
        // `counter packets 0 bytes 0 drop`
        first = words.nth(4);
    }
    matches!(first, Some("drop" | "reject"))
}

fn read(chains: &str) -> Vec<Chain> {
    let chains: Value = serde_json::from_str(chains).unwrap_or_default();
    let entries = chains["nftables"].as_array().into_iter().flatten();
    entries
        .map(|entry| &entry["chain"])
        .filter(|chain| chain["hook"] == "forward")
        .filter(|chain| chain["family"] == "ip" || chain["family"] == "inet")
        .map(|chain| {
            let text = |field: &str| chain[field].as_str().unwrap_or_default().to_owned();
            Chain {
                family: text("family"),
                table: text("table"),
                name: text("name"),
                is_policy: chain["policy"] == "drop",
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ends_by_dropping, notice, read};

    #[test]
    fn chains_that_drop_what_is_forwarded_are_named() {
        let chains = r#"{"nftables": [{"metainfo": {"version": "1.1.3"}},
            {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}},
            {"chain": {"family": "ip6", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}},
            {"chain": {"family": "inet", "table": "own", "name": "input", "hook": "input", "policy": "drop"}},
            {"chain": {"family": "inet", "table": "own", "name": "forward", "hook": "forward", "policy": "accept"}}]}"#;
        let found = read(chains);
        let policies: Vec<bool> = found.iter().map(|chain| chain.is_policy).collect();
        assert_eq!(policies, [true, false]);
        let notice = notice(&found[0], "kin0123456789");
        assert!(
            notice.contains("`nft insert rule ip filter FORWARD iifname kin0123456789 accept`"),
            "{notice}"
        );
    }

    #[test]
    fn a_last_rule_that_drops_everything_is_a_policy() {
        let chain = |rule| {
            format!(
                "table inet firewalld {{\n\tchain filter_FORWARD {{\n\t\ttype filter hook forward priority filter; \
                 policy accept;\n\t\tct state established,related accept\n{rule}\t}}\n}}\n"
            )
        };
        for (rule, expected) in [
            ("", false),
            ("\t\treject with icmpx admin-prohibited\n", true),
            ("\t\tcounter packets 12 bytes 720 drop\n", true),
            ("\t\tip saddr 192.0.2.1 drop\n", false),
            ("\t\tdrop\n\t\tjump other\n", false),
        ] {
            assert_eq!(ends_by_dropping(&chain(rule)), expected, "{rule}");
        }
    }
}
