//! Tables of every type, with values of each.

use super::features::Writer;

/// Types, and values of them.
const TYPES: [(&str, &[&str]); 50] = [
    ("smallint", &["0", "-32768", "32767"]),
    ("int", &["0", "-2147483648", "42"]),
    ("bigint", &["9223372036854775807", "-1"]),
    ("numeric", &["'NaN'", "'-Infinity'", "1e-20", "12345678901234567890.123", "0.10"]),
    ("numeric(12, 3)", &["1.5", "-99999.999"]),
    ("real", &["'NaN'", "1.1", "-1e-38"]),
    ("float8", &["0.1", "'-Infinity'", "1.7976931348623157e308", "'-0'"]),
    ("money", &["'12.34'", "'-1000000.01'", "0"]),
    ("text", &["''", "'plain'", "E'a\\tb\\nc\\\\d\\re'", "'Größe'", "E'\\\\N'", "repeat('long ', 3000)"]),
    ("varchar(20)", &["'v'", "'  spaces  '"]),
    ("char(5)", &["'ab'", "''"]),
    ("\"char\"", &["'c'", "''"]),
    ("name", &["'a name'"]),
    ("bytea", &["'\\x'", "'\\x00ff5c'", "decode(repeat('ab', 5000), 'hex')"]),
    ("boolean", &["true", "false"]),
    ("date", &["'2026-02-28'::date", "'infinity'::date", "'0044-03-15 BC'::date"]),
    ("time", &["'24:00'", "'01:02:03.456789'"]),
    ("timetz", &["'01:02:03+05:30'", "'23:59:60-12'"]),
    ("timestamp", &["'-infinity'", "'2026-01-01 00:00:00.000001'::timestamp"]),
    ("timestamptz", &["'2026-10-25 02:30:00+01'", "'infinity'", "'4713-01-02 00:00:00+00 BC'::timestamptz"]),
    ("interval", &["'1 year -2 days 03:04:05.6'::interval", "'-1 mon'", "'0'"]),
    ("interval day to second", &["'2 days 3 hours'"]),
    ("uuid", &["'00000000-0000-0000-0000-00000000000f'"]),
    ("json", &["'{\"b\": 1,  \"a\": [null]}'", "'\" \\u00e4\"'"]),
    ("jsonb", &["'{\"b\": 1.50, \"a\": [null, \"x\"]}'", "'[]'"]),
    ("jsonpath", &["'$.a[*] ? (@ > 1)'"]),
    ("xml", &["'<a b=\"c\">d</a>'", "'just text'"]),
    ("tsvector", &["'a:1A fat:2B,4C cat''s:5'::text::tsvector"]),
    ("tsquery", &["'fat & !(rat | cat:ab)'"]),
    ("bit(5)", &["B'10101'"]),
    ("varbit", &["B''", "B'1'"]),
    ("inet", &["'10.1.2.3/8'", "'::1'"]),
    ("cidr", &["'192.168.0.0/16'"]),
    ("macaddr8", &["'08:00:2b:01:02:03:04:05'"]),
    ("point", &["'(1.5,-2)'"]),
    ("polygon", &["'((0,0),(1,1),(1,0))'"]),
    ("circle", &["'<(0,0),1.1>'"]),
    ("box", &["'(1,1),(0,0)'"]),
    ("path", &["'[(0,0),(1,1)]'"]),
    ("int4range", &["'[1,5)'", "'empty'", "'(,7]'"]),
    ("int8multirange", &["'{[1,3), [5,9)}'"]),
    ("daterange", &["'[2026-01-01,2026-02-01]'"]),
    ("tstzrange", &["'[2026-01-01 00:00+00,)'"]),
    ("int[]", &["'{}'", "'{1,NULL,3}'", "'[2:3]={7,8}'", "'{{1,2},{3,4}}'"]),
    ("text[]", &["'{\"\", NULL, \"NULL\", \"a,b\", \"q\\\"\"}'"]),
    ("pg_lsn", &["'16/B374D848'"]),
    ("oid", &["4294967295"]),
    ("regclass", &["'pg_class'"]),
    ("xid8", &["'123456789012'"]),
    ("int2vector", &["'1 2 3'"]),
];

/// The statements of a table.
pub(crate) fn table(writer: &mut Writer<'_>) -> Vec<String> {
    let (table, _) = writer.name();
    let random = writer.random();
    let columns: Vec<_> = (0..1 + random.below(8)).map(|_| *random.pick(&TYPES)).collect();
    let mut definitions = vec!["id int PRIMARY KEY".to_owned()];
    for (at, (of, values)) in columns.iter().enumerate() {
        let default = if random.once_in(3) { format!(" DEFAULT {}", random.pick(values)) } else { String::new() };
        let not_null = if random.once_in(5) { " NOT NULL" } else { "" };
        definitions.push(format!("c{at} {of}{default}{not_null}"));
    }
    let mut statements = vec![format!("CREATE TABLE {table} ({});", definitions.join(", "))];
    for id in 1..=1 + random.below(12) {
        let values: Vec<&str> = columns
            .iter()
            .map(|(_, values)| if random.once_in(6) { "DEFAULT" } else { *random.pick(values) })
            .collect();
        statements.push(format!("INSERT INTO {table} VALUES ({id}, {});", values.join(", ")));
    }
    if random.once_in(3) {
        let at = random.below(columns.len());
        statements.push(format!("CREATE INDEX ON {table} (c{at});"));
    }
    if random.once_in(3) {
        statements.push(format!("UPDATE {table} SET id = id + 100 WHERE id % 2 = 0;"));
        statements.push(format!("DELETE FROM {table} WHERE id % 3 = 0;"));
    }
    statements
}
