//! What the command's own arguments name: `psql -h db`, `mysql -D app`, `--database-url …`.

mod dialled;
mod files;
mod parts;
mod purpose;
mod settings;
mod statements;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;
use std::path::Path;

use crate::collections::{HashMap, HashSet};
use crate::environment::readers::expansion::{names_with_default, referred_names};
use crate::environment::{Invocation, Origin, Reading, Setting};
use crate::reach::arguments::purpose::tool;
use crate::reach::arguments::settings::{may_be_addresses, setting_name, settings};
use crate::reach::assemble::{Defaults, Filled, Found, Variables, ambient, fill, names_nothing, value};
use crate::reach::grammars::host::locate;
use crate::reach::grammars::scheme::engine_of_driver;
use crate::reach::grammars::text::mask_templates;
use crate::reach::names::Name;
use crate::reach::{Doubt, Draft, Engine, Lookup, Place};
use crate::tools::clients;
use crate::tools::clients::{Client, client_of};
use crate::tools::providers;
use crate::tools::providers::Reach;

pub(crate) use crate::reach::arguments::files::named_files;
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
    /// Variables that some environment does not know, and whose defaults the words have (`${NAME:-db.test}`), in order.
    unset: Vec<&'i str>,
    known: KnownSomewhere,
    /// Addresses that its words may be, and that no environment knows.
    open: Vec<Draft>,
}

/// Whether some environment knows all variables that words cannot do without, by which of their defaults count.
struct KnownSomewhere {
    by_none: bool,
    by_those_of_unknown: bool,
    by_all: bool,
}

/// The variables of each reading that hold something.
pub(crate) struct Values<'r>(Vec<HashMap<&'r str, &'r str>>);

impl<'r> Values<'r> {
    pub(crate) fn of(readings: &'r [Reading]) -> Self {
        let held = |reading: &'r Reading| {
            let settings = reading.settings.iter().filter(|setting| !names_nothing(&setting.value));
            settings.map(|setting| (setting.name.as_str(), setting.value.as_str())).collect()
        };
        Values(readings.iter().map(held).collect())
    }
}

/// What an invocation sets of the variables that its words refer to.
struct Own<'c> {
    /// Nothing inside where the value is empty.
    set: HashMap<&'c str, Option<&'c str>>,
    /// Those that a script sets to something that is not known.
    unknown: HashSet<&'c str>,
}

impl<'c> Own<'c> {
    fn of(invocation: &'c Invocation, typed: &'c [Setting]) -> Self {
        let words = invocation.words.iter().map(String::as_str).chain(typed.iter().map(|setting| &*setting.value));
        let asked: HashSet<&str> = words.flat_map(referred_names).collect();
        let assigned = invocation.assignments.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let typed = typed.iter().map(|setting| (setting.name.as_str(), setting.value.as_str()));
        let set = assigned.chain(typed).filter(|(name, _)| asked.contains(name));
        let unknown = invocation.unknown.iter().map(|(_, name)| &**name).filter(|name| asked.contains(name));
        Own {
            set: set.map(|(name, value)| (name, Some(value).filter(|value| !names_nothing(value)))).collect(),
            unknown: unknown.collect(),
        }
    }

    /// Finds what a variable holds over a reading; no text where that is not known.
    fn over<'v>(&self, reading: &HashMap<&str, &'v str>, name: &str) -> Option<&'v str>
    where
        'c: 'v,
    {
        if self.unknown.contains(name) {
            return Some("");
        }
        self.set.get(name).copied().unwrap_or_else(|| reading.get(name).copied())
    }
}

impl<'i> Call<'i> {
    /// Reads the words of an invocation that could see any of the readings, which hold these `values`.
    pub(crate) fn read(invocation: &'i Invocation, values: &Values<'_>) -> Self {
        let client = client_of(&invocation.words);
        let tool = if client.is_some() { None } else { tool(&invocation.words) };
        let typed = if client.is_some() { Vec::new() } else { settings(invocation, tool.is_some()) };
        let mut call = Call {
            invocation,
            client,
            tool: tool.as_ref().map(|(_, arguments)| *arguments),
            at_a_provider: at_a_provider(&invocation.words),
            named: invocation.words.iter().map(|_| OnceCell::new()).collect(),
            typed,
            unset: Vec::new(),
            known: KnownSomewhere { by_none: true, by_those_of_unknown: true, by_all: true },
            open: Vec::new(),
        };
        if invocation.words.iter().any(|word| word.contains(['$', '`'])) {
            let own = Own::of(invocation, &call.typed);
            let unset = unset_in(&invocation.words, &own, values);
            let somewhere = |words: &[&str]| {
                let by = |defaults| is_known_somewhere(words, defaults, &own, values);
                KnownSomewhere {
                    by_none: by(Defaults::OfNone),
                    by_those_of_unknown: by(Defaults::OfUnknown),
                    by_all: by(Defaults::Of(&unset)),
                }
            };
            let known = somewhere(&call.open_words().collect::<Vec<_>>());
            let is_open = |value: &&str| {
                let known = somewhere(&[value]);
                let is_command = names_with_default(value).next().is_none() && value.contains(['(', '`']);
                is_command || !known.by_those_of_unknown || !known.by_all
            };
            let arguments = tool.iter().flat_map(|(program, arguments)| may_be_addresses(program, arguments));
            let open = arguments.filter(is_open).filter_map(unknown_address).collect();
            (call.unset, call.known, call.open) = (unset, known, open);
        }
        call
    }

    /// Lists the ways to take the defaults in the words that are looked at: none of them, as each environment would, and all
    /// of them, for environments that nothing shows.
    pub(crate) fn ways(&self) -> impl Iterator<Item = Defaults<'_>> {
        let others = (!self.unset.is_empty()).then_some([Defaults::OfNone, Defaults::Of(&self.unset)]);
        [Defaults::OfUnknown].into_iter().chain(others.into_iter().flatten())
    }

    /// Tells whether what stays as it is written may be anything: there are defaults, and nothing knows the rest.
    pub(crate) fn is_open(&self, defaults: Defaults<'_>) -> bool {
        !self.unset.is_empty() && !self.is_known_somewhere(defaults)
    }

    fn is_known_somewhere(&self, defaults: Defaults<'_>) -> bool {
        match defaults {
            Defaults::OfNone => self.known.by_none,
            Defaults::OfUnknown => self.known.by_those_of_unknown,
            Defaults::Of(_) => self.known.by_all,
        }
    }

    /// The words that variables are filled in, of whichever kind.
    fn open_words(&self) -> impl Iterator<Item = &str> {
        let typed = self.typed.iter().map(|setting| setting.value.as_str());
        self.filled_words().map(|(word, _)| word.as_str()).chain(typed).filter(|word| word.contains(['$', '`']))
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

    /// Tells whether it is as plain as most: nothing is filled in its words.
    pub(crate) fn is_plain(&self) -> bool {
        self.typed.is_empty() && self.unset.is_empty()
    }
}

/// Finds the variables with a default in the words that one of the readings does not know.
fn unset_in<'i>(words: &'i [String], own: &Own<'_>, values: &Values<'_>) -> Vec<&'i str> {
    let mut unset: Vec<&str> = words.iter().flat_map(|word| names_with_default(word)).collect();
    unset.sort_unstable();
    unset.dedup();
    unset.retain(|name| match own.set.get(name) {
        Some(value) => value.is_none(),
        None => values.0.iter().any(|reading| !reading.contains_key(name)),
    });
    unset
}

/// Tells whether all variables of some words are known over one of the readings.
fn is_known_somewhere(words: &[&str], defaults: Defaults<'_>, own: &Own<'_>, values: &Values<'_>) -> bool {
    values.0.iter().any(|reading| {
        let look = |name: &str| own.over(reading, name).map(str::to_owned);
        words.iter().all(|word| fill(word, defaults, &look).is_known)
    })
}

/// What a word of a tool may be that nothing knows.
fn unknown_address(word: &str) -> Option<Draft> {
    let located = locate(word);
    let mut draft = Draft::at(Engine::Unknown, located.place?);
    located.doubts.into_iter().chain([Doubt::Variable]).for_each(|doubt| draft.doubt(doubt));
    Some(draft)
}

/// Finds everything that the words of a call name, completed from the environment it would see.
///
/// Of a database's own program that lacks variables which another environment has, what it names is partial.
pub(crate) fn find(call: &Call<'_>, variables: &Variables<'_>, defaults: Defaults<'_>) -> Vec<Found> {
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
        let takes_defaults = defaults == Defaults::OfNone && is_one_line && invocation.unknown.is_empty();
        let own = if takes_defaults { Defaults::OfUnknown } else { defaults };
        let filled: Vec<Filled> = arguments.iter().map(|word| variables.filled(word, own)).collect();
        let is_partial = !filled.iter().all(|word| word.is_known) && call.is_known_somewhere(defaults);
        let arguments: Vec<String> = filled.into_iter().map(|word| word.text).collect();
        for (draft, origins) in dialled::read(program, client, &arguments, variables) {
            let mut one = Found::new(draft, typed(program), "");
            one.is_partial = is_partial;
            origins.iter().for_each(|origin| one.add_origin(origin));
            found.push(one);
        }
    } else if let Some(arguments) = call.tool {
        found.extend(driver_and_source(arguments, invocation, variables, defaults));
        found.extend(call.open.iter().map(|draft| Found::new(draft.clone(), typed(program), "")));
    }
    found.extend(call.at_a_provider.iter().map(|draft| Found::new(draft.clone(), typed(program), "")));
    for (at, word) in invocation.words.iter().enumerate().skip(1) {
        let filled = is_filled(word).then(|| variables.filled(word, defaults));
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
    if call.is_open(defaults) {
        let drafts = found.iter_mut().map(|one| &mut one.draft);
        let open = drafts.filter(|draft| draft.doubts.iter().any(|doubt| doubt.blocks()));
        open.for_each(|draft| draft.doubt(Doubt::Variable));
    }
    for one in &mut found {
        ambient::complete_one(variables, one);
    }
    found
}

/// Tells whether variables are filled in a word of any program: in an address, but none of the web, and in what is nothing but
/// a variable, with whatever default.
fn is_filled(word: &str) -> bool {
    let value = word.split_once('=').map_or(word, |(_, value)| value);
    let is_of_the_web = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    // What a default holds says nothing of the word around it.
    let around = if value.starts_with("${") { mask_templates(value) } else { value.into() };
    word.contains('$')
        && !is_of_the_web(word)
        && !is_of_the_web(value)
        && (word.contains("://") || value.starts_with('$') && !around.contains(['/', '(']))
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
    defaults: Defaults<'_>,
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
    let drafts = value::parse(&name, &variables.filled(source, defaults).text, variables.lookup);
    let origin = ambient::typed(&invocation.origin, invocation.program());
    drafts.into_iter().map(|draft| Found::new(draft, origin.clone(), "")).collect()
}
