//! Why an image can't be loaded.

use std::io;
use std::path::PathBuf;

use super::NotAnImageName;
use crate::bundle::BundleError;
use crate::diagnostic::{Diagnostic, Kind};
use crate::resource::Sha256;

/// What is wrong with an image, its archive, or the way it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ImageFault {
    #[error("there is no file `{path}`", path = path.display())]
    NoFile { path: PathBuf },
    #[error("failed to read `{from}`")]
    Read { from: String, source: io::Error },
    #[error("the archive ends in the middle of `{entry}`")]
    Truncated { entry: String },
    #[error("the archive is refused: `{entry}` {why}")]
    Refused { entry: String, why: &'static str },
    #[error("the content of `{entry}` has sha256 {actual}")]
    Digest { entry: String, actual: Sha256 },
    #[error("neither `oci-layout` nor `manifest.json` is in it, so it is no image")]
    NoImage,
    #[error("`{file}` is not what an image has there")]
    Json {
        file: String,
        source: serde_json::Error,
    },
    #[error("`{part}` is missing from it")]
    Incomplete { part: String },
    #[error("{what} is not supported: {found}")]
    Unsupported { what: &'static str, found: String },
    #[error("layer {number} is not the one that the image's configuration names")]
    OtherLayer { number: usize },
    #[error("the image has {layers} layers, but its configuration names {named}")]
    LayerCount { layers: usize, named: usize },
    #[error("the image has no name")]
    NoName,
    #[error("it holds several images ({names}), and --name is for one")]
    SeveralImages { names: String },
    #[error(transparent)]
    Name(#[from] NotAnImageName),
    #[error("`{image}` is no file, and neither `docker` nor `podman` is on this computer")]
    NoProgram { image: String },
    #[error("`{image}` can't be had:{reasons}")]
    NotSaved { image: String, reasons: String },
    #[error("can't keep the image's parts")]
    Store(#[from] BundleError),
}

impl ImageFault {
    /// Turns it into a message for the user.
    pub fn diagnostic(&self) -> Diagnostic {
        let kind = match self {
            Self::Store(_) | Self::NoProgram { .. } | Self::NotSaved { .. } => Kind::Environment,
            _ => Kind::Inventory,
        };
        let error = Diagnostic::from_error(kind, self);
        match self.hint() {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoFile { .. } => {
                "an image of docker or podman has a name such as `my/app:dev`; an archive is a file"
            }
            Self::Truncated { .. } | Self::Incomplete { .. } | Self::Digest { .. } => {
                "the archive is damaged or was not written to its end: save the image again"
            }
            Self::NoImage => {
                "`docker save`, `podman save` and `buildah push oci-archive:` write what can be loaded"
            }
            Self::NoName => "give it one: `kinstall load … --name my/app:dev`",
            Self::SeveralImages { .. } => "leave --name out: each has its own",
            Self::NoProgram { .. } => {
                "save it where it is, and load the file: `docker save my/app:dev -o app.tar`, `kinstall load app.tar`"
            }
            Self::NotSaved { .. } => "`docker images` and `podman images` list what there is",
            Self::Name(_) => {
                "a name has lower-case letters: `my/app:dev`, `registry.example.com/app:1.0`"
            }
            _ => return None,
        })
    }
}
