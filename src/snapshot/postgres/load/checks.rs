//! Checks that may depend on more than their own row: taken away while tables are filled, and added again at the end.
//!
//! A check may call a function that reads another table, which is still empty, or a setting, or the clock. What holds
//! then is added as it was; what does not is added `NOT VALID`. Checks that PostgreSQL's own immutable functions answer
//! from the row alone stay: they cost nothing more so, and hold.

use std::collections::BTreeSet;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::load::search_path::SearchPath;
use crate::snapshot::postgres::names::{canonical, shown};

/// A check that was taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    /// `TABLE public.t`, or `DOMAIN public.d`.
    of: Vec<u8>,
    name: Vec<u8>,
    definition: Vec<u8>,
    comment: Vec<u8>,
}

/// Those of the load, parents before the tables that inherit from them.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    taken: Vec<Check>,
    pub(crate) not_valid: Vec<String>,
    /// The tables and domains of those, named as the catalog names them.
    pub(crate) changed: BTreeSet<String>,
}

/// A check that is inherited only goes and comes with that of the parent. `conbin` is the tree of the expression: whatever
/// reads more than its arguments is in it as a function, a conversion by text, a value such as `CURRENT_USER`, or a domain.
const CHECKS: &str = "WITH RECURSIVE tree(oid, depth) AS ( \
        SELECT c.oid, 0 FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'f') \
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) \
        UNION ALL SELECT i.inhrelid, t.depth + 1 FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid), \
    levels AS (SELECT oid, pg_catalog.max(depth) AS depth FROM tree GROUP BY oid) \
    SELECT CASE WHEN k.contypid <> 0 THEN 'DOMAIN ' ELSE 'TABLE ' END || pg_catalog.quote_ident(n.nspname) || '.' || \
        pg_catalog.quote_ident(coalesce(t.typname, c.relname)), pg_catalog.quote_ident(k.conname), \
        pg_catalog.pg_get_constraintdef(k.oid), \
        pg_catalog.replace(coalesce(pg_catalog.obj_description(k.oid, 'pg_constraint'), ''), '''', '''''') \
    FROM pg_catalog.pg_constraint k \
    LEFT JOIN pg_catalog.pg_type t ON t.oid = k.contypid LEFT JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
    JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(t.typnamespace, c.relnamespace) \
    LEFT JOIN levels l ON l.oid = k.conrelid \
    WHERE k.contype = 'c' AND k.oid >= 16384 AND (k.conislocal OR k.contypid <> 0) AND k.convalidated \
    AND coalesce(to_jsonb(k)->>'conenforced', 'true') = 'true' \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE x.deptype = 'e' \
        AND x.objid = coalesce(t.oid, c.oid) AND x.classid IN ('pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_class'::pg_catalog.regclass)) \
    AND (k.conbin::pg_catalog.text ~ '[{](COERCEVIAIO|SQLVALUEFUNCTION|COERCETODOMAIN) ' \
        OR EXISTS (SELECT FROM pg_catalog.regexp_matches(k.conbin::pg_catalog.text, ':[a-z]*(?:funcid|fnoid) ([0-9]+)', 'g') f(oid) \
            JOIN pg_catalog.pg_proc p ON p.oid = f.oid[1]::pg_catalog.oid \
            WHERE p.provolatile <> 'i' OR (p.oid >= 16384 AND p.prolang NOT IN ( \
                SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname IN ('internal', 'c'))))) \
    ORDER BY coalesce(l.depth, 0), 1, 2";

impl Checks {
    /// Takes them away, before the first table is filled.
    pub(crate) fn take_away(&mut self, client: &mut Client) -> Result<(), PostgresError> {
        for row in client.ask(CHECKS)?.chunks_exact(4) {
            let [of, name, definition, comment] = row else { continue };
            let check =
                Check { of: of.clone(), name: name.clone(), definition: definition.clone(), comment: comment.clone() };
            client.write(&[b"ALTER ".as_slice(), of, b" DROP CONSTRAINT ", name, b";\n"].concat())?;
            self.taken.push(check);
        }
        Ok(())
    }

    /// Adds them again: those of children first, which those of their parents are then merged with.
    pub(crate) fn add(&mut self, client: &mut Client, path: &mut SearchPath) -> Result<(), PostgresError> {
        for Check { of, name, definition, comment } in std::mem::take(&mut self.taken).into_iter().rev() {
            let add = [b"ALTER ".as_slice(), &of, b" ADD CONSTRAINT ", &name, b" ", &definition].concat();
            path.set_for(client, &add)?;
            if let Err(error) = client.try_all(&[&[add.as_slice(), b";\n"].concat()]) {
                let PostgresError::Query { message, .. } = error else { return Err(error) };
                self.not_valid.push(format!("`{}` of {} ({message})", shown(&name), told(&of)));
                let name_of = of.iter().position(|byte| *byte == b' ').map_or(of.as_slice(), |at| &of[at + 1..]);
                self.changed.insert(canonical(name_of));
                client.write(&[&add, b" NOT VALID;\n".as_slice()].concat())?;
            }
            if !comment.is_empty() {
                let of = of.strip_prefix(b"TABLE ").unwrap_or(&of);
                client.write(
                    &[b"COMMENT ON CONSTRAINT ".as_slice(), &name, b" ON ", of, b" IS '", &comment, b"';\n"].concat(),
                )?;
            }
        }
        Ok(())
    }
}

/// Names the table or domain for a person.
fn told(of: &[u8]) -> String {
    let of = shown(of);
    match of.split_once(' ') {
        Some(("DOMAIN", name)) => format!("the domain `{name}`"),
        _ => format!("`{}`", of.trim_start_matches("TABLE ")),
    }
}
