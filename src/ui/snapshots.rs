//! `kinstall snapshot list` for people.

use comfy_table::{ContentArrangement, Table, presets};

use crate::provision::Snapshot;

/// Renders snapshots, oldest first: a line for each machine.
pub fn render(snapshots: &[Snapshot]) -> String {
    if snapshots.is_empty() {
        return "There are no snapshots.\n".to_owned();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["SNAPSHOT", "MACHINE", "MEMORY", "TAKEN"]);
    for snapshot in snapshots {
        for part in &snapshot.machines {
            table.add_row([
                snapshot.name.as_str(),
                part.machine.as_str(),
                if part.live { "kept" } else { "-" },
                part.taken.as_deref().unwrap_or("-"),
            ]);
        }
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::provision::{Snapshot, SnapshotOfMachine};

    #[test]
    fn a_line_for_each_machine() {
        let part = |machine: &str, live, taken: Option<&str>| SnapshotOfMachine {
            machine: machine.into(),
            live,
            taken: taken.map(ToOwned::to_owned),
        };
        let snapshots = [
            Snapshot {
                name: "fresh".into(),
                machines: vec![
                    part("node1", false, None),
                    part("controll-plane", false, None),
                ],
            },
            Snapshot {
                name: "installed".into(),
                machines: vec![part("node1", true, Some("2026-11-23T10:00:00Z"))],
            },
        ];
        let rows: Vec<Vec<String>> = render(&snapshots)
            .lines()
            .map(|line| line.split_whitespace().map(ToOwned::to_owned).collect())
            .collect();
        assert_eq!(
            rows,
            [
                ["SNAPSHOT", "MACHINE", "MEMORY", "TAKEN"],
                ["fresh", "node1", "-", "-"],
                ["fresh", "controll-plane", "-", "-"],
                ["installed", "node1", "kept", "2026-11-23T10:00:00Z"],
            ]
        );
        assert_eq!(render(&[]), "There are no snapshots.\n");
    }
}
