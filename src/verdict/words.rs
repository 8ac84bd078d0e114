//! The word rule: whether a name says production, and whether it is shaped like a test's.
//!
//! A name is cut into words at separators, digits and case changes, so that `shop_live2`, `shopPROD` and
//! `prod-eu-1` say production while `product_catalog`, `olive` and `delivery` do not.

use crate::letter_case::{at_rising_case, last_capital};
use crate::lists::{List, list};

// Every run asks for the words of a few names. Looking each word up costs less than a microsecond, compiling one
// expression for all of them about a hundred: so these are lists and no `regex`.
static WORDS: List = list!("words.txt");
static ORDINARY_WORDS: List = list!("ordinary_words.txt");

/// Finds the word of `name` that says production, as it is spelled there.
///
/// Besides whole words, `prod` and `production` count when they are glued in front or behind (`shopprod`,
/// `proddb`), except in ordinary words. `extra` are further words that a policy names; they count as whole words
/// and as the whole name, in any case.
#[must_use]
pub(crate) fn production_word<'n>(name: &'n str, extra: &[String]) -> Option<&'n str> {
    let words = split(name);
    for (at, word) in words.iter().enumerate() {
        let negated = at > 0 && says(words[at - 1]) == Some("negation");
        if !negated && (is_production_word(word) || is_glued(&word.to_lowercase())) {
            return Some(word);
        }
        if extra.iter().any(|own| own.eq_ignore_ascii_case(word)) {
            return Some(word);
        }
    }
    extra.iter().any(|own| own.eq_ignore_ascii_case(name)).then_some(name)
}

/// Tells whether the whole of `word` says production.
#[must_use]
pub(crate) fn is_production_word(word: &str) -> bool {
    says(word) == Some("production")
}

fn says(word: &str) -> Option<&'static str> {
    WORDS.find(&word.to_lowercase())
}

/// Tells whether a word of `name` is one of `words`, in any case.
#[must_use]
pub(crate) fn has_word(name: &str, words: &[&str]) -> bool {
    split(name).iter().any(|word| words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
}

/// Tells whether `name` is shaped like the name of a database for tests or development.
#[must_use]
pub(crate) fn is_test_shaped(name: &str) -> bool {
    // `e2e` would be cut at its digit.
    split(name).into_iter().chain(name.split(|c: char| !c.is_alphanumeric())).any(|word| says(word) == Some("test"))
}

fn is_glued(word: &str) -> bool {
    if !word.chars().all(char::is_alphabetic) {
        return false;
    }
    if let Some(rest) = word.strip_prefix("production") {
        // `productions` and `productionist` are what a studio is called.
        return !rest.is_empty() && rest != "s" && !rest.starts_with("ist");
    }
    let is_glued = word.starts_with("prod") || word.ends_with("prod") || word.ends_with("production");
    is_glued && word.len() > 4 && !ORDINARY_WORDS.contains(word)
}

/// Cuts a name into words at separators, digits and case changes.
///
/// `PRODdb` is ambiguous: both `PRO|Ddb` (the last capital begins the next word) and `PROD|db` are readings, so a
/// run of capitals that is followed by small letters is given both ways.
fn split(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let parts = name.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty());
    for word in parts.flat_map(at_rising_case) {
        words.push(word);
        if let Some(capital) = last_capital(word) {
            words.extend([&word[..capital.end], &word[capital.end..], &word[..capital.start], &word[capital.start..]]);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_production_are_recognised() {
        let names = [
            "prod",
            "PRD",
            "production",
            "live",
            "shop_live2",
            "shopPROD",
            "agoraLive",
            "prod2",
            "app-live-eu",
            "shopprod",
            "proddb",
            "productiondb",
            "shop_production",
            "prod-eu-1",
            "Production ",
            "PRODdb",
            "ShopProdDB",
            "myProdDb",
            "db.prd.x",
            "prod_test",
            "productionlike",
            "LIVEdb",
            "shop-prd-01",
            "protocol_prod",
        ];
        for name in names {
            assert!(production_word(name, &[]).is_some(), "{name}");
        }
    }

    #[test]
    fn ordinary_names_do_not_say_production() {
        let names = [
            "product",
            "products",
            "product_catalog",
            "delivery",
            "reproduction",
            "reproduction_fixtures",
            "prodigy",
            "olive",
            "liveness",
            "preprod",
            "pre-prod",
            "non_production",
            "nonprod",
            "liveblog",
            "alive",
            "productivity_test",
            "produce",
            "shop",
            "Produkte",
            "ProductDB",
            "latest",
            "deliverable",
            "video_productions",
            "",
        ];
        for name in names {
            assert_eq!(production_word(name, &[]), None, "{name}");
        }
    }

    #[test]
    fn a_policy_adds_its_own_words() {
        let own = ["shopmain".to_owned()];
        assert!(production_word("eu-shopmain-1", &own).is_some());
        assert!(production_word("SHOPMAIN", &own).is_some());
        assert!(production_word("shop", &own).is_none());
    }

    #[test]
    fn test_shapes_are_words_not_parts_of_words() {
        for name in [
            "app_test",
            "test",
            "appTest",
            "shop-dev",
            "lobu_ci",
            "e2e",
            "shop_e2e",
            "APP_TESTING",
            "Shop_Dev",
            "x.local",
        ] {
            assert!(is_test_shaped(name), "{name}");
        }
        for name in ["latest", "shop", "localisation", "device", "special", "circle", "contest"] {
            assert!(!is_test_shaped(name), "{name}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_name_is_cut_into_words(name in "\\PC{0,60}", word in "prd|prod|production|live|PROD|Live", cut in "[-_.0-9 /:]") {
            let _ = (production_word(&name, &[]), is_test_shaped(&name));
            // Whatever stands around it, a word of its own is found; `pre`, `non` and their like turn it around.
            let whole = format!("{name}{cut}{word}{cut}x");
            let is_negated = split(&name).last().is_some_and(|last| says(last) == Some("negation"));
            proptest::prop_assert!(is_negated || production_word(&whole, &[]).is_some(), "{whole}");
        }
    }

    #[test]
    fn every_word_says_something_that_is_asked_for() {
        for (word, says) in WORDS.iter() {
            assert!(["production", "negation", "test"].contains(&says), "{word}");
        }
    }
}
