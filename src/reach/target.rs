//! A database that the command could reach.

use std::path::{Path, PathBuf};

use crate::environment::{Origin, Project, Unresolved};
use crate::reach::Engine;
use crate::secret::Secret;

/// The key under which a client certificate is kept.
pub(crate) const CERTIFICATE: &str = "sslcert";
/// The key under which a client's private key is kept: its path, never its text.
pub(crate) const KEY: &str = "sslkey";
/// The key under which a wallet or key store, a certificate with its key, is kept.
pub(crate) const WALLET: &str = "wallet";

/// One database, or one server where no database is named, with everything that drivers could dial for it.
///
/// `Debug` is safe to show: the password masks itself. `parameters` never holds a password or key material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The engine, as far as the value tells.
    pub(crate) engine: Engine,
    /// Every place that could be dialled, in the order of the value; never empty.
    pub(crate) places: Vec<Place>,
    /// The database's name, percent-decoded; for SQLite the path as written. `None` where the value names none.
    pub(crate) database: Option<String>,
    /// The user to log in as, percent-decoded.
    pub(crate) user: Option<String>,
    /// The password to log in with.
    pub(crate) password: Option<Secret>,
    /// Options of the value in its own spelling (`sslmode`, `schema`, `replicaSet`, …); only known harmless ones.
    /// A client certificate, its key and a wallet are always under `sslcert`, `sslkey` and `wallet`.
    pub(crate) parameters: Vec<(String, String)>,
    /// Where the parts were read, the variable that names the place first; never empty.
    pub(crate) origins: Vec<Origin>,
    /// What keeps the value from being dialled as it stands, where something does.
    pub(crate) doubts: Vec<Doubt>,
}

impl Target {
    /// Makes a target of a database file that lies in the project and that nothing names. `path` is absolute.
    #[must_use]
    pub(crate) fn lying(engine: Engine, path: PathBuf, project: &Project) -> Target {
        let shown = project.shown(&path);
        Target {
            engine,
            database: Some(shown.to_string_lossy().into_owned()),
            places: vec![Place::File { path }],
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: vec![Origin::whole_file(shown, None)],
            doubts: Vec::new(),
        }
    }

    /// Makes a target of a folder of the project that the policy in `file` names. `path` is absolute.
    #[must_use]
    pub(crate) fn folder(path: PathBuf, file: &str, project: &Project) -> Target {
        Target { origins: vec![Origin::whole_file(file, None)], ..Target::lying(Engine::Folder, path, project) }
    }

    /// Makes the target of the database called `name` at the same place, in the same folder where databases are files.
    #[must_use]
    pub(crate) fn beside(&self, name: &str) -> Target {
        let renamed = |place: &Place| match place {
            Place::File { path } => Place::File { path: path.with_file_name(name) },
            Place::Host { .. } | Place::Socket { .. } | Place::Memory | Place::Instance { .. } => place.clone(),
        };
        let places: Vec<Place> = self.places.iter().map(renamed).collect();
        let database = match places.first() {
            Some(Place::File { path }) => path.to_string_lossy().into_owned(),
            _ => name.to_owned(),
        };
        Target { places, database: Some(database), ..self.clone() }
    }

    /// Tells whether the target is the database in this file.
    #[must_use]
    pub(crate) fn is_in_file(&self, wanted: &Path) -> bool {
        self.places.iter().any(|place| matches!(place, Place::File { path } if path == wanted))
    }

    /// Finds the client certificate, its key or a wallet that is set for the connection: its path, or `(inline)`.
    #[must_use]
    pub(crate) fn client_certificate(&self) -> Option<&str> {
        let find = |wanted: &str| self.parameters.iter().find(|(key, _)| key == wanted);
        [CERTIFICATE, KEY, WALLET].iter().find_map(|key| find(key)).map(|(_, value)| value.as_str())
    }

    /// Tells whether its hosts come from a DNS lookup of service records (`mongodb+srv`).
    #[must_use]
    pub(crate) fn is_srv(&self) -> bool {
        self.parameters.iter().any(|(key, value)| key == "srv" && value == "true")
    }
}

/// A place that could be dialled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// A host name or IP address: lower case, percent-decoded, without brackets and trailing dot.
    Host {
        /// The name or address.
        name: String,
        /// The port, where one is written or the engine has a usual one.
        port: Option<u16>,
    },
    /// A Unix socket, or the folder that holds it.
    Socket {
        /// The socket or its folder.
        path: PathBuf,
        /// The port that picks the socket's name in that folder (PostgreSQL).
        port: Option<u16>,
    },
    /// A database file; absolute, `.` and `..` removed, links not followed.
    File {
        /// The file.
        path: PathBuf,
    },
    /// A database in the memory of the process.
    Memory,
    /// A name that only a provider or a service resolves: an ARN, a Cloud SQL instance, a TNS alias, a proxy's key.
    Instance {
        /// The name as written.
        name: String,
    },
}

/// Why a value cannot be dialled as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Doubt {
    /// `${…}`, `<…>`, `{{…}}`, `%…%`: something that was to be filled in.
    Unexpanded,
    /// It needs `$(…)` to be executed, or a template to be evaluated.
    Unresolved,
    /// It is made of a variable that a script sets to what cannot be known.
    Variable,
    /// The port is no number between 1 and 65535.
    Port,
    /// The text does not follow the grammar that its scheme or key promises.
    Syntax,
    /// A part is obviously to be replaced: `your-db-host`, `changeme`, `host`.
    Placeholder,
}

impl Doubt {
    /// Tells whether it keeps the text from being dialled as it stands.
    pub(crate) fn blocks(self) -> bool {
        match self {
            Doubt::Unexpanded | Doubt::Unresolved | Doubt::Port | Doubt::Syntax => true,
            Doubt::Placeholder | Doubt::Variable => false,
        }
    }
}

impl From<&Unresolved> for Doubt {
    fn from(unresolved: &Unresolved) -> Self {
        match unresolved {
            Unresolved::Variable => Doubt::Variable,
            Unresolved::CommandSubstitution | Unresolved::Template | Unresolved::Code => Doubt::Unresolved,
        }
    }
}
