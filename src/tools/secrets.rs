//! Which arguments of a program are secret, whatever the names of its options say.

use crate::tools::clients;
use crate::tools::clients::{Client, Means};
use crate::tools::words::{SHELLS, name_of};

/// What an argument holds of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Nothing by its place; it may still hold one by its own form.
    Plain,
    /// A secret.
    Secret,
    /// A secret where it is joined to the option; alone the option takes no value, and the program asks.
    Joined,
    /// `user:password`.
    Login,
    /// `user/password@place`.
    SlashLogin,
    /// `user%password`.
    PercentLogin,
    /// `user,password`.
    CommaLogin,
    /// `name=secret`, whatever the name is; without a name a secret.
    Pair,
    /// `pass:secret`; other sources (`env:`, `file:`) hold none.
    Source,
}

/// What a program's arguments hold behind some of its subcommands.
#[derive(Debug)]
struct Row {
    programs: &'static str,
    /// The first words that are no options; empty where they do not matter.
    words: &'static str,
    options: &'static [(&'static str, Holds)],
    /// The arguments behind `words` that are no options; the last one stands for all that follow.
    arguments: &'static [Holds],
}

const fn row(
    programs: &'static str,
    words: &'static str,
    options: &'static [(&'static str, Holds)],
    arguments: &'static [Holds],
) -> Row {
    Row { programs, words, options, arguments }
}

use Holds::{CommaLogin, Joined, Login, Pair, PercentLogin, Plain, Secret, SlashLogin, Source};

/// Programs whose secrets stand where no name says so. Sources: their manuals.
const ROWS: &[Row] = &[
    row("7z 7za 7zr 7zz", "", &[("-p", Joined)], &[]),
    row("ab", "", &[("-A -P", Login), ("-C", Pair)], &[]),
    row("aws", "secretsmanager", &[("--secret-string --secret-binary", Secret), ("--secret-id", Plain)], &[]),
    row("aws", "ssm", &[("--value", Secret)], &[]),
    row("az", "login", &[("-p", Secret)], &[]),
    row("az", "keyvault secret", &[("--value", Secret)], &[]),
    row("bw", "login", &[], &[Plain, Secret]),
    row("bw", "unlock", &[], &[Secret]),
    row("cargo", "login", &[], &[Secret]),
    row("cf oc ibmcloud", "login", &[("-p", Secret), ("-u", Plain)], &[]),
    row("chamber", "write", &[], &[Plain, Plain, Secret]),
    row("composer", "config github-oauth", &[], &[Secret]),
    row("composer", "config http-basic", &[], &[Plain, Secret]),
    row("git", "", &[("-C -c", Plain)], &[]),
    row("consul", "kv put", &[], &[Plain, Secret]),
    row(
        "curl",
        "",
        &[
            ("-u --user -U --proxy-user -E --cert --proxy-cert", Login),
            ("-b --cookie", Secret),
            ("-A -F -H -T -X -c -d -e -m -o -w -x --key --cookie-jar --header --data", Plain),
        ],
        &[],
    ),
    row("docker podman nerdctl buildah skopeo oras crane", "login", &[("-p", Secret), ("-u", Plain)], &[]),
    row("helm", "registry login", &[("-p", Secret), ("-u", Plain)], &[]),
    row("doppler fly flyctl", "secrets set", &[("-a -p -c", Plain)], &[Pair]),
    row("dotnet", "user-secrets set", &[], &[Plain, Secret]),
    row("dotnet nuget", "push", &[("-k", Secret)], &[]),
    row("dotnet", "nuget push", &[("-k", Secret)], &[]),
    row("etcdctl", "", &[("--user", Login)], &[]),
    row("gh", "secret set", &[("-b --body", Secret)], &[]),
    row("glab", "auth login", &[("-t", Secret)], &[]),
    row("glab", "variable set", &[("-v --value", Secret)], &[Plain, Secret]),
    row("htpasswd", "", &[], &[Plain, Secret]),
    row("http https xh xhs", "", &[("-a --auth", Login)], &[]),
    row("ipmitool", "", &[("-P", Secret), ("-H -I -L -U", Plain)], &[]),
    row(
        "jarsigner keytool",
        "",
        &[("-storepass -keypass -srcstorepass -deststorepass -destkeypass -new", Secret)],
        &[],
    ),
    row("kubectl oc", "create secret", &[("--from-literal", Pair)], &[]),
    row(
        "ldapadd ldapdelete ldapmodify ldappasswd ldapsearch ldapwhoami",
        "",
        &[("-w -a -s", Secret), ("-D -H -b -f -h -p -y", Plain)],
        &[],
    ),
    row("lftp", "", &[("-u --user", CommaLogin), ("-e -c -p", Plain)], &[]),
    row("mc", "alias set", &[], &[Plain, Plain, Plain, Secret]),
    row("mosquitto_pub mosquitto_sub", "", &[("-P --pw", Secret), ("-h -m -p -t -u", Plain)], &[]),
    row("mysqladmin mariadb-admin", "password", &[], &[Secret]),
    row("ngrok", "authtoken", &[], &[Secret]),
    row("ngrok", "config add-authtoken", &[], &[Secret]),
    row(
        "openssl",
        "",
        &[("-passin -passout -pass -password -passwd", Source), ("-k -K -macopt", Secret), ("-key", Plain)],
        &[],
    ),
    row("openssl", "passwd", &[("-salt", Plain)], &[Secret]),
    row("osql", "", &[("-P", Secret), ("-S -U -d -i -o -q -Q", Plain)], &[]),
    row("plink pscp psftp putty", "", &[("-pw", Secret)], &[]),
    row("poetry", "config http-basic", &[], &[Plain, Secret]),
    row("psexec psexec.py winexe", "", &[("-p", Secret), ("-U", PercentLogin), ("-u", Plain)], &[]),
    row("pulumi", "config set", &[("--plaintext --secret", Joined)], &[Plain, Secret]),
    row("rabbitmqctl", "add_user", &[], &[Plain, Secret]),
    row("rabbitmqctl", "authenticate_user", &[], &[Plain, Secret]),
    row("rabbitmqctl", "change_password", &[], &[Plain, Secret]),
    row("rabbitmqadmin", "", &[("-p", Secret), ("-H -P -u", Plain)], &[]),
    row("rar unrar", "", &[("-hp -p", Joined)], &[]),
    row("rclone", "obscure", &[], &[Secret]),
    row("rdesktop", "", &[("-p", Secret), ("-d -g -u", Plain)], &[]),
    row("redis-cli valkey-cli keydb-cli", "auth", &[("-h -p -n", Plain), ("-a -u", Secret)], &[Secret]),
    row("rman", "catalog", &[], &[SlashLogin]),
    row("rman", "target", &[], &[SlashLogin, Plain, SlashLogin]),
    row("smbclient smbget rpcclient net", "", &[("-U --user", PercentLogin)], &[]),
    row("snyk", "auth", &[], &[Secret]),
    row("sort join", "", &[("-k -t -j --key --field-separator", Plain)], &[]),
    row("sqlpackage SqlPackage", "", &[("/tp: /sp:", Joined)], &[]),
    row("sshpass", "", &[("-p", Secret), ("-P -f -d", Plain)], &[]),
    row("twine", "upload", &[("-p", Secret), ("-u -r", Plain)], &[]),
    row("useradd usermod", "", &[("-p", Secret), ("-G -c -d -g -s -u", Plain)], &[]),
    row("vault", "kv patch", &[], &[Plain, Pair]),
    row("vault", "kv put", &[("-mount", Plain)], &[Plain, Pair]),
    row("vault", "login", &[("-method -path", Plain)], &[Pair]),
    row("vault", "operator unseal", &[], &[Secret]),
    row("vault", "unwrap", &[], &[Secret]),
    row("vault", "write", &[], &[Plain, Pair]),
    row("wget wget2", "", &[("-O -P -U -e -o --header", Plain)], &[]),
    row("xfreerdp", "", &[("/p:", Joined)], &[]),
    row("zip unzip zipcloak", "", &[("-P", Secret), ("-O -b -d -i -n -t -x", Plain)], &[]),
];

/// A program that was called, with its words so far that are no options.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    name: String,
    client: Option<&'static Client>,
    words: Vec<String>,
}

/// What a word that begins with a dash says about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InWord {
    /// The next words, so many, are the option's value, which holds this.
    Next(Holds, usize),
    /// The value begins at this byte of the word, and holds this.
    At(usize, Holds),
    /// It takes no value, or says nothing.
    Nothing,
}

/// Finds what is known of the program that `word` calls. A relative of a client (`mysqltest`) is taken for one.
pub(crate) fn called(word: &str) -> Option<Called> {
    let name = name_of(word);
    if SHELLS.contains(&name) || name.contains(char::is_whitespace) {
        return None;
    }
    let relative = || {
        let families = ["mysql", "mariadb", "mongo", "redis", "psql"];
        let family = families.iter().find(|family| name.starts_with(**family))?;
        clients::all().find(|client| client.names.iter().any(|own| own.starts_with(family)))
    };
    let client = clients::named(name).or_else(relative);
    let known = client.is_some() || ROWS.iter().any(|row| row.is_of(name));
    known.then(|| Called { name: name.to_owned(), client, words: Vec::new() })
}

impl Row {
    fn is_of(&self, name: &str) -> bool {
        self.programs.split(' ').any(|program| program == name)
    }

    /// Counts its words, where the program's own begin with them; a dot or a colon may follow the last (`http-basic.x`).
    fn matches(&self, words: &[String]) -> Option<usize> {
        let own: Vec<&str> = self.words.split(' ').filter(|word| !word.is_empty()).collect();
        let fits = |(own, word): (&&str, &String)| {
            word.eq_ignore_ascii_case(own) || word.strip_prefix(*own).is_some_and(|rest| rest.starts_with('.'))
        };
        (own.len() <= words.len() && own.iter().zip(words).all(fits)).then_some(own.len())
    }
}

impl Called {
    /// The rows that fit what was said so far, those of the most words first.
    fn rows(&self) -> impl Iterator<Item = (&'static Row, usize)> {
        let fitting = ROWS.iter().filter(|row| row.is_of(&self.name));
        let mut rows: Vec<_> = fitting.filter_map(|row| Some((row, row.matches(&self.words)?))).collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        rows.into_iter()
    }

    /// Tells whether a subcommand was named whose arguments are no programs.
    pub(crate) fn is_settled(&self) -> bool {
        self.rows().any(|(_, count)| count > 0)
    }

    /// Tells what an option holds by a row of its own, which goes before what its name says. One spelled with a colon has
    /// its value behind that.
    pub(crate) fn own_option(&self, word: &str) -> Option<InWord> {
        if let Some(colon) = word.find(':').filter(|_| word.starts_with('/')) {
            let holds = self.rows().find_map(|(row, _)| option_in(row, &word[..=colon]))?;
            return Some(InWord::At(colon + 1, holds));
        }
        let (name, joined) = split(word);
        let holds = self.rows().find_map(|(row, _)| option_in(row, name))?;
        Some(in_option(holds, joined, 1))
    }

    /// Tells what a word that begins with a dash says: `-p`, `-pX`, `-vpX`, `--user=X`.
    pub(crate) fn in_word(&self, word: &str) -> InWord {
        let (name, joined) = split(word);
        if let Some(means) = self.client_option(name) {
            return match means.words() {
                0 if joined.is_none() => InWord::Nothing,
                words => in_option(holds(means), joined, words),
            };
        }
        if word.starts_with("--") {
            return InWord::Nothing;
        }
        for (at, letter) in word.char_indices().skip(1) {
            let spelling = format!("-{letter}");
            let behind = at + letter.len_utf8();
            if let Some(holds) = self.rows().find_map(|(row, _)| option_in(row, &spelling)) {
                return if behind < word.len() { InWord::At(behind, holds) } else { in_option(holds, None, 1) };
            }
            match self.client_option(&spelling) {
                None | Some(Means::Flag) => {}
                Some(means) if behind < word.len() => return InWord::At(behind, holds(means)),
                Some(means) if means.words() > 0 => return InWord::Next(holds(means), means.words()),
                Some(_) => return InWord::Nothing,
            }
        }
        InWord::Nothing
    }

    fn client_option(&self, spelling: &str) -> Option<Means> {
        clients::option_in(self.client?.options, spelling)
    }

    /// Tells what the next argument holds that is no option; `word` is that argument.
    pub(crate) fn argument(&mut self, word: &str) -> Holds {
        let by_row = self
            .rows()
            .filter(|(row, _)| !row.arguments.is_empty())
            .find_map(|(row, count)| row.arguments.get(self.words.len() - count).or(row.arguments.last()).copied());
        let by_client = || {
            let own = self.client?.positionals;
            let means = own.get(self.words.len()).or(own.last().filter(|means| **means != Means::Password))?;
            Some(holds(*means))
        };
        let holds = by_row.or_else(by_client).unwrap_or(Plain);
        self.words.push(word.to_owned());
        holds
    }
}

fn split(word: &str) -> (&str, Option<usize>) {
    word.split_once('=').map_or((word, None), |(name, _)| (name, Some(name.len() + 1)))
}

/// Finds an option by its whole spelling.
fn option_in(row: &Row, name: &str) -> Option<Holds> {
    let spelled = |spellings: &str| spellings.split(' ').any(|spelling| spelling == name);
    row.options.iter().find(|(spellings, _)| spelled(spellings)).map(|(_, holds)| *holds)
}

fn in_option(holds: Holds, joined: Option<usize>, words: usize) -> InWord {
    match joined {
        Some(at) => InWord::At(at, holds),
        None if holds == Joined => InWord::Nothing,
        None => InWord::Next(holds, words),
    }
}

fn holds(means: Means) -> Holds {
    match means {
        Means::Password => Secret,
        Means::JoinedPassword => Joined,
        Means::SlashLogin => SlashLogin,
        _ => Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_the_word_or_behind_it() {
        let table = [
            ("mysql", "-phunter2", InWord::At(2, Joined)),
            ("mysql", "-vphunter2", InWord::At(3, Joined)),
            ("mysql", "-p", InWord::Nothing),
            ("mysqltest", "-phunter2", InWord::At(2, Joined)),
            ("mongosh", "-p", InWord::Next(Secret, 1)),
            ("curl", "-sSu", InWord::Next(Login, 1)),
            ("curl", "-sHX-Key: a", InWord::At(3, Plain)),
            ("sqlcmd", "-Phunter2", InWord::At(2, Secret)),
            ("psql", "-c", InWord::Next(Plain, 1)),
            ("psql", "--unknown", InWord::Nothing),
            ("zip", "-rPx", InWord::At(3, Secret)),
        ];
        for (program, word, expected) in table {
            assert_eq!(called(program).unwrap().in_word(word), expected, "{program} {word}");
        }
        assert!(called("sh").is_none() && called("npm").is_none());
    }

    #[test]
    fn what_a_subcommand_takes_is_known_behind_it() {
        let holds = |line: &str| {
            let mut words = line.split(' ');
            let mut called = called(words.next().unwrap()).unwrap();
            words.map(|word| called.argument(word)).last().unwrap()
        };
        for (line, expected) in [
            ("redis-cli auth x", Secret),
            ("redis-cli AUTH x", Secret),
            ("redis-cli get x", Plain),
            ("vault kv put a b=c", Pair),
            ("vault kv put a", Plain),
            ("poetry config http-basic.x u p", Secret),
            ("poetry config http-basic.x u", Plain),
            ("isql dsn user p", Secret),
            ("isql dsn user", Plain),
            ("sqlplus u/p@x", SlashLogin),
            ("mysqladmin password x", Secret),
            ("mysqladmin ping", Plain),
        ] {
            assert_eq!(holds(line), expected, "{line}");
        }
    }

    #[test]
    fn each_option_of_a_client_that_holds_a_password_is_known_here() {
        for client in clients::all() {
            let called = called(client.names[0]).unwrap();
            for (spellings, means) in client.options.iter().copied().flatten() {
                for spelling in spellings.split(' ').filter(|_| *means == Means::Password) {
                    // Its own meaning may hide a shared one.
                    let own = client.means(spelling).unwrap();
                    assert_eq!(
                        called.in_word(spelling),
                        InWord::Next(holds(own), own.words()),
                        "{:?} {spelling}",
                        client.names
                    );
                }
            }
        }
    }

    #[test]
    fn each_row_says_something_and_stands_once() {
        let mut seen = std::collections::HashSet::new();
        for row in ROWS {
            assert!(!row.options.is_empty() || !row.arguments.is_empty(), "{}", row.programs);
            for program in row.programs.split(' ') {
                assert!(seen.insert((program, row.words)), "{program} {}", row.words);
            }
        }
    }
}
