//! The few sentences that tell an agent of safe-test, in the file of instructions that it reads.

use crate::commands::hooks::agents::settings::Unfit;

const BEGIN: &str = "<!-- safe-test: begin -->";
const END: &str = "<!-- safe-test: end -->";

/// Facts and what to do; no orders that a later reader could not check.
const SAID: &str = "\
Commands here that reach a database (tests, migrations, seeds, resets, imports, database clients) run through safe-test: put \
`safe-test` before the command, as in `safe-test npm test`. It checks which database the command would reach, saves it, \
runs the command and says how to undo it. If safe-test refuses, stop and tell the person who asked; do not edit \
environment files, the policy or the hooks to get past it.";

/// Puts the stanza at the end of a file; gives `None` where it stands there already.
///
/// # Errors
///
/// Where there is only half of it.
pub(crate) fn put_in(text: Option<&str>) -> Result<Option<String>, Unfit> {
    let Some(text) = text else { return Ok(Some(whole())) };
    if place(text)?.is_some() {
        return Ok(None);
    }
    Ok(Some(format!("{text}\n{}", whole())))
}

/// Takes the stanza out; gives `None` where there is none. Where nothing else was in the file, the inner value is `None`.
///
/// # Errors
///
/// Where there is only half of it.
pub(crate) fn take_out(text: &str) -> Result<Option<Option<String>>, Unfit> {
    let Some((begin, end)) = place(text)? else { return Ok(None) };
    let (before, behind) = (&text[..begin], &text[end..]);
    // git may have given the file other line ends meanwhile.
    let line_end = if text[..end].ends_with("\r\n") { "\r\n" } else { "\n" };
    if before.is_empty() && behind.is_empty() && text.replace("\r\n", "\n") == whole() {
        return Ok(Some(None));
    }
    Ok(Some(Some(format!("{}{behind}", before.strip_suffix(line_end).unwrap_or(before)))))
}

/// The stanza with its marks.
pub(crate) fn whole() -> String {
    format!("{BEGIN}\n{SAID}\n{END}\n")
}

/// Where the stanza stands, its line end included.
fn place(text: &str) -> Result<Option<(usize, usize)>, Unfit> {
    match (text.find(BEGIN), text.find(END)) {
        (None, None) => Ok(None),
        (Some(begin), Some(end)) if begin < end => {
            let end = end + END.len();
            let line_end = ["\r\n", "\n"].into_iter().find(|line_end| text[end..].starts_with(line_end));
            Ok(Some((begin, end + line_end.map_or(0, str::len))))
        }
        _ => Err(Unfit::HalfStanza),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_goes_in_once_and_comes_out_to_the_byte() {
        for before in ["", "\n", "# Rules\n", "# Rules", "# Rules\n\n", "# Rules\n\n\n", "a\r\n"] {
            let within = put_in(Some(before)).unwrap().unwrap();
            assert!(within.starts_with(before) && within.contains("safe-test npm test"), "{within:?}");
            assert_eq!(put_in(Some(&within)).unwrap(), None, "{before:?}");
            assert_eq!(take_out(&within).unwrap(), Some(Some(before.to_owned())));
        }
        let alone = put_in(None).unwrap().unwrap();
        assert_eq!(take_out(&alone).unwrap(), Some(None));
        assert_eq!(take_out("# Rules\n").unwrap(), None);
    }

    #[test]
    fn other_line_ends_change_nothing() {
        for before in ["# Rules\n", "# Rules\n\n", "\n"] {
            let within = put_in(Some(before)).unwrap().unwrap().replace('\n', "\r\n");
            assert_eq!(take_out(&within).unwrap(), Some(Some(before.replace('\n', "\r\n"))));
        }
        assert_eq!(take_out(&whole().replace('\n', "\r\n")).unwrap(), Some(None));
    }

    #[test]
    fn what_was_written_behind_it_stays() {
        let within = put_in(Some("# Rules\n")).unwrap().unwrap() + "\nMore.\n";
        assert_eq!(take_out(&within).unwrap(), Some(Some("# Rules\n\nMore.\n".to_owned())));
    }

    #[test]
    fn half_a_stanza_is_left_alone() {
        for text in ["<!-- safe-test: begin -->\n", "<!-- safe-test: end -->\n<!-- safe-test: begin -->\n"] {
            assert!(put_in(Some(text)).is_err() && take_out(text).is_err(), "{text}");
        }
    }
}
