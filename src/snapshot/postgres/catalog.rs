//! Asks the catalogs which tables are there, and how many rows each has.

use crate::secret::ForeignText;
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::names::qualified;
use crate::snapshot::postgres::psql::{Fields, Psql, number, text};

/// A table, partition or materialised view of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name with its schema, quoted where needed; bytes of an encoding that is not UTF-8 are written `\xE9`.
    pub(crate) name: String,
    /// Its rows, not those of its partitions and children; `None` for a materialised view that was never filled.
    pub(crate) rows: Option<u64>,
    /// Whether a dump holds its definition only, to be filled anew.
    pub(crate) materialised: bool,
}

/// What a database holds, as far as it is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Sorted by name.
    pub(crate) tables: Vec<Table>,
    /// Extensions that a dump creates.
    pub(crate) extensions: u64,
    /// Large objects.
    pub(crate) large_objects: u64,
    /// Sequences.
    pub(crate) sequences: u64,
    /// Foreign tables, whose rows lie elsewhere.
    pub(crate) foreign_tables: u64,
}

/// What `pg_dump` leaves out: the system's schemas, and what belongs to an extension.
const OURS: &str = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT 1 \
    FROM pg_catalog.pg_depend x WHERE x.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.objid = c.oid \
    AND x.deptype = 'e') AND c.relpersistence <> 't'";

/// The planner looks into indexes made with functions, and these may name things without a schema: what the database's own
/// sessions find must be found here, too. Everything that is asked meanwhile is named in full.
const FIND_NAMES: &str = "SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', \
    (SELECT nullif(s.reset_val, '') FROM pg_catalog.pg_settings s WHERE s.name = 'search_path'), \
    (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname), ', ' ORDER BY n.nspname) \
    FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')), false)";
const FIND_NO_NAMES: &str = "SELECT pg_catalog.set_config('search_path', '', false)";

/// Which tables' rows are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    All,
    /// The others have none.
    MaterialisedViews,
}

/// How many tables are counted by one statement.
const AT_ONCE: usize = 40;

/// Reads what the database holds, with the session's snapshot if it is in a transaction that keeps one.
///
/// # Errors
///
/// [`PostgresError::RowSecurity`] where rows are hidden from the user; the session's transaction is then over.
pub(crate) fn contents(psql: &mut Psql, counted: Counted) -> Result<Contents, PostgresError> {
    psql.send(format!(
        "SELECT c.relkind, c.relispopulated, \
         encode(convert_to(n.nspname, getdatabaseencoding()), 'hex'), \
         encode(convert_to(c.relname, getdatabaseencoding()), 'hex'), \
         quote_ident(n.nspname) || '.' || quote_ident(c.relname) \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'm') AND {OURS}"
    ))?;
    psql.send(format!(
        "SELECT (SELECT count(*) FROM pg_extension WHERE oid >= 16384), \
         (SELECT count(*) FROM pg_largeobject_metadata), \
         count(*) FILTER (WHERE c.relkind = 'S'), count(*) FILTER (WHERE c.relkind = 'f') \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('S', 'f') AND {OURS}"
    ))?;
    let listed = psql.receive()?;
    let numbers: Vec<u64> = psql.receive()?.iter().filter_map(|field| number(field)).collect();
    let [extensions, large_objects, sequences, foreign_tables] = numbers[..] else {
        return Err(unexpected());
    };
    psql.ask(FIND_NAMES)?;
    let mut tables = count(psql, &listed, counted)?;
    psql.ask(FIND_NO_NAMES)?;
    tables.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Contents { tables, extensions, large_objects, sequences, foreign_tables })
}

fn count(psql: &mut Psql, listed: &Fields, which: Counted) -> Result<Vec<Table>, PostgresError> {
    let mut tables = Vec::new();
    let mut counted: Vec<(usize, &[u8])> = Vec::new();
    for row in listed.chunks_exact(5) {
        let [kind, populated, schema, name, quoted] = row else { continue };
        if populated == b"t" && (which == Counted::All || kind == b"m") {
            counted.push((tables.len(), quoted));
        }
        tables.push(Table { name: qualified(&unhex(schema), &unhex(name)), rows: None, materialised: kind == b"m" });
    }
    let statement = |chunk: &[(usize, &[u8])]| {
        let mut sql = Vec::new();
        for (index, quoted) in chunk {
            sql.extend_from_slice(if sql.is_empty() { b"SELECT " } else { b" UNION ALL SELECT " });
            sql.extend_from_slice(format!("{index}, pg_catalog.count(*) FROM ONLY ").as_bytes());
            sql.extend_from_slice(quoted);
        }
        sql
    };
    for chunk in counted.chunks(AT_ONCE) {
        for row in psql.ask(statement(chunk))?.chunks_exact(2) {
            let (index, rows) = number::<usize>(&row[0]).zip(number(&row[1])).ok_or_else(unexpected)?;
            tables.get_mut(index).ok_or_else(unexpected)?.rows = Some(rows);
        }
    }
    Ok(tables)
}

fn unexpected() -> PostgresError {
    PostgresError::Query {
        sqlstate: "XX000".to_owned(),
        message: ForeignText::of("an answer of the catalogs has another form"),
    }
}

fn unhex(field: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default();
    field.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Lists tables that are locked against reading, with who holds them: `public.orders by pid 12 (psql, app)`.
pub(crate) fn lock_holders(psql: &mut Psql) -> Result<String, PostgresError> {
    let fields = psql.ask(
        "SELECT c.relname, l.pid, coalesce(nullif(a.application_name, ''), 'unknown program'), a.usename \
         FROM pg_locks l JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm') \
         LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.mode = 'AccessExclusiveLock' AND l.granted AND l.database = (SELECT oid FROM pg_database \
         WHERE datname = current_database()) LIMIT 3",
    )?;
    let holders: Vec<String> = fields
        .chunks_exact(4)
        .map(|row| format!("`{}` by pid {} ({}, {})", text(&row[0]), text(&row[1]), text(&row[2]), text(&row[3])))
        .collect();
    Ok(holders.join(", "))
}
