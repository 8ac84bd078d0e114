//! One line for people: pieces of text, some in a tone.

use console::Style;

use crate::text::printable;

/// The weight of a piece of text on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Wants a look.
    Doubtful,
    /// Refused or failed.
    Bad,
    /// Less important than what stands around it.
    Faint,
}

impl Tone {
    fn style(self) -> Style {
        let style = Style::new().force_styling(true);
        match self {
            Tone::Good => style.green(),
            Tone::Doubtful => style.yellow(),
            Tone::Bad => style.red().bold(),
            Tone::Faint => style.dim(),
        }
    }
}

/// A line to be printed. Whatever its text holds, it stays one line and drives no terminal: see [`Line::shown`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line(Vec<(Option<Tone>, String)>);

impl Line {
    /// Begins a line with text in a tone.
    #[must_use]
    pub(crate) fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Line(vec![(Some(tone), text.into())])
    }

    /// Goes on with text in no tone.
    #[must_use]
    pub(crate) fn and(mut self, text: impl Into<String>) -> Self {
        self.0.push((None, text.into()));
        self
    }

    /// Goes on with text in a tone.
    #[must_use]
    pub(crate) fn and_toned(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.0.push((Some(tone), text.into()));
        self
    }

    /// Writes the line as it is printed, without its end: all text escaped, the tones as colours where `styled`.
    pub(in crate::ui) fn shown(&self, styled: bool) -> String {
        let piece = |(tone, text): &(Option<Tone>, String)| match tone {
            Some(tone) if styled => tone.style().apply_to(printable(text)).to_string(),
            _ => printable(text),
        };
        self.0.iter().map(piece).collect()
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Line::default().and(text)
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Line::default().and(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::HOSTILE;
    use crate::text::shows;

    #[test]
    fn only_our_own_colours_reach_a_terminal() {
        let line = Line::toned(Tone::Bad, format!("bad {HOSTILE}")).and(HOSTILE).and_toned(Tone::Good, "good");
        let plain = line.shown(false);
        assert!(plain.chars().all(shows), "{plain:?}");
        let styled = line.shown(true);
        assert_ne!(styled, plain);
        assert_eq!(console::strip_ansi_codes(&styled), plain);
        assert_eq!(Line::from("a\nsafe-test: b").shown(true), r"a\nsafe-test: b");
    }
}
