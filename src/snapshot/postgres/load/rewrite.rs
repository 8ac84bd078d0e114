//! Carries out a dump's text statement by statement, each as this server can take it.

use std::collections::BTreeMap;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::facts::{Facts, Setting};
use crate::snapshot::postgres::load::batch::{Batch, Kind, Step};
use crate::snapshot::postgres::load::checks::Checks;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::load::foreign_keys::ForeignKeys;
use crate::snapshot::postgres::load::known::Known;
use crate::snapshot::postgres::load::rights::Rights;
use crate::snapshot::postgres::load::routes::Routes;
use crate::snapshot::postgres::load::search_path::SearchPath;
use crate::snapshot::postgres::load::told::Told;
use crate::snapshot::postgres::names::{canonical, shown};
use crate::snapshot::postgres::psql::{identifier, literal};
use crate::snapshot::postgres::statements::Part;
use crate::snapshot::postgres::words::{head, name, words};

/// What was carried out so far, and what waits.
#[derive(Debug)]
pub(crate) struct Rewriter {
    pub(crate) client: Client,
    batch: Batch,
    known: Known,
    rights: Rights,
    path: SearchPath,
    /// The versions of extensions that were saved.
    extensions: BTreeMap<String, String>,
    checks: Checks,
    foreign_keys: ForeignKeys,
    /// Known once the first table is filled.
    routes: Option<Routes>,
    text_search: Option<String>,
    /// Event triggers come last: they would fire upon what we do.
    event_triggers: Vec<Vec<u8>>,
    functions: Vec<String>,
    tablespaces: Vec<String>,
    unpopulated: Vec<String>,
    /// Where the sequences stand. Set where the dump does, and again at the end: a view that is filled may take numbers.
    sequences: Vec<Vec<u8>>,
    told: Told,
}

impl Rewriter {
    pub(crate) fn new(client: Client, facts: &Facts) -> Self {
        Rewriter {
            client,
            batch: Batch::new(),
            known: Known::default(),
            rights: Rights::default(),
            path: SearchPath::of(facts),
            extensions: facts.extensions.clone(),
            checks: Checks::default(),
            foreign_keys: ForeignKeys::default(),
            routes: None,
            text_search: facts.settings.iter().rev().find(is_text_search).map(|setting| setting.value.clone()),
            event_triggers: Vec::new(),
            functions: Vec::new(),
            tablespaces: Vec::new(),
            unpopulated: Vec::new(),
            sequences: Vec::new(),
            told: Told::default(),
        }
    }

    /// Makes functions in the system's own schema, which a dump leaves out, before what uses them.
    pub(crate) fn system_functions(&mut self, definitions: &[String]) -> Result<(), PostgresError> {
        for definition in definitions {
            let statement = format!("{definition};\n");
            match self.client.try_all(&[b"SET check_function_bodies = off;\n", statement.as_bytes()]) {
                Err(PostgresError::Query { message, .. }) => {
                    self.functions.push(format!("`{}` ({message})", shown(head(statement.as_bytes()))));
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// Takes the next piece of the text.
    pub(crate) fn take(&mut self, part: Part<'_>) -> Result<(), PostgresError> {
        match part {
            Part::Data(rows) => self.client.write(rows),
            Part::EndOfData => self.client.write(b"\\.\n"),
            Part::Line(line) if line.starts_with(b"\\") => {
                self.settle()?;
                self.client.command(line)
            }
            Part::Line(_) => Ok(()),
            Part::Statement(statement) => self.statement(statement),
        }
    }

    fn statement(&mut self, statement: &[u8]) -> Result<(), PostgresError> {
        let is = |begin: &str| statement.starts_with(begin.as_bytes());
        // The transaction and the search path are ours.
        if is("BEGIN;") || is("COMMIT;") || is("SELECT pg_catalog.set_config('search_path', '', false);") {
            return Ok(());
        }
        if self.rights.hold(statement) {
            return Ok(());
        }
        if ["CREATE", "ALTER", "COMMENT ON", "SECURITY LABEL ON"]
            .iter()
            .any(|verb| is(&format!("{verb} EVENT TRIGGER ")))
        {
            self.event_triggers.push(statement.to_vec());
            return Ok(());
        }
        if is("SELECT pg_catalog.setval(") {
            self.sequences.push(statement.to_vec());
        }
        if let Some(kind) = Kind::of(statement) {
            return self.together(kind, statement);
        }
        self.settle()?;
        if is("SET ") {
            return self.setting(statement);
        }
        if is("CREATE POLICY ") {
            let policy = self.rights.policy(&mut self.client, &mut self.known, statement)?;
            self.told.replaced_by(statement, policy.as_deref());
            return policy.map_or(Ok(()), |policy| self.client.write(&policy));
        }
        if is("CREATE USER MAPPING ") && !self.rights.has_user(&mut self.client, &mut self.known, statement)? {
            self.told.left_out(statement);
            return Ok(());
        }
        if is("COPY ") {
            return self.copy(statement);
        }
        // One that somebody else made has its comment already.
        if is("COMMENT ON EXTENSION ") {
            return match self.client.try_all(&[statement]) {
                Err(PostgresError::Query { sqlstate, .. }) if sqlstate == INSUFFICIENT_PRIVILEGE => {
                    self.told.refused_comment(statement);
                    Ok(())
                }
                other => other,
            };
        }
        if is("REFRESH MATERIALIZED VIEW ") {
            return self.materialised_view(statement);
        }
        if is("CREATE EXTENSION ") {
            return self.extension(statement);
        }
        self.client.write(statement)
    }

    /// Lets a statement wait for others of its kind.
    fn together(&mut self, kind: Kind, statement: &[u8]) -> Result<(), PostgresError> {
        let is_alone = self.path.is_given();
        if is_alone || !self.batch.takes(kind) || self.path.asks_for(statement) {
            self.settle()?;
        }
        if is_alone {
            self.path.set_for(&mut self.client, statement)?;
            return self.alone(kind, statement);
        }
        let path = self.path.setting_for(&mut self.client, statement)?;
        self.batch.add(kind, Step { path, statement: statement.to_vec() });
        Ok(())
    }

    /// Carries out what waits.
    fn settle(&mut self) -> Result<(), PostgresError> {
        let (kind, steps) = self.batch.take();
        let statements = steps.iter().flat_map(|step| step.path.iter().chain([&step.statement]));
        let statements: Vec<&[u8]> = statements.map(Vec::as_slice).collect();
        match statements[..] {
            [] => return Ok(()),
            [statement] => return self.alone(kind, statement),
            _ => {}
        }
        match self.client.try_all(&statements) {
            Err(PostgresError::Query { .. }) => {
                for Step { path, statement } in &steps {
                    if let Some(path) = path {
                        self.path.set(&mut self.client, path)?;
                    }
                    self.alone(kind, statement)?;
                }
                Ok(())
            }
            other => other,
        }
    }

    /// Carries out a statement by itself, where the search path is set.
    fn alone(&mut self, kind: Kind, statement: &[u8]) -> Result<(), PostgresError> {
        match kind {
            Kind::Definition => self.client.write(statement),
            Kind::ForeignKey => self.foreign_keys.add(&mut self.client, statement),
            Kind::Index => self.index(statement),
        }
    }

    /// Makes an index. Where the server does not look for bare names in a function of it, the function brings the path.
    fn index(&mut self, statement: &[u8]) -> Result<(), PostgresError> {
        match self.client.try_all(&[statement]) {
            Err(PostgresError::Query { sqlstate, .. }) => {
                if is_not_found(&sqlstate) {
                    self.path.give_to_functions(&mut self.client)?;
                }
                // Where it fails again, psql ends, and says what it was about.
                self.client.write(statement)
            }
            other => other,
        }
    }

    /// Makes an extension in the version that was saved, which a dump does not say. Where the server no longer has that one it
    /// is the server's own choice; the comparison tells.
    fn extension(&mut self, statement: &[u8]) -> Result<(), PostgresError> {
        let extension = words(statement).get(5).and_then(|(_, word)| word.name()).map(shown);
        let version = extension.as_ref().and_then(|name| Some((name, self.extensions.get(name)?)));
        let (Some((name, version)), Some(end)) = (version, statement.iter().rposition(|byte| *byte == b';')) else {
            return self.client.write(statement);
        };
        if !self.known.has_extension(&mut self.client, name, version)? {
            return self.client.write(statement);
        }
        let version = format!(" VERSION {};\n", identifier(version));
        self.client.write(&[&statement[..end], version.as_bytes()].concat())
    }

    /// Fills a table, or the one that its rows find their way from.
    fn copy(&mut self, statement: &[u8]) -> Result<(), PostgresError> {
        if self.routes.is_none() {
            self.checks.take_away(&mut self.client)?;
            self.routes = Some(Routes::ask(&mut self.client)?);
            // A session takes no configuration that is not there yet when it begins.
            if let Some(configuration) = &self.text_search {
                let setting = format!("SET default_text_search_config = {};\n", literal(configuration));
                self.client.write(setting.as_bytes())?;
            }
        }
        self.path.set_for(&mut self.client, statement)?;
        let routed = self.routes.as_ref().and_then(|routes| routes.routed(statement));
        self.client.write(routed.as_deref().unwrap_or(statement))
    }

    /// Gives each object what it lacked while tables were filled.
    fn complete(&mut self) -> Result<(), PostgresError> {
        self.checks.add(&mut self.client, &mut self.path)?;
        self.rights.give(&mut self.client, &mut self.known)
    }

    /// Leaves out parameters of other versions; a tablespace that cannot be used is the database's own.
    fn setting(&mut self, statement: &[u8]) -> Result<(), PostgresError> {
        let words = words(statement);
        let Some(parameter) = words.get(1).and_then(|(_, word)| word.name()) else {
            return self.client.write(statement);
        };
        if !self.known.has_parameter(&mut self.client, parameter)? {
            return Ok(());
        }
        // `SET default_tablespace = '';` names none.
        if parameter == b"default_tablespace"
            && let Some(tablespace) = words.get(3).and_then(|(_, word)| word.name())
            && !self.known.may_use_tablespace(&mut self.client, tablespace)?
        {
            let tablespace = shown(tablespace);
            if !self.tablespaces.contains(&tablespace) {
                self.tablespaces.push(tablespace);
            }
            return self.client.write(b"SET default_tablespace = '';\n");
        }
        self.client.write(statement)
    }

    /// Fills a materialised view as its owner, if that is possible.
    fn materialised_view(&mut self, statement: &[u8]) -> Result<(), PostgresError> {
        self.complete()?;
        self.path.set_for(&mut self.client, statement)?;
        let words = words(statement);
        let view = words.get(3).map_or(b"".as_slice(), |(at, _)| name(&statement[*at..]));
        // Row security hides from an owner what it hid before, as it did when he filled the view.
        let statements: [&[u8]; 3] = [b"SET row_security = on;\n", statement, b"SET row_security = off;\n"];
        let mut tried = self.client.try_all(&statements);
        if matches!(&tried, Err(PostgresError::Query { sqlstate, .. }) if is_not_found(sqlstate)) {
            self.path.give_to_functions(&mut self.client)?;
            tried = self.client.try_all(&statements);
        }
        match tried {
            Err(PostgresError::Query { message, .. }) => {
                self.unpopulated.push(format!("`{}` ({message})", canonical(view)));
                Ok(())
            }
            other => other,
        }
    }

    /// Carries out what waits for the end of the text; gives what a person should know, a sentence each, and what of the text
    /// is told by it.
    pub(crate) fn finish(&mut self, user: &str) -> Result<(Vec<String>, Told), PostgresError> {
        self.settle()?;
        self.complete()?;
        self.path.take_from_functions(&mut self.client)?;
        for statement in std::mem::take(&mut self.sequences) {
            self.together(Kind::Definition, &statement)?;
        }
        self.settle()?;
        for statement in std::mem::take(&mut self.event_triggers) {
            self.client.write(&statement)?;
        }
        let mut notes = Vec::new();
        let mut note = |names: &[String], told: &str| {
            if !names.is_empty() {
                notes.push(told.replace("{}", &names.join(", ")));
            }
        };
        note(&self.functions, "Functions of the system's own schema could not be made: {}.");
        note(&self.tablespaces, "Tables and indexes of the tablespaces {} are in the database's own tablespace now.");
        note(&self.foreign_keys.not_valid, "Foreign keys that do not hold were added NOT VALID: {}.");
        note(&self.checks.not_valid, "Checks that do not hold, or cannot be tried, were added NOT VALID: {}.");
        note(&self.unpopulated, "Materialised views that could not be refreshed are unpopulated: {}.");
        notes.extend(self.rights.notes(user));
        let mut told = std::mem::take(&mut self.told);
        told.not_valid.append(&mut self.checks.changed);
        told.not_valid.append(&mut self.foreign_keys.changed);
        told.has_moved = !self.tablespaces.is_empty();
        self.rights.tell(&mut told);
        Ok((notes, told))
    }
}

/// Tells whether an error says that a name means nothing: of the class of syntax errors, or an unknown schema.
fn is_not_found(sqlstate: &str) -> bool {
    sqlstate.starts_with("42") || sqlstate == "3F000"
}

const INSUFFICIENT_PRIVILEGE: &str = "42501";

fn is_text_search(setting: &&Setting) -> bool {
    setting.role.is_none() && setting.name == "default_text_search_config"
}
