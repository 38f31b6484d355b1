//! The images on the nodes, as a table.

use comfy_table::{Table, presets};

use crate::report::images::ImageOnNodes;

/// Renders a line for each image.
pub fn table(images: &[ImageOnNodes]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["IMAGE", "SIZE", "NODES"]);
    for image in images {
        table.add_row([&image.name, &image.size, &image.nodes.join(", ")]);
    }
    format!("{}\n", table.trim_fmt())
}
