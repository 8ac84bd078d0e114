//! Reads an RDB file whole: what it holds, and that its own checksum fits.
//!
//! A file is read once when it is saved and whenever it is verified: then keys are counted, and values are read past. Two
//! files are compared by sums of what their keys hold, whatever forms a server has written that in.
//!
//! Source: Redis, `src/rdb.h` and `src/rdb.c`, as of the versions that are listed at [`NEWEST`].

mod packed;
mod source;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use sha2::{Digest, Sha256};

use crate::snapshot::redis::rdb::source::Source;
use crate::snapshot::redis::rdb::value::{Sum, add, half, module, module_name};
use crate::text::shown;

/// The newest form of the file that is understood: of Redis 7.4; Valkey 7.2 to 8.1 write the one before. It differs by the
/// values that it adds, hashes whose fields have times of their own, which are not understood.
pub(crate) const NEWEST: u32 = 12;

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The form of the file.
    pub(crate) form: u32,
    /// The databases that hold keys.
    pub(crate) databases: BTreeMap<u64, Keys>,
    /// Libraries of functions.
    pub(crate) libraries: u64,
    /// What they are summed to, where that was asked for.
    pub(crate) libraries_sum: u128,
    /// The modules that wrote something into it.
    pub(crate) modules: BTreeSet<String>,
    /// How far the server's changes had come: the history's name, and the offset in it.
    pub(crate) offset: Option<(String, u64)>,
}

/// The keys of a database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) count: u64,
    /// Those whose time runs out.
    pub(crate) expiring: u64,
    /// What they are summed to, where that was asked for.
    pub(crate) sum: u128,
}

/// What is to be made of keys.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keeping {
    /// They are counted.
    Count,
    /// They are counted and summed, but for those whose time is over by then, in milliseconds since 1970.
    Sum { over: u64 },
}

/// Reads a file to its end.
///
/// # Errors
///
/// What is wrong with it, a phrase: it is no such file, newer than is understood, cut off, damaged; something follows it.
pub(crate) fn read(from: &mut dyn Read, keeping: Keeping) -> Result<Held, String> {
    let mut source = Source::new(from);
    let mut held = Held { form: begin(&mut source)?, ..Held::default() };
    let (mut database, mut expires) = (0, None);
    loop {
        match source.byte()? {
            255 => break,
            254 => database = source.length()?,
            253 => expires = Some(u64::from(u32::from_le_bytes(source.bytes()?)) * 1000),
            252 => expires = Some(u64::from_le_bytes(source.bytes()?)),
            // A hint how many keys follow.
            251 => drop((source.length()?, source.length()?)),
            250 => auxiliary(&mut source, &mut held)?,
            // How often, or how long ago, the key that follows was used.
            249 => drop(source.byte()?),
            248 => drop(source.length()?),
            247 => {
                held.modules.insert(module_name(source.length()?));
                for _ in 0..2 {
                    source.length()?;
                }
                module(&mut source, &mut Sum::new(false))?;
            }
            245 => {
                let library = source.string(true)?;
                held.libraries += 1;
                if let Keeping::Sum { .. } = keeping {
                    held.libraries_sum = held.libraries_sum.wrapping_add(half(summed(&[&library])));
                }
            }
            form => {
                let until = expires.take();
                let (sum, over) = match keeping {
                    Keeping::Sum { over } => (true, until.is_some_and(|until| until <= over)),
                    Keeping::Count => (false, false),
                };
                let key = source.string(sum)?;
                let mut value = Sum::new(sum);
                let class = value::read(&mut source, form, &mut value, &mut held.modules)?;
                if over {
                    continue;
                }
                let keys = held.databases.entry(database).or_default();
                keys.count += 1;
                keys.expiring += u64::from(until.is_some());
                if let Some(value) = value.finish(class) {
                    let until = until.unwrap_or(0).to_le_bytes();
                    keys.sum = keys.sum.wrapping_add(half(summed(&[&key, &until, &value.to_le_bytes()])));
                }
            }
        }
    }
    end(&mut source, held.form)?;
    Ok(held)
}

fn summed(parts: &[&[u8]]) -> Sha256 {
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| add(&mut digest, part));
    digest
}

/// Reads which form of the file it is.
fn begin(source: &mut Source<'_>) -> Result<u32, String> {
    let not_one = || "it is no RDB file".to_owned();
    let first: [u8; 9] = source.bytes()?;
    let digits = first.strip_prefix(b"REDIS").or_else(|| first.strip_prefix(b"VALKEY"));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(not_one)?;
    let form: u32 = digits.parse().map_err(|_| not_one())?;
    if form > NEWEST || !first.starts_with(b"REDIS") {
        return Err(format!(
            "it is of form {form} (`{}`), and {NEWEST} is the newest that safe-test knows",
            shown(digits)
        ));
    }
    Ok(form)
}

/// Reads what the server says of itself.
fn auxiliary(source: &mut Source<'_>, held: &mut Held) -> Result<(), String> {
    let (name, said) = (source.string(true)?, source.string(true)?);
    let said = String::from_utf8_lossy(&said).into_owned();
    let (history, at) = held.offset.take().unwrap_or_default();
    held.offset = match name.as_slice() {
        b"repl-id" => Some((said, at)),
        b"repl-offset" => said.parse().ok().map(|at| (history, at)),
        _ if history.is_empty() => None,
        _ => Some((history, at)),
    };
    Ok(())
}

/// Reads the checksum, which is none where a server was told to write none.
fn end(source: &mut Source<'_>, form: u32) -> Result<(), String> {
    if form >= 5 {
        let expected = source.sum();
        let found = u64::from_le_bytes(source.bytes()?);
        if found != expected && found != 0 {
            return Err("its checksum does not fit".to_owned());
        }
    }
    if source.is_at_end()? { Ok(()) } else { Err("something follows its end".to_owned()) }
}
