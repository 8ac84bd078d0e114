//! Reads what a dump holds: every object with its definition, every table with its rows digested; and hands its statements
//! on, those that make and fill tables apart from those that need the tables to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::io::Write;

use crate::hash::Hash;
use crate::snapshot::digest::Digest;
use crate::snapshot::dump_reading::DumpText;
use crate::snapshot::mysql::objects;
use crate::snapshot::mysql::objects::{Does, Kind};
use crate::snapshot::mysql::statements::{Sink, Splitter};
use crate::text::lossless;

/// What ends a statement that is given to a client: no text of a statement holds it by chance. A client keeps 15 bytes of it.
pub(crate) const DELIMITER: &str = "$$safe_test$$";

/// What a dump holds.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Tables and sequences.
    pub(crate) tables: BTreeMap<String, Table>,
    /// Views, triggers, routines and events.
    pub(crate) definitions: BTreeMap<(Kind, String), Definition>,
    /// The longest statement, in bytes, and the table that it fills, if it fills one.
    pub(crate) longest: (u64, String),
    /// The sequences that columns take their defaults from.
    pub(crate) sequences_in_defaults: BTreeSet<String>,
    /// The tables of the same database that foreign keys lead to.
    pub(crate) referenced: BTreeSet<String>,
    /// Whether the last line says that the dump was completed.
    pub(crate) is_complete: bool,
}

impl Held {
    /// Lists the tables that foreign keys lead to and that are not there.
    #[must_use]
    pub(crate) fn leads_nowhere(&self) -> Vec<String> {
        self.referenced.iter().filter(|name| !self.tables.contains_key(*name)).cloned().collect()
    }

    /// Gives the tables alone, as if they were empty.
    #[must_use]
    pub(crate) fn without_rows(&self) -> Held {
        let emptied =
            |(name, table): (&String, &Table)| (name.clone(), Table { rows: Digest::default(), ..table.clone() });
        Held { tables: self.tables.iter().map(emptied).collect(), ..Held::default() }
    }
}

/// A table or a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) kind: Kind,
    /// The statement that makes it, and of a sequence the one that says where it goes on.
    pub(crate) definition: Hash,
    pub(crate) has_foreign_keys: bool,
    pub(crate) rows: Digest,
}

/// What is no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    /// The statement without its definer, and the settings under which it was made.
    pub(crate) text: Hash,
    /// The account that it works for.
    pub(crate) definer: Option<String>,
}

/// What becomes of accounts that objects work for when their statements are handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Definers {
    /// They stay.
    Kept,
    /// Whoever makes the objects takes their place.
    Dropped,
}

/// How statements are handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handing {
    pub(crate) definers: Definers,
    /// Whether triggers and functions are left out.
    pub(crate) without_triggers_and_functions: bool,
    /// What stays as it is in the database that the statements are for: it is neither dropped nor made.
    pub(crate) staying: BTreeSet<(Kind, String)>,
    /// Whether the user may not read the text of all its routines, so that none is dumped.
    pub(crate) routines_are_unread: bool,
}

impl Handing {
    /// All of it, as it is.
    pub(crate) const WHOLE: Handing = Handing {
        definers: Definers::Kept,
        without_triggers_and_functions: false,
        staying: BTreeSet::new(),
        routines_are_unread: false,
    };

    /// Tells whether such an object is not made.
    pub(crate) fn leaves_out(&self, kind: Kind, name: &str) -> bool {
        // What stands for a view may be a table.
        let kind = if kind == Kind::Table { Kind::View } else { kind };
        self.without_triggers_and_functions && matches!(kind, Kind::Trigger | Kind::Function)
            || self.staying.contains(&(kind, name.to_owned()))
    }
}

/// Reads a dump, piece by piece.
pub(crate) struct DumpReader<W> {
    splitter: Splitter,
    reading: Reading<W>,
}

/// What was read so far.
struct Reading<W> {
    held: Held,
    /// The settings that objects are made under.
    settings: BTreeMap<String, String>,
    /// Where the statements for tables go.
    tables: Option<W>,
    /// The statements that need the tables.
    definitions: Option<Vec<u8>>,
    handing: Handing,
    filling: String,
    head: u64,
    fault: Option<String>,
    written: io::Result<()>,
}

impl DumpReader<io::Sink> {
    /// Reads only.
    pub(crate) fn reading() -> Self {
        DumpReader::new(None, None, &Handing::WHOLE)
    }

    /// Reads, and collects the statements that need the tables to be there.
    pub(crate) fn collecting(handing: &Handing) -> Self {
        DumpReader::new(None, Some(Vec::new()), handing)
    }
}

impl<W: Write> DumpReader<W> {
    /// Reads, writes the statements that make and fill tables to `tables`, and collects the others.
    pub(crate) fn loading(tables: W, handing: &Handing) -> Self {
        DumpReader::new(Some(tables), Some(Vec::new()), handing)
    }

    fn new(tables: Option<W>, definitions: Option<Vec<u8>>, handing: &Handing) -> Self {
        let mut reading = Reading {
            held: Held::default(),
            settings: BTreeMap::new(),
            tables,
            definitions,
            handing: handing.clone(),
            filling: String::new(),
            head: 0,
            fault: None,
            written: Ok(()),
        };
        let delimiter = format!("DELIMITER {DELIMITER}\n");
        reading.write(delimiter.as_bytes());
        if let Some(definitions) = &mut reading.definitions {
            definitions.extend_from_slice(delimiter.as_bytes());
        }
        DumpReader { splitter: Splitter::default(), reading }
    }
}

impl<W: Write> DumpText for DumpReader<W> {
    type Held = (Held, Vec<u8>);

    fn feed(&mut self, piece: &[u8]) {
        self.splitter.feed(piece, &mut self.reading);
    }

    fn is_refused(&self) -> bool {
        self.reading.written.is_err()
    }

    /// Says that nothing more comes: what the dump holds, and the statements that were collected. What takes the statements
    /// for tables is closed.
    ///
    /// # Errors
    ///
    /// What is wrong with the dump, a phrase.
    fn finish(mut self) -> Result<(Held, Vec<u8>), String> {
        self.splitter.finish(&mut self.reading).map_err(str::to_owned)?;
        if let Some(fault) = self.reading.fault {
            return Err(fault);
        }
        if !self.reading.held.is_complete {
            return Err("the dump breaks off: its last line does not say that it was completed".to_owned());
        }
        Ok((self.reading.held, self.reading.definitions.unwrap_or_default()))
    }
}

/// Where a statement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goes {
    ToTables,
    ToDefinitions,
    ToBoth,
    Nowhere,
}

impl<W: Write> Reading<W> {
    fn write(&mut self, bytes: &[u8]) {
        if let (Some(tables), Ok(())) = (&mut self.tables, &self.written) {
            self.written = tables.write_all(bytes);
        }
    }

    fn hand_on(&mut self, text: &[u8], goes: Goes) {
        if matches!(goes, Goes::ToTables | Goes::ToBoth) {
            self.write(text);
            self.write(format!("\n{DELIMITER}\n").as_bytes());
        }
        if let (Goes::ToDefinitions | Goes::ToBoth, Some(definitions)) = (goes, &mut self.definitions) {
            definitions.extend_from_slice(text);
            definitions.extend_from_slice(format!("\n{DELIMITER}\n").as_bytes());
        }
    }

    fn as_definition(&self, kind: Kind, name: &str) -> Goes {
        if self.handing.leaves_out(kind, name) { Goes::Nowhere } else { Goes::ToDefinitions }
    }

    /// Remembers what is set, as far as it changes what an object means.
    fn set(&mut self, text: &[u8]) {
        const MEANT: [&str; 4] = ["sql_mode", "character_set_client", "collation_connection", "time_zone"];
        let text = lossless(text);
        let Some((_, assignment)) = text.split_once("SET ") else { return };
        let assignment = assignment.trim().trim_end_matches("*/").trim();
        let Some((name, value)) = assignment.split_once('=') else { return };
        let name = name.trim().to_ascii_lowercase();
        if MEANT.contains(&name.as_str()) {
            match value.trim() {
                // Put back to what it was.
                value if value.starts_with('@') => drop(self.settings.remove(&name)),
                value => drop(self.settings.insert(name, value.to_owned())),
            }
        }
    }

    fn created(&mut self, kind: Kind, name: String, definer: Option<String>, text: &[u8], span: Option<objects::Span>) {
        if kind.holds_data() {
            self.held.sequences_in_defaults.extend(objects::sequences_in(text));
            self.held.referenced.extend(objects::referenced_in(text));
            let has_foreign_keys = memchr::memmem::find(text, b" FOREIGN KEY (").is_some();
            let table = Table { kind, definition: Hash::of(text), has_foreign_keys, rows: Digest::default() };
            if self.held.tables.insert(name.clone(), table).is_some() {
                self.fault = Some(format!("it makes the {} `{name}` twice", kind.word()));
            }
            return;
        }
        let mut whole = without(text, span);
        for (name, value) in &self.settings {
            whole.extend_from_slice(format!("\n{name}={value}").as_bytes());
        }
        let definition = Definition { text: Hash::of(&whole), definer };
        if self.held.definitions.insert((kind, name.clone()), definition).is_some() {
            self.fault = Some(format!("it makes the {} `{name}` twice", kind.word()));
        }
    }
}

/// Gives a statement without what stands there.
fn without(text: &[u8], span: Option<objects::Span>) -> Vec<u8> {
    match span {
        Some((from, to)) => [&text[..from], &text[to..]].concat(),
        None => text.to_vec(),
    }
}

impl<W: Write> Sink for Reading<W> {
    fn statement(&mut self, text: &[u8]) {
        self.held.is_complete = false;
        if text.len() as u64 > self.held.longest.0 {
            self.held.longest = (text.len() as u64, String::new());
        }
        let (does, span) = objects::read(text);
        let goes = match does {
            Does::Set => {
                self.set(text);
                Goes::ToBoth
            }
            Does::Create { kind, name, is_stand_in: true, .. } => self.as_definition(kind, &name),
            Does::Create { kind, name, definer, .. } => {
                let goes = if kind.holds_data() { Goes::ToTables } else { self.as_definition(kind, &name) };
                self.created(kind, name, definer, text, span);
                goes
            }
            Does::Drop { kind, is_stand_in: false, .. } if kind.holds_data() => Goes::ToTables,
            Does::Drop { kind, name, .. } => self.as_definition(kind, &name),
            Does::AlterDatabase => Goes::ToDefinitions,
            Does::SetSequence { name } => {
                if let Some(sequence) = self.held.tables.get_mut(&name) {
                    let both = [sequence.definition.to_string().as_bytes(), text].concat();
                    sequence.definition = Hash::of(&both);
                }
                Goes::ToTables
            }
            // Nobody else works with the tables while they are filled.
            Does::Fill => Goes::Nowhere,
            Does::Insert { .. } | Does::Unknown => {
                let beginning: String = lossless(text).chars().take(60).collect();
                self.fault =
                    Some(format!("it holds a statement that is not known: {}", crate::text::printable(&beginning)));
                Goes::Nowhere
            }
        };
        match (self.handing.definers, span) {
            (Definers::Dropped, Some(_)) => self.hand_on(&without(text, span), goes),
            _ => self.hand_on(text, goes),
        }
    }

    fn insert_begins(&mut self, head: &[u8]) {
        self.held.is_complete = false;
        self.filling = match objects::read(head).0 {
            Does::Insert { table } => table,
            _ => String::new(),
        };
        if !self.held.tables.contains_key(&self.filling) {
            self.fault = Some(format!("it fills the table `{}`, which it does not make", self.filling));
        }
        self.head = head.len() as u64;
        self.write(head);
    }

    fn insert_part(&mut self, bytes: &[u8]) {
        self.write(bytes);
    }

    fn insert_ends(&mut self, rows: Digest, length: u64) {
        self.write(format!("\n{DELIMITER}\n").as_bytes());
        if let Some(table) = self.held.tables.get_mut(&self.filling) {
            table.rows += rows;
        }
        if length > self.held.longest.0 {
            self.held.longest = (length, self.filling.clone());
        }
    }

    fn comment(&mut self, line: &[u8]) {
        self.held.is_complete = line.trim_ascii_start().starts_with(b"Dump completed");
    }
}

/// The last line of a dump, for a text that was collected.
pub(crate) const COMPLETED: &[u8] = b"-- Dump completed\n";

/// How many differences are named; the others are counted.
const NAMED: usize = 4;

/// Lists what a database or a dump has otherwise than it should have: tables and rows.
#[must_use]
pub(crate) fn differing_tables(expected: &Held, found: &Held) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, table) in &expected.tables {
        let word = table.kind.word();
        match found.tables.get(name) {
            None => differences.push(format!("the {word} `{name}` is missing")),
            Some(other) if other.rows.rows != table.rows.rows => differences
                .push(format!("the {word} `{name}` has {} rows instead of {}", other.rows.rows, table.rows.rows)),
            Some(other) if other.definition != table.definition => {
                differences.push(format!("the {word} `{name}` is defined otherwise"));
            }
            Some(other) if other.rows != table.rows => {
                differences.push(format!("rows of the {word} `{name}` are others"));
            }
            Some(_) => {}
        }
    }
    let more = found.tables.iter().filter(|(name, _)| !expected.tables.contains_key(*name));
    differences.extend(more.map(|(name, table)| format!("the {} `{name}` is there besides", table.kind.word())));
    differences
}

/// Lists what a database or a dump has otherwise than it should have: views, triggers, routines, events, of the kinds that
/// `is_read` takes. With [`Definers::Dropped`] it does not matter whom they work for.
#[must_use]
pub(crate) fn differing_definitions(
    expected: &Held,
    found: &Held,
    definers: Definers,
    is_read: &dyn Fn(Kind) -> bool,
) -> Vec<String> {
    let mut differences = Vec::new();
    for ((kind, name), definition) in expected.definitions.iter().filter(|((kind, _), _)| is_read(*kind)) {
        match found.definitions.get(&(*kind, name.clone())) {
            None => differences.push(format!("the {} `{name}` is missing", kind.word())),
            Some(other) if other.text != definition.text => {
                differences.push(format!("the {} `{name}` is defined otherwise", kind.word()));
            }
            Some(other) if definers == Definers::Kept && other.definer != definition.definer => {
                differences.push(format!("the {} `{name}` works for another account", kind.word()));
            }
            Some(_) => {}
        }
    }
    let more = found.definitions.keys().filter(|key| !expected.definitions.contains_key(key));
    differences.extend(more.map(|(kind, name)| format!("the {} `{name}` is there besides", kind.word())));
    differences
}

/// Names the first differences, and counts the others.
#[must_use]
pub(crate) fn named(differences: &[String]) -> String {
    crate::text::and_more(&differences[..differences.len().min(NAMED)], differences.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "/*!40101 SET NAMES utf8mb4 */;\nDROP SEQUENCE IF EXISTS `s`;\nCREATE SEQUENCE `s` start with 1;\n\
        DO SETVAL(`s`, 5, 0);\nDROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (`a` int);\nLOCK TABLES `t` WRITE;\n\
        INSERT INTO `t` VALUES (1),(2);\nUNLOCK TABLES;\nDROP TABLE IF EXISTS `v`;\n/*!50001 DROP VIEW IF EXISTS `v`*/;\n\
        /*!50001 CREATE VIEW `v` AS SELECT 1 AS `a` */;\n/*!50003 SET sql_mode = 'ANSI' */;\nDELIMITER ;;\n\
        /*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 TRIGGER g BEFORE INSERT ON `t` FOR EACH ROW SET NEW.a = 1 */;;\n\
        DELIMITER ;\n/*!50003 SET sql_mode = @saved_sql_mode */;\n/*!50001 DROP VIEW IF EXISTS `v`*/;\n\
        /*!50001 CREATE */ /*!50013 DEFINER=`r`@`h` SQL SECURITY DEFINER */ /*!50001 VIEW `v` AS select `t`.`a` AS `a` from `t` */;\n\
        -- Dump completed\n";

    fn held(text: &str) -> Result<Held, String> {
        let mut reader = DumpReader::reading();
        reader.feed(text.as_bytes());
        reader.finish().map(|(held, _)| held)
    }

    #[test]
    fn tables_and_what_needs_them_are_handed_on_apart() {
        let mut tables = Vec::new();
        let mut reader = DumpReader::loading(&mut tables, &Handing { definers: Definers::Dropped, ..Handing::WHOLE });
        reader.feed(DUMP.as_bytes());
        let (held, definitions) = reader.finish().unwrap();
        let (tables, definitions) = (String::from_utf8(tables).unwrap(), String::from_utf8(definitions).unwrap());
        for (text, expected) in [(&tables, true), (&definitions, false)] {
            for part in
                ["CREATE TABLE `t`", "INSERT INTO `t` VALUES (1),(2)\n$$safe_test$$", "SETVAL", "CREATE SEQUENCE"]
            {
                assert_eq!(text.contains(part), expected, "{part} {text}");
            }
            for part in ["TRIGGER g", "CREATE VIEW `v`", "VIEW `v` AS select"] {
                assert_eq!(text.contains(part), !expected, "{part} {text}");
            }
            assert!(text.contains("SET NAMES") && text.starts_with("DELIMITER") && !text.contains("LOCK TABLES"));
        }
        assert!(!definitions.contains("DEFINER="), "{definitions}");
        assert_eq!(held.tables.keys().collect::<Vec<_>>(), ["s", "t"]);
        assert_eq!(held.tables["t"].rows.rows, 2);
        let definers: Vec<_> = held.definitions.values().map(|one| one.definer.as_deref()).collect();
        assert_eq!(definers, [Some("r@h"), Some("r@h")]);
    }

    #[test]
    fn what_is_otherwise_is_named() {
        let whole = held(DUMP).unwrap();
        for (from, to, tables, definitions) in [
            ("VALUES (1),(2)", "VALUES (2),(1)", &[][..], &[][..]),
            ("VALUES (1),(2)", "VALUES (1),(3)", &["rows of the table `t` are others"], &[]),
            ("VALUES (1),(2)", "VALUES (1)", &["the table `t` has 1 rows instead of 2"], &[]),
            ("(`a` int)", "(`a` bigint)", &["the table `t` is defined otherwise"], &[]),
            ("`s`, 5", "`s`, 6", &["the sequence `s` is defined otherwise"], &[]),
            ("'ANSI'", "''", &[], &["the trigger `g` is defined otherwise"]),
            (
                "DEFINER=`r`@`h`*/ /*!50003 TRIGGER",
                "DEFINER=`r`@`x`*/ /*!50003 TRIGGER",
                &[],
                &["the trigger `g` works for another account"],
            ),
            ("from `t` */", "from `u` */", &[], &["the view `v` is defined otherwise"]),
        ] {
            let other = held(&DUMP.replace(from, to)).unwrap();
            assert_eq!(differing_tables(&whole, &other), tables, "{to}");
            assert_eq!(differing_definitions(&whole, &other, Definers::Kept, &|_| true), definitions, "{to}");
        }
    }

    #[test]
    fn what_is_not_whole_or_not_known_is_refused() {
        for (text, expected) in [
            (DUMP.replace("-- Dump completed\n", ""), "the dump breaks off"),
            (format!("{DUMP}SET a = 1;\n"), "the dump breaks off"),
            (format!("GRANT ALL ON *.* TO `x`;\n{DUMP}"), "it holds a statement that is not known: GRANT ALL"),
            (format!("INSERT INTO `u` VALUES (1);\n{DUMP}"), "it fills the table `u`, which it does not make"),
            (format!("CREATE TABLE `t` (`a` int);\n{DUMP}"), "it makes the table `t` twice"),
            (DUMP[..DUMP.len() / 2].to_owned(), "it breaks off within a statement"),
        ] {
            let error = held(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
