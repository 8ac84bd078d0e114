//! Compares what a restored database defines with what its snapshot does: functions, views, constraints, grants, comments,
//! all that `pg_dump` writes.
//!
//! `pg_dump` writes the definitions of the restored database as it wrote those of the snapshot, and each statement of the
//! one must stand in the other, in whatever order. What the load told to have made otherwise is not missed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io::Read;

use memchr::memmem;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::definitions::Definition;
use crate::snapshot::postgres::load::Told;
use crate::snapshot::postgres::names::{canonical, shown};
use crate::snapshot::postgres::process;
use crate::snapshot::postgres::readback::PIECE;
use crate::snapshot::postgres::script::{Script, ScriptReader};
use crate::snapshot::postgres::session::Identity;
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::postgres::whole::Whole;
use crate::snapshot::postgres::words::{Word, last_name, name, words};
use crate::snapshot::tool_process::{ToolError, attended};
use crate::snapshot::{Effect, Watch};
use crate::text::and_more;

/// How many differences a sentence names.
const NAMED: usize = 5;

/// Makes the connection whose sessions write values, such as amounts of money and moments, as they were written for the
/// snapshot: some stand in definitions.
///
/// Source: PostgreSQL documentation, "libpq", `options`: blanks and backslashes of a value are escaped by a backslash.
fn writing_as(connection: &Connection, settings: &BTreeMap<String, String>) -> Connection {
    let mut options = connection.variable("PGOPTIONS").map(OsStr::to_owned).unwrap_or_default();
    for (name, value) in settings {
        options.push(format!(" -c {name}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")));
    }
    connection.with("PGOPTIONS", options)
}

/// Writes the definitions of the database that `connection` leads to, in an encoding.
///
/// # Errors
///
/// [`ToolError`]: `pg_dump` failed, or was interrupted.
fn dumped(connection: &Connection, tools: &Tools, encoding: &[u8], watch: &dyn Watch) -> Result<Script, PostgresError> {
    let mut command = connection.command(tools, "pg_dump");
    command.args(["--schema-only", "--no-password", &format!("--encoding={}", shown(encoding))]);
    let mut dump = process::start("pg_dump", command, connection.secrets())?;
    let stopper = dump.stopper();
    attended(watch, &[stopper], || {
        let mut text = dump.stdout();
        let (mut script, mut piece) = (ScriptReader::digesting(), vec![0; PIECE]);
        while let Some(read @ 1..) = text.as_mut().and_then(|text| text.read(&mut piece).ok()) {
            script.feed(&piece[..read]);
        }
        dump.finish()?;
        Ok(script.finish())
    })
}

/// What a comparison of definitions found.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// What differs and may not, an object each.
    pub(crate) faults: Vec<String>,
    /// What a person should know besides, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// Compares the definitions of the database that `connection` leads to with those that were loaded from `script`. What
/// differs is told only, where it was said beforehand that not all comes back, or where another `pg_dump` or server writes it.
///
/// # Errors
///
/// [`ToolError::Interrupted`]; nothing was written. That it could not be compared for another reason is noted.
pub(crate) fn compare(
    connection: &Connection,
    identity: &Identity,
    whole: &Whole<'_>,
    (script, told): (&Script, &Told),
    watch: &dyn Watch,
) -> Result<Differences, PostgresError> {
    let not_compared = |why: String| {
        let notes = vec![format!("The definitions were not compared with those of the snapshot: {why}.")];
        Ok(Differences { faults: Vec::new(), notes })
    };
    let (saved_by, tools) = (script.dumped_by.as_deref().unwrap_or("an unknown pg_dump"), &whole.tools);
    if !saved_by.starts_with(&tools.major.to_string()) {
        return not_compared(format!("they were written by pg_dump {saved_by}, and here is {}", tools.major));
    }
    let connection = writing_as(connection, &whole.facts.written_with);
    let found = match dumped(&connection, tools, &script.data.encoding, watch) {
        Err(PostgresError::Tool(ToolError::Interrupted)) => return Err(ToolError::Interrupted.into()),
        Err(error) => return not_compared(error.to_string()),
        Ok(found) if !found.complete => return not_compared("what pg_dump wrote breaks off".to_owned()),
        Ok(found) => found,
    };
    let differences = differences(&script.definitions, &found.definitions, told, &identity.user);
    let is_refused = |object: &String| told.comments.iter().any(|of| *object == format!("{} (COMMENT)", shown(of)));
    let (refused, differences): (BTreeMap<_, _>, BTreeMap<_, _>) =
        differences.into_iter().partition(|(object, _)| is_refused(object));
    let told_of = |some: BTreeMap<String, &str>| some.iter().map(|(object, said)| format!("{object} {said}")).collect();
    let (refused, differences): (Vec<String>, Vec<String>) = (told_of(refused), told_of(differences));
    let server = whole.manifest.server.as_ref().map(|server| server.version.as_str());
    let is_same_writer = script.dumped_by == found.dumped_by && server == Some(identity.version.as_str());
    let is_promised = whole.manifest.obstacles.iter().all(|one| one.effect != Effect::LeftOut);
    let is_same_writer = is_same_writer && !whole.facts.written_with.is_empty();
    let (faults, told) = match is_same_writer && is_promised {
        true => (differences, refused),
        false => (Vec::new(), [differences, refused].concat()),
    };
    Ok(Differences { faults, notes: as_told(&told).into_iter().collect() })
}

/// Says in a sentence what differs, if something does.
pub(crate) fn as_told(differences: &[String]) -> Option<String> {
    let named = &differences[..differences.len().min(NAMED)];
    let told = || format!("Not all is defined as it was saved: {}.", and_more(named, differences.len()));
    (!differences.is_empty()).then(told)
}

/// Finds the objects that are defined in another way, with what is said of each. `user` restored them.
fn differences(saved: &[Definition], found: &[Definition], told: &Told, user: &str) -> BTreeMap<String, &'static str> {
    let carried_out = |one: &Definition| match told.replaced.get(&one.statement) {
        None => Some(one.clone()),
        Some(other) => other.clone().map(|statement| Definition { statement, ..one.clone() }),
    };
    let is_compared = |one: &Definition| !is_told(one, told, user);
    let settings = |one: &Definition| if told.has_moved { Vec::new() } else { one.settings.clone() };
    let exact = |one: &Definition| [settings(one), one.statement.clone()];
    let loose = |one: &Definition| [settings(one), loosely(&one.statement)];
    let saved: Vec<Definition> = saved.iter().filter_map(carried_out).filter(is_compared).collect();
    let found: Vec<Definition> = found.iter().filter(|one| is_compared(one)).cloned().collect();
    let (mut saved, mut found): (Vec<&Definition>, Vec<&Definition>) = (saved.iter().collect(), found.iter().collect());
    for spelled in [&exact as &dyn Fn(&Definition) -> [Vec<u8>; 2], &loose] {
        (saved, found) = unmatched(&saved, &found, spelled);
    }
    let alike = by_lines(&saved, &by_subject(&found), told);
    let differs = |one: &&&Definition| subject(&one.statement).is_none_or(|subject| !alike.contains(&subject));
    let objects = |some: &[&Definition]| some.iter().filter(differs).map(|one| one.object.clone()).collect();
    let (saved, found): (BTreeSet<String>, BTreeSet<String>) = (objects(&saved), objects(&found));
    let said = |object: &String| match (saved.contains(object), found.contains(object)) {
        (true, true) => "differs",
        (true, false) => "is missing, wholly or in part",
        (false, _) => "was not there, wholly or in part",
    };
    saved.union(&found).map(|object| (object.clone(), said(object))).collect()
}

/// Tells whether a statement is one of rights that the load has told of. What a lost role owned belongs to the user who
/// restored, whose rights on it are others then.
fn is_told(one: &Definition, told: &Told, user: &str) -> bool {
    if told.roles.is_empty() || !is_right(&one.statement) {
        return false;
    }
    let is_named = |name: &[u8]| told.roles.contains(name) || name == user.as_bytes();
    let names = |text: &[u8]| words(text).iter().any(|(_, word)| word.name().is_some_and(is_named));
    names(&one.statement) || names(&one.settings)
}

fn is_right(statement: &[u8]) -> bool {
    ["GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES "].iter().any(|begin| statement.starts_with(begin.as_bytes()))
        || statement.starts_with(b"ALTER ") && last_name(&words(statement), &["OWNER", "TO"]).is_some()
}

/// Takes away from both what is spelled the same in both, as often.
fn unmatched<'a>(
    saved: &[&'a Definition],
    found: &[&'a Definition],
    spelled: &dyn Fn(&Definition) -> [Vec<u8>; 2],
) -> (Vec<&'a Definition>, Vec<&'a Definition>) {
    let mut left: BTreeMap<[Vec<u8>; 2], Vec<&Definition>> = BTreeMap::new();
    for one in found {
        left.entry(spelled(one)).or_default().push(one);
    }
    let is_missing = |one: &&&Definition| left.get_mut(&spelled(one)).is_none_or(|same| same.pop().is_none());
    let missing = saved.iter().filter(is_missing).copied().collect();
    (missing, left.into_values().flatten().collect())
}

/// Spells a statement without parentheses and casts: the server writes some expressions in another way once it has read
/// what it wrote (`(ARRAY['a'::varchar])::text[]` becomes `ARRAY[('a'::varchar)::text]`). The bodies of functions stay.
fn loosely(statement: &[u8]) -> Vec<u8> {
    if memmem::find(statement, b"\n    AS ").is_some() {
        return statement.to_vec();
    }
    let words = words(statement);
    let mut spelled = Vec::with_capacity(statement.len());
    let mut at = 0;
    while let Some((begin, word)) = words.get(at) {
        let end = words.get(at + 1).map_or(statement.len(), |(end, _)| *end);
        match word {
            Word::Sign(b':') if matches!(words.get(at + 1), Some((_, Word::Sign(b':')))) => {
                at = after_type(&words, at + 2);
                continue;
            }
            Word::Sign(b'(' | b')') => {}
            _ => {
                spelled.extend_from_slice(statement[*begin..end].trim_ascii_end());
                spelled.push(b' ');
            }
        }
        at += 1;
    }
    spelled
}

/// Returns the index of the word after a type: `public."my type"`, `timestamp(3) without time zone[]`, `numeric(10,2)`.
fn after_type(words: &[(usize, Word)], mut at: usize) -> usize {
    let is = |at: usize, sign: u8| matches!(words.get(at), Some((_, Word::Sign(found))) if *found == sign);
    let goes_on = |at: usize| {
        let known = [b"varying".as_slice(), b"precision", b"with", b"without", b"time", b"zone"];
        matches!(words.get(at), Some((_, Word::Bare(word))) if known.contains(&word.as_slice()))
    };
    at += 1;
    while is(at, b'.') {
        at += 2;
    }
    loop {
        if goes_on(at) {
            at += 1;
        } else if is(at, b'[') && is(at + 1, b']') {
            at += 2;
        } else if is(at, b'(') {
            // A number of digits; the parentheses are left out anyway.
            at = (at..words.len()).find(|at| is(*at, b')')).map_or(words.len(), |end| end + 1);
        } else {
            return at;
        }
    }
}

/// Finds the tables and domains whose statements have the same lines, of those for which that is enough: where a constraint
/// is not valid now, it stands in a statement of its own; and the columns of a table that inherits may be in another order,
/// as was said beforehand.
fn by_lines(saved: &[&Definition], found: &BTreeMap<String, Vec<&Definition>>, told: &Told) -> BTreeSet<String> {
    let is_enough = |subject: &String, some: &[&Definition]| {
        told.not_valid.contains(subject)
            || some.iter().any(|one| memmem::find(&one.statement, b"\nINHERITS (").is_some())
    };
    let lines = |some: &[&Definition]| some.iter().flat_map(|one| lines(&one.statement)).collect::<BTreeSet<_>>();
    let is_alike = |(subject, some): &(String, Vec<&Definition>)| {
        is_enough(subject, some) && found.get(subject).is_some_and(|others| lines(others) == lines(some))
    };
    by_subject(saved).into_iter().filter(is_alike).map(|(subject, _)| subject).collect()
}

fn by_subject<'a>(some: &[&'a Definition]) -> BTreeMap<String, Vec<&'a Definition>> {
    let mut by_subject: BTreeMap<String, Vec<&Definition>> = BTreeMap::new();
    for one in some {
        if let Some(subject) = subject(&one.statement) {
            by_subject.entry(subject).or_default().push(one);
        }
    }
    by_subject
}

/// Returns the table or domain that a statement makes or changes.
fn subject(statement: &[u8]) -> Option<String> {
    const BEGINNINGS: [&str; 7] = [
        "CREATE TABLE ",
        "CREATE UNLOGGED TABLE ",
        "CREATE FOREIGN TABLE ",
        "CREATE DOMAIN ",
        "ALTER TABLE ONLY ",
        "ALTER TABLE ",
        "ALTER DOMAIN ",
    ];
    BEGINNINGS.iter().find_map(|begin| Some(canonical(name(statement.strip_prefix(begin.as_bytes())?))))
}

/// Returns the lines of a statement, each as it would be in any other place of it.
fn lines(statement: &[u8]) -> BTreeSet<Vec<u8>> {
    let bare = |line: &[u8]| {
        let line = line.trim_ascii();
        let line = line.strip_suffix(b";").or_else(|| line.strip_suffix(b",")).unwrap_or(line);
        let line = line.strip_suffix(b" NOT VALID").unwrap_or(line);
        loosely(line.strip_prefix(b"ADD ").unwrap_or(line))
    };
    let is_beginning = |line: &[u8]| line.starts_with(b"ALTER TABLE ") || line.starts_with(b"ALTER DOMAIN ");
    let mut quote = None;
    let lines = statement.split(|byte| {
        match quote {
            None if matches!(byte, b'"' | b'\'') => quote = Some(*byte),
            Some(open) if open == *byte => quote = None,
            _ => {}
        }
        *byte == b'\n' && quote.is_none()
    });
    let lines = lines.filter(|line| !is_beginning(line));
    lines.map(bare).filter(|line| !line.is_empty()).collect()
}
