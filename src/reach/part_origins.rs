//! Which variable holds which part of a target: a finding about the name has to point at the variable with the name.

use crate::environment::Origin;
use crate::reach::grammars::placeholder::name_doubt;
use crate::reach::names::{Name, Role};
use crate::reach::{Doubt, Target};

impl Target {
    /// Finds where the database's name was read: the variable that is named after it, or the one that holds everything.
    #[must_use]
    pub(crate) fn origin_of_name(&self) -> Option<&Origin> {
        self.origin_of(&[Role::Database, Role::File, Role::Table])
    }

    /// Finds the variable that holds the host and nothing more.
    #[must_use]
    pub(crate) fn origin_of_host(&self) -> Option<&Origin> {
        self.origin_of_part(Role::Host)
    }

    /// Finds the variable that holds the port and nothing more.
    #[must_use]
    pub(crate) fn origin_of_port(&self) -> Option<&Origin> {
        self.origin_of_part(Role::Port)
    }

    fn origin_of_part(&self, wanted: Role) -> Option<&Origin> {
        self.origins.iter().find(|origin| Name::read(&origin.variable).role == Some(wanted))
    }

    /// Finds where the value was read that a doubt is about.
    #[must_use]
    pub(crate) fn origin_of_doubt(&self, doubt: Doubt) -> Option<&Origin> {
        let name = self.database.as_deref().unwrap_or_default();
        let is_in_name = match doubt {
            Doubt::Unexpanded | Doubt::Placeholder => name_doubt(name) == Some(doubt),
            Doubt::Unresolved | Doubt::Variable => ["$(", "`", "<%"].iter().any(|opening| name.contains(opening)),
            Doubt::Port => return self.origin_of(&[Role::Port]),
            Doubt::Syntax => false,
        };
        if is_in_name { self.origin_of_name() } else { self.origins.first() }
    }

    /// Finds the variable of a part; the first one stands for the whole unless its name says that it holds another part.
    fn origin_of(&self, wanted: &[Role]) -> Option<&Origin> {
        let [first, .., _] = &self.origins[..] else { return self.origins.first() };
        match Name::read(&first.variable).role {
            None | Some(Role::Url) => Some(first),
            Some(_) => self
                .origins
                .iter()
                .find(|origin| Name::read(&origin.variable).role.is_some_and(|role| wanted.contains(&role)))
                .or(Some(first)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::Origin;
    use crate::reach::{Doubt, Engine, Place, Target};

    fn read_from(variables: &[&str]) -> Target {
        Target {
            engine: Engine::Postgres,
            places: vec![Place::Memory],
            database: None,
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: variables.iter().map(|variable| Origin::process(*variable)).collect(),
            doubts: Vec::new(),
        }
    }

    #[test]
    fn each_part_is_traced_to_the_variable_that_holds_it() {
        let cases: [(&[&str], &str, &str); 9] = [
            (&["DB_HOST", "DB_DATABASE", "DB_PORT"], "DB_DATABASE", "DB_PORT"),
            (&["DB_HOST", "DB_NAME", "DB_PORT", "DB_USER"], "DB_NAME", "DB_PORT"),
            (&["PGHOST", "PGDATABASE", "PGPORT"], "PGDATABASE", "PGPORT"),
            (&["MYSQL_HOST", "MYSQL_DATABASE"], "MYSQL_DATABASE", "MYSQL_HOST"),
            (&["host", "database", "port"], "database", "port"),
            (&["HOST", "NAME", "PORT", "ENGINE"], "NAME", "PORT"),
            (&["DATABASE_URL", "DB_DATABASE"], "DATABASE_URL", "DATABASE_URL"),
            (&["DATABASE_URL"], "DATABASE_URL", "DATABASE_URL"),
            (&["DB_DATABASE"], "DB_DATABASE", "DB_DATABASE"),
        ];
        for (variables, name, port) in cases {
            let target = read_from(variables);
            assert_eq!(target.origin_of_name().unwrap().variable, name, "{variables:?}");
            assert_eq!(target.origin_of_doubt(Doubt::Port).unwrap().variable, port, "{variables:?}");
        }
    }

    #[test]
    fn a_doubt_about_the_name_is_traced_to_the_name() {
        for (database, doubt, variable) in [
            ("${APP_DB}", Doubt::Unexpanded, "DB_DATABASE"),
            ("$(cat name)", Doubt::Unresolved, "DB_DATABASE"),
            ("shop", Doubt::Unexpanded, "DB_HOST"),
            ("shop", Doubt::Syntax, "DB_HOST"),
        ] {
            let mut target = read_from(&["DB_HOST", "DB_DATABASE"]);
            target.database = Some(database.to_owned());
            assert_eq!(target.origin_of_doubt(doubt).unwrap().variable, variable, "{database}");
        }
    }
}
