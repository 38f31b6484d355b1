//! etcd's members for people.

use std::fmt::Write as _;

use indicatif::BinaryBytes;

use super::status::table;
use crate::report::backup::Record;
use crate::report::etcd::EtcdStatus;

/// Renders how each member is, then what is wrong.
pub fn status(status: &EtcdStatus) -> String {
    let mut table = table(&[
        "MEMBER", "VERSION", "SIZE", "IN USE", "LEADER", "TERM", "INDEX", "ALARMS", "STATE",
    ]);
    for member in &status.members {
        let told = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let state = member.state.as_ref();
        table.add_row([
            member.title().to_owned(),
            told(state.map(|it| it.version.clone())),
            told(state.map(|it| BinaryBytes(it.size).to_string())),
            told(state.map(|it| BinaryBytes(it.size_in_use).to_string())),
            told(state.map(|it| if it.leader { "yes" } else { "" }.to_owned())),
            told(state.map(|it| it.raft_term.to_string())),
            told(state.map(|it| it.raft_index.to_string())),
            member.alarms.join(", "),
            self::state(member.learner, member.healthy).to_owned(),
        ]);
    }
    let saved = match &status.saved {
        None => format!("no snapshot is kept on {}", status.asked),
        Some(saved) => format!(
            "the newest snapshot on {} is of {}: {} keys, {}",
            status.asked,
            saved.created.strftime("%Y-%m-%d %H:%M UTC"),
            saved.keys,
            BinaryBytes(saved.size)
        ),
    };
    format!("{}\n\n{saved}\n{}", table.trim_fmt(), problems(status))
}

/// Renders who the members are.
pub fn members(status: &EtcdStatus) -> String {
    let mut table = table(&["MEMBER", "ID", "PEER URL", "CLIENT URL", "STATE"]);
    for member in &status.members {
        table.add_row([
            member.title(),
            &member.id,
            &member.peer_url,
            &member.client_url,
            state(member.learner, member.healthy),
        ]);
    }
    format!("{}\n{}", table.trim_fmt(), problems(status))
}

fn state(is_learner: bool, is_healthy: bool) -> &'static str {
    match (is_learner, is_healthy) {
        (true, _) => "learner",
        (false, true) => "healthy",
        (false, false) => "not healthy",
    }
}

fn problems(status: &EtcdStatus) -> String {
    let mut text = String::new();
    for problem in &status.problems {
        let _ = writeln!(text, "problem: {problem}");
    }
    text
}

/// Renders what a backup holds.
pub fn backup(record: &Record) -> String {
    let snapshot = &record.snapshot;
    let mut table = table(&[
        "CLUSTER",
        "TAKEN",
        "NODE",
        "KUBERNETES",
        "ETCD",
        "KEYS",
        "REVISION",
        "SIZE",
    ]);
    table.add_row([
        record.cluster.clone(),
        snapshot.created.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        record.node.clone(),
        snapshot.kubernetes.clone(),
        snapshot.etcd.clone(),
        snapshot.keys.to_string(),
        snapshot.revision.to_string(),
        BinaryBytes(snapshot.size).to_string(),
    ]);
    format!("{}\n", table.trim_fmt())
}
