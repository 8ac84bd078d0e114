//! Finds what of extensions a dump does not hold: rows of their tables that they did not mark for it, and what somebody added
//! to their tables.
//!
//! A dump only says that an extension is there. Of its tables' rows it has those that the extension marked
//! (`pg_extension_config_dump`); the others, like indexes and triggers that were added later, come back only as far as the
//! extension's own script makes them.
//!
//! Source: PostgreSQL documentation, "Extension Configuration Tables"; `checkExtensionMembership` in `pg_dump.c`.

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::psql::{Psql, literal, number, text};

/// What does not come back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Tables with rows that are in no dump.
    pub(crate) rows: Vec<String>,
    /// Indexes, triggers and the like on an extension's tables.
    pub(crate) additions: Vec<String>,
}

/// The relations of extensions, with the transactions in which the extension made what it has, and the one in which the
/// relation became its member. What is younger and of another transaction is not the extension's own work.
const RELATIONS: &str = "WITH own AS (SELECT e.oid, pg_catalog.array_agg(DISTINCT d.xmin::pg_catalog.text) || e.xmin::pg_catalog.text AS made \
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass \
    AND d.refobjid = e.oid AND d.deptype = 'e' WHERE e.oid >= 16384 GROUP BY e.oid, e.xmin), \
    relation AS (SELECT c.oid, c.relkind, c.relname, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, \
    own.made, d.xmin AS since, own.oid AS extension \
    FROM own JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = own.oid \
    AND d.deptype = 'e' AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass \
    JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'v', 'm') \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) ";

/// Tables whose rows are not all in a dump, and the condition for those that are.
const TABLES: &str = "SELECT r.name, r.since, r.made, coalesce(x.condition, '') FROM relation r \
    JOIN pg_catalog.pg_extension e ON e.oid = r.extension \
    LEFT JOIN LATERAL unnest(e.extconfig, e.extcondition) AS x(oid, condition) ON x.oid = r.oid \
    WHERE r.relkind = 'r' AND x.condition IS DISTINCT FROM '' AND pg_catalog.has_table_privilege(r.oid, 'SELECT')";

/// A primary key is left out: a cluster that was upgraded has it from a transaction of its own, and extensions make theirs.
const ADDITIONS: &str = "SELECT DISTINCT r.name || ': ' || a.what FROM relation r, LATERAL ( \
    SELECT i.xmin AS x, 'index ' || c.relname AS what FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
        WHERE i.indrelid = r.oid AND NOT i.indisprimary \
    UNION ALL SELECT t.xmin, 'trigger ' || t.tgname FROM pg_catalog.pg_trigger t WHERE t.tgrelid = r.oid AND NOT t.tgisinternal \
    UNION ALL SELECT k.xmin, 'constraint ' || k.conname FROM pg_catalog.pg_constraint k WHERE k.conrelid = r.oid AND k.contype IN ('c', 'f') \
    UNION ALL SELECT p.xmin, 'policy ' || p.polname FROM pg_catalog.pg_policy p WHERE p.polrelid = r.oid \
    UNION ALL SELECT w.xmin, 'rule ' || w.rulename FROM pg_catalog.pg_rewrite w WHERE w.ev_class = r.oid \
    UNION ALL SELECT s.xmin, 'statistics ' || s.stxname FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = r.oid \
    UNION ALL SELECT b.xmin, 'column ' || b.attname FROM pg_catalog.pg_attribute b \
        WHERE b.attrelid = r.oid AND b.attnum > 0 AND NOT b.attisdropped AND b.attacl IS NULL \
    UNION ALL SELECT o.xmin, 'a comment' FROM pg_catalog.pg_description o \
        WHERE o.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.objoid = r.oid) a \
    WHERE pg_catalog.age(a.x) < pg_catalog.age(r.since) AND a.x::pg_catalog.text <> ALL (r.made) ORDER BY 1";

/// Finds it in the database that the session is in.
///
/// # Errors
///
/// Those of the session.
pub(crate) fn lost(psql: &mut Psql) -> Result<Lost, PostgresError> {
    psql.send(format!("{RELATIONS}{TABLES}"))?;
    psql.send(format!("{RELATIONS}{ADDITIONS}"))?;
    let tables = psql.receive()?;
    let additions = psql.receive()?.iter().map(|field| text(field)).collect();
    let tables: Vec<&[Vec<u8>]> = tables.chunks_exact(4).collect();
    let count = |(at, row): (usize, &&[Vec<u8>])| {
        let [name, since, made, condition] = [0, 1, 2, 3].map(|column: usize| text(&row[column]));
        let (since, made) = (literal(&since), literal(&made));
        let later = |from: &str| {
            format!(
                "(SELECT pg_catalog.count(*) FROM (SELECT xmin AS x FROM ONLY {from}) t \
                 WHERE pg_catalog.age(x) < pg_catalog.age({since}::pg_catalog.xid) AND x::pg_catalog.text <> ALL ({made}))"
            )
        };
        let marked = if condition.is_empty() { "0".to_owned() } else { later(&format!("{name} {condition}")) };
        format!("SELECT {at}, {} - {marked}", later(&name))
    };
    let questions: Vec<String> = tables.iter().enumerate().map(count).collect();
    let answers = if questions.is_empty() { Vec::new() } else { psql.ask(questions.join(" UNION ALL "))? };
    let rows = answers.chunks_exact(2).filter_map(|row| {
        let rows = number::<u64>(&row[1]).filter(|rows| *rows > 0)?;
        Some(format!("{} ({rows} rows)", text(tables.get(number::<usize>(&row[0])?)?.first()?)))
    });
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    Ok(Lost { rows, additions })
}
