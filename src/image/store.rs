//! The images on this computer.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::adopt::Adoption;
use super::catalog::Catalog;
use super::error::{ImageError, file_error};
use super::kind::{Image, ImageKind};
use super::lock::Lock;
use super::progress::{Progress, Report};
use super::record::{Entry, Record};
use super::reference::ImageReference;
use super::request::{Request, Source};
use super::users;
use crate::diagnostic::Diagnostic;
use crate::download::Patience;
use crate::resource::Sha256;

/// Digits of a hash that are enough to name an image.
const SHORTEST_HASH: usize = 6;

/// A folder of images.
#[derive(Clone, Debug)]
pub struct ImageStore {
    pub(super) directory: PathBuf,
    catalog: Catalog,
    pub(super) patience: Patience,
}

/// An image in the store, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    pub image: Image,
    /// What it takes on disk, in bytes.
    pub size: u64,
    /// Whether its files are the user's own, used where they are.
    pub in_place: bool,
    /// Whether the catalog has another build under its name.
    pub outdated: bool,
    /// The folders of the labs that use it.
    pub labs: Vec<PathBuf>,
    /// Whether all of it is still there, as it was.
    pub whole: bool,
}

impl ImageStore {
    /// Opens the store in a folder, which need not exist yet.
    pub fn at(directory: PathBuf) -> Result<Self, Diagnostic> {
        Ok(Self::with_catalog(directory, Catalog::embedded()?))
    }

    /// As [`ImageStore::at`], with another catalog.
    pub fn with_catalog(directory: PathBuf, catalog: Catalog) -> Self {
        Self {
            directory,
            catalog,
            patience: Patience::default(),
        }
    }

    /// Changes how long downloads are tried.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Returns the folder that all of it is in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps other kinstalls of this user from what the labs share in a hypervisor, as the images in it; ends with
    /// the file. `waiting` is called before it waits for one.
    pub fn lock_imports(&self, waiting: impl FnOnce()) -> io::Result<File> {
        fs::create_dir_all(&self.directory)?;
        let mut options = File::options();
        let path = self.directory.join("imports.lock");
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        if file.try_lock().is_err() {
            waiting();
            file.lock()?;
        }
        Ok(file)
    }

    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the image that a reference names if it is here already. Asks no server, reads no file of
    /// the user's and changes nothing; a name or a path that leads nowhere is an error.
    pub fn find(&self, reference: &ImageReference) -> Result<Option<Image>, ImageError> {
        let (found, _) = self.look_up(reference)?;
        if let (None, ImageReference::File { path, .. }) = (&found, reference) {
            fs::metadata(path).map_err(|source| file_error("read", path, source))?;
        }
        Ok(found.map(|entry| entry.image()))
    }

    /// Returns the image that a reference names; downloads, checks and unpacks it if it isn't here.
    ///
    /// What is interrupted is gone on with the next time, and counts only when it is complete. Can be
    /// called from several threads and programs at once.
    pub fn fetch(
        &self,
        reference: &ImageReference,
        report: &Report<'_>,
    ) -> Result<Image, ImageError> {
        let (found, request) = self.look_up(reference)?;
        if let Some(notice) = request.as_ref().and_then(|it| it.notice.as_deref()) {
            report(&reference.short_name(), Progress::Notice(notice));
        }
        match (found, request) {
            (Some(entry), _) => Ok(entry.image()),
            (None, Some(request)) => Ok(self.obtain(&request, report)?.image()),
            // Names that the user gave are always those of an entry.
            (None, None) => Err(ImageError::NotStored {
                name: reference.short_name(),
            }),
        }
    }

    /// As [`ImageStore::fetch`], and gives the image a name, which it takes from any other.
    pub fn add(
        &self,
        reference: &ImageReference,
        name: Option<&str>,
        report: &Report<'_>,
    ) -> Result<Image, ImageError> {
        if let Some(name) = name {
            self.check_name(name)?;
        }
        let image = self.fetch(reference, report)?;
        let Some(name) = name else { return Ok(image) };
        let _lock = self.lock(name, report)?;
        let mut named = image;
        for mut entry in Entry::all(&self.directory)? {
            let is_new = entry.sha256 == named.sha256;
            if entry.is_named(name) == is_new {
                continue;
            }
            entry.record.names.retain(|it| it != name);
            if is_new {
                entry.record.names.insert(0, name.to_owned());
                named = entry.image();
            }
            save(&entry)?;
        }
        Ok(named)
    }

    /// Removes an image from the store, by a name or the beginning of its hash. A file of the user's
    /// that was used where it is stays.
    pub fn remove(&self, name: &str, report: &Report<'_>) -> Result<Image, ImageError> {
        let _lock = self.lock(name, report)?;
        let all = Entry::all(&self.directory)?;
        let is_named =
            |it: &&Entry| it.is_named(name) || it.record.catalog_name.as_deref() == Some(name);
        let mut meant: Vec<&Entry> = all.iter().filter(is_named).collect();
        let digits = name.strip_prefix("sha256:").unwrap_or(name).to_lowercase();
        if meant.is_empty() && digits.len() >= SHORTEST_HASH {
            let by_hash = |it: &&Entry| it.sha256.to_string().starts_with(&digits);
            meant.extend(all.iter().filter(by_hash));
        }
        let name = name.to_owned();
        let entry = match meant.as_slice() {
            [entry] => entry,
            [] => return Err(ImageError::NotStored { name }),
            several => {
                let hashes = several.iter().map(|it| it.sha256).collect();
                return Err(ImageError::Ambiguous { name, hashes });
            }
        };
        let labs = users::list(&entry.folder);
        if !labs.is_empty() {
            return Err(ImageError::InUse { name, labs });
        }
        // Out of sight first: what is half removed must not be taken for whole.
        let doomed = self.work().join(format!("removed-{}", entry.sha256));
        fs::create_dir_all(self.work())
            .and_then(|()| fs::rename(&entry.folder, &doomed))
            .and_then(|()| fs::remove_dir_all(&doomed))
            .map_err(|source| file_error("remove", &entry.folder, source))?;
        Ok(entry.image())
    }

    /// Returns all images that are here, sorted by name.
    pub fn list(&self) -> Result<Vec<StoredImage>, ImageError> {
        let is_current = |entry: &Entry| {
            let name = entry.record.catalog_name.as_ref()?;
            let file = self.catalog.images.get(name)?.file()?;
            Some(entry.has(&file.digest))
        };
        let stored = |entry: Entry| StoredImage {
            outdated: entry.record.catalog_name.is_some() && is_current(&entry) != Some(true),
            image: entry.image(),
            size: entry.size(),
            in_place: entry.is_in_place(),
            labs: users::list(&entry.folder),
            whole: entry.is_whole(),
        };
        let entries = Entry::all(&self.directory)?;
        let mut all: Vec<StoredImage> = entries.into_iter().map(stored).collect();
        all.sort_by(|a, b| {
            (a.image.name.is_none(), &a.image.name).cmp(&(b.image.name.is_none(), &b.image.name))
        });
        Ok(all)
    }

    /// Writes down that the machines of a lab stand on the image, so that it can't be removed while
    /// the lab's folder is there.
    pub fn use_by(&self, image: &Image, lab: &Path) -> Result<(), ImageError> {
        let folder = self.folder(image.sha256);
        users::add(&folder, lab).map_err(|source| file_error("write to", &folder, source))
    }

    /// Forgets what [`ImageStore::use_by`] wrote down for a lab.
    pub fn release(&self, lab: &Path) -> Result<(), ImageError> {
        for entry in Entry::all(&self.directory)? {
            users::remove(&entry.folder, lab)
                .map_err(|source| file_error("write to", &entry.folder, source))?;
        }
        Ok(())
    }

    /// Looks a reference up among what is here. The request is there for all but the user's own names.
    fn look_up(
        &self,
        reference: &ImageReference,
    ) -> Result<(Option<Entry>, Option<Request>), ImageError> {
        let entries = Entry::all(&self.directory)?;
        if let ImageReference::Name(name) = reference
            && let Some(entry) = entries.iter().find(|it| it.is_named(name))
        {
            if entry.is_whole() {
                return Ok((Some(entry.clone()), None));
            }
            return Err(damaged(entry, name));
        }
        let names: Vec<String> = entries
            .iter()
            .flat_map(|it| it.record.names.clone())
            .collect();
        let request = Request::new(reference, &self.catalog, &names)?;
        let found = entries
            .into_iter()
            .find(|it| it.answers(&request) && it.is_whole());
        Ok((found, Some(request)))
    }

    /// Gets an image that isn't here, one at a time.
    fn obtain(&self, request: &Request, report: &Report<'_>) -> Result<Entry, ImageError> {
        let _lock = self.lock(&request.label, report)?;
        // Another program may have got it meanwhile.
        let mut all = Entry::all(&self.directory)?.into_iter();
        if let Some(entry) = all.find(|it| it.answers(request) && it.is_whole()) {
            return Ok(entry);
        }
        let adoption = Adoption {
            store: self,
            request,
            report,
        };
        let outcome = match &request.source {
            Source::File(path) => adoption.file(path),
            Source::Urls(urls) => adoption.download(urls),
        };
        // Half a box may be large; what can't be removed now is swept later.
        let _ = fs::remove_dir_all(self.work());
        outcome
    }

    fn check_name(&self, name: &str) -> Result<(), ImageError> {
        let bad = |why| ImageError::BadName {
            name: name.into(),
            why,
        };
        match ImageReference::parse(name, Path::new("")) {
            Ok(ImageReference::Name(plain)) if plain == name => {}
            _ => return Err(bad("it would be taken for a path or an address")),
        }
        if self.catalog.images.contains_key(name) {
            return Err(bad("kinstall's catalog has an image of this name"));
        }
        Ok(())
    }

    /// Keeps other programs and threads from changing the store, and sweeps what a dead one left.
    fn lock(&self, label: &str, report: &Report<'_>) -> Result<Lock, ImageError> {
        let path = self.directory.join("lock");
        let failed = |source| file_error("lock", &path, source);
        fs::create_dir_all(&self.directory).map_err(failed)?;
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                report(label, Progress::Waiting);
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        match fs::remove_dir_all(self.work()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file_error("clean up", &self.work(), error))
            }
            _ => Ok(Lock(file)),
        }
    }

    pub(super) fn folder(&self, sha256: Sha256) -> PathBuf {
        self.directory.join(sha256.to_string())
    }

    /// The folder of what isn't complete; swept by the next that takes the lock.
    pub(super) fn work(&self) -> PathBuf {
        self.directory.join("work")
    }
}

impl Entry {
    /// Tells if this is the image that is asked for, as far as can be told without reading it again.
    fn answers(&self, request: &Request) -> bool {
        if let Some(digest) = request.digest()
            && self.has(digest)
        {
            return true;
        }
        match &request.source {
            Source::File(path) if request.checksum.is_none() => {
                let is_it = |path: &Path| {
                    let mut known = self.record.local.iter();
                    known.any(|it| it.path == path && it.is_current())
                };
                fs::canonicalize(path).is_ok_and(|path| is_it(&path))
            }
            Source::File(_) => false,
            Source::Urls(_) => {
                let reference = request.reference();
                reference.is_some_and(|it| self.record.references.contains(&it))
            }
        }
    }
}

/// Writes down more of an image that is here; the lock is held.
pub(super) fn learn(
    mut entry: Entry,
    change: impl FnOnce(&mut Record),
) -> Result<Entry, ImageError> {
    let before = entry.record.clone();
    change(&mut entry.record);
    if entry.record != before {
        save(&entry)?;
    }
    Ok(entry)
}

fn save(entry: &Entry) -> Result<(), ImageError> {
    (entry.record.write(&entry.folder))
        .map_err(|source| file_error("write to", &entry.folder, source))
}

/// Says which file of an image that the user named is gone or different.
fn damaged(entry: &Entry, name: &str) -> ImageError {
    let changed = entry.record.local.iter().find(|it| !it.is_current());
    match (entry.is_in_place(), changed) {
        (true, Some(file)) => ImageError::Gone {
            name: name.into(),
            path: file.path.clone(),
        },
        _ => ImageError::Gone {
            name: name.into(),
            path: entry.folder.clone(),
        },
    }
}

impl StoredImage {
    /// Returns what the machine sees as its disk's size, in bytes.
    pub fn virtual_size(&self) -> u64 {
        self.image.boot_disk().virtual_size
    }

    pub fn kind(&self) -> &ImageKind {
        &self.image.kind
    }
}
