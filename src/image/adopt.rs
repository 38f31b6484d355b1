//! Makes an image of the store out of a download or a file of the user's.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::appliance;
use super::archive;
use super::checksum_list::ChecksumList;
use super::error::{ImageError, file_error};
use super::kind::ImageKind;
use super::local_files::{self, FileStamp};
use super::probe::{Content, Packing, probe};
use super::probe_error::ProbeError;
use super::progress::{Progress, Report};
use super::record::{Entry, Record};
use super::reference::{Checksum, Location};
use super::request::Request;
use super::store::{ImageStore, learn};
use crate::digest::{self, Algorithm, Digest};
use crate::download::{self, Download, DownloadError, Server};
use crate::resource::Sha256;

/// One image on its way into the store, whose lock is held.
pub(super) struct Adoption<'a> {
    pub store: &'a ImageStore,
    pub request: &'a Request,
    pub report: &'a Report<'a>,
}

impl Adoption<'_> {
    /// Downloads a file from the first address that has it.
    pub(super) fn download(&self, urls: &[String]) -> Result<Entry, ImageError> {
        let digest = self.expected(urls.first().map_or("", String::as_str))?;
        // Where every address has a hash, this one has it too.
        let Some(digest) = digest else {
            return Err(ImageError::NotStored {
                name: self.request.label.clone(),
            });
        };
        if let Some(entry) = self.known(&digest)? {
            return self.remember(entry);
        }
        let path = self.fetch(urls, &digest)?;
        let digests = local_files::hash(&[Algorithm::Sha256], std::slice::from_ref(&path));
        let digests = digests.map_err(|source| file_error("read", &path, source))?;
        let sha256 = sha256(&digests[0])?;
        let adopted = self.take(&path, sha256, &digest);
        if adopted.is_err() {
            // It is what it should be and yet of no use: to keep it helps nobody.
            let _ = fs::remove_file(&path);
        }
        adopted
    }

    /// Takes in a file of the user's: a disk stays where it is, an archive is unpacked.
    pub(super) fn file(&self, path: &Path) -> Result<Entry, ImageError> {
        let path = fs::canonicalize(path).map_err(|source| file_error("find", path, source))?;
        let content = self.content(&path)?;
        let (kind, files) = self.in_place(&path, &content)?;
        let read_error = |source| file_error("read", &path, source);
        let stamps: Result<Vec<_>, _> = files.iter().map(|it| FileStamp::of(it)).collect();
        let stamps = stamps.map_err(read_error)?;
        (self.report)(&self.request.label, Progress::Hashing);
        let digests = local_files::hash(&[Algorithm::Sha256, Algorithm::Sha512], &files);
        let digests = digests.map_err(read_error)?;
        let sha256 = sha256(&digests[0])?;
        self.check(&path, &digests, files.len())?;
        let known = Entry::read(sha256, self.store.folder(sha256))?;
        if let Some(entry) = known.filter(|it| !it.is_in_place() && it.is_whole()) {
            return learn(entry, |record| record.local = stamps);
        }
        let mut record = match (kind, content) {
            (Some(kind), _) => Record::new(kind),
            (None, Content::Archive(packing)) => self.unpacked(&path, packing, sha256)?,
            // `in_place` gives a kind for all others.
            (None, _) => return Err(self.unusable(ProbeError::Unknown)),
        };
        record.local = stamps;
        record.digests.extend(digests.into_iter().skip(1));
        self.publish(sha256, record)
    }

    /// Compares a file of the user's with the hash that the reference gives, which is that of the first
    /// of several files.
    fn check(&self, path: &Path, digests: &[Digest], files: usize) -> Result<(), ImageError> {
        let Some(expected) = self.expected(&path.to_string_lossy())? else {
            return Ok(());
        };
        let is_same_kind = |it: &&Digest| files == 1 && it.algorithm() == expected.algorithm();
        let actual = match digests.iter().find(is_same_kind) {
            Some(digest) => digest.clone(),
            None => File::open(path)
                .and_then(|file| digest::of_reader(expected.algorithm(), file))
                .map_err(|source| file_error("read", path, source))?,
        };
        if actual == expected {
            return Ok(());
        }
        Err(ImageError::Hash {
            path: path.into(),
            expected,
            actual,
        })
    }

    /// Returns the kind and the files of what is used where it is; of an archive the file only.
    fn in_place(
        &self,
        path: &Path,
        content: &Content,
    ) -> Result<(Option<ImageKind>, Vec<PathBuf>), ImageError> {
        let mut files = vec![path.to_owned()];
        let kind = match content {
            Content::Archive(_) => None,
            Content::Disk { disk, extents } => {
                files.extend(extents.iter().cloned());
                Some(ImageKind::Disk(disk.clone()))
            }
            Content::Ovf => {
                let (kind, beside) = appliance::beside(path).map_err(|source| self.bad(source))?;
                files.extend(beside);
                Some(kind)
            }
        };
        Ok((kind, files))
    }

    /// Moves a downloaded file into the store, unpacked if it is an archive.
    fn take(&self, path: &Path, sha256: Sha256, digest: &Digest) -> Result<Entry, ImageError> {
        let mut record = match self.content(path)? {
            Content::Archive(packing) => {
                let record = self.unpacked(path, packing, sha256)?;
                // Done with; the next sweep of the cache needn't know of it.
                let _ = fs::remove_file(path);
                record
            }
            Content::Disk { mut disk, extents } if extents.is_empty() => {
                let name = format!("disk.{}", disk.format.name());
                let work = self.work(sha256)?;
                fs::rename(path, work.join(&name))
                    .map_err(|source| file_error("move", path, source))?;
                disk.path = name.into();
                Record::new(ImageKind::Disk(disk))
            }
            Content::Disk { .. } | Content::Ovf => {
                return Err(self.unusable(ProbeError::Other(
                    "only a description, whose disk is in other files",
                )));
            }
        };
        if *digest != sha256.into() {
            record.digests.push(digest.clone());
        }
        self.publish(sha256, record)
    }

    fn unpacked(
        &self,
        path: &Path,
        packing: Packing,
        sha256: Sha256,
    ) -> Result<Record, ImageError> {
        (self.report)(&self.request.label, Progress::Unpacking);
        let work = self.work(sha256)?;
        let names = archive::unpack(path, packing, &work).map_err(|source| {
            let image = self.request.label.clone();
            ImageError::Archive { image, source }
        })?;
        let kind = appliance::read(&work, &names).map_err(|source| self.bad(source))?;
        let below = |path: &Path| path.strip_prefix(&work).unwrap_or(path).to_owned();
        Ok(Record::new(kind.with_paths(below)))
    }

    /// Gives what was put together in the work folder its place.
    fn publish(&self, sha256: Sha256, mut record: Record) -> Result<Entry, ImageError> {
        let (work, folder) = (self.work(sha256)?, self.store.folder(sha256));
        let failed = |source| file_error("write to", &work, source);
        // A file that the user brought may be one of the catalog's as well.
        let known = self
            .store
            .catalog()
            .of_hash(|it| *it == sha256.into() || record.digests.contains(it));
        if let Some((name, image)) = known {
            record.catalog_name = Some(name.to_owned());
            record.user = Some(image.user.clone());
        }
        record.references.extend(self.request.reference());
        for entry in fs::read_dir(&work).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let size = entry.metadata().map_err(failed)?.len();
            record.files.insert(name, size);
        }
        if let Some(old) = Entry::read(sha256, folder.clone())? {
            record.names = old.record.names;
            let users = folder.join("users");
            if users.is_dir() {
                fs::rename(users, work.join("users")).map_err(failed)?;
            }
        }
        record.write(&work).map_err(failed)?;
        if folder.exists() {
            let old = self.store.work().join("old");
            fs::rename(&folder, old).map_err(failed)?;
        }
        fs::rename(&work, &folder).map_err(failed)?;
        Ok(Entry {
            sha256,
            folder,
            record,
        })
    }

    /// Returns the hash that the file has to have; asks for the list where it stands in one.
    fn expected(&self, file: &str) -> Result<Option<Digest>, ImageError> {
        let location = match &self.request.checksum {
            None => return Ok(None),
            Some(Checksum::Digest(digest)) => return Ok(Some(digest.clone())),
            Some(Checksum::List(location)) => location,
        };
        let image = || self.request.label.clone();
        let text = match location {
            Location::Path(path) => {
                fs::read_to_string(path).map_err(|source| file_error("read", path, source))?
            }
            Location::Url(url) => {
                let news = |progress: download::Progress<'_>| self.news(progress);
                download::text(url, self.store.patience, &news).map_err(|source| {
                    let (image, source) = (image(), Box::new(source));
                    ImageError::List { image, source }
                })?
            }
        };
        let name = Location::Url(file.replace('\\', "/")).file_name();
        match ChecksumList::parse(&text).find(&name) {
            Ok(digest) => Ok(Some(digest.clone())),
            Err(source) => Err(ImageError::Unlisted {
                image: image(),
                list: location.to_string(),
                source,
            }),
        }
    }

    fn fetch(&self, urls: &[String], digest: &Digest) -> Result<PathBuf, ImageError> {
        let folder = self.store.directory.join("downloads");
        let mut first = None;
        for url in urls {
            let download = Download {
                url,
                digest,
                server: &Server::default(),
                patience: self.store.patience,
            };
            let error = match download.fetch(&folder, &|progress| self.news(progress)) {
                Ok(path) => return Ok(path),
                Err(error) => error,
            };
            // Another server doesn't make room on this disk.
            let is_ours = matches!(error, DownloadError::Write { .. });
            (self.report)(&self.request.label, Progress::Retry(&error.to_string()));
            first.get_or_insert(error);
            if is_ours {
                break;
            }
        }
        let image = self.request.label.clone();
        Err(match first {
            Some(source) => ImageError::Download {
                image,
                source: Box::new(source),
                newest: self.request.newest.clone(),
            },
            None => ImageError::NotStored { name: image },
        })
    }

    fn known(&self, digest: &Digest) -> Result<Option<Entry>, ImageError> {
        let mut all = Entry::all(&self.store.directory)?.into_iter();
        Ok(all.find(|it| it.has(digest) && it.is_whole()))
    }

    fn remember(&self, entry: Entry) -> Result<Entry, ImageError> {
        learn(entry, |record| {
            record.references.extend(self.request.reference());
        })
    }

    fn content(&self, path: &Path) -> Result<Content, ImageError> {
        probe(path).map_err(|error| self.unusable(error))
    }

    fn work(&self, sha256: Sha256) -> Result<PathBuf, ImageError> {
        let work = self.store.work().join(sha256.to_string());
        fs::create_dir_all(&work).map_err(|source| file_error("create", &work, source))?;
        Ok(work)
    }

    fn news(&self, progress: download::Progress<'_>) {
        let progress = match progress {
            download::Progress::Bytes { done, total } => Progress::Downloading { done, total },
            download::Progress::Retry { reason } => Progress::Retry(reason),
        };
        (self.report)(&self.request.label, progress);
    }

    fn unusable(&self, source: ProbeError) -> ImageError {
        let image = self.request.label.clone();
        ImageError::Unusable { image, source }
    }

    fn bad(&self, source: appliance::ApplianceError) -> ImageError {
        let image = self.request.label.clone();
        ImageError::Appliance { image, source }
    }
}

/// Returns a digest of this kind as the name of an image.
fn sha256(digest: &Digest) -> Result<Sha256, ImageError> {
    let wrong = |_| {
        file_error(
            "hash",
            Path::new(digest.hex()),
            io::Error::other("no sha256"),
        )
    };
    digest.hex().parse().map_err(wrong)
}
