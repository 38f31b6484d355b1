//! Where an image is from: docker, podman, a file, a folder, or standard input.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use super::form::images;
use super::{Contents, ImageFault, ImageName, LoadedImage};
use crate::bundle::{Bundle, Parts};

/// Programs that have images, in the order in which they are asked.
const PROGRAMS: [&str; 2] = ["docker", "podman"];

/// An image, as the user named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// An archive, compressed or not.
    File(PathBuf),
    /// An OCI image layout.
    Folder(PathBuf),
    /// An archive on standard input.
    StandardInput,
    /// What docker or podman call it.
    Program(String),
}

impl ImageSource {
    /// Tells what is meant: `-`, what is there under that path, or an image of docker's or podman's.
    pub fn of(text: &str) -> Result<Self, ImageFault> {
        let path = Path::new(text);
        if text == "-" {
            Ok(Self::StandardInput)
        } else if path.is_dir() {
            Ok(Self::Folder(path.to_owned()))
        } else if path.exists() {
            Ok(Self::File(path.to_owned()))
        } else if is_path(text) {
            Err(ImageFault::NoFile {
                path: path.to_owned(),
            })
        } else {
            Ok(Self::Program(text.to_owned()))
        }
    }

    /// Reads and checks the images; all have names. `name` is for the only one.
    pub fn read(
        &self,
        name: Option<&ImageName>,
        parts: Parts,
    ) -> Result<(Vec<LoadedImage>, Bundle), ImageFault> {
        let mut contents = match self {
            Self::Folder(folder) => Contents::of_folder(folder, parts)?,
            Self::File(path) => {
                let from = path.display().to_string();
                let file = File::open(path).map_err(|source| ImageFault::Read {
                    from: from.clone(),
                    source,
                })?;
                Contents::of_archive(file, &from, parts)?
            }
            Self::StandardInput => {
                Contents::of_archive(io::stdin().lock(), "standard input", parts)?
            }
            Self::Program(image) => {
                let name = name.cloned().map_or_else(|| image.parse(), Ok)?;
                let mut contents = saved(image, parts)?;
                let found = named(images(&mut contents)?, Some(&name))?;
                return Ok((found, contents.into_bundle()));
            }
        };
        let found = named(images(&mut contents)?, name)?;
        Ok((found, contents.into_bundle()))
    }
}

fn is_path(text: &str) -> bool {
    let extension = Path::new(text).extension().unwrap_or_default();
    text.starts_with(['/', '.', '~'])
        || ["tar", "tgz", "gz", "zst"]
            .iter()
            .any(|it| extension == *it)
}

/// Gives the only image its name, or makes sure that each has one.
fn named(
    mut images: Vec<LoadedImage>,
    name: Option<&ImageName>,
) -> Result<Vec<LoadedImage>, ImageFault> {
    if let Some(name) = name {
        // Several names of one image are no contradiction.
        let is_one = images.iter().all(|it| it.variants == images[0].variants);
        if !is_one {
            let names = images.iter().filter_map(|it| it.name.as_ref());
            let names: Vec<String> = names.map(ImageName::short).collect();
            return Err(ImageFault::SeveralImages {
                names: names.join(", "),
            });
        }
        images.truncate(1);
        images[0].name = Some(name.clone());
    }
    if images.iter().any(|image| image.name.is_none()) {
        return Err(ImageFault::NoName);
    }
    Ok(images)
}

/// Has docker or podman write an image; the first that has it counts.
fn saved(image: &str, parts: Parts) -> Result<Contents, ImageFault> {
    // Without a tag docker would save all that there are.
    let last = image.rsplit('/').next().unwrap_or(image);
    let image = if last.contains(':') {
        image.to_owned()
    } else {
        format!("{image}:latest")
    };
    let mut reasons = String::new();
    for program in PROGRAMS {
        let Ok(path) = which::which(program) else {
            continue;
        };
        if let Err(reason) = has(&path, &image) {
            let _ = write!(reasons, "\n  {program}: {reason}");
            continue;
        }
        return save(&path, program, &image, parts);
    }
    if reasons.is_empty() {
        return Err(ImageFault::NoProgram { image });
    }
    Err(ImageFault::NotSaved { image, reasons })
}

/// Asks a program for an image; the error is what it says.
fn has(program: &Path, image: &str) -> Result<(), String> {
    let output = Command::new(program)
        .args(["image", "inspect", "--format", "{{.Id}}", image])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(last_line(&output.stderr))
}

fn save(path: &Path, program: &str, image: &str, parts: Parts) -> Result<Contents, ImageFault> {
    let from = format!("{program} save {image}");
    let failed = |source| ImageFault::Read {
        from: from.clone(),
        source,
    };
    let mut child = Command::new(path)
        .args(["save", image])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut stderr = child.stderr.take();
    let said = thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(stderr) = &mut stderr {
            // What can't be read isn't told.
            let _ = stderr.read_to_end(&mut text);
        }
        text
    });
    let Some(stdout) = child.stdout.take() else {
        return Err(failed(io::ErrorKind::BrokenPipe.into()));
    };
    let contents = Contents::of_archive(stdout, &from, parts);
    let status = child.wait().map_err(failed)?;
    let said = said.join().unwrap_or_default();
    // Where it failed, its archive ends early: its own words say why.
    if !status.success() && !said.is_empty() {
        return Err(ImageFault::NotSaved {
            image: image.to_owned(),
            reasons: format!("\n  {program}: {}", last_line(&said)),
        });
    }
    contents
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it failed without a message")
        .trim()
        .to_owned()
}
