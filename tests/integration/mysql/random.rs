//! Databases that chance makes: saved, wrecked, restored, and compared by another dump than ours.

use crate::support::{Mariadb, Random, Sandbox, seeds, try_all};

/// Makes a value of a type, as it is written in a statement.
type Literal = fn(&mut Random) -> String;

/// Types of columns, each with how a value is written.
const TYPES: [(&str, Literal); 18] = [
    ("INT", |random| (random.number() as i32).to_string()),
    ("BIGINT UNSIGNED", |random| random.number().to_string()),
    ("DECIMAL(20,6)", |random| format!("{}.{:06}", random.number() as i32, random.below(1_000_000))),
    ("DOUBLE", |random| format!("{}e{}", random.number() as i32, random.below(60) as i64 - 30)),
    ("FLOAT", |random| format!("{}", random.number() as i16)),
    ("VARCHAR(60) CHARACTER SET utf8mb4", text),
    ("TEXT CHARACTER SET utf8mb4", text),
    ("CHAR(10) CHARACTER SET latin1", |random| format!("'{}é'", random.below(1000))),
    ("VARBINARY(40)", bytes),
    ("BLOB", bytes),
    ("BIT(17)", |random| random.below(1 << 17).to_string()),
    ("DATE", |random| (*random.pick(&["'0000-00-00'", "'2024-00-10'", "'1999-12-31'", "'9999-12-31'"])).to_owned()),
    ("DATETIME(6)", |random| format!("'2024-02-29 13:{:02}:59.{:06}'", random.below(60), random.below(1_000_000))),
    ("TIMESTAMP(3) NULL", |random| format!("'2024-03-31 0{}:30:00.123'", random.below(10))),
    ("TIME(2)", |random| format!("'-{}:10:10.25'", random.below(800))),
    ("ENUM('a','it''s','\\\\')", |random| random.pick(&["'a'", "'it''s'", "'\\\\'"]).to_string()),
    ("JSON", |random| format!("'{{\"k\": [{}, \"\\\\\\\\ü\"]}}'", random.below(100))),
    ("POINT", |random| format!("POINT({}, -{})", random.below(90), random.below(90))),
];

fn text(random: &mut Random) -> String {
    let parts =
        ["a", "'", "\\", "\"", "\n", "\r\n", "\t", "\0", "\u{1a}", "é", "😀", ");", "-- ", "/*", "NULL", "`", ",("];
    let chosen: String = (0..random.below(8)).map(|_| *random.pick(&parts)).collect();
    let hex: String = chosen.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("CONVERT(x'{hex}' USING utf8mb4)")
}

fn bytes(random: &mut Random) -> String {
    let length = random.below(30);
    format!("x'{}'", random.bytes(length).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Writes a schema with rows.
fn schema(random: &mut Random) -> String {
    let names = ["t", "order", "Ünï", "a b", "x`y", "semi;colon", "--dash", "dot.dot", "UPPER", "quote'\""];
    let mut sql = String::from("SET sql_mode = '', foreign_key_checks = 0;\n");
    let mut tables: Vec<String> = Vec::new();
    for name in names.iter().take(2 + random.below(names.len() - 2)) {
        let quoted = format!("`{}`", name.replace('`', "``"));
        let columns: Vec<_> = (0..1 + random.below(6)).map(|at| (format!("`c {at}`"), random.pick(&TYPES))).collect();
        let has_key = !random.once_in(4);
        let engine = *random.pick(&["InnoDB", "InnoDB", "InnoDB", "MyISAM", "Aria"]);
        let mut parts: Vec<String> = Vec::new();
        if has_key {
            parts.push("id INT AUTO_INCREMENT PRIMARY KEY".to_owned());
        }
        for (column, (kind, _)) in &columns {
            let more = *random.pick(&["", "", " COMMENT 'it''s; -- \\\\ \\n'", " INVISIBLE"]);
            parts.push(format!("{column} {kind}{more}"));
        }
        // Of all invisible columns no table is made.
        parts.push(format!("plain INT DEFAULT {}", random.below(9)));
        if has_key && random.once_in(3) {
            parts.push("twice BIGINT AS (id * 2) VIRTUAL, thrice BIGINT AS (plain * 3) STORED".to_owned());
        }
        if let (true, true, Some(parent)) = (random.once_in(2), engine == "InnoDB", tables.first()) {
            parts.push(format!("parent INT, FOREIGN KEY (parent) REFERENCES {parent} (id)"));
        }
        if random.once_in(3) {
            parts.push("KEY (plain), CHECK (plain < 100)".to_owned());
        }
        let versioned = if random.once_in(6) && engine == "InnoDB" { " WITH SYSTEM VERSIONING" } else { "" };
        sql.push_str(&format!("CREATE TABLE {quoted} ({}) ENGINE={engine}{versioned};\n", parts.join(", ")));
        for _ in 0..random.below(12) {
            let (into, values): (Vec<&str>, Vec<String>) = columns
                .iter()
                .map(|(column, (_, value))| {
                    let value = if random.once_in(6) { "NULL".to_owned() } else { value(random) };
                    (column.as_str(), value)
                })
                .unzip();
            sql.push_str(&format!("INSERT INTO {quoted} ({}) VALUES ({});\n", into.join(", "), values.join(", ")));
        }
        if random.once_in(4) {
            sql.push_str(&format!("DELETE FROM {quoted} LIMIT 1;\n"));
        }
        if has_key && engine == "InnoDB" && versioned.is_empty() {
            tables.insert(0, quoted.clone());
        }
        if random.once_in(3) {
            sql.push_str(&format!(
                "SET sql_mode = '{}';\nCREATE TRIGGER `tr {name}` BEFORE UPDATE ON {quoted} FOR EACH ROW SET NEW.plain = NEW.plain + 1;\n\
                 SET sql_mode = '';\n",
                random.pick(&["", "ANSI", "NO_BACKSLASH_ESCAPES", "STRICT_ALL_TABLES"]),
                name = name.replace('`', "``")
            ));
        }
        if random.once_in(3) {
            sql.push_str(&format!("CREATE VIEW `v {}` AS SELECT plain FROM {quoted};\n", name.replace('`', "``")));
        }
    }
    if random.once_in(2) {
        sql.push_str(
            "CREATE FUNCTION `f n`(x TEXT) RETURNS TEXT DETERMINISTIC RETURN CONCAT(x, ';', 'it''s', '\\\\');\n",
        );
        sql.push_str("CREATE VIEW `uses f` AS SELECT `f n`('a') AS b;\n");
    }
    if random.once_in(3) {
        sql.push_str("CREATE SEQUENCE s START WITH 7 INCREMENT BY 2 MAXVALUE 99 CYCLE; DO NEXTVAL(s);\n");
    }
    if random.once_in(3) {
        sql.push_str(
            "CREATE EVENT e ON SCHEDULE EVERY 3 YEAR STARTS '2035-01-01' DISABLE COMMENT 'it''s' DO SET @a = ';';\n",
        );
    }
    sql
}

/// Names the lines in which two contents differ.
fn different(found: &str, expected: &str) -> String {
    let more =
        found.lines().filter(|line| !expected.lines().any(|other| other == *line)).map(|line| format!("+ {line}\n"));
    let less =
        expected.lines().filter(|line| !found.lines().any(|other| other == *line)).map(|line| format!("- {line}\n"));
    let lines: String = more.chain(less).collect();
    if lines.is_empty() && found != expected { "in another order".to_owned() } else { lines }
}

#[test]
fn databases_that_chance_makes_come_back() {
    let server = Mariadb::server();
    let number = std::sync::atomic::AtomicU64::new(0);
    let place = || {
        let database = format!("random_{}_test", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        (Sandbox::with_mariadb(&database), database)
    };
    try_all(seeds(8, 500), place, |(sandbox, database), mut random| {
        for name in server.beside(database) {
            server.sql("", &format!("DROP DATABASE `{name}`"));
        }
        server.replace_database(database);
        let (sql, other) = (schema(&mut random), schema(&mut random));
        server.sql(database, &sql);
        let saved = server.content(database);
        let before = sandbox.ids();
        sandbox.run(&["snapshot"]).expect_code(0);
        let id = sandbox.ids().into_iter().find(|id| !before.contains(id)).unwrap();
        // In its place stands another one that chance has made.
        server.replace_database(database);
        server.sql(database, &other);
        let wrecked = server.content(database);
        let restored = sandbox.run(&["restore", &id]);
        let mut faults = Vec::new();
        let difference = different(&server.content(database), &saved);
        if restored.code() != Some(0) || !difference.is_empty() {
            faults.push(format!("{difference}\n{restored:?}\n{sql}\nin place of\n{other}"));
            return faults;
        }
        if let Some(replaced) = server.beside(database).iter().find(|name| name.contains("_replaced_")) {
            let back = sandbox.run(&["restore", replaced]);
            let difference = different(&server.content(database), &wrecked);
            if back.code() != Some(0) || !difference.is_empty() {
                faults.push(format!("{difference}\nback: {back:?}\n{other}"));
            }
        }
        faults
    });
}
