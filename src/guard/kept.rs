//! Where a process keeps data in files, and whether all of that was made since the command was started.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::guard::births::{Links, Span, there};
use crate::guard::newness::Kept;
use crate::guard::process;
use crate::guard::process::OpenFile;
use crate::guard::programs::Kind;
use crate::reach::Engine;
use crate::regular;
use crate::text::shown;

/// Files that a data folder has from its first moment on: PostgreSQL's, those of MySQL and MariaDB, MongoDB's. By them a
/// server is known whose program has another name, and one that has its processes write.
const MARKS: [&str; 5] = ["PG_VERSION", "ibdata1", "mysql.ibd", "aria_log_control", "WiredTiger"];

/// How a dump of Redis or Valkey begins, and an older log of commands.
///
/// Source: `rdb.c` (the magic string), `aof.c` (the log selects a database first).
const DUMPS: [&[u8]; 3] = [b"REDIS", b"VALKEY", b"*2\r\n$6"];

/// Finds what a process keeps, and whether all of it was made since `since`.
///
/// A server is in its data folder (PostgreSQL, MySQL, MariaDB, Redis), or has files in it open to write (whoever else). What
/// another program writes is its own: only what looks like a server's data counts.
pub(crate) fn find(process: i32, kind: Kind, since: SystemTime) -> Kept {
    let unseen = "nobody may see where it keeps its data";
    let Some(folder) = process::folder(process) else { return Kept::Unknown(unseen.to_owned()) };
    if !process::shares_files(process) {
        return Kept::Unknown("it keeps its data in a file system of its own".to_owned());
    }
    let span = Span::since(since);
    let inside = PathBuf::from(format!("/proc/{process}/cwd"));
    let found = match kind {
        Kind::Server(Engine::Redis) => dumps(span, &inside, &folder),
        _ => process::files(process).and_then(|files| {
            let written =
                if matches!(kind, Kind::Server(_)) { written(process, &folder, &files) } else { HashSet::new() };
            let open = files.iter().filter_map(|file| file.path.parent()).map(Path::to_owned).collect();
            match data(span, (inside, folder), open)? {
                kept @ (Kept::Nothing | Kept::MadeSince) => with_the_folders(span, kept, written),
                kept => Ok(kept),
            }
        }),
    };
    found.unwrap_or_else(|error| Kept::Unknown(format!("{unseen}: {error}")))
}

/// Lists the folders that a server writes to. A log, which is only ever appended to, and what stands for a standard stream
/// are no data.
///
/// Where the server was told of a folder that holds the file, it is that one: `--datadir=/srv/data`.
fn written(process: i32, folder: &Path, files: &[OpenFile]) -> HashSet<PathBuf> {
    let words = process::words(process);
    let told = words.iter().skip(1).map(|word| word.rsplit_once('=').map_or(word.as_str(), |(_, value)| value));
    let told = told.filter(|word| !word.is_empty()).filter_map(|word| fs::canonicalize(folder.join(word)).ok());
    let told: Vec<PathBuf> = told.collect();
    let data = files.iter().filter(|file| file.is_written && !file.is_appended && file.descriptor > 2);
    let top = |file: &OpenFile| {
        let own = file.path.parent()?;
        let longest = told.iter().filter(|told| own.starts_with(told)).max_by_key(|told| told.as_os_str().len());
        Some(longest.map_or(own, PathBuf::as_path).to_owned())
    };
    data.filter_map(top).collect()
}

/// Looks at folders besides what was found already.
fn with_the_folders(span: Span, found: Kept, folders: HashSet<PathBuf>) -> io::Result<Kept> {
    let mut found = found;
    for folder in folders {
        found = with_the_folder(span, folder.clone(), folder)?;
        if found != Kept::MadeSince {
            break;
        }
    }
    Ok(found)
}

/// Looks at the data folders among the folder that a process is in, as we reach it and as it is called, and others.
fn data(span: Span, own: (PathBuf, PathBuf), others: HashSet<PathBuf>) -> io::Result<Kept> {
    let others = others.into_iter().filter(|other| *other != own.1).map(|other| (other.clone(), other));
    let others: Vec<_> = others.collect();
    let mut kept = Kept::Nothing;
    for (inside, folder) in std::iter::once(own).chain(others) {
        if MARKS.iter().any(|mark| fs::symlink_metadata(inside.join(mark)).is_ok()) {
            kept = with_the_folder(span, inside, folder)?;
            if kept != Kept::MadeSince {
                break;
            }
        }
    }
    Ok(kept)
}

/// Looks at a folder and all that is in it, and at what its links lead to.
fn with_the_folder(span: Span, inside: PathBuf, folder: PathBuf) -> io::Result<Kept> {
    match there(fs::metadata(&inside))?.and_then(|found| span.unless_made_since(&found, &folder)) {
        Some(kept) => Ok(kept),
        None => span.all(inside, folder, Links::Followed),
    }
}

/// Looks at the dumps in a folder, which may hold other things, too: a dump has any name.
fn dumps(span: Span, inside: &Path, folder: &Path) -> io::Result<Kept> {
    for entry in fs::read_dir(inside)? {
        let entry = entry?;
        let (path, name) = (entry.path(), folder.join(entry.file_name()));
        let Some(found) = there(fs::metadata(&path))? else { continue };
        // Redis 7 keeps its log of commands in a folder, with a list of its parts.
        if found.is_dir() && has_a_list_of_logs(&path) {
            let kept = with_the_folder(span, path, name)?;
            if kept != Kept::MadeSince {
                return Ok(kept);
            }
        } else if found.is_file()
            && let Some(kept) = span.unless_made_since(&found, &name)
            && is_dump(&path, &name)?
        {
            return Ok(kept);
        }
    }
    Ok(Kept::Nothing)
}

fn is_dump(path: &Path, name: &Path) -> io::Result<bool> {
    let longest = DUMPS.iter().map(|dump| dump.len()).max().unwrap_or_default();
    match regular::head(path, longest) {
        Ok(head) => Ok(DUMPS.iter().any(|dump| head.starts_with(dump))),
        // What we may not read nobody of our account can, as whom the server runs.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => Ok(false),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", shown(name)))),
    }
}

fn has_a_list_of_logs(folder: &Path) -> bool {
    let is_list = |name: &OsStr| name.as_bytes().ends_with(b".manifest");
    fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(|entry| is_list(&entry.file_name())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::testing::running_cat;
    use std::os::unix::fs::symlink;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    /// Long enough for two births to differ on a clock that ticks a hundred times a second.
    const TICKS: Duration = Duration::from_millis(40);

    /// A data folder that looks like PostgreSQL's, and a moment that is after it and before what comes.
    fn older(folder: &Path) -> SystemTime {
        fs::create_dir_all(folder.join("base/5")).unwrap();
        fs::write(folder.join("PG_VERSION"), "15\n").unwrap();
        fs::write(folder.join("base/5/1259"), "rows").unwrap();
        std::thread::sleep(TICKS);
        let since = SystemTime::now();
        std::thread::sleep(TICKS);
        since
    }

    fn all(folder: &Path, since: SystemTime) -> Kept {
        data(Span::since(since), (folder.to_owned(), folder.to_owned()), HashSet::new()).unwrap()
    }

    #[test]
    fn what_is_moved_or_linked_into_a_new_folder_is_not_new() {
        let place = tempfile::tempdir().unwrap();
        let (old, new) = (place.path().join("old"), place.path().join("new"));
        let since = older(&old);
        let made = |name: &str| {
            fs::create_dir_all(new.join("base/5")).unwrap();
            fs::write(new.join("PG_VERSION"), "15\n").unwrap();
            fs::write(new.join(name), "rows").unwrap();
        };
        let not_new = |what: &Path| assert_eq!(all(&new, since), Kept::Older(what.to_owned()));
        assert_eq!(all(&old, since), Kept::Older(old.clone()));
        made("base/5/1259");
        assert_eq!(all(&new, since), Kept::MadeSince);
        // Times that anybody can set are not asked for.
        let ago = SystemTime::UNIX_EPOCH;
        let file = fs::File::options().append(true).open(new.join("PG_VERSION")).unwrap();
        file.set_modified(ago).unwrap();
        assert_eq!(all(&new, since), Kept::MadeSince);

        fs::hard_link(old.join("base/5/1259"), new.join("base/5/2600")).unwrap();
        not_new(&new.join("base/5/2600"));
        fs::remove_file(new.join("base/5/2600")).unwrap();
        symlink(old.join("base"), new.join("pg_wal")).unwrap();
        not_new(&old.join("base").canonicalize().unwrap());
        fs::remove_file(new.join("pg_wal")).unwrap();
        fs::create_dir(new.join("pg_tblspc")).unwrap();
        symlink("../../old", new.join("pg_tblspc/16384")).unwrap();
        not_new(&old.canonicalize().unwrap());
        fs::remove_file(new.join("pg_tblspc/16384")).unwrap();
        symlink("nowhere", new.join("pg_tblspc/16384")).unwrap();
        symlink("..", new.join("pg_tblspc/around")).unwrap();
        assert_eq!(all(&new, since), Kept::MadeSince);
        fs::rename(old.join("base"), new.join("base/moved")).unwrap();
        not_new(&new.join("base/moved"));
        fs::rename(new.join("base/moved"), old.join("base")).unwrap();
        // The whole of it, in its place.
        fs::remove_dir_all(&new).unwrap();
        fs::rename(&old, &new).unwrap();
        not_new(&new);
    }

    #[test]
    fn a_folder_that_is_no_servers_keeps_nothing_and_a_clock_that_was_wrong_says_nothing() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(all(place.path(), SystemTime::UNIX_EPOCH), Kept::Nothing);
        fs::write(place.path().join("WiredTiger"), "").unwrap();
        assert_eq!(all(place.path(), SystemTime::UNIX_EPOCH), Kept::MadeSince);
        let span = Span::between(SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + Duration::from_secs(1));
        let found = data(span, (place.path().to_owned(), place.path().to_owned()), HashSet::new()).unwrap();
        assert!(matches!(found, Kept::Unknown(_)), "{found:?}");
    }

    #[test]
    fn dumps_are_known_by_how_they_begin() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        fs::write(folder.join("notes.rdb"), "no dump").unwrap();
        fs::create_dir(folder.join("src")).unwrap();
        let dumps = |since| dumps(Span::since(since), folder, folder).unwrap();
        let later = || {
            std::thread::sleep(TICKS);
            SystemTime::now()
        };
        assert_eq!(dumps(later()), Kept::Nothing);
        for text in ["REDIS0011", "VALKEY080", "*2\r\n$6\r\nSELECT\r\n"] {
            fs::write(folder.join("mine"), text).unwrap();
            assert_eq!(dumps(SystemTime::UNIX_EPOCH), Kept::Nothing);
            assert_eq!(dumps(later()), Kept::Older(folder.join("mine")), "{text}");
            fs::remove_file(folder.join("mine")).unwrap();
        }
        fs::create_dir(folder.join("log")).unwrap();
        fs::write(folder.join("log/appendonly.aof.manifest"), "").unwrap();
        assert_eq!(dumps(SystemTime::UNIX_EPOCH), Kept::Nothing);
        assert_eq!(dumps(later()), Kept::Older(folder.join("log")));
    }

    /// A process that is in one folder and has a file of another open.
    fn process(inside: &Path, file: &Path) -> (Child, i32) {
        let file = fs::File::open(file).unwrap();
        let child = running_cat(|cat| cat.current_dir(inside).stderr(file));
        let id = i32::try_from(child.id()).unwrap();
        (child, id)
    }

    #[test]
    fn a_servers_data_is_where_it_is_and_where_it_has_files_open() {
        let place = tempfile::tempdir().unwrap();
        let (old, plain) = (place.path().join("old"), place.path().join("plain"));
        let since = older(&old);
        fs::create_dir(&plain).unwrap();
        fs::write(plain.join("file"), "").unwrap();
        let real = old.canonicalize().unwrap();
        for (inside, file, expected) in [
            (&old, plain.join("file"), Kept::Older(real.clone())),
            (&plain, old.join("PG_VERSION"), Kept::Older(real.clone())),
            (&plain, plain.join("file"), Kept::Nothing),
        ] {
            let (mut child, id) = process(inside, &file);
            assert_eq!(find(id, Kind::Other, since), expected, "{inside:?} {file:?}");
            drop(child.stdin.take());
            child.wait().unwrap();
            assert!(matches!(find(id, Kind::Other, since), Kept::Unknown(_)), "it has ended");
        }
    }

    /// What a process keeps that opens a file in these words of a shell, as a server and as another program; `{}` in its
    /// argument is the place.
    fn kept_by(place: &Path, open: &str, argument: &str, since: SystemTime) -> [Kept; 2] {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{open}; echo; read end"), "server"]);
        command.arg(argument.replace("{}", place.to_str().unwrap()));
        let mut child = command
            .current_dir(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut begun = [0];
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut begun).unwrap();
        let id = i32::try_from(child.id()).unwrap();
        let kept = [Kind::Server(Engine::Clickhouse), Kind::Other].map(|kind| find(id, kind, since));
        drop(child.stdin.take());
        child.wait().unwrap();
        kept
    }

    #[test]
    fn where_a_server_of_any_engine_writes_it_keeps_its_data() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        for folder in ["old/parts", "mixed"] {
            fs::create_dir_all(place.join(folder)).unwrap();
        }
        for file in ["old/status", "old/parts/rows", "mixed/rows", "server.log"] {
            fs::write(place.join(file), "").unwrap();
        }
        std::thread::sleep(TICKS);
        let since = SystemTime::now();
        std::thread::sleep(TICKS);
        for folder in ["new/parts", "old/since"] {
            fs::create_dir_all(place.join(folder)).unwrap();
        }
        let older = |path: &str| Kept::Older(place.join(path));
        for (open, argument, expected) in [
            ("exec 7<>new/status", "", Kept::MadeSince),
            ("exec 7<>new/parts/rows 8>>server.log", "--path={}/new", Kept::MadeSince),
            // It is there and nothing more.
            ("exec 7<old/status", "", Kept::Nothing),
            ("exec 8>>server.log", "", Kept::Nothing),
            ("exec 7>gone; rm gone", "", Kept::Nothing),
            ("exec 7<>old/status", "", older("old")),
            ("exec 7<>new/status 8<>old/parts/rows", "", older("old/parts")),
            // A folder that is new in one that it was told of, and a file that is new in a folder.
            ("exec 7<>old/since/rows", "--path={}/old", older("old")),
            ("exec 7<>old/since/rows", "old", older("old")),
            ("exec 7<>old/since/rows", "--path={}/mixed", Kept::MadeSince),
            ("exec 7<>mixed/since", "", older("mixed")),
        ] {
            let kept = kept_by(&place, open, argument, since);
            assert_eq!(kept, [expected, Kept::Nothing], "{open} {argument}");
        }
    }
}
