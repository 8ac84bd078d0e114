//! The kinds of values that a policy takes. An error says what is expected, in words, and never what was found.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Component, Path};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use toml::{Spanned, Value};

/// What stands for a snapshot's path in the arguments of a program.
pub(crate) const FILE_WORD: &str = "{file}";

/// A setting with its place in the file; `None` where the file does not have it.
pub(crate) type Written<T> = Option<Spanned<T>>;

/// Reads one value by `read`, which gives `None` for what is not `expected`.
fn value<'de, D: Deserializer<'de>, T>(
    from: D,
    expected: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Written<T>, D::Error> {
    let written = Spanned::<Value>::deserialize(from)?;
    let read = read(written.get_ref()).ok_or_else(|| D::Error::custom(expected))?;
    Ok(Some(Spanned::new(written.span(), read)))
}

/// Reads a list of strings that all fit.
fn list<'de, D: Deserializer<'de>>(
    from: D,
    expected: &str,
    fits: fn(&str) -> bool,
) -> Result<Written<Vec<String>>, D::Error> {
    value(from, expected, |value| {
        let item = |item: &Value| item.as_str().filter(|text| fits(text)).map(str::to_owned);
        value.as_array()?.iter().map(item).collect()
    })
}

pub(crate) fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Written<Vec<String>>, D::Error> {
    list(from, "a list of strings, none of them empty", is_not_blank)
}

pub(crate) fn host_ports<'de, D: Deserializer<'de>>(from: D) -> Result<Written<Vec<String>>, D::Error> {
    list(from, "a list of exact `host:port` pairs, without wildcards", |pair| {
        let port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
        !pair.contains('*') && pair.rsplit_once(':').is_some_and(|(host, end)| is_not_blank(host) && port(end))
    })
}

pub(crate) fn ports<'de, D: Deserializer<'de>>(from: D) -> Result<Written<Vec<u16>>, D::Error> {
    value(from, "a list of ports between 1 and 65535", |value| {
        let port = |item: &Value| u16::try_from(item.as_integer()?).ok().filter(|port| *port > 0);
        value.as_array()?.iter().map(port).collect()
    })
}

pub(crate) fn assignments<'de, D: Deserializer<'de>>(from: D) -> Result<Written<Vec<String>>, D::Error> {
    list(from, "a list of `NAME=value` pairs", |pair| pair.contains('='))
}

pub(crate) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Written<String>, D::Error> {
    value(from, "a string that is not empty", |value| {
        value.as_str().filter(|text| is_not_blank(text)).map(str::to_owned)
    })
}

pub(crate) fn required_text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(text(from)?.map(Spanned::into_inner).unwrap_or_default())
}

/// Reads the path of a folder within the project, none that git or the project itself is.
pub(crate) fn path_within<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let written =
        value(from, "the path of a folder within the project, from its root, and not below `.git`", |value| {
            let path = value.as_str()?;
            let parts: Option<Vec<&str>> = Path::new(path)
                .components()
                .filter(|part| *part != Component::CurDir)
                .map(|part| match part {
                    Component::Normal(name) => name.to_str().filter(|name| !name.eq_ignore_ascii_case(".git")),
                    _ => None,
                })
                .collect();
            parts.filter(|parts| !parts.is_empty()).map(|parts| parts.join("/"))
        })?;
    Ok(written.map(Spanned::into_inner).unwrap_or_default())
}

/// Reads a program with its arguments, which are told of the snapshot's file.
pub(crate) fn file_command<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let written = value(from, "a list of strings: a program and its arguments, `{file}` in one of them", |value| {
        let words: Option<Vec<String>> =
            value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect();
        let told = |words: &Vec<String>| words.iter().skip(1).any(|word| word.contains(FILE_WORD));
        words.filter(|words| words.first().is_some_and(|program| is_not_blank(program)) && told(words))
    })?;
    Ok(written.map(Spanned::into_inner).unwrap_or_default())
}

pub(crate) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Written<bool>, D::Error> {
    value(from, "true or false", Value::as_bool)
}

pub(crate) fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<Written<usize>, D::Error> {
    value(from, "a whole number of at least 1", |value| {
        value.as_integer().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0)
    })
}

/// Reads one of several words.
pub(crate) fn choice<'de, D: Deserializer<'de>, T: Copy>(
    from: D,
    expected: &str,
    words: &[(&str, T)],
) -> Result<Written<T>, D::Error> {
    value(from, expected, |value| {
        let chosen = value.as_str()?;
        words.iter().find(|(word, _)| *word == chosen).map(|(_, meant)| *meant)
    })
}

pub(crate) fn tables<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Written<Vec<T>>, D::Error> {
    let written = Spanned::<Tables<T>>::deserialize(from)?;
    let span = written.span();
    Ok(Some(Spanned::new(span, written.into_inner().0)))
}

pub(crate) fn table<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Table::deserialize(from).map(|Table(table)| table)
}

/// A table and nothing else: a derived reader takes a list for one, too, with the keys' values in their order.
struct Table<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(keys))
            }
        }

        from.deserialize_map(Reader(PhantomData)).map(Table)
    }
}

/// A list of tables.
struct Tables<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tables<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tables")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut tables: A) -> Result<Vec<T>, A::Error> {
                let mut read = Vec::new();
                while let Some(Table(table)) = tables.next_element()? {
                    read.push(table);
                }
                Ok(read)
            }
        }

        from.deserialize_seq(Reader(PhantomData)).map(Tables)
    }
}

fn is_not_blank(text: &str) -> bool {
    !text.trim().is_empty()
}
