//! The word rule: whether a name says production, and whether it is shaped like a test's.
//!
//! A name is cut into words at separators, digits and case changes, so that `shop_live2`, `shopPROD` and
//! `prod-eu-1` say production while `product_catalog`, `olive` and `delivery` do not.

/// Words that say production wherever they stand alone.
const PRODUCTION: [&str; 4] = ["prd", "prod", "production", "live"];

/// Words that turn the production word behind them into its opposite: `pre-prod`, `non_production`.
const NEGATIONS: [&str; 5] = ["pre", "non", "not", "no", "post"];

/// Beginnings of ordinary words that begin with `prod` and say nothing of production.
const ORDINARY_BEGINNINGS: [&str; 13] = [
    "product",
    "produce",
    "producing",
    "prodig",
    "prodrom",
    "produkt",
    "produit",
    "produto",
    "producto",
    "prodotto",
    "produk",
    "prodded",
    "prodding",
];

/// Ordinary words that end with `prod` or `production`.
const ORDINARY_ENDINGS: [&str; 22] = [
    "preprod",
    "nonprod",
    "notprod",
    "noprod",
    "reprod",
    "byprod",
    "coprod",
    "postprod",
    "unprod",
    "subprod",
    "preproduction",
    "nonproduction",
    "notproduction",
    "reproduction",
    "overproduction",
    "underproduction",
    "coproduction",
    "postproduction",
    "bioproduction",
    "byproduction",
    "misproduction",
    "autoproduction",
];

/// Words that mark a database as made for tests or development.
const TEST_SHAPED: [&str; 8] = ["test", "testing", "ci", "dev", "development", "e2e", "spec", "local"];

/// The word of `name` that says production, as it is spelled there, if one does.
///
/// Besides whole words, `prod` and `production` count when they are glued in front or behind (`shopprod`,
/// `proddb`), except in ordinary words. `extra` are further words that a policy names; they count as whole words
/// and as the whole name, in any case.
#[must_use]
pub(crate) fn production_word<'n>(name: &'n str, extra: &[String]) -> Option<&'n str> {
    let words = split(name);
    for (at, word) in words.iter().enumerate() {
        let lower = word.to_lowercase();
        let negated = at > 0 && NEGATIONS.contains(&words[at - 1].to_lowercase().as_str());
        if !negated && (PRODUCTION.contains(&lower.as_str()) || is_glued(&lower)) {
            return Some(word);
        }
        if extra.iter().any(|own| own.eq_ignore_ascii_case(word)) {
            return Some(word);
        }
    }
    extra.iter().any(|own| own.eq_ignore_ascii_case(name)).then_some(name)
}

/// Whether a word of `name` is one of `words`, in any case.
#[must_use]
pub(crate) fn has_word(name: &str, words: &[&str]) -> bool {
    split(name).iter().any(|word| words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
}

/// Whether `name` is shaped like the name of a database for tests or development.
#[must_use]
pub(crate) fn is_test_shaped(name: &str) -> bool {
    // `e2e` would be cut at its digit.
    has_word(name, &TEST_SHAPED)
        || name.split(|c: char| !c.is_alphanumeric()).any(|part| part.eq_ignore_ascii_case("e2e"))
}

fn is_glued(word: &str) -> bool {
    if !word.chars().all(char::is_alphabetic) || ORDINARY_ENDINGS.contains(&word) {
        return false;
    }
    if let Some(rest) = word.strip_prefix("production") {
        // `productions` and `productionist` are what a studio is called.
        return !rest.is_empty() && rest != "s" && !rest.starts_with("ist");
    }
    if ORDINARY_BEGINNINGS.iter().any(|ordinary| word.starts_with(ordinary)) {
        return false;
    }
    word.len() > 4 && (word.starts_with("prod") || word.ends_with("prod") || word.ends_with("production"))
}

/// Cuts a name into words at separators, digits and case changes.
///
/// `PRODdb` is ambiguous: both `PRO|Ddb` (the last capital begins the next word) and `PROD|db` are readings, so a
/// run of capitals that is followed by small letters is given both ways.
fn split(name: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for part in name.split(|c: char| !c.is_alphabetic()).filter(|part| !part.is_empty()) {
        let mut start = 0;
        let mut previous: Option<char> = None;
        for (at, c) in part.char_indices() {
            if c.is_uppercase() && previous.is_some_and(char::is_lowercase) {
                push(&mut words, &part[start..at]);
                start = at;
            }
            previous = Some(c);
        }
        push(&mut words, &part[start..]);
    }
    words
}

fn push<'n>(words: &mut Vec<&'n str>, word: &'n str) {
    let capitals = word.char_indices().take_while(|(_, c)| c.is_uppercase()).count();
    let boundary = word.char_indices().nth(capitals).map(|(at, _)| at);
    words.push(word);
    if let (true, Some(boundary)) = (capitals > 1, boundary) {
        words.push(&word[..boundary]);
        words.push(&word[boundary..]);
        let last = word[..boundary].char_indices().next_back().map_or(0, |(at, _)| at);
        words.push(&word[..last]);
        words.push(&word[last..]);
    }
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
            let is_negated = split(&name).last().is_some_and(|last| NEGATIONS.contains(&last.to_lowercase().as_str()));
            proptest::prop_assert!(is_negated || production_word(&whole, &[]).is_some(), "{whole}");
        }
    }
}
