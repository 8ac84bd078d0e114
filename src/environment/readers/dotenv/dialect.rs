//! The loaders whose reading of a file is told apart.

/// A loader, or a group of loaders that were never seen to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Dialect {
    /// dotenvy 0.15, `dotenv()` and `from_path()`: sets variables, the first of two wins, stops at an error.
    DotenvyLoad,
    /// dotenvy 0.15, `dotenv_iter()` and `from_path_iter()`: the caller sees every pair, and may go on after an error.
    DotenvyIter,
    /// The npm package dotenv, 16 to 18 (18's fast mode too): no expansion.
    Node,
    /// dotenv with dotenv-expand 12, where the program hands over an environment without the file's variables.
    NodeExpand12,
    /// dotenv with dotenv-expand 1000, likewise; it executes `$(…)`.
    NodeExpand1000,
    /// `expand(config())` with dotenv-expand 12: names further down are seen, since `config()` has set them already.
    NodeConfigExpand12,
    /// `expand(config())` with dotenv-expand 1000.
    NodeConfigExpand1000,
    /// `node --env-file` and `util.parseEnv` of Node.js 20.
    NodeParseEnv20,
    /// `node --env-file` and `util.parseEnv` of Node.js 24.
    NodeParseEnv24,
    /// Vite 8: Node's `parseEnv`, whose keys come sorted, with dotenv-expand 12.
    Vite,
    /// vlucas/phpdotenv 5 with an immutable repository, as Laravel uses it.
    Phpdotenv,
    /// symfony/dotenv, taking it that symfony/process is installed.
    Symfony,
    /// The Ruby gem dotenv 3.
    Ruby,
    /// python-dotenv 1, `load_dotenv()`: in `${X}` the process environment wins.
    PythonDotenvLoad,
    /// python-dotenv 1, `dotenv_values()` and `load_dotenv(override=True)`: in `${X}` the file wins.
    PythonDotenvValues,
    /// django-environ, `Env.read_env()` with its default settings.
    DjangoEnviron,
    /// joho/godotenv up to 1.5, the newest release that is not marked as preliminary.
    Godotenv15,
    /// joho/godotenv 1.6.0-pre.
    Godotenv16,
    /// compose-go 2, behind `docker compose`: `.env` and `env_file`.
    Compose,
    /// A file for `. ./.env` in a POSIX shell, and direnv's `.envrc`; assignments only, nothing is executed.
    Shell,
    /// No loader: whatever a person would recognise as a name with a value, one line at a time.
    Lenient,
}

impl Dialect {
    /// Every dialect, in the order of the declaration.
    pub(crate) const ALL: [Dialect; 21] = [
        Dialect::DotenvyLoad,
        Dialect::DotenvyIter,
        Dialect::Node,
        Dialect::NodeExpand12,
        Dialect::NodeExpand1000,
        Dialect::NodeConfigExpand12,
        Dialect::NodeConfigExpand1000,
        Dialect::NodeParseEnv20,
        Dialect::NodeParseEnv24,
        Dialect::Vite,
        Dialect::Phpdotenv,
        Dialect::Symfony,
        Dialect::Ruby,
        Dialect::PythonDotenvLoad,
        Dialect::PythonDotenvValues,
        Dialect::DjangoEnviron,
        Dialect::Godotenv15,
        Dialect::Godotenv16,
        Dialect::Compose,
        Dialect::Shell,
        Dialect::Lenient,
    ];

    /// What people call the loader.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Dialect::DotenvyLoad => "dotenvy (Rust)",
            Dialect::DotenvyIter => "dotenvy iterator (Rust)",
            Dialect::Node => "dotenv (Node.js)",
            Dialect::NodeExpand12 => "dotenv with dotenv-expand 12 (Node.js)",
            Dialect::NodeExpand1000 => "dotenv with dotenv-expand 1000 (Node.js)",
            Dialect::NodeConfigExpand12 => "dotenv config with dotenv-expand 12 (Node.js)",
            Dialect::NodeConfigExpand1000 => "dotenv config with dotenv-expand 1000 (Node.js)",
            Dialect::NodeParseEnv20 => "node --env-file (Node.js 20)",
            Dialect::NodeParseEnv24 => "node --env-file (Node.js 24)",
            Dialect::Vite => "Vite",
            Dialect::Phpdotenv => "phpdotenv (Laravel)",
            Dialect::Symfony => "Symfony",
            Dialect::Ruby => "dotenv (Ruby)",
            Dialect::PythonDotenvLoad => "python-dotenv load_dotenv",
            Dialect::PythonDotenvValues => "python-dotenv dotenv_values",
            Dialect::DjangoEnviron => "django-environ",
            Dialect::Godotenv15 => "godotenv 1.5 (Go)",
            Dialect::Godotenv16 => "godotenv 1.6 (Go)",
            Dialect::Compose => "docker compose",
            Dialect::Shell => "shell",
            Dialect::Lenient => "plain reading",
        }
    }
}
