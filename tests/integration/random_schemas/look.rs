//! What is in a database, by `pg_dump` and `COPY` alone.

use std::collections::BTreeMap;

use super::client::{definitions, psql_undisturbed};

/// Everything of a database, each thing under its kind and name: its definition, or its rows, sorted.
pub(crate) struct Look {
    pub(crate) things: BTreeMap<String, Vec<String>>,
}

/// What no dump of definitions shows, each a `COPY` of names and rows. Partitions by hash are looked at together: which of
/// them has a row may depend on numbers of the server's own, as it does with those of an enum.
const CONTENT: &str = r"
SELECT format('COPY (SELECT %L, ROW(%s)::text FROM ONLY %I.%I t) TO STDOUT', 'DATA ' || whole.relname,
        (SELECT string_agg('t.' || quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''), n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class whole ON whole.oid = CASE WHEN EXISTS (SELECT FROM pg_inherits JOIN pg_partitioned_table ON partrelid = inhparent
        WHERE inhrelid = c.oid AND partstrat = 'h') THEN pg_partition_root(c.oid)::oid ELSE c.oid END
    WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname !~ '^(pg_|information_schema)' ORDER BY c.oid \gexec
SELECT format('COPY (SELECT %L, ROW(%s)::text FROM ONLY %I.%I t) TO STDOUT', 'GENERATED DATA ' || c.relname,
        string_agg('t.' || quote_ident(attname), ', ' ORDER BY attnum), n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON attrelid = c.oid
    WHERE c.relkind = 'r' AND attgenerated = 's' AND NOT attisdropped GROUP BY c.oid, n.nspname, c.relname \gexec
SELECT format('COPY (SELECT %L, last_value, is_called FROM %I.%I) TO STDOUT', 'VALUE OF SEQUENCE ' || c.relname, n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' \gexec
COPY (SELECT 'POPULATED ' || relname, relispopulated FROM pg_class WHERE relkind = 'm') TO STDOUT;
COPY (SELECT 'VALID INDEX ' || i.relname, indisvalid FROM pg_index JOIN pg_class i ON i.oid = indexrelid WHERE i.relnamespace NOT IN ('pg_toast'::regnamespace, 'pg_catalog'::regnamespace)) TO STDOUT;
COPY (SELECT 'LARGE OBJECT ' || oid, lomowner::regrole, lomacl, obj_description(oid, 'pg_largeobject'), md5(lo_get(oid))
    FROM pg_largeobject_metadata) TO STDOUT;
COPY (SELECT 'VERSION OF EXTENSION ' || extname, extversion, extowner::regrole, extnamespace::regnamespace FROM pg_extension) TO STDOUT;
COPY (SELECT 'MEMBER OF EXTENSION ' || e.extname, p.proname, pg_get_function_identity_arguments(p.oid), proowner::regrole
    FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc p ON p.oid = d.objid) TO STDOUT;
COPY (SELECT 'OBJECT IN pg_catalog ' || proname, prosrc FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND oid >= 16384) TO STDOUT;
";

impl Look {
    pub(crate) fn at(database: &str) -> Self {
        let mut things = BTreeMap::new();
        let dumped = definitions(database);
        assert!(dumped.status.success(), "pg_dump: {}", String::from_utf8_lossy(&dumped.stderr));
        entries(&String::from_utf8_lossy(&dumped.stdout), &mut things);
        let content = psql_undisturbed(database, CONTENT);
        for line in String::from_utf8_lossy(&content.stdout).lines() {
            let (name, row) = line.split_once('\t').unwrap_or((line, ""));
            things.entry(name.to_owned()).or_default().push(row.to_owned());
        }
        for (name, rows) in &mut things {
            if name.contains("DATA ") || name.starts_with("MEMBER") {
                rows.sort_unstable();
            }
        }
        Look { things }
    }
}

/// How lines begin that are other in each dump, or stand where they do because of what comes next.
const PASSING: [&str; 5] = ["-- Dump", "-- PostgreSQL", "SET default_", "\\restrict ", "\\unrestrict "];

/// Splits what `pg_dump` wrote at the comments before each definition.
fn entries(text: &str, things: &mut BTreeMap<String, Vec<String>>) {
    let mut name = "head".to_owned();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("-- Name: ") {
            let field = |mark: &str| {
                rest.split_once(mark).map_or("", |(_, after)| after.split("; ").next().unwrap_or_default())
            };
            let what = rest.rsplit_once("; Type: ").map_or(rest, |(what, _)| what);
            name = format!("{} {what} ({})", field("; Type: "), field("; Schema: "));
            things.entry(name.clone()).or_default().push(format!("owner: {}", field("; Owner: ")));
        } else if !(line.is_empty() || line == "--" || PASSING.iter().any(|begin| line.starts_with(begin))) {
            things.entry(name.clone()).or_default().push(line.to_owned());
        }
    }
}
