//! What the command's own arguments name: `psql -h db`, `mysql -D app`, `--database-url …`.

mod dialled;
mod parts;
mod purpose;
mod settings;
mod statements;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::path::Path;

use crate::collections::HashSet;
use crate::environment::readers::expansion::{names_with_default, referred_names};
use crate::environment::{Invocation, Origin, Reading, Setting};
use crate::reach::arguments::purpose::tool_arguments;
use crate::reach::arguments::settings::{setting_name, settings};
use crate::reach::assemble::{Found, Variables, ambient, fill, names_nothing, value};
use crate::reach::grammars::scheme::engine_of_driver;
use crate::reach::names::Name;
use crate::reach::{Doubt, Draft, Engine, Lookup, Place};
use crate::tools::clients;
use crate::tools::clients::{Client, client_of};
use crate::tools::providers;
use crate::tools::providers::Reach;

pub(crate) use crate::reach::arguments::purpose::{acts_unseen, database_client};

/// An invocation with what its words say whatever the environment holds.
pub(crate) struct Call<'i> {
    pub(crate) invocation: &'i Invocation,
    /// The database's own program that it calls, with the arguments of that.
    client: Option<(&'static Client, &'i [String])>,
    /// The arguments of a tool that does what settings or a URL among them say.
    tool: Option<&'i [String]>,
    /// The database of a provider's account that it acts on.
    at_a_provider: Option<Draft>,
    /// What each of its words names as it is written.
    named: Vec<OnceCell<Vec<Draft>>>,
    /// The settings that its words are.
    pub(crate) typed: Vec<Setting>,
    /// Variables that some environment does not know, and whose defaults the words have: `${NAME:-db.test}`.
    pub(crate) unset: Vec<&'i str>,
    /// Whether some environment knows all variables that the words cannot do without.
    pub(crate) is_known_somewhere: bool,
}

impl<'i> Call<'i> {
    /// Reads the words of an invocation that could see any of the readings.
    pub(crate) fn read(invocation: &'i Invocation, readings: &[Reading]) -> Self {
        let refers = invocation.words.iter().any(|word| word.contains('$'));
        let client = client_of(&invocation.words);
        let tool = if client.is_some() { None } else { tool_arguments(&invocation.words) };
        let typed = if client.is_some() { Vec::new() } else { settings(invocation, tool.is_some()) };
        let mut call = Call {
            invocation,
            client,
            tool,
            at_a_provider: at_a_provider(&invocation.words),
            named: invocation.words.iter().map(|_| OnceCell::new()).collect(),
            typed,
            unset: Vec::new(),
            is_known_somewhere: true,
        };
        if refers {
            let unset = call.unset_in(readings);
            call.unset = unset;
            let knows = |reading| call.is_known(&[], &|name| call.assigned(name).unwrap_or_else(|| of(reading, name)));
            call.is_known_somewhere = readings.iter().any(knows);
        }
        call
    }

    /// The words that variables are filled in, of whichever kind.
    fn open_words(&self) -> impl Iterator<Item = &str> {
        let typed = self.typed.iter().map(|setting| setting.value.as_str());
        self.filled_words().map(|(word, _)| word.as_str()).chain(typed).filter(|word| word.contains('$'))
    }

    /// Lists the words that variables are filled in, and whether they are arguments of a database's own program; the others
    /// are addresses.
    pub(crate) fn filled_words(&self) -> impl Iterator<Item = (&'i String, bool)> + use<'i> {
        let addresses = self.invocation.words.iter().skip(1).filter(|word| is_filled(word));
        let arguments = self.client.map_or(&[][..], |(_, arguments)| arguments);
        arguments.iter().map(|word| (word, true)).chain(addresses.map(|word| (word, false)))
    }

    /// Tells whether what its words name may hang on one of these variables.
    pub(crate) fn refers_to(&self, names: &HashSet<&str>) -> bool {
        self.filled_words().any(|(word, _)| referred_names(word).any(|name| names.contains(name)))
    }

    /// Tells whether `look` knows all variables of its words, those with a default among `unset` aside.
    fn is_known(&self, unset: &[&str], look: &dyn Fn(&str) -> Option<String>) -> bool {
        self.open_words().all(|word| fill(word, unset, look).is_known)
    }

    /// Tells whether all variables are known that the words of a client refer to; those of other programs are settings.
    pub(crate) fn is_known_to(&self, variables: &Variables<'_>, unset: &[&str]) -> bool {
        self.client.is_none_or(|(_, arguments)| {
            arguments.iter().filter(|word| word.contains('$')).all(|word| variables.filled(word, unset).is_known)
        })
    }

    /// Finds the variables with a default in the words that one of the readings does not know.
    fn unset_in(&self, readings: &[Reading]) -> Vec<&'i str> {
        let words = self.invocation.words.iter();
        let mut unset: Vec<&str> = words.flat_map(|word| names_with_default(word)).collect();
        unset.sort_unstable();
        unset.dedup();
        unset.retain(|name| match self.set(name) {
            Some(value) => value.is_none(),
            None => readings.iter().any(|reading| of(reading, name).is_none()),
        });
        unset
    }

    /// What the invocation sets a variable to; nothing inside where that is empty.
    fn set(&self, name: &str) -> Option<Option<String>> {
        let typed = self.typed.iter().rev().find(|setting| setting.name == name).map(|setting| &setting.value);
        let assigned = || self.invocation.assignments.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value);
        let value = typed.or_else(assigned)?;
        Some((!names_nothing(value)).then(|| value.clone()))
    }

    /// The same, with what a script sets to something that is not known.
    fn assigned(&self, name: &str) -> Option<Option<String>> {
        let is_unknown = self.invocation.unknown.iter().any(|(_, own)| **own == *name);
        if is_unknown { Some(Some(String::new())) } else { self.set(name) }
    }
}

fn of(reading: &Reading, name: &str) -> Option<String> {
    reading.get(name).map(|setting| &setting.value).filter(|value| !names_nothing(value)).cloned()
}

/// Finds everything that the words of a call name, completed from the environment it would see.
///
/// The variables `unset` are taken for unknown, with the defaults that the words have for them.
pub(crate) fn find(call: &Call<'_>, variables: &Variables<'_>, unset: &[&str]) -> Vec<Found> {
    let mut found = Vec::new();
    let invocation = call.invocation;
    let program = invocation.program();
    let typed = |word: &str| match invocation.origin.file {
        // A client is told as one; of other programs only an option says more than that it was typed.
        None if word == program && clients::named(word).is_none() => Origin::command_line(),
        _ => ambient::typed(&invocation.origin, word),
    };
    if let Some((client, arguments)) = call.client {
        // A script of one line sets what it sets in front of its commands.
        let file = invocation.origin.file.as_deref().and_then(Path::file_name);
        let is_one_line = file.is_some_and(|name| name == "package.json" || name == "composer.json");
        let takes_defaults = is_one_line && invocation.unknown.is_empty();
        let fill = |word: &String| {
            let filled = variables.filled(word, unset);
            if filled.is_known || takes_defaults { filled.text } else { word.clone() }
        };
        let arguments: Vec<String> = arguments.iter().map(fill).collect();
        for (draft, origins) in dialled::read(program, client, &arguments, variables) {
            let mut one = Found::new(draft, typed(program), "");
            origins.iter().for_each(|origin| one.add_origin(origin));
            found.push(one);
        }
    } else if let Some(arguments) = call.tool {
        found.extend(driver_and_source(arguments, invocation, variables, unset));
    }
    found.extend(call.at_a_provider.iter().map(|draft| Found::new(draft.clone(), typed(program), "")));
    for (at, word) in invocation.words.iter().enumerate().skip(1) {
        let filled = is_filled(word).then(|| variables.filled(word, unset)).filter(|filled| filled.is_known);
        let word = filled.as_ref().map_or(word, |filled| &filled.text);
        if let Some(why) = cut_in(word, variables) {
            variables.cut_off(&typed(program), why);
        }
        let known = |draft: &Draft, found: &[Found]| {
            found.iter().any(|one| one.draft.places == draft.places && one.draft.database == draft.database)
        };
        let own;
        let drafts = match &filled {
            Some(filled) => {
                own = value_in(&filled.text, variables.lookup);
                &own
            }
            None => call.named[at].get_or_init(|| value_in(word, variables.lookup)),
        };
        for draft in drafts.iter().cloned() {
            if draft.cut.is_some() || !known(&draft, &found) {
                let before = &invocation.words[at - 1];
                let option = Some(before.as_str()).filter(|before| before.starts_with('-') && !before.contains('='));
                let name = word.split_once('=').map(|(name, _)| name);
                let name = name.filter(|name| !name.contains("://") && !name.contains('@'));
                let label = option.or(name).unwrap_or(program);
                found.push(Found::new(draft, typed(label), ""));
            }
        }
    }
    // Beside what the defaults name, what is written stays: nothing shows that the variables are not set.
    if unset.is_empty() && !call.unset.is_empty() && !call.is_known_somewhere {
        let drafts = found.iter_mut().map(|one| &mut one.draft);
        drafts.filter(|draft| draft.doubts.contains(&Doubt::Unexpanded)).for_each(|draft| draft.doubt(Doubt::Variable));
    }
    for one in &mut found {
        ambient::complete_one(variables, one);
    }
    found
}

/// Tells whether variables are filled in a word of any program: in an address, but none of the web, and in what is nothing but
/// a variable.
fn is_filled(word: &str) -> bool {
    let value = word.split_once('=').map_or(word, |(_, value)| value);
    let is_of_the_web = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    word.contains('$')
        && !is_of_the_web(word)
        && !is_of_the_web(value)
        && (word.contains("://") || value.starts_with('$') && !value.contains(['/', '(']))
}

/// Finds the variable that a word of a program is nothing but: `$A`, `--url=${A}`.
pub(crate) fn only_variable(word: &str) -> Option<&str> {
    let value = word.split_once('=').map_or(word, |(_, value)| value);
    let name = value.strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name);
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    is_name.then_some(name)
}

/// Tells whether a value names something as a word of a program, whichever it is.
pub(crate) fn names_address(value: &str, lookup: &Lookup<'_>) -> bool {
    let nameless = Name::read("");
    !value_in(value, lookup).is_empty()
        || !value::parse(&nameless, value, lookup).is_empty()
        || value::cut(&nameless, value, lookup).is_some()
}

/// Finds the database of a provider's account that the words act on.
fn at_a_provider(words: &[String]) -> Option<Draft> {
    match providers::command_of(words)?.reach {
        Reach::Named(engine, what) => {
            let engine = Engine::named(engine).unwrap_or(Engine::Unknown);
            Some(Draft::at(engine, Place::Instance { name: what.to_owned() }))
        }
        Reach::Account | Reach::Elsewhere | Reach::Unknown => None,
    }
}

/// A URL or DSN in one argument: the whole of it, or what follows its first `=`.
fn value_in(word: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    let nameless = Name::read("");
    // Sqitch writes its URLs as `db:pg://host/app`.
    let word = word.strip_prefix("db:").unwrap_or(word);
    let whole = value::parse(&nameless, word, lookup);
    let text_of_options = word.starts_with('-') || !word.contains("://") || word.find('=') < word.find("://");
    if !whole.is_empty() && !word.starts_with('-') {
        return whole;
    }
    match word.split_once('=') {
        // What has a name is one of the settings of the environment already.
        Some((name, _)) if setting_name(name).is_some_and(|name| Name::read(name).says_database) => Vec::new(),
        Some((_, value)) if text_of_options => value::parse(&nameless, value, lookup),
        _ => Vec::new(),
    }
}

/// Says that a word, or what follows its first `=`, is too long to be read.
fn cut_in(word: &str, variables: &Variables<'_>) -> Option<&'static str> {
    let attached = word.split_once('=').map(|(_, value)| value);
    [Some(word), attached].into_iter().flatten().find_map(|text| value::cut(&Name::read(""), text, variables.lookup))
}

/// `goose postgres "user=x dbname=y" up`: a driver's name, then its source.
fn driver_and_source(
    arguments: &[String],
    invocation: &Invocation,
    variables: &Variables<'_>,
    unset: &[&str],
) -> Vec<Found> {
    let plain: Vec<&String> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let Some((driver, source)) = plain.windows(2).find_map(|pair| Some((engine_of_driver(pair[0])?, pair[1]))) else {
        return Vec::new();
    };
    if invocation.words.iter().all(|word| !word.ends_with("goose")) {
        return Vec::new();
    }
    let mut name = Name::read("DATABASE_URL");
    name.engine = Some(driver);
    let filled = is_filled(source).then(|| variables.filled(source, unset)).filter(|filled| filled.is_known);
    let source = filled.as_ref().map_or(source.as_str(), |filled| &filled.text);
    let drafts = value::parse(&name, source, variables.lookup);
    let origin = ambient::typed(&invocation.origin, invocation.program());
    drafts.into_iter().map(|draft| Found::new(draft, origin.clone(), "")).collect()
}
