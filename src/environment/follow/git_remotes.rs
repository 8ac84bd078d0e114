//! The application that `heroku run` acts on where no word names it: the one that git's remote of that name leads to.
//!
//! Source: Heroku's Dev Center, "Deploying with Git": `https://git.heroku.com/APP.git`, `git@heroku.com:APP.git`; the
//! remote is `heroku`, or what `heroku.remote` of git's configuration says.

use crate::environment::follow::Expansion;
use crate::environment::invocation::option_of;

impl Expansion<'_> {
    /// Lists the applications that the words may mean; empty where they name one, or no remote does.
    pub(crate) fn heroku_applications(&self, words: &[String]) -> Vec<String> {
        let mut remote = None;
        for (at, word) in words.iter().enumerate() {
            let (option, attached) = option_of(word);
            match option {
                "-a" | "--app" => return Vec::new(),
                "-r" | "--remote" => remote = attached.or_else(|| words.get(at + 1).map(String::as_str)),
                _ => {}
            }
        }
        let text = self.text_of(&self.project.root.join(".git/config")).unwrap_or_default();
        applications(&text, remote)
    }
}

/// Finds the applications of the remote that is asked for; of all of Heroku's where none is.
fn applications(text: &str, asked: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[') {
            let name = head.trim_end_matches(']').strip_prefix("remote ").unwrap_or_default();
            section = name.trim().trim_matches('"').to_owned();
        }
        let Some((key, url)) = line.split_once('=') else { continue };
        if key.trim() != "url" || section.is_empty() || asked.is_some_and(|asked| asked != section) {
            continue;
        }
        let url = url.trim();
        if let Some((_, application)) = url.split_once("heroku.com").filter(|(_, rest)| rest.starts_with(['/', ':'])) {
            found.push(application[1..].trim_end_matches(".git").to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_of_a_remote_is_found() {
        let text = "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@github.test:shop/shop.git\n[remote \"heroku\"]\n\t\
                    url = https://git.heroku.com/shop-staging.git\n\tfetch = +refs\n[remote \"live\"]\n\turl = git@heroku.com:shop-prod.git\n";
        for (asked, expected) in [
            (None, &["shop-staging", "shop-prod"][..]),
            (Some("heroku"), &["shop-staging"]),
            (Some("live"), &["shop-prod"]),
            (Some("origin"), &[]),
            (Some("absent"), &[]),
        ] {
            assert_eq!(applications(text, asked), expected, "{asked:?}");
        }
    }
}
