//! One value through every grammar: what does it name, whatever the variable is called?

use crate::reach::grammars::ado_net;
use crate::reach::grammars::bare;
use crate::reach::grammars::go_mysql;
use crate::reach::grammars::instance;
use crate::reach::grammars::jdbc;
use crate::reach::grammars::libpq;
use crate::reach::grammars::oracle;
use crate::reach::grammars::pdo;
use crate::reach::grammars::placeholder::has_gap;
use crate::reach::grammars::scheme::{engine_of_scheme, names_no_server};
use crate::reach::grammars::sqlite;
use crate::reach::grammars::text::{LONGEST_VALUE, without_quotes};
use crate::reach::grammars::throwaway;
use crate::reach::grammars::url;
use crate::reach::names::{Name, Role};
use crate::reach::{Doubt, Draft, Engine, Lookup};
use crate::text::head;

/// How many URLs of one list are read.
const MOST_URLS: usize = 1000;

/// Reads the value of a variable called `name` by every grammar; empty where it is no URL or DSN.
pub(crate) fn parse(name: &Name, value: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    if value.len() > LONGEST_VALUE {
        return Vec::new();
    }
    // Most values are words and numbers; no grammar does without one of these.
    if !name.promises_url() && !value.contains([':', '=', '(', '/', '$', '<']) {
        return Vec::new();
    }
    let (text, quoted) = without_quotes(value);
    // Parsers of URLs drop line breaks and tabs anywhere, and all that is not printed at both ends.
    let text: String = text.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
    let text = text.trim_matches(|c: char| c <= ' ');
    let mut drafts = parse_text(name, text, lookup);
    // A quote that is left would be dialled as a part of the value.
    if quoted && !balanced(value.trim()) {
        drafts.iter_mut().for_each(|draft| draft.doubt(Doubt::Syntax));
    }
    drafts
}

/// Says that a value is too long to be read, where it could name a database: the variable is named after one, or the value
/// begins as a URL or DSN does.
pub(crate) fn cut(name: &Name, value: &str, lookup: &Lookup<'_>) -> Option<&'static str> {
    if value.len() <= LONGEST_VALUE {
        return None;
    }
    let could_name = name.says_database || !parse(name, head(value, LONGEST_VALUE), lookup).is_empty();
    could_name.then_some("it is longer than 64 KiB")
}

fn balanced(value: &str) -> bool {
    ['"', '\'', '`'].iter().all(|quote| value.matches(*quote).count() % 2 == 0)
}

fn parse_text(name: &Name, text: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    if text.len() < 3 && !text.contains('$') {
        return Vec::new();
    }
    let mut urls = separate(text);
    if urls.len() > 1 {
        let is_cut = urls.len() > MOST_URLS;
        urls.truncate(MOST_URLS);
        let mut drafts: Vec<Vec<Draft>> = urls.into_iter().map(|url| parse_one(name, url, lookup)).collect();
        if is_cut && let Some(first) = drafts.iter_mut().flatten().next() {
            first.cut = Some("it is a list of more than 1,000 URLs");
        }
        // `PLAINTEXT://a:9092,SSL://b:9093` is a list of hosts, and none of them may be lost.
        let hosts = name.role == Some(Role::Host) && drafts.iter().any(Vec::is_empty);
        return if hosts { Vec::new() } else { drafts.into_iter().flatten().collect() };
    }
    parse_one(name, text, lookup)
}

/// Separates a list of whole URLs at commas or, where the first is one, at blanks.
fn separate(text: &str) -> Vec<&str> {
    let is_url = |text: &str| scheme_of(text).is_some_and(|scheme| text[scheme.len()..].starts_with("://"));
    let marks: &[char] = if is_url(text) { &[',', ' '] } else { &[','] };
    // Where the last run of blanks ends: it is gone through once, not again from each of them.
    let mut past_blanks = 0;
    let starts = text.match_indices(marks).map(|(at, _)| at).filter(|at| {
        if *at + 1 > past_blanks {
            past_blanks = text.len() - text[at + 1..].trim_start().len();
        }
        // A scheme is short: no more than a few bytes are looked at, so that a long list of anything stays cheap.
        let next = &text[past_blanks..];
        let head = next.char_indices().nth(32).map_or(next, |(end, _)| &next[..end]);
        let scheme = head.split("://").next().unwrap_or("");
        scheme.len() < 24
            && next.len() > scheme.len()
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'))
    });
    let mut parts = Vec::new();
    let mut start = 0;
    for at in starts.take(MOST_URLS) {
        parts.push(text[start..at].trim());
        start = at + 1;
    }
    parts.push(text[start..].trim());
    parts
}

fn parse_one(name: &Name, text: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    let sure = name.promises_url();
    if let Some(draft) = throwaway::parse(text) {
        return vec![with_engine_of_name(draft, name)];
    }
    if let Some(drafts) = jdbc::parse(text, lookup) {
        return drafts;
    }
    if let Some(scheme) = scheme_of(text) {
        if engine_of_scheme(scheme).is_some() {
            if let Some(drafts) = url::parse_all(text) {
                return drafts.into_iter().map(|draft| with_engine_of_name(draft, name)).collect();
            }
            if let Some(drafts) = sqlite::parse(text, lookup) {
                return drafts;
            }
        }
        if let Some(drafts) = pdo::parse(text, lookup) {
            return drafts;
        }
        if scheme.eq_ignore_ascii_case("file") {
            return file_url(name, &text["file:".len()..], lookup);
        }
        if let Some(draft) = instance::arn(text) {
            return vec![with_engine_of_name(draft, name)];
        }
        if text[scheme.len()..].starts_with("://") {
            return by_name(name, scheme, text).into_iter().collect();
        }
    }
    if let Some(draft) = instance::cloud_sql(text, name.role == Some(Role::Instance)) {
        return vec![with_engine_of_name(draft, name)];
    }
    if oracle::is_descriptor(text) {
        return vec![oracle::connect_name(text)];
    }
    if let Some(draft) = oracle::login(text, false) {
        return vec![draft];
    }
    if let Some(draft) = go_mysql::parse(text, sure && !matches!(name.engine, Some(Engine::Postgres | Engine::Mongodb)))
    {
        return vec![draft];
    }
    if let Some(draft) = libpq::parse(text, sure).filter(|_| !text.contains(';')) {
        return vec![draft];
    }
    // Whatever a connection string is called (`Shop:ConnString`), its own form says what it is.
    if (sure || name.role == Some(Role::Url))
        && let Some(path) = ado_net::sqlite_file(text)
    {
        return sqlite::plain_path(&path, Engine::Sqlite, lookup);
    }
    if sure && ado_net::names_no_place(text) {
        return Vec::new();
    }
    if let Some(url) = ado_net::url_of_server(text).filter(|_| sure) {
        return parse_one(name, &url, lookup);
    }
    let hint = sure.then(|| name.engine.unwrap_or(Engine::Unknown));
    if (text.contains(';') || sure)
        && let Some(draft) = ado_net::parse(text, hint)
    {
        return vec![draft];
    }
    if sure && let Some(draft) = embedded(text) {
        return vec![draft];
    }
    if sure { bare::parse(name.engine, text, lookup) } else { Vec::new() }
}

/// Reads a URL with something before it: `psql 'postgresql://…'`, as Neon's console hands it out, or `DATABASE_URL=…`
/// pasted into the value. It cannot be dialled as it stands.
fn embedded(text: &str) -> Option<Draft> {
    let at = text.find("://")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let scheme = text[..at].len() - text[..at].trim_end_matches(fits).len();
    if scheme == at {
        return None;
    }
    let url = text[at - scheme..].trim_end_matches(['\'', '"', '`', '>', ')', ']']);
    let mut draft = url::parse(url)?;
    draft.doubt(Doubt::Syntax);
    Some(draft)
}

/// Finds what stands before the first colon, where it has the shape of a scheme.
fn scheme_of(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.len() <= 40 && scheme.chars().all(fits))
        .then_some(scheme)
}

/// Reads a `file:` URL: `DATABASE_URL=file:./dev.db` is a database, `MIGRATION_URL=file://db/migration` is none.
fn file_url(name: &Name, rest: &str, lookup: &Lookup<'_>) -> Vec<Draft> {
    let shaped = sqlite::looks_like_file(rest) || rest.contains("mode=memory") || rest.contains(":memory:");
    if !shaped && !name.promises_url() {
        return Vec::new();
    }
    sqlite::file_url(rest, Engine::Sqlite, lookup)
}

/// URLs of other schemes (`https`, `tcp`, `ws`) name a database only where the variable's name says so.
fn by_name(name: &Name, scheme: &str, text: &str) -> Option<Draft> {
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "tcp" | "tls" | "ssl" | "unix" => None,
        // A scheme that is not known: where the name promises a database, its host is still where it would be.
        other if name.promises_url() && is_database_itself(name) && !names_no_server(other) => None,
        _ => return None,
    };
    let reaches = matches!(name.role, Some(Role::Url | Role::Host)) || name_is_endpoint(name);
    if !name.says_database || name.stopped || !reaches {
        return None;
    }
    // `MOVIE_DB_API_URL` is a web service; of the general words only `DATABASE` says that it is a store.
    let web = default_port.is_some();
    let general = name.engine.is_none() && !name.is_store;
    if web && (name.engine == Some(Engine::Oracle) || general && !is_database_itself(name)) {
        return None;
    }
    let rest = &text[scheme.len() + 3..];
    let engine = name.engine.unwrap_or(Engine::Unknown);
    let mut draft = url::parse_rest(engine, &scheme, rest);
    draft.socket_by_default = false;
    if default_port.is_some() {
        // Services in the web are there to be left out: a sample address in their place is nobody's, and nothing goes there.
        if has_gap(host_of(rest)) {
            return None;
        }
        draft.database = None;
        draft.doubts.retain(|doubt| *doubt != Doubt::Unexpanded || !draft.places.is_empty());
        draft.fill_port(default_port);
        if engine == Engine::Unknown {
            // The database's own protocol is not spoken here.
            draft.add_parameter("protocol", "http");
        }
    }
    Some(draft)
}

/// The host of a web address, given without its scheme.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

fn is_database_itself(name: &Name) -> bool {
    let words = || name.group.split('_');
    (words().any(|word| word == "DATABASE") || matches!(name.group.as_str(), "DB" | "REPLIT_DB"))
        && !words().any(|word| matches!(word, "API" | "DOWNLOAD" | "WEB" | "SITE"))
}

fn name_is_endpoint(name: &Name) -> bool {
    // `AWS_ENDPOINT_URL_DYNAMODB` ends in the engine.
    name.group.contains("ENDPOINT") && name.engine == Some(Engine::Dynamodb)
}

/// Takes the engine that the value leaves open (an ARN, a `bolt` behind `https`) from the variable's name.
fn with_engine_of_name(mut draft: Draft, name: &Name) -> Draft {
    if draft.engine == Engine::Unknown
        && let Some(engine) = name.engine
    {
        draft.engine = engine;
    }
    draft
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::reach::testing::{Folder, line};

    #[test]
    fn runs_of_blanks_between_urls_are_passed_over() {
        let blanks = " ".repeat(20);
        for (text, expected) in [
            ("a://x, b://y c://z".to_owned(), vec!["a://x", "b://y", "c://z"]),
            (format!("a://x{blanks}y.db?z=1"), vec![&format!("a://x{blanks}y.db?z=1")]),
            (format!("a://x y{blanks}b://z{blanks}w.db"), vec!["a://x y", &format!("b://z{blanks}w.db")]),
        ] {
            let parts: Vec<&str> = separate(&text).into_iter().filter(|part| !part.is_empty()).collect();
            assert_eq!(parts, expected, "{text}");
        }
    }

    #[test]
    fn values_are_recognised_whatever_the_variable_is_called() {
        let cases: [(&str, &str, &[&str]); 36] = [
            ("ANYTHING", "postgres://localhost/a", &["postgres localhost a"]),
            ("ANYTHING", "\u{1}postgres://db.example.net/a\u{2} ", &["postgres db.example.net a"]),
            ("ANYTHING", "host=db dbname=a", &["postgres db a"]),
            ("ANYTHING", "host=db dbname=a password='x'", &["postgres db a"]),
            ("ANYTHING", "user=u password='a b' host='db'", &["postgres db - u=u"]),
            ("ANYTHING", "u:p@tcp(db:3306)/a", &["mysql db:3306 a u=u"]),
            ("ANYTHING", "Server=db;Database=a", &["sqlserver db a"]),
            ("ANYTHING", "arn:aws:rds:eu-west-1:1:db:x", &["unknown <arn:aws:rds:eu-west-1:1:db:x> -"]),
            ("ANYTHING", "amqp://a,amqp://b", &["broker a -", "broker b -"]),
            ("ANYTHING", "https://example.net", &[]),
            ("ANYTHING", "localhost:5432/app", &[]),
            ("ANYTHING", "12:34:56", &[]),
            ("APP_URL", "http://localhost:3000", &[]),
            ("SENTRY_DSN", "https://key@sentry.example.net/1", &[]),
            ("MIGRATION_URL", "file://db/migration", &[]),
            ("DATABASE_URL", "file:./dev.db", &["sqlite file:/p/dev.db ./dev.db"]),
            ("ELASTICSEARCH_URL", "https://search.example.net", &["search search.example.net:443 -"]),
            ("ELASTICSEARCH_HOSTS", "http://a:9200,http://b:9200", &["search a:9200 -", "search b:9200 -"]),
            ("NEXT_PUBLIC_SUPABASE_URL", "https://x.supabase.co", &["unknown x.supabase.co:443 - {protocol=http}"]),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:8000", &["dynamodb localhost:8000 -"]),
            ("UPSTASH_REDIS_REST_URL", "https://x.upstash.io", &["redis x.upstash.io:443 -"]),
            ("DATABASE_URL", "localhost:5432/app_test", &["postgres localhost:5432 app_test"]),
            ("DATABASE_URL", "your_staging_supabase_url", &["unknown your_staging_supabase_url - [Placeholder]"]),
            ("DATABASE_URL", "${{Postgres.DATABASE_URL}}", &["unknown ${{postgres.database_url}} - [Unexpanded]"]),
            ("DATABASE_URL", "\"postgres://db/app", &["postgres db app [Syntax]"]),
            ("DATABASE_URL", "psql 'postgresql://db.example.net/app'", &["postgres db.example.net app [Syntax]"]),
            ("DATABASE_URL", "DATABASE_URL=postgres://db/x", &["postgres db x [Syntax]"]),
            ("DATABASE_URL", "<postgres://db/x>", &["postgres db x [Syntax]"]),
            ("DATABASE_URL", "newdb://u:p@db.example.net/app", &["unknown db.example.net app u=u"]),
            ("DATABASE_URL", "memory://", &[]),
            ("ANYTHING", "newdb://db.example.net/app", &[]),
            ("REDIS_URL", "localhost:6379", &["redis localhost:6379 -"]),
            ("INSTANCE_CONNECTION_NAME", "a:b:c", &["unknown <a:b:c> -"]),
            ("CREDENTIALS", "postgres://app@db.example.net\n/shop", &["postgres db.example.net shop u=app"]),
            ("ConnectionStrings__Main", "Data Source=app.db", &["sqlite file:/p/app.db app.db"]),
            ("ConnectionStrings__Main", "Host=/run;Database=app_test", &["postgres unix:/run app_test"]),
        ];
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let lookup = Lookup { project: &project, files: &Folder::default(), base_folders: &[] };
        for (name, value, expected) in cases {
            let shown: Vec<String> = parse(&Name::read(name), value, &lookup).iter().map(line).collect();
            assert_eq!(shown, expected, "{name}={value}");
        }
    }
}
