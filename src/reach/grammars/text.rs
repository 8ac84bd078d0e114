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

/// Takes quotes and blanks off both ends; the flag says whether a quote was there. One at the end that closes another
/// inside (`host=db password='x'`) stays.
pub(crate) fn without_quotes(text: &str) -> (&str, bool) {
    const QUOTES: [char; 3] = ['"', '\'', '`'];
    let trimmed = text.trim();
    let mut bare = trimmed.trim_start_matches(QUOTES);
    let before = &trimmed[..trimmed.len() - bare.len()];
    let is_escaped = |text: &str, at: usize| text[..at].ends_with('\\');
    let mut left = QUOTES.map(|quote| bare.match_indices(quote).filter(|(at, _)| !is_escaped(bare, *at)).count());
    while let Some((at, quote)) = bare.char_indices().next_back()
        && let Some(which) = QUOTES.iter().position(|own| *own == quote)
    {
        left[which] -= usize::from(!is_escaped(bare, at));
        if left[which] % 2 == 1 && !before.contains(quote) {
            break;
        }
        bare = &bare[..at];
    }
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
    fn quotes_around_a_value_are_taken_off_and_its_own_stay() {
        for (text, bare, quoted) in [
            (" 'a' ", "a", true),
            ("\"a", "a", true),
            ("a'", "a", true),
            ("''a''", "a", true),
            ("", "", false),
            ("\"", "", true),
            ("host=h password='x'", "host=h password='x'", false),
            ("\"host=h password='x y'\"", "host=h password='x y'", true),
            (r"host=h password='it\'s'", r"host=h password='it\'s'", false),
            ("host=h password='\"'", "host=h password='\"'", false),
            ("host=h password=''", "host=h password=''", false),
            ("host=h password='a\"'", "host=h password='a\"'", false),
            ("'u:p'w@h'", "u:p'w@h", true),
        ] {
            assert_eq!(without_quotes(text), (bare, quoted), "{text}");
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
