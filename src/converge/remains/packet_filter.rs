//! Tables of nftables and chains of iptables that are Kubernetes' own.

use std::collections::BTreeSet;

use super::Remain;
use crate::converge::program::{Program, exists};
use crate::converge::{Node, ResourceError};

/// Tables of nftables that belong to one component each.
const TABLES: [&str; 4] = [
    "ip kube-proxy",
    "ip6 kube-proxy",
    "ip flannel-ipv4",
    "ip6 flannel-ipv6",
];
/// How the chains of kube-proxy, the kubelet, flannel and cilium begin.
const CHAINS: [&str; 4] = ["KUBE-", "FLANNEL-", "CILIUM_", "OLD_CILIUM_"];
/// Programs that show and change chains.
const PROGRAMS: [(&str, &str); 2] = [
    ("iptables", "iptables-save"),
    ("ip6tables", "ip6tables-save"),
];

/// Finds them.
pub(super) fn find(node: &Node) -> Result<Vec<Remain>, ResourceError> {
    let mut found = Vec::new();
    if exists("nft", node) {
        let tables = Program::new(["nft", "list", "tables"])
            .capture(node)?
            .stdout;
        let tables = tables
            .lines()
            .filter_map(|line| line.trim().strip_prefix("table "));
        let ours = tables.filter(|table| TABLES.contains(table));
        found.extend(ours.map(|table| Remain::Table(table.to_owned())));
    }
    for (program, save) in PROGRAMS {
        if exists(save, node) {
            let rules = Program::new([save]).capture(node)?.stdout;
            found.extend(
                own_chains(&rules)
                    .into_iter()
                    .map(|(table, chain)| Remain::Chain {
                        program,
                        table,
                        chain,
                    }),
            );
        }
    }
    Ok(found)
}

/// Removes them, with the rules of other chains that lead into them.
pub(super) fn remove(found: &[Remain], node: &Node) -> Result<(), ResourceError> {
    for it in found {
        if let Remain::Table(table) = it {
            let mut argv = vec!["nft", "delete", "table"];
            argv.extend(table.split(' '));
            Program::new(argv).output(node)?;
        }
    }
    for (program, save) in PROGRAMS {
        let is_of_program =
            |it: &&Remain| matches!(it, Remain::Chain { program: its, .. } if *its == program);
        let chains: Vec<(&str, &str)> = found
            .iter()
            .filter(is_of_program)
            .filter_map(|it| match it {
                Remain::Chain { table, chain, .. } => Some((table.as_str(), chain.as_str())),
                _ => None,
            })
            .collect();
        if chains.is_empty() {
            continue;
        }
        let run = |arguments: &[&str]| {
            let argv = [&[program, "--wait"], arguments].concat();
            Program::new(argv).output(node).map(drop)
        };
        let rules = Program::new([save]).output(node)?;
        for (table, rule) in jumps(&rules) {
            let rule: Vec<&str> = rule.iter().map(String::as_str).collect();
            run(&[&["--table", &table, "--delete"], rule.as_slice()].concat())?;
        }
        // Emptied before any is removed: they lead into each other.
        for option in ["--flush", "--delete-chain"] {
            for (table, chain) in &chains {
                run(&["--table", table, option, chain])?;
            }
        }
        remove_empty_tables(program, &chains, node)?;
    }
    Ok(())
}

/// Removes what iptables has made for the chains in nftables, where nothing is left in it: tables whose chains let
/// everything through.
fn remove_empty_tables(
    program: &str,
    chains: &[(&str, &str)],
    node: &Node,
) -> Result<(), ResourceError> {
    if !exists("nft", node) {
        return Ok(());
    }
    let family = if program == "ip6tables" { "ip6" } else { "ip" };
    let tables: BTreeSet<&str> = chains.iter().map(|(table, _)| *table).collect();
    for table in tables {
        // Where iptables is the kernel's older one, nftables has no such table.
        let listed = Program::new(["nft", "list", "table", family, table]).capture(node)?;
        if listed.status.success() && has_no_rules(&listed.stdout) {
            Program::new(["nft", "delete", "table", family, table]).output(node)?;
        }
    }
    Ok(())
}

/// Whether a table of nftables has only chains that are empty, and of these only such that let everything through.
fn has_no_rules(listed: &str) -> bool {
    listed.lines().map(str::trim).all(|line| {
        let is_head = line.starts_with("table ") && line.ends_with('{');
        let is_hook = line.starts_with("type ") && line.ends_with("policy accept;");
        let is_chain = line.starts_with("chain ") && line.ends_with('{');
        is_head || is_hook || is_chain || line == "}" || line.is_empty() || line.starts_with('#')
    })
}

/// Returns table and name of each chain of ours.
fn own_chains(rules: &str) -> Vec<(String, String)> {
    let mut table = "";
    let mut chains = Vec::new();
    for line in rules.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        } else if let Some(rest) = line.strip_prefix(':')
            && let Some(chain) = rest.split(' ').next()
            && is_ours(chain)
        {
            chains.push((table.to_owned(), chain.to_owned()));
        }
    }
    chains
}

/// Returns the rules of other chains that lead into chains of ours: the table, and the chain with the rule.
fn jumps(rules: &str) -> Vec<(String, Vec<String>)> {
    let mut table = "";
    let mut jumps = Vec::new();
    for line in rules.lines() {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        } else if let Some(rule) = line.strip_prefix("-A ") {
            let words = words(rule);
            let leads_to = words
                .windows(2)
                .find(|pair| pair[0] == "-j" || pair[0] == "-g");
            if leads_to.is_some_and(|pair| is_ours(&pair[1])) && !is_ours(&words[0]) {
                jumps.push((table.to_owned(), words));
            }
        }
    }
    jumps
}

fn is_ours(chain: &str) -> bool {
    CHAINS.iter().any(|prefix| chain.starts_with(prefix))
}

/// Splits a rule as a shell would: comments are in quotes.
fn words(rule: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut characters) = (false, rule.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => words
                .last_mut()
                .unwrap_or(&mut String::new())
                .extend(characters.next()),
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap_or(&mut String::new()).push(other),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{has_no_rules, jumps, own_chains};

    const RULES: &str = "\
*mangle
:PREROUTING ACCEPT [0:0]
:KUBE-KUBELET-CANARY - [0:0]
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment \"kubernetes \\\"postrouting\\\" rules\" -j KUBE-POSTROUTING
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -m comment --comment \"-j KUBE-POSTROUTING\" -j DOCKER
-A KUBE-POSTROUTING -j KUBE-MARK-MASQ
COMMIT
";

    #[test]
    fn only_tables_without_an_effect_are_empty() {
        let table = |inside: &str| format!("table ip filter {{\n{inside}}}\n");
        let hook =
            "\tchain INPUT {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n";
        assert!(has_no_rules(&table("")));
        assert!(has_no_rules(&table(hook)));
        assert!(!has_no_rules(&table(&hook.replace("accept", "drop"))));
        assert!(!has_no_rules(&table(
            "\tset blocked {\n\t\ttype ipv4_addr\n\t}\n"
        )));
        assert!(!has_no_rules(&table(
            "\tchain X {\n\t\tcounter packets 0 bytes 0 drop\n\t}\n"
        )));
    }

    #[test]
    fn chains_of_others_stay() {
        let chains: Vec<String> = own_chains(RULES)
            .into_iter()
            .map(|(table, chain)| format!("{table}/{chain}"))
            .collect();
        assert_eq!(
            chains,
            [
                "mangle/KUBE-KUBELET-CANARY",
                "nat/KUBE-MARK-MASQ",
                "nat/KUBE-POSTROUTING"
            ]
        );
        let found = jumps(RULES);
        assert_eq!(found.len(), 1, "{found:?}");
        let (table, rule) = &found[0];
        assert_eq!(table, "nat");
        assert_eq!(
            rule.join("|"),
            "POSTROUTING|-m|comment|--comment|kubernetes \"postrouting\" rules|-j|KUBE-POSTROUTING"
        );
    }
}
