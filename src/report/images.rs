//! The images on the nodes that are not of the bundle, from what containerd says on each.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::container_image::ImageName;

/// How the bundle's own images begin.
const OWN: &str = "kinstall.local/";

/// Images by name and digest.
pub type ImagesOnNodes = BTreeMap<(String, String), ImageOnNodes>;

/// An image, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageOnNodes {
    /// As people write it: `my/app:dev`.
    pub name: String,
    /// Of its manifest.
    pub digest: String,
    /// As containerd says it: `12.3 MiB`, compressed.
    pub size: String,
    pub nodes: Vec<String>,
}

/// Reads `ctr images ls`: name, media type, digest, size with its unit, …
pub fn add(images: &mut ImagesOnNodes, node: &str, listing: &str) {
    for line in listing.lines().skip(1) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, _, digest, size, unit, ..] = fields.as_slice() else {
            continue;
        };
        // Identifiers and digests are further names of the same.
        let Ok(short) = name.parse::<ImageName>() else {
            continue;
        };
        if name.starts_with(OWN) || name.starts_with("sha256:") {
            continue;
        }
        let image = ImageOnNodes {
            name: short.short(),
            digest: (*digest).to_owned(),
            size: format!("{size} {unit}"),
            nodes: Vec::new(),
        };
        let key = (image.name.clone(), image.digest.clone());
        images
            .entry(key)
            .or_insert(image)
            .nodes
            .push(node.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_users_gave_are_listed() {
        let listing = "REF TYPE DIGEST SIZE PLATFORMS LABELS\n\
            docker.io/my/app:dev t sha256:1 1.5 MiB linux/amd64 io.cri-containerd.image=managed\n\
            docker.io/my/app@sha256:1 t sha256:1 1.5 MiB linux/amd64 -\n\
            sha256:3f t sha256:1 1.5 MiB linux/amd64 -\n\
            kinstall.local/pause:3.10 t sha256:2 300.0 KiB linux/amd64 -\n";
        let mut images = BTreeMap::new();
        add(&mut images, "node1", listing);
        add(&mut images, "node2", listing);
        let images: Vec<_> = images.into_values().collect();
        assert_eq!(images.len(), 1);
        assert_eq!(images[0].name, "my/app:dev");
        assert_eq!(images[0].size, "1.5 MiB");
        assert_eq!(images[0].nodes, ["node1", "node2"]);
    }
}
