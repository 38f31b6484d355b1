//! The description of an appliance: which files are its disks.

use roxmltree::{Document, Node};

/// Why a description can't be read.
#[derive(Debug, thiserror::Error)]
pub enum OvfError {
    #[error(transparent)]
    Xml(#[from] roxmltree::Error),
    #[error("its disk refers to the file `{reference}`, which it doesn't name")]
    NoFile { reference: String },
    #[error("it describes no disk with content")]
    NoDisk,
}

/// Returns the names of the disks' files, in the order of the disks.
pub(super) fn disks(text: &str) -> Result<Vec<String>, OvfError> {
    let text = text.trim_start_matches('\u{feff}');
    // Entities of the file's own are not expanded: the library refuses them.
    let document = Document::parse(text)?;
    let elements = |name: &'static str| {
        let all = document.descendants();
        all.filter(move |node| node.tag_name().name() == name)
    };
    let files: Vec<(&str, &str)> = elements("File")
        .filter_map(|node| Some((attribute(node, "id")?, attribute(node, "href")?)))
        .collect();
    let mut disks = Vec::new();
    for disk in elements("Disk") {
        // Without a file it is an empty disk, to be made on import.
        let Some(reference) = attribute(disk, "fileRef") else {
            continue;
        };
        let file = files.iter().find(|(id, _)| *id == reference);
        let Some((_, href)) = file else {
            let reference = reference.to_owned();
            return Err(OvfError::NoFile { reference });
        };
        disks.push((*href).to_owned());
    }
    if disks.is_empty() {
        return Err(OvfError::NoDisk);
    }
    Ok(disks)
}

/// The attributes carry the namespace; its address has changed with the versions.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let mut attributes = node.attributes();
    attributes.find(|it| it.name() == name).map(|it| it.value())
}

#[cfg(test)]
mod tests {
    use super::{OvfError, disks};

    const NAMESPACES: &str = r#"xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1""#;

    #[test]
    fn disks_come_in_their_order_under_their_files_names() {
        let text = format!(
            r#"<?xml version="1.0"?><Envelope {NAMESPACES}>
              <References>
                <File ovf:id="file2" ovf:href="data.vmdk"/><File ovf:id="file1" ovf:href="box-disk001.vmdk"/>
              </References>
              <DiskSection>
                <Disk ovf:diskId="vmdisk1" ovf:capacity="42" ovf:fileRef="file1"/>
                <Disk ovf:diskId="vmdisk2" ovf:capacity="42" ovf:fileRef="file2"/>
                <Disk ovf:diskId="empty" ovf:capacity="42"/>
              </DiskSection></Envelope>"#
        );
        assert_eq!(disks(&text).unwrap(), ["box-disk001.vmdk", "data.vmdk"]);
    }

    #[test]
    fn broken_descriptions_are_told_apart() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Envelope>&b;</Envelope>"#;
        assert!(matches!(disks(bomb), Err(OvfError::Xml(_))));
        assert!(matches!(disks("<Envelope>"), Err(OvfError::Xml(_))));
        assert!(matches!(disks("<Envelope/>"), Err(OvfError::NoDisk)));
        let dangling = format!(r#"<Envelope {NAMESPACES}><Disk ovf:fileRef="x"/></Envelope>"#);
        assert!(matches!(disks(&dangling), Err(OvfError::NoFile { .. })));
    }
}
