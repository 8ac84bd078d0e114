//! The loaders whose reading of a file is told apart, one row each.

use crate::environment::readers::dotenv::document::Document;
use crate::environment::readers::dotenv::{
    compose, django, dotenv_expand, go, lenient, node, parse_env, php, python, ruby, rust, shell, symfony,
};
use crate::environment::readers::expansion::Lookup;

/// Makes the enum, the lists and the dispatch of one table, so that a dialect is in all of them or in none.
///
/// A row: what it is, its name, the columns of `fixtures/dotenv/results.json` that it answers for, and its reader.
macro_rules! dialects {
    (
        for_any_file { $( $(#[$any_doc:meta])* $any:ident, $any_columns:expr, $any_read:expr; )* }
        for_a_known_loader { $( $(#[$known_doc:meta])* $known:ident, $known_columns:expr, $known_read:expr; )* }
    ) => {
        /// A loader, or a group of loaders that were never seen to differ.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Dialect {
            $( $(#[$any_doc])* $any, )*
            $( $(#[$known_doc])* $known, )*
        }

        /// Every dialect that differs from the others on something that people write; for files whose loader is not
        /// known.
        pub(crate) const EVERY_DIALECT: &[Dialect] = &[$(Dialect::$any),*];

        impl Dialect {
            #[cfg(test)]
            pub(crate) const ALL: &[Dialect] = &[$(Dialect::$any,)* $(Dialect::$known,)*];

            /// Reads `text` as the loader does; `lookup` is the process environment that it would see.
            pub(crate) fn read(self, text: &str, lookup: Lookup<'_>) -> Document {
                let read: fn(&str, Lookup<'_>) -> Document = match self {
                    $( Dialect::$any => $any_read, )*
                    $( Dialect::$known => $known_read, )*
                };
                read(text, lookup)
            }

            #[cfg(test)]
            pub(crate) fn columns(self) -> &'static [&'static str] {
                match self {
                    $( Dialect::$any => &$any_columns, )*
                    $( Dialect::$known => &$known_columns, )*
                }
            }
        }
    };
}

dialects! {
    for_any_file {
        /// The npm package dotenv, 16 to 18 (18's fast mode too): no expansion.
        Node, ["node16", "node17", "node18", "node18fast"], |text, _| node::read(text);

        /// dotenv with dotenv-expand 12, where the program hands over an environment without the file's variables.
        NodeExpand12, ["expand12"],
            |text, lookup| dotenv_expand::expand(node::read(text), lookup, dotenv_expand::Version::V12);

        /// `expand(config())` with dotenv-expand 12: names further down are seen, since `config()` has set them already.
        NodeConfigExpand12, [],
            |text, lookup| dotenv_expand::expand_after_config(node::read(text), lookup, dotenv_expand::Version::V12);

        /// `node --env-file` and `util.parseEnv` of Node.js 24.
        NodeParseEnv24, ["node24_parseEnv"],
            |text, lookup| parse_env::read(text, lookup, parse_env::Version::V24);

        /// vlucas/phpdotenv 5 with an immutable repository, as Laravel uses it.
        Phpdotenv, ["php"], php::read;

        /// symfony/dotenv, taking it that symfony/process is installed.
        Symfony, ["symfony"], symfony::read;

        /// The Ruby gem dotenv 3.
        Ruby, ["ruby"], ruby::read;

        /// python-dotenv 1, `load_dotenv()`: in `${X}` the process environment wins.
        PythonDotenvLoad, [], |text, lookup| python::read(text, lookup, python::Call::Load);

        /// django-environ, `Env.read_env()` with its default settings.
        DjangoEnviron, ["django_environ"], django::read;

        /// joho/godotenv up to 1.5, the newest release that is not marked as preliminary.
        Godotenv15, [], |text, lookup| go::read(text, lookup, go::Version::V15);

        /// dotenvy 0.15, `dotenv()` and `from_path()`: sets variables, the first of two wins, stops at an error.
        DotenvyLoad, ["dotenvy_load"], |text, lookup| rust::read(text, lookup, rust::Call::Load);

        /// compose-go 2, behind `docker compose`: `.env` and `env_file`.
        Compose, ["compose"], compose::read;

        /// A file for `. ./.env` in a POSIX shell, and direnv's `.envrc`; assignments only, nothing is executed.
        Shell, [], shell::read;
    }
    for_a_known_loader {
        /// dotenv with dotenv-expand 1000, as [`Dialect::NodeExpand12`]; it executes `$(…)`.
        NodeExpand1000, ["expand1000"],
            |text, lookup| dotenv_expand::expand(node::read(text), lookup, dotenv_expand::Version::V1000);

        /// `expand(config())` with dotenv-expand 1000.
        NodeConfigExpand1000, [],
            |text, lookup| dotenv_expand::expand_after_config(node::read(text), lookup, dotenv_expand::Version::V1000);

        /// `node --env-file` and `util.parseEnv` of Node.js 20.
        NodeParseEnv20, ["node_parseEnv"], |text, lookup| parse_env::read(text, lookup, parse_env::Version::V20);

        /// Vite 8: Node's `parseEnv`, whose keys come sorted, with dotenv-expand 12.
        Vite, ["vite(parseEnv+expand12)"], parse_env::read_for_vite;

        /// python-dotenv 1, `dotenv_values()` and `load_dotenv(override=True)`: in `${X}` the file wins.
        PythonDotenvValues, ["pydotenv"], |text, lookup| python::read(text, lookup, python::Call::Values);

        /// joho/godotenv 1.6.0-pre.
        Godotenv16, ["godotenv"], |text, lookup| go::read(text, lookup, go::Version::V16);

        /// dotenvy 0.15, `dotenv_iter()` and `from_path_iter()`: the caller sees every pair, and may go on after an error.
        DotenvyIter, ["dotenvy_iter"], |text, lookup| rust::read(text, lookup, rust::Call::Iter);

        /// No loader: whatever a person would recognise as a name with a value, one line at a time.
        Lenient, [], lenient::read;
    }
}
