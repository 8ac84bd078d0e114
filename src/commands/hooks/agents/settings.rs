//! Puts entries into a JSON settings file and takes them out again, and leaves every other byte as it is.
//!
//! Nothing is written anew: text is put in or cut out, so comments, order, indentation and line ends stay. What was
//! there before decides how an entry looks (in a list that was there and empty it stands right behind the bracket, in
//! one that was made for it on a line of its own). So an entry tells what it was put into, and cutting it out tries
//! each text that it may have been put into: the one is right from which putting it in leads to the text at hand.

use std::ops::Range;

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::commands::hooks::agents::insert;

/// One entry of ours in a settings file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'p> {
    /// The keys that lead from the top to the list or object that the entry stands in.
    pub(crate) path: &'static [&'static str],
    /// Its key, where it stands in an object; in a list it has none.
    pub(crate) key: Option<&'static str>,
    /// Its value, as JSON.
    pub(crate) value: &'p str,
    /// How it is known again.
    pub(crate) known: Known,
}

/// How an entry is known for ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// A command in it runs our hook.
    ByCommand,
    /// It stands there with this very value, or under this key.
    ByValue,
}

/// Why a settings file is not touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("line {line}: {message}")]
    NoJson { line: usize, message: String },
    #[error("it holds no object")]
    NoObject,
    #[error("what should hold `{0}` is no object")]
    NoHolder(String),
    #[error("`{0}` is no list")]
    NoList(String),
    #[error("`{0}` stands there twice")]
    Twice(String),
    #[error("the two marks around safe-test's sentences are not both there")]
    HalfStanza,
}

/// Puts an entry in; gives `None` where it is there already.
///
/// # Errors
///
/// Where the text is no JSON, or has something else at that place.
pub(crate) fn put_in(text: &str, piece: &Piece<'_>) -> Result<Option<String>, Unfit> {
    let (mark, text) = text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("\u{feff}", rest));
    let parsed = parse(text)?;
    if !own_nodes(&parsed, piece)?.is_empty() {
        return Ok(None);
    }
    let mut container = &parsed;
    let mut rest = piece.path;
    while let [key, below @ ..] = rest
        && let Some(value) = member(container, key)?
    {
        container = value;
        rest = below;
    }
    let (key, value) = nested(rest, piece);
    let children: Vec<Range<usize>> = children(container).into_iter().map(|(range, _)| range).collect();
    Ok(Some(format!("{mark}{}", insert::into(text, range_of(container), &children, key, &value))))
}

/// Takes all entries out that are known for this one; gives `None` where there is none.
///
/// # Errors
///
/// As for [`put_in`].
pub(crate) fn take_out(text: &str, piece: &Piece<'_>) -> Result<Option<String>, Unfit> {
    let (mark, mut text) =
        text.strip_prefix('\u{feff}').map_or(("", text.to_owned()), |rest| ("\u{feff}", rest.to_owned()));
    let mut is_taken = false;
    while let Some(without) = take_one_out(&text, piece)? {
        text = without;
        is_taken = true;
    }
    Ok(is_taken.then(|| format!("{mark}{text}")))
}

fn take_one_out(text: &str, piece: &Piece<'_>) -> Result<Option<String>, Unfit> {
    let parsed = parse(text)?;
    let Some(way) = own_nodes(&parsed, piece)?.pop() else { return Ok(None) };
    // The entry alone, or with the lists and objects around it that hold nothing else.
    let lonely = (1..way.len()).rev().take_while(|depth| children(way[*depth].0).len() == 1).count();
    let candidates = (0..=lonely).map(|above| insert::without(text, &cut(&way, above)));
    let exact = candidates.clone().find(|before| put_in(before, piece).ok().flatten().as_deref() == Some(text));
    // Somebody has changed it meanwhile: then what holds nothing else goes along.
    Ok(Some(exact.unwrap_or_else(|| insert::without_and_tidied(text, &cut(&way, lonely)))))
}

/// A list or object with the number of one of what it holds.
type Step<'v, 'a> = (&'v Value<'a>, usize);

/// What is to be cut out: the place `above` steps above the end of a way.
fn cut(way: &[Step<'_, '_>], above: usize) -> insert::Cut {
    let (container, at) = way[way.len() - 1 - above];
    let children = children(container).into_iter().map(|(range, _)| range).collect();
    insert::Cut { container: range_of(container), children, at }
}

/// Parses what agents take: JSON, with comments and commas at the end where people write them. Places in it count from behind
/// a byte order mark.
pub(crate) fn parse(text: &str) -> Result<Value<'_>, Unfit> {
    let options = ParseOptions {
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
        ..ParseOptions::default()
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options).map_err(|error| Unfit::NoJson {
        line: text[..error.range().start.min(text.len())].matches('\n').count() + 1,
        message: error.kind().to_string().to_lowercase(),
    })?;
    parsed.value.filter(|value| value.as_object().is_some()).ok_or(Unfit::NoObject)
}

/// Finds the member of that name.
///
/// # Errors
///
/// Where it stands there twice, so that nobody knows which one counts, or the value is no object.
pub(crate) fn member<'v, 'a>(value: &'v Value<'a>, key: &str) -> Result<Option<&'v Value<'a>>, Unfit> {
    let object = value.as_object().ok_or_else(|| Unfit::NoHolder(key.to_owned()))?;
    let mut found = object.properties.iter().filter(|property| property.name.as_str() == key);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(Unfit::Twice(key.to_owned())),
        (first, None) => Ok(first.map(|property| &property.value)),
    }
}

fn range_of(value: &Value<'_>) -> Range<usize> {
    value.range().start..value.range().end
}

/// What a list or object holds, each with its text, the key included.
pub(crate) fn children<'v, 'a>(value: &'v Value<'a>) -> Vec<(Range<usize>, &'v Value<'a>)> {
    match value {
        Value::Object(object) => {
            let range = |range: jsonc_parser::common::Range| range.start..range.end;
            object.properties.iter().map(|property| (range(property.range), &property.value)).collect()
        }
        Value::Array(array) => array.elements.iter().map(|element| (range_of(element), element)).collect(),
        _ => Vec::new(),
    }
}

/// The entries of ours, each as the way to it from the top.
fn own_nodes<'v, 'a>(top: &'v Value<'a>, piece: &Piece<'_>) -> Result<Vec<Vec<Step<'v, 'a>>>, Unfit> {
    let mut way: Vec<Step<'v, 'a>> = Vec::new();
    let mut container = top;
    for key in piece.path.iter().chain(&piece.key) {
        let Some(value) = member(container, key)? else { return Ok(Vec::new()) };
        let at = children(container).iter().position(|(_, child)| std::ptr::eq(*child, value)).unwrap_or_default();
        way.push((container, at));
        container = value;
    }
    if piece.key.is_some() {
        return Ok(vec![way]);
    }
    if container.as_array().is_none() {
        return Err(Unfit::NoList(piece.path.join(".")));
    }
    let mut own = Vec::new();
    for (at, (_, entry)) in children(container).into_iter().enumerate() {
        let step = |steps: &[Step<'v, 'a>]| [&way[..], steps].concat();
        if piece.known == Known::ByValue {
            own.extend(is_value(entry, piece.value).then(|| step(&[(container, at)])));
            continue;
        }
        // Handlers stand in the list themselves, or in groups that have a list of them.
        let group = member(entry, "hooks").ok().flatten().filter(|handlers| handlers.as_array().is_some());
        let Some(handlers) = group else {
            own.extend(runs_our_hook(entry).then(|| step(&[(container, at)])));
            continue;
        };
        let in_group: Vec<usize> = children(handlers)
            .iter()
            .enumerate()
            .filter(|(_, (_, one))| runs_our_hook(one))
            .map(|(at, _)| at)
            .collect();
        let place = children(entry).iter().position(|(_, child)| std::ptr::eq(*child, handlers)).unwrap_or_default();
        if !in_group.is_empty() && in_group.len() == children(handlers).len() {
            own.push(step(&[(container, at)]));
        } else {
            own.extend(in_group.into_iter().map(|one| step(&[(container, at), (entry, place), (handlers, one)])));
        }
    }
    Ok(own)
}

fn is_value(entry: &Value<'_>, wanted: &str) -> bool {
    serde_json::from_str(wanted).is_ok_and(|wanted: serde_json::Value| same(entry, &wanted))
}

fn same(one: &Value<'_>, other: &serde_json::Value) -> bool {
    match (one, other) {
        (Value::StringLit(one), serde_json::Value::String(other)) => one.value == *other,
        (Value::BooleanLit(one), serde_json::Value::Bool(other)) => one.value == *other,
        (Value::NumberLit(one), serde_json::Value::Number(other)) => one.value == other.to_string(),
        (Value::NullKeyword(_), serde_json::Value::Null) => true,
        (Value::Array(one), serde_json::Value::Array(other)) => {
            one.elements.len() == other.len() && one.elements.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), serde_json::Value::Object(other)) => {
            one.properties.len() == other.len()
                && one
                    .properties
                    .iter()
                    .all(|property| other.get(property.name.as_str()).is_some_and(|other| same(&property.value, other)))
        }
        _ => false,
    }
}

/// The keys that agents give a handler's command under, each for a shell or a system.
const COMMAND_KEYS: [&str; 6] = ["command", "bash", "powershell", "windows", "linux", "osx"];

/// The commands of a handler that run our hook, as one line each.
pub(crate) fn our_commands(handler: &Value<'_>) -> Vec<String> {
    let Some(object) = handler.as_object() else { return Vec::new() };
    if let Some(action) = object.get_object("action") {
        return our_commands(&Value::Object(action.clone()));
    }
    let arguments = object.get_array("args").map(|list| {
        list.elements
            .iter()
            .filter_map(|one| Some(one.as_string_lit()?.value.to_string()))
            .collect::<Vec<_>>()
            .join(" ")
    });
    let commands = COMMAND_KEYS
        .iter()
        .filter_map(|key| object.get_string(key))
        .map(|command| format!("{} {}", command.value, arguments.as_deref().unwrap_or_default()).trim_end().to_owned());
    commands.filter(|command| is_our_command(command)).collect()
}

fn runs_our_hook(handler: &Value<'_>) -> bool {
    !our_commands(handler).is_empty()
}

/// Where the script lies that stands for it for an agent that starts nothing but scripts.
const OF_AUGMENT: &str = "/.augment/hooks/safe-test.sh";

/// Tells whether a command is `safe-test hook`, wherever the program is, or the script of ours that stands for it.
pub(crate) fn is_our_command(command: &str) -> bool {
    let mut words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let program = words.next().unwrap_or_default();
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    match name {
        "safe-test" | "safe-test.exe" => {
            words.next().is_some_and(|word| word.trim_end_matches([';', '&', '|']) == "hook")
        }
        _ => command.ends_with(OF_AUGMENT),
    }
}

/// What is put in where the rest of the path is not there: the entry with the lists and objects around it.
fn nested(rest: &[&'static str], piece: &Piece<'_>) -> (Option<&'static str>, serde_json::Value) {
    let entry: serde_json::Value = serde_json::from_str(piece.value).unwrap_or_default();
    let holder = |key: &str, value| serde_json::Value::Object([(key.to_owned(), value)].into_iter().collect());
    let [first, below @ ..] = rest else { return (piece.key, entry) };
    let innermost = match piece.key {
        Some(key) => holder(key, entry),
        None => serde_json::Value::Array(vec![entry]),
    };
    (Some(first), below.iter().rev().fold(innermost, |value, key| holder(key, value)))
}

/// Makes the text of a file that was not there, with these entries; `base` is what such a file holds in any case.
pub(crate) fn made_anew(base: &str, pieces: &[Piece<'_>]) -> String {
    let mut top: serde_json::Value = serde_json::from_str(base).unwrap_or_default();
    for piece in pieces {
        let mut place = &mut top;
        for key in piece.path {
            place = &mut place[*key];
        }
        let entry: serde_json::Value = serde_json::from_str(piece.value).unwrap_or_default();
        match (piece.key, &mut *place) {
            (Some(key), _) => place[key] = entry,
            (None, serde_json::Value::Array(list)) => list.push(entry),
            (None, _) => *place = serde_json::Value::Array(vec![entry]),
        }
    }
    insert::pretty(&top, "", "  ", "\n") + "\n"
}
