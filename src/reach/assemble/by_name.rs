//! The variables that are asked for by name: whether they are set may decide about others.

/// A variable that is asked for by name. There are no others than those below: each of them counts, so that none is
/// left out before it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByName(&'static str);

macro_rules! asked_for {
    ($($name:ident),* $(,)?) => {
        $(pub(crate) const $name: ByName = ByName(stringify!($name));)*
        const ALL: &[ByName] = &[$($name),*];
    };
}

asked_for! {
    AWS_DEFAULT_REGION,
    AWS_ENDPOINT_URL,
    AWS_REGION,
    DB_CONNECTION,
    MYSQL_HOST,
    PGDATABASE,
    PGHOST,
    PGHOSTADDR,
    PGPASSWORD,
    PGPORT,
    PGSERVICE,
    PGSERVICEFILE,
    PGSYSCONFDIR,
    PGUSER,
}

impl ByName {
    pub(crate) fn name(self) -> &'static str {
        self.0
    }
}

/// Whether a variable of that name is asked for by it.
pub(crate) fn is_asked_for(name: &str) -> bool {
    ALL.iter().any(|asked| asked.0 == name)
}
