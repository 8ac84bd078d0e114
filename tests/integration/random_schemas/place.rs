//! Where the databases of one thread are made, saved, wrecked, restored and looked at.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::client::{psql, psql_undisturbed};
use super::differences::unsaid;
use super::features::quoted;
use super::look::Look;
use super::scheme::{Roles, Scheme, Step};
use crate::support::{Outcome, Postgres, Sandbox};

/// A database's name, and roles, of a thread's own.
pub(crate) struct Place {
    pub(crate) roles: Roles,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        Place { roles: Roles::of(PLACES.fetch_add(1, Ordering::Relaxed)) }
    }

    /// Saves, wrecks and restores a database; lists what is not as it was without having been said.
    pub(crate) fn faults(&self, scheme: &Scheme) -> Vec<String> {
        self.make(scheme);
        let before = Look::at(&self.roles.database);
        let sandbox = self.project(scheme);
        let saved = sandbox.run(&["--", "true"]);
        if saved.code() != Some(0) {
            // What cannot be saved is refused before the command is run.
            let is_refused = saved.code() == Some(121) && saved.stderr.ends_with("the command was not run\n");
            return (!is_refused).then(|| format!("not saved: {}", told(&saved))).into_iter().collect();
        }
        let mut said = saved.stderr.clone() + &sandbox.run(&["list", "-v"]).stdout;
        self.wreck(scheme);
        let restored = sandbox.run(&["restore", "latest", "--yes"]);
        if restored.code() != Some(0) {
            // Whether a unique index or the foreign key of a partitioned table holds shows in no catalog: it is said by the restore.
            let is_said =
                saved.stderr.contains("cannot be restored") || restored.stderr.contains("cannot be restored whole");
            return (!is_said).then(|| format!("not restored: {}", told(&restored))).into_iter().collect();
        }
        said.push_str(&restored.stdout);
        said.push_str(&restored.stderr);
        let faults = unsaid(&before, &Look::at(&self.roles.database), &said, &self.roles);
        faults.into_iter().map(|fault| format!("other than it was, and not said: {fault}")).collect()
    }

    fn make(&self, scheme: &Scheme) {
        self.clear();
        let Roles { database, app, alice, bob, group } = &self.roles;
        let password = Postgres::server().password();
        let owner = if scheme.as_app { app } else { Postgres::server().user() };
        let script = format!(
            "CREATE ROLE {app} LOGIN CREATEDB PASSWORD '{password}';\nCREATE ROLE {alice} LOGIN PASSWORD '{password}';\n\
             CREATE ROLE {bob};\nCREATE ROLE {group} NOLOGIN;\nGRANT {group} TO {app}, {alice};\n\
             CREATE DATABASE {database} TEMPLATE template0 OWNER {owner} {};",
            scheme.created,
            app = quoted(app),
            alice = quoted(alice),
            bob = quoted(bob),
            group = quoted(group),
            database = quoted(database),
            owner = quoted(owner),
        );
        let made = psql_undisturbed("postgres", &script);
        assert_eq!(String::from_utf8_lossy(&made.stderr), "", "{script}");
        let mut script = "SET statement_timeout TO '20s';\n".to_owned();
        let mut user = Postgres::server().user();
        for Step { by_superuser, statement } in &scheme.steps {
            let whose = if *by_superuser { Postgres::server().user() } else { app };
            if whose != user {
                script.push_str(&format!("\\connect - {}\n", quoted(whose)));
                user = whose;
            }
            script.push_str(statement);
            script.push('\n');
        }
        // What fails of it is not in the schema.
        psql(database, Postgres::server().user(), &script);
    }

    fn project(&self, scheme: &Scheme) -> Sandbox {
        let server = Postgres::server();
        let mut url = server.url(&self.roles.database);
        if scheme.as_app {
            url = url.replacen(server.user(), &self.roles.app, 1);
        }
        let sandbox = Sandbox::new();
        sandbox.write(".env", format!("APP_ENV=testing\nDATABASE_URL={url}\n"));
        sandbox
    }

    fn wreck(&self, scheme: &Scheme) {
        for damage in &scheme.wreck {
            let script = damage
                .replace(":database", &quoted(&self.roles.database))
                .replace(":app", &quoted(&self.roles.app))
                .replace(":alice", &quoted(&self.roles.alice));
            psql_undisturbed(&self.roles.database, &script);
        }
    }

    /// Drops the databases and roles, those that restores kept among them.
    fn clear(&self) {
        let Roles { database, app, alice, bob, group } = &self.roles;
        // A database with a subscription cannot be dropped.
        let of_subscriptions = "SELECT datname FROM pg_database JOIN pg_subscription s ON s.subdbid = pg_database.oid";
        let subscribed = psql_undisturbed("postgres", of_subscriptions).stdout;
        for name in String::from_utf8_lossy(&subscribed).lines().filter(|name| name.starts_with(database)) {
            psql_undisturbed("postgres", &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", quoted(name)));
            let parts = "format('ALTER SUBSCRIPTION %I DISABLE', subname), \
                 format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname), format('DROP SUBSCRIPTION %I', subname)";
            psql_undisturbed(name, &format!("SELECT {parts} FROM pg_subscription \\gexec"));
        }
        let mut script = format!(
            "SELECT format('ALTER DATABASE %I IS_TEMPLATE false;', datname), format('DROP DATABASE %I WITH (FORCE)', datname) \
             FROM pg_database WHERE datname LIKE '{database}%' \\gexec\n"
        );
        for role in [app, alice, bob, group].map(|role| quoted(role)) {
            script.push_str(&format!("DROP OWNED BY {role} CASCADE;\nDROP ROLE IF EXISTS {role};\n"));
        }
        psql_undisturbed("postgres", &script);
    }
}

/// The lines that say what went wrong.
fn told(outcome: &Outcome) -> String {
    format!("{} {}", outcome.status, outcome.stderr.trim_end())
}
