//! Compares tables row by row.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::digest::{Digest, Lines};
use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::data::Data;
use crate::snapshot::postgres::names::canonical;
use crate::snapshot::postgres::psql::Psql;
use crate::snapshot::postgres::words::name;

/// Bytes of statements that are sent ahead: no more than a pipe takes while nobody reads.
const AHEAD: usize = 16 * 1024;

/// In what a restored database differs from its snapshot.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    /// Tables with another number of rows, and whatever else is not there.
    pub(crate) missing: Vec<String>,
    /// Tables with as many rows, but others.
    pub(crate) changed: Vec<String>,
}

/// What a dump holds of a table: `name`, the columns in parentheses or nothing, the digest.
struct Dumped<'a> {
    name: &'a [u8],
    columns: &'a [u8],
    digest: Digest,
    /// Whether only the number of its rows is compared.
    is_counted: bool,
}

impl Dumped<'_> {
    fn agrees(&self, found: Digest) -> bool {
        if self.is_counted { self.digest.rows == found.rows } else { self.digest == found }
    }
}

/// Compares every table that the dump has rows of.
pub(crate) fn compare(psql: &mut Psql, data: &Data) -> Result<Differences, PostgresError> {
    let mut dumped: Vec<Dumped<'_>> =
        data.tables.iter().filter_map(|(statement, digest)| dumped(statement, *digest)).collect();
    count_only_where_columns_differ(&mut dumped);
    let queried = queried(psql)?;
    let statement = |one: &Dumped<'_>| match queried.get(&canonical(one.name)) {
        None => [b"COPY ", one.name, b" ", one.columns, b" TO STDOUT"].concat(),
        Some(condition) => {
            let columns = one.columns.strip_prefix(b"(").and_then(|columns| columns.strip_suffix(b")"));
            [b"COPY (SELECT ", columns.unwrap_or_default(), b" FROM ", one.name, b" ", condition, b") TO STDOUT"]
                .concat()
        }
    };
    let found = digests(psql, &dumped.iter().map(statement).collect::<Vec<_>>())?;
    let pairs: Vec<(&Dumped<'_>, Digest)> = dumped.iter().zip(found).collect();
    if pairs.iter().all(|(dumped, found)| dumped.agrees(*found)) {
        return Ok(Differences::default());
    }
    let roots = roots(psql)?;
    Ok(differences(&pairs, &roots))
}

fn dumped(statement: &[u8], digest: Digest) -> Option<Dumped<'_>> {
    let rest = statement.strip_prefix(b"COPY ")?;
    let name = name(rest);
    Some(Dumped { name, columns: rest[name.len()..].trim_ascii(), digest, is_counted: false })
}

/// Takes the rows together of partitions that are loaded by way of one table, but with their columns in different orders: such
/// rows have no common text.
fn count_only_where_columns_differ(dumped: &mut Vec<Dumped<'_>>) {
    dumped.dedup_by(|later, earlier| {
        let is_same = later.name == earlier.name;
        if is_same {
            earlier.digest += later.digest;
            earlier.is_counted = true;
        }
        is_same
    });
}

/// Compares table by table, and the partitions of a table together: which of them a row belongs to may depend on numbers
/// that a restore gives anew, as those of an enum.
fn differences(pairs: &[(&Dumped<'_>, Digest)], roots: &BTreeMap<String, String>) -> Differences {
    let mut whole: BTreeMap<String, Together<'_>> = BTreeMap::new();
    for (dumped, found) in pairs {
        let name = canonical(dumped.name);
        let together = whole.entry(roots.get(&name).cloned().unwrap_or(name)).or_default();
        together.expected += dumped.digest;
        together.found += *found;
        together.columns.insert(dumped.columns);
        together.is_counted |= dumped.is_counted;
        together.have_moved |= dumped.digest.rows != found.rows;
    }
    let mut differences = Differences::default();
    for (name, together) in whole.iter().filter(|(_, together)| together.differ()) {
        let (expected, found) = (together.expected, together.found);
        if expected.rows == found.rows {
            differences.changed.push(format!("{name} has {} rows as it should, but not the same", found.rows));
        } else {
            differences.missing.push(format!("{name} has {} rows of {}", found.rows, expected.rows));
        }
    }
    differences
}

/// A table, or the partitions of one.
#[derive(Default)]
struct Together<'a> {
    expected: Digest,
    found: Digest,
    columns: BTreeSet<&'a [u8]>,
    is_counted: bool,
    have_moved: bool,
}

impl Together<'_> {
    fn differ(&self) -> bool {
        // A row that is in another partition now, which has its columns in another order, is another text.
        if self.is_counted || (self.have_moved && self.columns.len() > 1) {
            return self.expected.rows != self.found.rows;
        }
        self.expected != self.found
    }
}

/// Asks which tables cannot be copied as a whole, with the condition for those of their rows that a dump has: partitioned
/// tables, and tables of an extension, whose own rows it makes itself.
///
/// Source: PostgreSQL documentation, "Extension Configuration Tables".
fn queried(psql: &mut Psql) -> Result<BTreeMap<String, Vec<u8>>, PostgresError> {
    let fields = psql.ask(
        "SELECT pg_catalog.quote_ident(n.nspname), pg_catalog.quote_ident(c.relname), coalesce(e.condition, '') \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         LEFT JOIN (SELECT x.oid, x.condition FROM pg_catalog.pg_extension, \
         LATERAL unnest(extconfig, extcondition) AS x(oid, condition)) e ON e.oid = c.oid \
         WHERE c.relkind = 'p' OR e.condition <> ''",
    )?;
    let named = |row: &[Vec<u8>]| (canonical(&[&row[0], b".".as_slice(), &row[1]].concat()), row[2].clone());
    Ok(fields.chunks_exact(3).map(named).collect())
}

/// Asks for the partitioned table that a partition is of in the end, by the partition's name.
fn roots(psql: &mut Psql) -> Result<BTreeMap<String, String>, PostgresError> {
    let fields = psql.ask(
        "WITH RECURSIVE above (leaf, relation) AS (SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.relispartition \
         UNION ALL SELECT above.leaf, i.inhparent FROM above JOIN pg_catalog.pg_inherits i ON i.inhrelid = above.relation) \
         SELECT above.leaf::pg_catalog.regclass, above.relation::pg_catalog.regclass FROM above \
         JOIN pg_catalog.pg_class c ON c.oid = above.relation WHERE NOT c.relispartition",
    )?;
    Ok(fields.chunks_exact(2).map(|row| (canonical(&row[0]), canonical(&row[1]))).collect())
}

/// Gives the digests of what statements copy out.
pub(crate) fn digests(psql: &mut Psql, statements: &[Vec<u8>]) -> Result<Vec<Digest>, PostgresError> {
    let (mut digests, mut lines) = (Vec::with_capacity(statements.len()), Lines::default());
    let (mut sent, mut waiting) = (0, 0);
    for (at, statement) in statements.iter().enumerate() {
        while let Some(next) = statements.get(sent).filter(|next| sent == at || waiting + next.len() <= AHEAD) {
            psql.send(next)?;
            waiting += next.len();
            sent += 1;
        }
        psql.receive_lines(&mut lines)?;
        digests.push(lines.take());
        waiting -= statement.len();
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(lines: &[&str]) -> Digest {
        let mut taken = Lines::default();
        lines.iter().for_each(|line| taken.end(line.as_bytes()));
        taken.take()
    }

    #[test]
    fn rows_may_be_in_another_partition_but_not_others() {
        let table = |name: &'static str, lines: &[&str]| Dumped {
            name: name.as_bytes(),
            columns: b"",
            digest: digest(lines),
            is_counted: false,
        };
        let held = [table("public.p1", &["a"]), table("public.p2", &["b", "c"]), table("public.t", &["a"])];
        let roots = BTreeMap::from(["public.p1", "public.p2"].map(|leaf| (leaf.to_owned(), "public.p".to_owned())));
        let compared = |found: [&[&str]; 3]| {
            let pairs: Vec<_> = held.iter().zip(found.map(digest)).collect();
            let Differences { missing, changed } = differences(&pairs, &roots);
            [missing, changed].concat().join(", ")
        };
        assert_eq!(compared([&["b"], &["a", "c"], &["a"]]), "");
        assert_eq!(compared([&["b"], &["a"], &["a"]]), "public.p has 2 rows of 3");
        assert_eq!(
            compared([&["a"], &["b", "b"], &["b"]]),
            "public.p has 3 rows as it should, but not the same, public.t has 1 rows as it should, but not the same"
        );
    }

    #[test]
    fn a_statement_is_taken_apart() {
        for (statement, name, columns) in [
            ("COPY public.t (a, \"b c\")", "public.t", "(a, \"b c\")"),
            ("COPY public.\"odd (x)\" (a)", "public.\"odd (x)\"", "(a)"),
            ("COPY public.none ", "public.none", ""),
        ] {
            let found = dumped(statement.as_bytes(), Digest::default()).unwrap();
            assert_eq!((found.name, found.columns), (name.as_bytes(), columns.as_bytes()));
        }
    }
}
