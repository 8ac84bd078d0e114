//! Code that an interpreter is given in words, or reads: whether it opens a database, by the packages that it names and what it
//! calls. `import psycopg2` alone, or asking which version that is, opens none.

use crate::environment::ecosystems::is_driver;
use crate::lists::{List, list};
use crate::tools::words::{name_of, without_version};
use crate::touching::statements::Stdin;

/// Names that reach a database and are no package: modules that come with the language, and what its code calls them.
static NAMES: List = list!("code_names.txt");

/// What opens one, or gives statements to it.
static CALLS: List = list!("code_calls.txt");

/// Programs that take code as an argument, the language, and by which words.
const INTERPRETERS: &[(&[&str], &str, &[&str])] = &[
    (&["python", "pypy"], "python", &["-c"]),
    (&["bun", "node", "nodejs", "ts-node", "tsx"], "node", &["-e", "-p", "-pe", "--eval", "--print"]),
    (&["deno"], "node", &["eval"]),
    (&["ruby"], "ruby", &["-e"]),
    (&["php"], "php", &["-r", "--run"]),
    (&["perl"], "perl", &["-E", "-e"]),
];

/// More of it is not read.
const LONGEST: usize = 64 * 1024;

/// Tells whether a program of that name takes code as an argument.
pub(super) fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.iter().any(|(names, ..)| names.contains(&without_version(name)))
}

/// Tells whether the words run code that opens a database: as an argument, as a file that the line writes (`written` gives its
/// text), or as what is read.
pub(super) fn opens_a_database<'t>(
    words: &[String],
    stdin: &'t Stdin,
    written: impl Fn(&str) -> Option<&'t str>,
) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let name = without_version(name_of(program));
    let Some((_, language, options)) = INTERPRETERS.iter().find(|(names, ..)| names.contains(&name)) else {
        return false;
    };
    let given = arguments.iter().position(|word| options.contains(&word.as_str()));
    let plain = arguments.iter().position(|word| !word.starts_with('-') || word == "-");
    let code = match (given, plain.map(|at| arguments[at].as_str())) {
        (Some(at), _) => arguments.get(at + 1).map(String::as_str),
        (None, None | Some("-" | "/dev/stdin")) => match stdin {
            Stdin::Text(text) => Some(text.as_str()),
            Stdin::Inherited | Stdin::File(_) | Stdin::Pipe => None,
        },
        (None, Some(path)) => written(path),
    };
    // `ruby -rpg -e …`, `perl -MDBI -e …`
    let loaded = arguments.iter().take(given.unwrap_or(0)).filter_map(|word| {
        let names = ["-M", "-m", "-r"].iter().find_map(|option| word.strip_prefix(option))?;
        Some(names.split('=').next().unwrap_or(names))
    });
    let Some(code) = code.filter(|code| code.len() <= LONGEST) else { return false };
    let mut named = loaded.collect::<Vec<_>>();
    named.extend(references(code));
    named.into_iter().any(|name| reaches(name, language)) && calls(code)
}

/// Lists what code may mean by the name of a package: what stands in a statement that loads something, and names of classes and
/// functions anywhere.
fn references(code: &str) -> impl Iterator<Item = &str> {
    const LOADING: &[&str] = &["from", "import", "include", "load", "require", "use"];
    code.split([';', '\n']).flat_map(|statement| {
        let words = || names(statement, "@/.:-");
        let loads = words().any(|(_, word)| LOADING.contains(&word) || word.ends_with("import_module"));
        let loaded = words().map(|(_, word)| word).filter(move |_| loads);
        // A package can only be meant where something is loaded; a name of the language's own anywhere.
        loaded.chain(names(statement, "").map(|(_, word)| word).filter(|word| is_own(word)))
    })
}

fn is_own(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase()) || word.contains('_')
}

fn reaches(name: &str, language: &str) -> bool {
    let name = name.trim_matches(['-', ':']);
    let name = ["npm:", "jsr:"].iter().find_map(|registry| name.strip_prefix(registry)).unwrap_or(name);
    let lower = name.to_ascii_lowercase();
    let says = |name: &str| NAMES.find(name).is_some_and(|own| own.split_ascii_whitespace().any(|own| own == language));
    // `sqlalchemy.orm`, `drizzle-orm/node-postgres`, `@prisma/client/edge`, `DBI::db`.
    let parts = if lower.starts_with('@') { 2 } else { 1 };
    let package = lower.match_indices('/').nth(parts - 1).map_or(lower.as_str(), |(at, _)| &lower[..at]);
    let package = if language == "python" { package.split('.').next().unwrap_or(package) } else { package };
    let is_file = name.starts_with(['.', '/']) || name.ends_with("package.json");
    !is_file && (says(&lower) || says(package) || is_driver(language, package))
}

/// Tells whether something is called that opens a database or gives it statements.
fn calls(code: &str) -> bool {
    let is_called = |(at, word): (usize, &str)| {
        let before = code[..at].trim_end_matches([' ', '$']);
        let behind = code[at + word.len()..].trim_start();
        behind.starts_with(['(', '`'])
            || before.ends_with("->") && !behind.starts_with("()")
            || before.ends_with("new")
            || before.ends_with('.') && !behind.starts_with([',', ')', ';', '.'])
    };
    let folded = |word: &str| word.replace('_', "").to_ascii_lowercase();
    names(code, "").any(|one| CALLS.contains(&folded(one.1)) && is_called(one))
}

/// Lists the names in a text with their places, in bytes; a name holds letters, digits, `_` and these.
fn names<'t>(text: &'t str, more: &'static str) -> impl Iterator<Item = (usize, &'t str)> {
    let is_inside = move |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || more.contains(letter);
    text.split(move |letter| !is_inside(letter))
        .map(move |word| (word.as_ptr().addr() - text.as_ptr().addr(), word))
        .filter(|(_, word)| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_opens_a_database_is_told_by_what_it_names_and_calls() {
        let table = [
            ("python3", "-c", "import psycopg2; psycopg2.connect('').cursor().execute('drop table a')", true),
            ("python", "-c", "from sqlalchemy import create_engine; create_engine('x').connect()", true),
            ("python3.12", "-c", "import sqlite3\nc = sqlite3.connect('a.db')\nc.execute('delete from t')", true),
            ("python", "-c", "import os, pymongo; pymongo.MongoClient().drop_database('a')", true),
            ("python", "-c", "import django; django.setup(); from shop.models import A; A.objects.all()", true),
            ("python", "-c", "import importlib; importlib.import_module('psycopg').connect('')", true),
            ("python", "-c", "__import__('redis').Redis().flushall()", true),
            ("python", "-c", "print(1)", false),
            ("python", "-c", "import psycopg2; print(psycopg2.__version__)", false),
            ("python", "-c", "import django, sqlalchemy; print(django.VERSION)", false),
            ("python", "-c", "import socket; socket.create_connection(('a', 1)).connect()", false),
            ("python", "-c", "print('import psycopg2')", false),
            ("python", "-m", "import psycopg2; psycopg2.connect('')", false),
            (
                "node",
                "-e",
                "const {PrismaClient} = require('@prisma/client'); new PrismaClient().user.deleteMany()",
                true,
            ),
            ("node", "--eval", "new (require(\"pg\").Client)().connect()", true),
            ("node", "-e", "import('drizzle-orm/node-postgres').then(m => m.drizzle('x'))", true),
            ("bun", "-e", "import { Database } from 'bun:sqlite'; new Database('a.db').run('delete from t')", true),
            ("deno", "eval", "import { Client } from 'npm:pg'; await new Client().connect()", true),
            ("node", "-e", "console.log(require('./package.json').version)", false),
            ("node", "-e", "console.log(require('pg/package.json').version)", false),
            ("node", "-p", "Object.keys(require('mongoose'))", false),
            ("node", "-e", "require('./src/pg').connect()", false),
            ("ruby", "-e", "require 'pg'; PG.connect(dbname: 'a').exec('drop table a')", true),
            ("ruby", "-e", "require 'active_record'; ActiveRecord::Base.establish_connection('x')", true),
            ("ruby", "-e", "puts Gem::Version.new('1').to_s", false),
            ("ruby", "-e", "require 'pg'; puts PG::VERSION", false),
            ("php", "-r", "$p = new PDO('mysql:host=db'); $p->exec('DROP TABLE a');", true),
            ("php", "-r", "mysqli_connect('db')->query('DELETE FROM a');", true),
            ("php", "-r", "var_dump(extension_loaded('pdo_mysql'), PDO::getAvailableDrivers());", false),
            ("php", "-r", "echo PHP_VERSION;", false),
            ("perl", "-e", "use DBI; DBI->connect('dbi:Pg:dbname=a')->do('delete from a')", true),
            ("perl", "-e", "print 1", false),
            ("awk", "-e", "import psycopg2; psycopg2.connect()", false),
        ];
        for (program, option, code, expected) in table {
            let words = [program, option, code].map(str::to_owned);
            assert_eq!(opens_a_database(&words, &Stdin::Inherited, |_| None), expected, "{program} {code}");
        }
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let code = "import psycopg2\npsycopg2.connect('')\n";
        let read = Stdin::Text(code.to_owned());
        let written = |path: &str| (path == "x.py").then_some(code);
        for (line, expected) in [
            ("python -", true),
            ("python3 -u", true),
            ("python x.py", true),
            ("python y.py", false),
            ("python -m x", false),
            ("ruby", false),
        ] {
            assert_eq!(opens_a_database(&words(line), &read, written), expected, "{line}");
        }
        let loaded = ["perl", "-MDBI", "-e", "DBI->connect('x')"].map(str::to_owned);
        assert!(opens_a_database(&loaded, &Stdin::Inherited, |_| None));
        assert!(!opens_a_database(&[], &Stdin::Inherited, |_| None));
    }
}
