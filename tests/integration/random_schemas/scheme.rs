//! A database that chance made: how it is created, what is in it, and how it is wrecked.

use super::features::Writer;
use super::tables;
use super::wreck;
use crate::support::Random;

/// The names that a place has for its own: the database, and roles, which the whole server shares.
pub(crate) struct Roles {
    pub(crate) database: String,
    pub(crate) app: String,
    pub(crate) alice: String,
    pub(crate) bob: String,
    pub(crate) group: String,
}

impl Roles {
    pub(crate) fn of(place: usize) -> Self {
        let name = |role: &str| format!("random{place} {role}");
        Roles {
            database: format!("random{place}_test"),
            app: format!("random{place}_app"),
            alice: name("alice"),
            bob: name("Bob \"B\""),
            group: name("group"),
        }
    }
}

/// A statement, and who makes it.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) by_superuser: bool,
    pub(crate) statement: String,
}

#[derive(Clone)]
pub(crate) struct Scheme {
    /// Encoding and locale.
    pub(crate) created: &'static str,
    /// Whether an ordinary role that may create databases owns it, saves it and restores it.
    pub(crate) as_app: bool,
    pub(crate) steps: Vec<Step>,
    pub(crate) wreck: Vec<&'static str>,
}

const CREATED: [&str; 8] = [
    "",
    "",
    "",
    "ENCODING 'UTF8' LOCALE 'C.UTF-8'",
    "ENCODING 'SQL_ASCII' LOCALE 'C'",
    "ENCODING 'LATIN1' LOCALE 'C'",
    "ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'",
    "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'und-u-kn'",
];

impl Scheme {
    pub(crate) fn random(mut random: Random, roles: &Roles) -> Self {
        let created = random.pick(&CREATED);
        let as_app = random.once_in(3);
        let mut writer = Writer::new(&mut random, roles);
        let mut steps = Vec::new();
        let mut add = |statements: Vec<String>, by_superuser| {
            steps.extend(statements.into_iter().map(|statement| Step { by_superuser, statement }));
        };
        add(writer.beginning(), !as_app);
        for _ in 0..1 + writer.random().below(8) {
            let by_superuser = !as_app || writer.random().once_in(8);
            let statements = if writer.random().once_in(4) { tables::table(&mut writer) } else { writer.feature() };
            add(statements, by_superuser);
        }
        let wreck = wreck::wreck(&mut random, as_app);
        Scheme { created, as_app, steps, wreck }
    }

    /// All of it, for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("-- database: {}\n", self.created);
        let mut by_superuser = true;
        text.push_str(if self.as_app { "-- saved and restored by an ordinary role with CREATEDB\n" } else { "" });
        for step in &self.steps {
            if step.by_superuser != by_superuser {
                by_superuser = step.by_superuser;
                text.push_str(if by_superuser { "-- by a superuser:\n" } else { "-- by the ordinary role:\n" });
            }
            text.push_str(&step.statement);
            text.push('\n');
        }
        text.push_str("-- wrecked by:\n");
        text.push_str(&self.wreck.join("\n"));
        text
    }
}
