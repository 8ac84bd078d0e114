//! Compares what two archives hold: collections by their documents, and what is said of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::snapshot::mongodb::archive::{Collection, Held};
use crate::text::and_more;

/// How many differences are named.
const NAMED: usize = 5;

/// Options that a server does not keep, or that its own version decides.
const UNKEPT: [&str; 1] = ["autoIndexId"];

/// The same of indexes: the tools leave out versions, `ns` is the collection's name in old ones, and how an index was made is
/// no part of it.
const UNKEPT_OF_INDEXES: [&str; 3] = ["v", "ns", "background"];

/// Lists what is otherwise in `found`, without data.
#[must_use]
pub(crate) fn differences(expected: &Held, found: &Held) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, one) in &expected.collections {
        let word = one.kind.word();
        match found.collections.get(name) {
            None => differences.push(format!("the {word} `{name}` is missing")),
            Some(other) => differences.extend(of_one(one, other).map(|what| format!("the {word} `{name}` {what}"))),
        }
    }
    let besides = found.collections.iter().filter(|(name, _)| !expected.collections.contains_key(*name));
    differences.extend(besides.map(|(name, one)| format!("the {} `{name}` is there besides", one.kind.word())));
    differences
}

fn of_one<'c>(expected: &'c Collection, found: &'c Collection) -> impl Iterator<Item = String> + use<'c> {
    let (wanted, there) = (expected.documents.rows, found.documents.rows);
    let kind = (expected.kind != found.kind).then(|| format!("is a {}", found.kind.word()));
    let documents = match wanted == there {
        false => Some(format!("has {there} documents instead of {wanted}")),
        true => (expected.documents != found.documents).then(|| "has other documents".to_owned()),
    };
    let options =
        (plain(&expected.options, &UNKEPT) != plain(&found.options, &UNKEPT)).then(|| "has other options".to_owned());
    let indexes = (by_name(&expected.indexes) != by_name(&found.indexes)).then(|| "has other indexes".to_owned());
    [kind, documents, options, indexes].into_iter().flatten()
}

fn by_name(indexes: &[Value]) -> BTreeMap<String, BTreeMap<String, String>> {
    let name = |index: &Value| index.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    indexes.iter().map(|index| (name(index), plain(index, &UNKEPT_OF_INDEXES))).collect()
}

/// Gives what an object says, without what does not count. Within a part the order of names means something: of a key's
/// fields, of a pipeline's.
fn plain(object: &Value, without: &[&str]) -> BTreeMap<String, String> {
    let parts = object.as_object().into_iter().flatten().filter(|(name, _)| !without.contains(&name.as_str()));
    parts.map(|(name, value)| (name.clone(), numbers_plain(value).to_string())).collect()
}

/// Writes numbers without their kind: a server may keep a size that was given as one as another.
fn numbers_plain(value: &Value) -> Value {
    match value {
        Value::Object(parts) => {
            if let Some((kind, Value::String(number))) = parts.iter().next().filter(|_| parts.len() == 1)
                && ["$numberInt", "$numberLong", "$numberDouble"].contains(&kind.as_str())
            {
                return Value::String(number.strip_suffix(".0").unwrap_or(number).to_owned());
            }
            parts.iter().map(|(name, value)| (name.clone(), numbers_plain(value))).collect()
        }
        Value::Array(values) => values.iter().map(numbers_plain).collect(),
        other => other.clone(),
    }
}

/// Names the first differences, and counts the others.
#[must_use]
pub(crate) fn named(differences: &[String]) -> String {
    and_more(&differences[..differences.len().min(NAMED)], differences.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::digest::Lines;
    use crate::snapshot::mongodb::archive::Kind;

    fn collection(kind: Kind, options: &str, indexes: &str, documents: &[&[u8]]) -> Collection {
        let mut lines = Lines::default();
        documents.iter().for_each(|document| lines.end(document));
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let indexes = json(indexes).as_array().unwrap().clone();
        Collection { kind, options: json(options), indexes, documents: lines.take() }
    }

    fn held(one: Collection) -> Held {
        Held { collections: [("orders".to_owned(), one)].into() }
    }

    #[test]
    fn every_difference_is_found_and_what_a_restore_may_change_is_none() {
        use Kind::{Collection, View};
        let index = r#"[{"v":{"$numberInt":"2"},"key":{"a":{"$numberInt":"1"},"b":{"$numberInt":"1"}},"name":"a_b","unique":true}]"#;
        let options = r#"{"capped":true,"size":{"$numberInt":"4096"}}"#;
        let whole = held(collection(Collection, options, index, &[b"one", b"two"]));
        for (other, expected) in [
            (collection(Collection, options, index, &[b"two", b"one"]), &[][..]),
            (
                collection(
                    Collection,
                    r#"{"size":{"$numberLong":"4096"},"capped":true,"autoIndexId":true}"#,
                    r#"[{"key":{"a":{"$numberDouble":"1.0"},"b":{"$numberInt":"1"}},"name":"a_b","unique":true,"ns":"x.y","background":true}]"#,
                    &[b"one", b"two"],
                ),
                &[],
            ),
            (collection(Collection, options, index, &[b"one"]), &["has 1 documents instead of 2"]),
            (collection(Collection, options, index, &[b"one", b"twO"]), &["has other documents"]),
            (
                collection(Collection, r#"{"capped":true,"size":{"$numberInt":"8192"}}"#, index, &[b"one", b"two"]),
                &["has other options"],
            ),
            (collection(Collection, options, "[]", &[b"one", b"two"]), &["has other indexes"]),
            (
                collection(Collection, options, &index.replace(r#","unique":true"#, ""), &[b"one", b"two"]),
                &["has other indexes"],
            ),
            (
                collection(
                    Collection,
                    options,
                    &index.replace(r#""a":{"$numberInt":"1"},"b""#, r#""b":{"$numberInt":"1"},"a""#),
                    &[b"one", b"two"],
                ),
                &["has other indexes"],
            ),
            (collection(View, options, index, &[b"one", b"two"]), &["is a view"]),
        ] {
            let expected: Vec<String> = expected.iter().map(|what| format!("the collection `orders` {what}")).collect();
            assert_eq!(differences(&whole, &held(other)), expected);
        }
        assert_eq!(differences(&whole, &Held::default()), ["the collection `orders` is missing"]);
        assert_eq!(differences(&Held::default(), &whole), ["the collection `orders` is there besides"]);
    }
}
