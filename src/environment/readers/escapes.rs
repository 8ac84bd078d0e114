//! Backslashes in values.

use std::borrow::Cow;

/// Replaces each backslash and the character behind it by what `meaning` says of that character; where it says nothing,
/// both stay. So does a backslash at the end.
pub(crate) fn unescape(text: &str, meaning: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let next = if c == '\\' { chars.next() } else { None };
        match next.map(|next| (next, meaning(next))) {
            Some((_, Some(meant))) => result.push(meant),
            Some((next, None)) => result.extend([c, next]),
            None => result.push(c),
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_is_replaced_with_what_follows_it() {
        let meaning = |c: char| match c {
            'n' => Some('\n'),
            '\\' | 'é' => Some(c),
            _ => None,
        };
        for (text, expected) in
            [("a", "a"), (r"a\nb", "a\nb"), (r"\\n", r"\n"), (r"\x\é", r"\xé"), (r"a\", r"a\"), (r"\\\", r"\\")]
        {
            assert_eq!(unescape(text, meaning), expected, "{text}");
        }
    }
}
