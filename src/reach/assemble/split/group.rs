//! The variables that together make one connection.

use crate::collections::HashMap;
use crate::reach::Engine;
use crate::reach::assemble::shapes;
use crate::reach::assemble::{Variable, Variables};
use crate::reach::grammars::text::{LONGEST_VALUE, without_quotes};
use crate::reach::names::Role;
use crate::reach::names::vocabulary::means_the_same_database;

/// How many variables make one connection.
const MOST_PARTS: usize = 200;
/// How many values of one part are combined with those of another: two names for the host are common, ten are not.
pub(crate) const MOST_ALTERNATIVES: usize = 16;
/// What is said of a connection with more.
pub(crate) const TOO_MANY_ALTERNATIVES: &str = "variables of that group name more than 16 servers or databases";
/// The longest name of a database, in bytes; no server takes a longer one.
const LONGEST_NAME: usize = 255;

/// The variables of one connection.
pub(crate) struct Group<'s, 'a> {
    pub(crate) key: String,
    pub(crate) base: String,
    pub(crate) parts: Vec<(Role, &'s Variable<'a>)>,
    pub(crate) says_database: bool,
    pub(crate) group_says_database: bool,
    pub(crate) nested: bool,
    pub(crate) engine: Option<Engine>,
    qualifiers: Vec<String>,
}

impl<'s, 'a> Group<'s, 'a> {
    pub(crate) fn all(&self, role: Role) -> impl Iterator<Item = &'s Variable<'a>> + '_ {
        self.parts.iter().filter(move |(own, _)| *own == role).map(|(_, variable)| *variable)
    }

    pub(crate) fn first(&self, role: Role) -> Option<&'s Variable<'a>> {
        self.all(role).next()
    }

    /// Tells whether one of the roles is among the parts.
    pub(crate) fn has(&self, roles: &[Role]) -> bool {
        self.parts.iter().any(|(role, _)| roles.contains(role))
    }

    /// Reads the engine that a part names: `DB_CONNECTION=pgsql`.
    pub(crate) fn explicit_engine(&self) -> Option<Engine> {
        self.all(Role::Engine).find_map(Variable::engine)
    }

    /// Tells whether its hosts are hosts of a database: by its name, its file, or the company they keep.
    pub(crate) fn hosts_count(&self) -> bool {
        let login = self.has(&[Role::User, Role::Password]) && self.has(&[Role::Database]);
        self.group_says_database || self.nested || login || self.explicit_engine().is_some()
    }

    /// Lists the values that name a database, each once; `base` lends its own to a replica of the same.
    pub(crate) fn databases(
        &self,
        base: Option<&Group<'s, 'a>>,
        engine: Engine,
        located: bool,
        variables: &Variables<'_>,
    ) -> Vec<&'s Variable<'a>> {
        let numbers_name = engine == Engine::Redis;
        let names = |variable: &&Variable<'_>| {
            let text = variable.value();
            let number = text.bytes().all(|byte| byte.is_ascii_digit());
            if text.len() > LONGEST_NAME {
                variables.cut_off(variable.origin(), "it is longer than the name of a database can be");
            }
            text.len() <= LONGEST_NAME
                // A server's database is called so by nobody; a file's engine takes it for its file.
                && !shapes::is_file_of_code(without_quotes(text).0)
                && (!number || numbers_name)
                && variable.engine().is_none_or(|_| located || self.group_says_database)
        };
        let mut found: Vec<&'s Variable<'a>> = Vec::new();
        let add = |found: &mut Vec<&'s Variable<'a>>, values: Vec<&'s Variable<'a>>| {
            for variable in values {
                if found.iter().any(|known| known.value() == variable.value()) {
                    continue;
                }
                if found.len() < MOST_ALTERNATIVES {
                    found.push(variable);
                } else {
                    variables.cut_off(variable.origin(), TOO_MANY_ALTERNATIVES);
                }
            }
        };
        // PostgreSQL's schema is a part of a database, MySQL's is one.
        let is_schema = |variable: &&Variable<'_>| variable.setting.name.to_ascii_uppercase().ends_with("SCHEMA");
        let own: Vec<&'s Variable<'a>> = self.all(Role::Database).filter(names).collect();
        let without_schemas: Vec<&'s Variable<'a>> =
            own.iter().copied().filter(|variable| !is_schema(variable)).collect();
        if without_schemas.is_empty() && matches!(engine, Engine::Mysql | Engine::Mariadb) {
            add(&mut found, own);
        }
        add(&mut found, without_schemas);
        if found.is_empty()
            && let Some(base) = base
            && self.qualifiers.iter().all(|word| means_the_same_database(word))
            && self.has(&[Role::Host, Role::Socket])
        {
            add(&mut found, base.all(Role::Database).filter(names).filter(|variable| !is_schema(variable)).collect());
        }
        found
    }
}

/// Groups the variables of an environment, in the order of their first variable; `consumed` marks the variables that are no parts.
pub(crate) fn groups<'s, 'a>(variables: &'s Variables<'a>, consumed: &[bool]) -> Vec<Group<'s, 'a>> {
    let mut groups: Vec<Group<'s, 'a>> = Vec::new();
    let mut index: HashMap<&str, usize> = HashMap::default();
    for (variable, consumed) in variables.all.iter().zip(consumed) {
        let name = &variable.name;
        let Some(role) = variable.role(role) else { continue };
        let usable = !matches!(role, Role::Url | Role::Table | Role::Instance | Role::TunnelEnd);
        if *consumed || !usable || name.stopped || variable.is_empty() || variable.value().len() > LONGEST_VALUE {
            continue;
        }
        let at = *index.entry(name.group.as_str()).or_insert_with(|| {
            groups.push(Group {
                key: name.group.clone(),
                base: name.base.clone(),
                parts: Vec::new(),
                says_database: false,
                group_says_database: false,
                nested: false,
                engine: None,
                qualifiers: name.qualifiers.clone(),
            });
            groups.len() - 1
        });
        let group = &mut groups[at];
        group.says_database |= name.says_database;
        // `DB_MASTER` is a host only by its value; its name is then no database's.
        group.group_says_database |= name.group_says_database || name.says_database && Some(role) != name.role;
        group.nested |= name.nested;
        group.engine = group.engine.or(name.engine);
        // `database=postgres` chooses an engine, as Spring's own samples do.
        let chooses = role == Role::Database && group.key.is_empty() && variable.engine().is_some();
        // `HOST`, `USER` and `NAME` alone are the shell's own.
        let own = name.says_database || name.nested || !name.group.is_empty();
        if !own {
            continue;
        }
        if group.parts.len() < MOST_PARTS {
            group.parts.push((if chooses { Role::Engine } else { role }, variable));
        } else {
            variables.cut_off(variable.origin(), "more than 200 variables name one connection");
        }
    }
    groups
}

/// Finds the part that a variable holds; where its name leaves that open, the shape of the value decides.
fn role(variable: &Variable<'_>) -> Option<Role> {
    let name = &variable.name;
    let (text, _) = without_quotes(variable.value());
    let versioned = name.group.ends_with("VERSION");
    match name.role {
        // `MONGO_CLUSTER=cluster0.ab1cd.mongodb.net`
        None => {
            let is_address = shapes::is_address(text) || shapes::is_list_of_servers(text);
            (name.says_database && !versioned && is_address).then_some(Role::Host)
        }
        // `DB_MASTER=10.0.0.1`, `DATABASE=db:5432`
        Some(Role::Database) if shapes::is_address(text) || shapes::is_host_and_port(text) => Some(Role::Host),
        // `ORACLE_ADDRESS=0x52908400098527886E0F7030069857D2E4169EE7`
        Some(Role::Host) if shapes::is_hexadecimal(text) => None,
        role => role,
    }
}
