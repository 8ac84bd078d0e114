//! Secrets that their own form gives away, wherever they stand.

use std::borrow::Cow;
use std::ops::Range;

use crate::secret::MASK;

/// How tokens begin, in small letters, and how many characters follow at the least. Sources: what GitHub, GitLab, Stripe,
/// Docker, DigitalOcean, Shopify, Slack, Vault, Tailscale, RubyGems, Google, SendGrid, npm, Hugging Face, PyPI, OpenAI and
/// age publish for scanners.
const BEGINNINGS: [(&str, usize); 31] = [
    ("age-secret-key-1", 8),
    ("aiza", 20),
    ("dckr_pat_", 8),
    ("dop_v1_", 8),
    ("gho_", 8),
    ("ghp_", 8),
    ("ghr_", 8),
    ("ghs_", 8),
    ("ghu_", 8),
    ("github_pat_", 8),
    ("glpat-", 8),
    ("hf_", 16),
    ("hvs.", 8),
    ("npm_", 20),
    ("pypi-", 16),
    ("rk_live_", 8),
    ("rubygems_", 16),
    ("sg.", 30),
    ("shpat_", 8),
    ("shpss_", 8),
    ("sk-", 18),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("tskey-", 8),
    ("whsec_", 8),
    ("xapp-", 8),
    ("xoxa-", 8),
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("xoxs-", 8),
    ("ya29.", 8),
];

/// What stands before a secret and stays: schemes of authorization (RFC 6750, RFC 7617), hooks whose path is the secret.
const BEFORE: [(&str, usize); 7] = [
    ("api.telegram.org/bot", 8),
    ("basic ", 8),
    ("bearer ", 8),
    ("discord.com/api/webhooks/", 8),
    ("discordapp.com/api/webhooks/", 8),
    ("hooks.slack.com/services/", 8),
    ("hooks.slack.com/workflows/", 8),
];

/// No token is shorter, in bytes: most names are, and are not looked through.
const SHORTEST: usize = 12;

/// Finds where the first token begins.
pub(crate) fn first_token(text: &str) -> Option<usize> {
    tokens(text).first().map(|token| token.start)
}

/// Masks every token.
pub(crate) fn mask_tokens(text: &str) -> Cow<'_, str> {
    let tokens = tokens(text);
    if tokens.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for token in tokens {
        if token.start >= at {
            shown.push_str(&text[at..token.start]);
            shown.push_str(MASK);
            at = token.end;
        }
    }
    shown.push_str(&text[at..]);
    Cow::Owned(shown)
}

/// Finds every token, in the order of their places.
fn tokens(text: &str) -> Vec<Range<usize>> {
    if text.len() < SHORTEST {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    let is_start = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let mut found = Vec::new();
    let mut find = |begins: &str, least: usize, keeps: bool| {
        for (at, _) in lower.match_indices(begins).filter(|(at, _)| is_start(*at)) {
            let behind = at + begins.len();
            let length = token_length(&text[behind..], keeps);
            if length >= least {
                found.push(if keeps { behind } else { at }..behind + length);
            }
        }
    };
    BEGINNINGS.iter().for_each(|(begins, least)| find(begins, *least, false));
    BEFORE.iter().for_each(|(begins, least)| find(begins, *least, true));
    found.extend(text.match_indices("eyJ").filter(|(at, _)| is_start(*at)).filter_map(|(at, _)| json_token(text, at)));
    for (at, id) in text.match_indices("AKIA").chain(text.match_indices("ASIA")).filter(|(at, _)| is_start(*at)) {
        found.extend(key_behind(text, at + id.len()));
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        let line = text[at + 11..].split("-----").next().unwrap_or_default();
        if line.ends_with("PRIVATE KEY") {
            let end = text[at..].find("-----END ").map_or(text.len(), |end| at + end);
            let end = text[end..].match_indices("-----").nth(1).map_or(text.len(), |(last, _)| end + last + 5);
            found.push(at..end);
        }
    }
    found.sort_by_key(|token| (token.start, std::cmp::Reverse(token.end)));
    found
}

/// Counts the characters of a token at the start of the text; `keeps` says that it is one of the general kinds.
fn token_length(text: &str, keeps: bool) -> usize {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c) || keeps && "~+/=:".contains(c);
    text.find(|c| !fits(c)).unwrap_or(text.len())
}

/// A JSON web token (RFC 7519): parts between dots, the first of which is an encoded `{"`.
fn json_token(text: &str, at: usize) -> Option<Range<usize>> {
    let token = &text[at..at + token_length(&text[at..], false)];
    let mut parts = token.split('.');
    let is_long = |part: Option<&str>| part.is_some_and(|part| part.len() > 5);
    (is_long(parts.next()) && is_long(parts.next())).then_some(at..at + token.len())
}

/// The secret key that stands behind the id of one of Amazon's.
fn key_behind(text: &str, at: usize) -> Option<Range<usize>> {
    let id = token_length(&text[at..], false);
    let start = at + id + text[at + id..].find(|c| !matches!(c, ':' | '/' | ' ' | ','))?;
    let length = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "/+=".contains(c)));
    let length = length.unwrap_or(text.len() - start);
    (id >= 12 && start > at + id && length >= 16).then_some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_shorter_than_what_is_looked_through() {
        for (begins, least) in BEGINNINGS.iter().chain(&BEFORE) {
            assert!(begins.len() + least >= SHORTEST, "{begins}");
        }
        for token in ["gho_abcdefgh", "eyJabc.abcdef", "-----BEGIN PRIVATE KEY-----"] {
            assert!(token.len() >= SHORTEST && mask_tokens(token).contains(MASK), "{token}");
        }
    }

    #[test]
    fn tokens_are_told_by_their_form() {
        // In pieces, so that no scanner takes this file for a leak.
        let p = "abcdefghij0123456789";
        let tokens = [
            format!("ghp_{p}"),
            format!("github_pat_{p}"),
            format!("glpat-{p}"),
            format!("sk_live_{p}"),
            format!("sk-{p}"),
            format!("sk-proj-{p}"),
            format!("xoxb-{p}"),
            format!("npm_{p}"),
            format!("hf_{p}"),
            format!("pypi-{p}"),
            format!("dckr_pat_{p}"),
            format!("hvs.{p}"),
            format!("AIza{p}"),
            format!("SG.{p}.{p}"),
            format!("eyJ{p}.{p}.{p}"),
            format!("AGE-SECRET-KEY-1{p}"),
            format!("-----BEGIN RSA PRIVATE KEY-----\n{p}\n-----END RSA PRIVATE KEY-----"),
            format!("-----BEGIN PRIVATE KEY-----\n{p}"),
        ];
        for token in tokens {
            assert_eq!(mask_tokens(&format!("x {token} y")).replace(" y", ""), "x ***", "{token}");
        }
        for (text, expected) in [
            ("Authorization Basic dXNlcjpwYXNz", "Authorization Basic ***"),
            ("AKIAABCDEFGHIJKLMNOP:abcdefghijklmnopqrst/+", "AKIAABCDEFGHIJKLMNOP:***"),
            ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/***"),
            ("https://api.telegram.org/bot123:abc/send", "https://api.telegram.org/bot***"),
        ] {
            assert_eq!(mask_tokens(text), expected);
        }
        for text in [
            "basic auth",
            "npm_config_cache=/x",
            "sk-learn",
            "task-force-of-somebody-else",
            "hf_hub",
            "AKIAABCDEFGHIJKLMNOP",
        ] {
            assert_eq!(mask_tokens(text), text);
        }
    }
}
