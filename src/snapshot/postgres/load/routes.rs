//! Rows of hash partitions whose place depends on numbers that a restore gives anew, as those of an enum's values: they are
//! copied into the partitioned table, which finds the partition.
//!
//! Source: PostgreSQL documentation, "pg_dump", `--load-via-partition-root`.

use std::collections::BTreeMap;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::names::canonical;
use crate::snapshot::postgres::words::name;

/// For each partition, the table to copy its rows into.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    by_partition: BTreeMap<String, Vec<u8>>,
}

/// Types of the user's may hold an enum; the values of `regclass` and its like are numbers of objects; an expression may
/// be made of either. Of several levels, the highest that is partitioned so.
const ROUTES: &str = "WITH RECURSIVE hashed AS (SELECT p.partrelid FROM pg_catalog.pg_partitioned_table p \
        WHERE p.partstrat = 'h' AND EXISTS (SELECT FROM pg_catalog.unnest(p.partattrs::pg_catalog.int2[]) AS k(attnum) \
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum \
            LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
            WHERE k.attnum = 0 OR t.oid >= 16384 OR (t.typname ~ '^_?reg'))), \
    tree(root, oid, depth) AS (SELECT partrelid, partrelid, 0 FROM hashed \
        UNION ALL SELECT t.root, i.inhrelid, t.depth + 1 FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid) \
    SELECT DISTINCT ON (t.oid) pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), \
        pg_catalog.quote_ident(m.nspname) || '.' || pg_catalog.quote_ident(r.relname) \
    FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind = 'r' \
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_class r ON r.oid = t.root JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace \
    ORDER BY t.oid, t.depth DESC";

impl Routes {
    /// Asks for them, before the first table is filled.
    pub(crate) fn ask(client: &mut Client) -> Result<Self, PostgresError> {
        let fields = client.ask(ROUTES)?;
        let by_partition = fields.chunks_exact(2).map(|row| (canonical(&row[0]), row[1].clone())).collect();
        Ok(Routes { by_partition })
    }

    /// Returns the statement that copies rows where they belong.
    pub(crate) fn routed(&self, copy: &[u8]) -> Option<Vec<u8>> {
        let table = name(copy.strip_prefix(b"COPY ")?);
        let root = self.by_partition.get(&canonical(table))?;
        Some([b"COPY ".as_slice(), root, &copy[b"COPY ".len() + table.len()..]].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_table_is_another() {
        let by_partition = [("s.\"P 0\"".to_owned(), b"s.\"P\"".to_vec())].into();
        let routes = Routes { by_partition };
        let routed = routes.routed(b"COPY s.\"P 0\" (\"s.P 0\", b) FROM stdin;\n").unwrap();
        assert_eq!(routed, b"COPY s.\"P\" (\"s.P 0\", b) FROM stdin;\n");
        assert_eq!(routes.routed(b"COPY s.other (a) FROM stdin;\n"), None);
    }
}
