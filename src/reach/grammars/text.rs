//! Small operations on text that every grammar here needs: percent-decoding, templates, quotes.

use std::borrow::Cow;

/// The longest value that a grammar is tried on, in bytes.
pub(crate) const LONGEST_VALUE: usize = 64 * 1024;

/// Decodes `%41` to `A`. Sequences that are no hexadecimal pair stay, and a `+` is a plus: drivers do not read their URLs
/// as forms. Bytes that are not UTF-8 are replaced.
pub(crate) fn percent_decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

const TEMPLATES: [(&str, &str); 6] = [("${{", "}}"), ("${", "}"), ("$(", ")"), ("{{", "}}"), ("<%", "%>"), ("#{", "}")];

/// Says whether a template begins in `text`, closed or not.
pub(crate) fn opens_template(text: &str) -> bool {
    let may_open = text.bytes().any(|byte| matches!(byte, b'$' | b'{' | b'<' | b'#'));
    may_open && TEMPLATES.iter().any(|(open, _)| text.contains(open))
}

/// Overwrites every `${…}`, `$(…)`, `{{…}}`, `<%…%>` and `#{…}` with `x`, byte for byte.
///
/// Separators inside of a template separate nothing, so they are looked for in this copy; offsets fit both texts.
pub(crate) fn mask_templates(text: &str) -> Cow<'_, str> {
    if !opens_template(text) {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    // A closing mark that is missing once is missing for good; without this a text of `${${${…` takes quadratic time.
    let mut missing = [false; TEMPLATES.len()];
    while let Some(first) = rest.chars().next() {
        let span = TEMPLATES.iter().enumerate().find_map(|(index, (open, close))| {
            if missing[index] || !rest.starts_with(open) {
                return None;
            }
            let end = rest[open.len()..].find(close).map(|end| open.len() + end + close.len());
            missing[index] = end.is_none();
            end
        });
        let length = span.unwrap_or(first.len_utf8());
        match span {
            Some(length) => masked.extend(std::iter::repeat_n('x', length)),
            None => masked.push(first),
        }
        rest = &rest[length..];
    }
    Cow::Owned(masked)
}

/// Takes quotes and blanks off both ends; the flag says whether a quote was there.
pub(crate) fn without_quotes(text: &str) -> (&str, bool) {
    let trimmed = text.trim();
    let bare = trimmed.trim_matches(['"', '\'', '`']);
    (bare.trim(), bare.len() != trimmed.len())
}

/// Splits `key=value` at the first `=`; the key is trimmed and in lower case, the value trimmed.
pub(crate) fn key_value(text: &str) -> Option<(String, &str)> {
    let (key, value) = text.split_once('=')?;
    Some((key.trim().to_ascii_lowercase(), value.trim()))
}

/// Takes a prefix off, whatever the case of its ASCII letters.
pub(crate) fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_and_broken_sequences_stay() {
        let cases = [
            ("db%2Eprod", "db.prod"),
            ("%70%72", "pr"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%C3%BC", "ü"),
            ("a+b", "a+b"),
        ];
        for (text, expected) in cases {
            assert_eq!(percent_decode(text), expected, "{text}");
        }
    }

    #[test]
    fn templates_are_masked_byte_for_byte() {
        let cases = [
            ("${A:-b}:${P}", "xxxxxxx:xxxx"),
            ("{{ x/y }}/z", "xxxxxxxxx/z"),
            ("${{P.U}}", "xxxxxxxx"),
            ("${open", "${open"),
            ("ü$(é)", "üxxxxx"),
        ];
        for (text, expected) in cases {
            assert_eq!(mask_templates(text), expected, "{text}");
            assert_eq!(mask_templates(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn quotes_are_taken_off_even_where_only_one_is_left() {
        assert_eq!(without_quotes(" \"a "), ("a", true));
        assert_eq!(without_quotes("a"), ("a", false));
    }
}
