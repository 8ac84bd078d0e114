//! Owners and grants: held back until all else is there, and given then, each role for itself.
//!
//! A dump gives each object to its owner at once, and grants schemas at its end; in between, an owner finds no names in a
//! schema of somebody else's, though it did when its index was made. So until the end all belongs to the user who
//! restores: then schemas get their owners and grants, then all else does.

use std::collections::BTreeMap;

use crate::snapshot::postgres::PostgresError;
use crate::snapshot::postgres::load::client::Client;
use crate::snapshot::postgres::load::known::{Known, Role};
use crate::snapshot::postgres::load::told::Told;
use crate::snapshot::postgres::names::shown;
use crate::snapshot::postgres::words::{Word, after, head, last_name, words};
use crate::text::and_more;

/// The order in which they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    SchemaOwner,
    SchemaGrant,
    Owner,
    /// One that belongs to a column follows its table.
    SequenceOwner,
    Grant,
    Default,
}

/// Statements that belong together, and the roles that they name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    rank: Rank,
    statements: Vec<Vec<u8>>,
    /// Roles that must be there; and those as which this user must be able to act.
    named: Vec<Vec<u8>>,
    acted: Vec<Vec<u8>>,
}

/// What a note says of a role.
#[derive(Debug, Default)]
struct Skipped {
    owners: usize,
    grants: usize,
    policies: usize,
}

/// The statements that wait, and what was left out.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    held: Vec<Held>,
    /// `SET SESSION AUTHORIZATION` and what follows it.
    group: Option<Held>,
    missing: BTreeMap<Vec<u8>, Skipped>,
    not_ours: BTreeMap<Vec<u8>, Skipped>,
    refused: Vec<String>,
    /// The statements of those.
    refused_statements: Vec<Held>,
}

/// How many statements are tried at once.
const AT_ONCE: usize = 100;
/// How many refused ones are named.
const NAMED: usize = 5;

impl Rights {
    /// Keeps a statement if it gives an owner or a right.
    pub(crate) fn hold(&mut self, statement: &[u8]) -> bool {
        let held = match &mut self.group {
            Some(group) => {
                group.statements.push(statement.to_vec());
                if let Some(held) = right(statement) {
                    (group.rank, group.named) = (held.rank, [std::mem::take(&mut group.named), held.named].concat());
                }
                if !statement.starts_with(b"RESET SESSION AUTHORIZATION") {
                    return true;
                }
                self.group.take()
            }
            None if statement.starts_with(b"SET SESSION AUTHORIZATION ") => {
                let words = words(statement);
                let grantor = last_name(&words, &["AUTHORIZATION"]).map(<[u8]>::to_vec);
                let acted = grantor.into_iter().collect();
                self.group =
                    Some(Held { rank: Rank::Grant, statements: vec![statement.to_vec()], named: Vec::new(), acted });
                return true;
            }
            None => right(statement),
        };
        let is_held = held.is_some();
        self.held.extend(held);
        is_held
    }

    /// Carries out all that is held, but for that of roles that are missing or not ours.
    pub(crate) fn give(&mut self, client: &mut Client, known: &mut Known) -> Result<(), PostgresError> {
        let mut wanted = Vec::new();
        for held in std::mem::take(&mut self.held) {
            if self.is_possible(client, known, &held)? {
                wanted.push(held);
            }
        }
        wanted.sort_by_key(|held| held.rank);
        for chunk in wanted.chunks(AT_ONCE) {
            let all: Vec<&[u8]> = chunk.iter().flat_map(|held| &held.statements).map(Vec::as_slice).collect();
            if let Err(PostgresError::Query { .. }) = client.try_all(&all) {
                for held in chunk {
                    self.try_one(client, held)?;
                }
            }
        }
        Ok(())
    }

    fn try_one(&mut self, client: &mut Client, held: &Held) -> Result<(), PostgresError> {
        let statements: Vec<&[u8]> = held.statements.iter().map(Vec::as_slice).collect();
        match client.try_all(&statements) {
            Err(PostgresError::Query { message, .. }) => {
                let statement =
                    held.statements.get(usize::from(held.statements.len() > 1)).map_or(b"".as_slice(), |it| it);
                self.refused.push(format!("`{}` ({message})", shown(head(statement))));
                self.refused_statements.push(held.clone());
                Ok(())
            }
            other => other,
        }
    }

    fn is_possible(&mut self, client: &mut Client, known: &mut Known, held: &Held) -> Result<bool, PostgresError> {
        for name in held.named.iter().chain(&held.acted) {
            let of = match known.role(client, name)? {
                Role::Missing => self.missing.entry(name.clone()).or_default(),
                Role::NotOurs if held.acted.contains(name) => self.not_ours.entry(name.clone()).or_default(),
                Role::NotOurs | Role::Ours => continue,
            };
            match held.rank {
                Rank::SchemaOwner | Rank::Owner | Rank::SequenceOwner => of.owners += 1,
                Rank::SchemaGrant | Rank::Grant | Rank::Default => of.grants += 1,
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// Returns a policy without the roles that are missing; nothing where no other is left. A policy of roles that are not
    /// there holds for nobody.
    pub(crate) fn policy(
        &mut self,
        client: &mut Client,
        known: &mut Known,
        statement: &[u8],
    ) -> Result<Option<Vec<u8>>, PostgresError> {
        let words = words(statement);
        let Some(from) = after(&words, &["TO"]) else { return Ok(Some(statement.to_vec())) };
        let ends = |word: &Word| {
            matches!(word, Word::Sign(b';'))
                || [b"USING".as_slice(), b"WITH"].iter().any(|end| matches!(word, Word::Bare(word) if word == end))
        };
        let until = words[from..].iter().position(|(_, word)| ends(word)).map_or(words.len(), |at| from + at);
        let mut kept: Vec<&[u8]> = Vec::new();
        let mut is_whole = true;
        for (index, (at, word)) in words[from..until].iter().enumerate() {
            let Some(name) = word.name() else { continue };
            if !is_public(word) && known.role(client, name)? == Role::Missing {
                self.missing.entry(name.to_vec()).or_default().policies += 1;
                is_whole = false;
                continue;
            }
            let end = words.get(from + index + 1).map_or(statement.len(), |(at, _)| *at);
            kept.push(statement[*at..end].trim_ascii_end());
        }
        if is_whole {
            return Ok(Some(statement.to_vec()));
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let (begin, end) = (words[from].0, words.get(until).map_or(statement.len(), |(at, _)| *at));
        Ok(Some([&statement[..begin], &kept.join(b", ".as_slice()), b" ", &statement[end..]].concat()))
    }

    /// Tells whether the role of a user mapping is there.
    pub(crate) fn has_user(
        &mut self,
        client: &mut Client,
        known: &mut Known,
        statement: &[u8],
    ) -> Result<bool, PostgresError> {
        let words = words(statement);
        let user = after(&words, &["MAPPING", "FOR"]).and_then(|at| words.get(at)).map(|(_, word)| word);
        let Some(name) = user.filter(|user| !is_public(user)).and_then(Word::name) else { return Ok(true) };
        let is_missing = known.role(client, name)? == Role::Missing;
        if is_missing {
            self.missing.entry(name.to_vec()).or_default().grants += 1;
        }
        Ok(!is_missing)
    }

    /// Tells what was left out, in a form to be looked up.
    pub(crate) fn tell(&mut self, told: &mut Told) {
        told.roles.extend(self.missing.keys().chain(self.not_ours.keys()).cloned());
        for Held { statements, named, acted, .. } in std::mem::take(&mut self.refused_statements) {
            told.roles.extend(named.into_iter().chain(acted));
            statements.iter().for_each(|statement| told.left_out(statement));
        }
    }

    /// Says what was left out, a sentence a role.
    pub(crate) fn notes(&self, user: &str) -> Vec<String> {
        let mut notes = Vec::new();
        for (role, skipped) in &self.missing {
            let counted = counted(skipped);
            let now =
                if skipped.owners > 0 { format!("; what it owned belongs to `{user}` now") } else { String::new() };
            notes.push(format!("The role `{}` is missing: {counted} left out{now}.", shown(role)));
        }
        for (role, skipped) in &self.not_ours {
            let (counted, role) = (counted(skipped), shown(role));
            notes.push(format!(
                "`{user}` may not act as `{role}`: {counted} left out; what `{role}` owned belongs to `{user}` now."
            ));
        }
        if !self.refused.is_empty() {
            let named = &self.refused[..self.refused.len().min(NAMED)];
            let refused = and_more(named, self.refused.len());
            notes.push(format!("Owners and grants that the server refused: {refused}."));
        }
        notes
    }
}

fn counted(skipped: &Skipped) -> String {
    let parts = [(skipped.owners, "owner"), (skipped.grants, "grant"), (skipped.policies, "policy")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| match (count, *what) {
            (1, what) => format!("1 {what}"),
            (count, "policy") => format!("{count} policies"),
            (count, what) => format!("{count} {what}s"),
        })
        .collect();
    let verb = if skipped.owners + skipped.grants + skipped.policies == 1 { "was" } else { "were" };
    format!("{} {verb}", parts.join(" and "))
}

fn is_public(word: &Word) -> bool {
    matches!(word, Word::Bare(name) if name.eq_ignore_ascii_case(b"public"))
}

/// Reads a statement that gives an owner or a right.
fn right(statement: &[u8]) -> Option<Held> {
    let is = |begin: &str| statement.starts_with(begin.as_bytes());
    let held = |rank, named, acted| Some(Held { rank, statements: vec![statement.to_vec()], named, acted });
    if is("ALTER DEFAULT PRIVILEGES ") {
        let words = words(statement);
        let owner = after(&words, &["FOR", "ROLE"]).and_then(|at| words.get(at)?.1.name());
        return held(Rank::Default, grantees(&words), owner.map(<[u8]>::to_vec).into_iter().collect());
    }
    if is("GRANT ") || is("REVOKE ") {
        let words = words(statement);
        let rank = if after(&words, &["ON", "SCHEMA"]).is_some() { Rank::SchemaGrant } else { Rank::Grant };
        return held(rank, grantees(&words), Vec::new());
    }
    if is("ALTER ") && memchr::memmem::find(statement, b" OWNER TO ").is_some() && !is("ALTER EVENT TRIGGER ") {
        let words = words(statement);
        let owner = last_name(&words, &["OWNER", "TO"])?.to_vec();
        let rank = match () {
            () if is("ALTER SCHEMA ") => Rank::SchemaOwner,
            () if is("ALTER SEQUENCE ") => Rank::SequenceOwner,
            () => Rank::Owner,
        };
        return held(rank, Vec::new(), vec![owner]);
    }
    None
}

/// Returns whom a statement grants something to, or revokes it from.
fn grantees(words: &[(usize, Word)]) -> Vec<Vec<u8>> {
    let is_before = |word: &Word| matches!(word, Word::Bare(word) if word == b"TO" || word == b"FROM");
    let at = words.iter().rposition(|(_, word)| is_before(word)).map(|at| at + 1);
    let grantee = at.and_then(|at| words.get(at)).map(|(_, word)| word).filter(|word| !is_public(word));
    grantee.and_then(Word::name).map(<[u8]>::to_vec).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_of_owners_and_grants_are_read() {
        let cases: [(&str, Rank, &[&str], &[&str]); 8] = [
            ("ALTER TABLE public.t OWNER TO ann;\n", Rank::Owner, &[], &["ann"]),
            ("ALTER SCHEMA s OWNER TO \"A n\";\n", Rank::SchemaOwner, &[], &["A n"]),
            ("ALTER SEQUENCE s.q OWNER TO ann;\n", Rank::SequenceOwner, &[], &["ann"]),
            ("GRANT USAGE ON SCHEMA s TO bob;\n", Rank::SchemaGrant, &["bob"], &[]),
            ("GRANT SELECT(a),UPDATE(b) ON TABLE \"x TO y\" TO bob WITH GRANT OPTION;\n", Rank::Grant, &["bob"], &[]),
            ("REVOKE ALL ON FUNCTION s.f(a text) FROM PUBLIC;\n", Rank::Grant, &[], &[]),
            (
                "ALTER DEFAULT PRIVILEGES FOR ROLE ann IN SCHEMA s GRANT SELECT ON TABLES TO bob;\n",
                Rank::Default,
                &["bob"],
                &["ann"],
            ),
            (
                "ALTER DEFAULT PRIVILEGES FOR ROLE ann REVOKE ALL ON FUNCTIONS FROM PUBLIC;\n",
                Rank::Default,
                &[],
                &["ann"],
            ),
        ];
        for (statement, rank, named, acted) in cases {
            let held = right(statement.as_bytes()).unwrap();
            let list = |roles: &[&str]| roles.iter().map(|role| role.as_bytes().to_vec()).collect::<Vec<_>>();
            assert_eq!((held.rank, held.named, held.acted), (rank, list(named), list(acted)), "{statement}");
        }
        for other in ["ALTER TYPE t ADD VALUE ' OWNER TO x';\n", "CREATE TABLE t ();\n", "ALTER TABLE t ADD a int;\n"] {
            assert_eq!(right(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_grant_of_another_grantor_stays_together() {
        let mut rights = Rights::default();
        for statement in
            ["SET SESSION AUTHORIZATION ann;\n", "GRANT SELECT ON TABLE t TO bob;\n", "RESET SESSION AUTHORIZATION;\n"]
        {
            assert!(rights.hold(statement.as_bytes()));
        }
        assert!(!rights.hold(b"CREATE TABLE t ();\n"));
        let [held] = &rights.held[..] else { panic!("{rights:?}") };
        assert_eq!(
            (held.statements.len(), &held.named[0][..], &held.acted[0][..]),
            (3, b"bob".as_slice(), b"ann".as_slice())
        );
    }
}
