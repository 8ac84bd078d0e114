//! Writes a folder as a compressed archive, and reads one back.

use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tar::{Archive, Builder, EntryType, Header};

use crate::regular;
use crate::snapshot::Watch;
use crate::snapshot::dump_error::DumpError;
use crate::snapshot::dump_stream::{Hashing, PIECE, compressor};
use crate::snapshot::folder::error::FolderError;
use crate::snapshot::folder::listing::{Entry, EntryKind, Listing, Rest};

/// Writes what the listing of `root` says to `file`, and syncs it: its size and hash.
///
/// A file that grew is saved as long as it was; one that went meanwhile, or became shorter, is an error.
///
/// # Errors
///
/// A file cannot be read, or the archive not be written; the watch asks to stop.
pub(crate) fn write(
    root: &Path,
    listing: &Listing,
    file: &File,
    output: &Path,
    watch: &dyn Watch,
) -> Result<(u64, String), FolderError> {
    let failed = || FolderError::file("write", output);
    let mut archive = Builder::new(compressor(Hashing::new(file)).map_err(failed())?);
    for entry in &listing.entries {
        if watch.interrupted() {
            return Err(FolderError::Interrupted);
        }
        let at = root.join(&entry.path);
        // The folder itself is called so in an archive of it.
        let name = if entry.path.as_os_str().is_empty() { Path::new(".") } else { &entry.path };
        let mut header = header(entry);
        match &entry.kind {
            EntryKind::Folder => archive.append_data(&mut header, name, io::empty()).map_err(failed())?,
            EntryKind::Link(to) => archive.append_link(&mut header, name, to).map_err(failed())?,
            EntryKind::File => {
                let opened = regular::open_own(&at).map_err(FolderError::file("read", &at))?;
                let mut content = Content { file: opened.take(entry.size), left: entry.size, failed: None, watch };
                let written = archive.append_data(&mut header, name, &mut content);
                match (content.failed.take(), content.left) {
                    (Some(error), _) if watch.interrupted() => {
                        drop(error);
                        return Err(FolderError::Interrupted);
                    }
                    (Some(error), _) => return Err(FolderError::file("read", &at)(error)),
                    (None, 1..) if written.is_ok() => return Err(FolderError::Changed { path: at }),
                    (None, _) => written.map_err(failed())?,
                }
            }
        }
    }
    let encoder = archive.into_inner().map_err(failed())?;
    let written = encoder.finish().map_err(failed())?.finish();
    file.sync_all().map_err(FolderError::file("sync", output))?;
    Ok(written)
}

fn header(entry: &Entry) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(match entry.kind {
        EntryKind::Folder => EntryType::Directory,
        EntryKind::File => EntryType::Regular,
        EntryKind::Link(_) => EntryType::Symlink,
    });
    header.set_size(entry.size);
    header.set_mode(entry.mode);
    header.set_uid(entry.rest.owner.0.into());
    header.set_gid(entry.rest.owner.1.into());
    header.set_mtime(u64::try_from(entry.rest.modified.0).unwrap_or_default());
    header
}

/// A file's content, of which it is known what was read and what went wrong with that.
struct Content<'w> {
    file: io::Take<File>,
    left: u64,
    failed: Option<io::Error>,
    watch: &'w dyn Watch,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = if self.watch.interrupted() { Err(io::ErrorKind::Other.into()) } else { self.file.read(buffer) };
        match read {
            Ok(read) => {
                self.left -= read as u64;
                self.watch.advance(read as u64);
                Ok(read)
            }
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }
}

/// Reads an archive to its end: the things in it, and the hash of its bytes.
///
/// # Errors
///
/// It cannot be read at all, or is damaged; the watch asks to stop.
pub(crate) fn read(path: &Path, watch: &dyn Watch) -> Result<(Vec<Entry>, String), FolderError> {
    let damaged = |error: io::Error| DumpError::Damaged { path: path.to_owned(), reason: error.to_string() };
    let mut archive = open(path)?;
    let (mut entries, mut piece) = (Vec::new(), vec![0; PIECE]);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        entries.push(listed(&entry).map_err(damaged)?);
        while let read @ 1.. = entry.read(&mut piece).map_err(damaged)? {
            watch.advance(read as u64);
            if watch.interrupted() {
                return Err(FolderError::Interrupted);
            }
        }
    }
    Ok((entries, finish(archive).map_err(damaged)?))
}

/// Unpacks an archive, which holds `entries`, into a folder that is there and empty; gives the hash of its bytes. Owners are
/// set where the caller may.
///
/// # Errors
///
/// As for [`read`]; what was unpacked by then is left.
pub(crate) fn unpack(path: &Path, entries: &[Entry], into: &Path) -> Result<String, FolderError> {
    let mut archive = open(path)?;
    let failed = || FolderError::file("unpack into", into);
    let sets_owners = rustix::process::geteuid().is_root();
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(true);
    archive.set_preserve_ownerships(sets_owners);
    archive.unpack(into).map_err(failed())?;
    // What the library leaves: the folder itself, and the times of folders, which change with what is put into them.
    for entry in entries.iter().rev().filter(|entry| entry.kind == EntryKind::Folder) {
        let at = into.join(&entry.path);
        if entry.path.as_os_str().is_empty() {
            if sets_owners {
                lchown(&at, Some(entry.rest.owner.0), Some(entry.rest.owner.1)).map_err(failed())?;
            }
            fs::set_permissions(&at, Permissions::from_mode(entry.mode)).map_err(failed())?;
        }
        let time = Timespec { tv_sec: entry.rest.modified.0, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        utimensat(CWD, &at, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| failed()(error.into()))?;
    }
    let damaged = |error: io::Error| DumpError::Damaged { path: path.to_owned(), reason: error.to_string() };
    Ok(finish(archive).map_err(damaged)?)
}

type Opened = Archive<zstd::Decoder<'static, BufReader<Hashing<File>>>>;

fn open(path: &Path) -> Result<Opened, DumpError> {
    let file = regular::open_own(path).map_err(DumpError::file("read", path))?;
    let decoder = zstd::Decoder::new(Hashing::new(file)).map_err(DumpError::file("read", path))?;
    Ok(Archive::new(decoder))
}

/// Reads what stands behind the last entry, and gives the hash of all.
fn finish(archive: Opened) -> io::Result<String> {
    let mut decoder = archive.into_inner();
    io::copy(&mut decoder, &mut io::sink())?;
    let mut file = decoder.finish().into_inner();
    io::copy(&mut file, &mut io::sink())?;
    Ok(file.finish().1)
}

fn listed(entry: &tar::Entry<'_, impl Read>) -> io::Result<Entry> {
    let header = entry.header();
    let kind = match header.entry_type() {
        EntryType::Directory => EntryKind::Folder,
        EntryType::Regular => EntryKind::File,
        EntryType::Symlink => EntryKind::Link(entry.link_name()?.unwrap_or_default().into_owned()),
        _ => return Err(io::Error::other("it holds what is neither file, folder nor link")),
    };
    let path = entry.path()?;
    let path =
        if path == Path::new(".") || path == Path::new("./") { Path::new("").to_owned() } else { path.into_owned() };
    let mode = if matches!(kind, EntryKind::Link(_)) { 0 } else { header.mode()? & 0o7777 };
    let id = |id: u64| u32::try_from(id).map_err(io::Error::other);
    let owner = (id(header.uid()?)?, id(header.gid()?)?);
    let modified = (i64::try_from(header.mtime()?).map_err(io::Error::other)?, 0);
    Ok(Entry { path, kind, mode, size: entry.size(), rest: Rest { owner, modified, ..Rest::default() } })
}
