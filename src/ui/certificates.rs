//! The certificates on the nodes, as a table.

use comfy_table::{Table, presets};

use crate::report::certificates::CertificateOnNode;

/// Renders a line for each certificate.
pub fn table(certificates: &[CertificateOnNode]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NODE", "CERTIFICATE", "SUBJECT", "EXPIRES", "DAYS"]);
    for it in certificates {
        let subject = if it.authority {
            format!("{} (authority)", it.subject)
        } else {
            it.subject.clone()
        };
        table.add_row([
            it.node.clone(),
            it.path.clone(),
            subject,
            it.expires.strftime("%Y-%m-%d %H:%M").to_string(),
            it.days.to_string(),
        ]);
    }
    format!("{}\n", table.trim_fmt())
}
