//! What a row of the clients says, and asking it about an option.

/// A program that talks to a database by itself, with defaults of its own.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) names: &'static [&'static str],
    /// The engine by its name in JSON.
    pub(crate) engine: &'static str,
    /// Its own options first, then those that it shares with others.
    pub(crate) options: &'static [Options],
    /// What the arguments that are no options mean, in their order.
    pub(crate) positionals: &'static [Means],
    /// Long options may begin with one dash, so that letters do not stand together.
    pub(crate) one_dash: bool,
    /// What follows the words `drop` and `create` is a database: `mysqladmin drop shop`.
    pub(crate) takes_commands: bool,
    /// Where nothing names a place, a file that is not read here does.
    pub(crate) has_hidden_default: bool,
}

/// Options with what they mean: spellings separated by blanks.
pub(crate) type Options = &'static [(&'static str, Means)];

/// What an argument means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    Host,
    /// Each further argument of the form `host:port` is a host.
    Hosts,
    Port,
    User,
    Password,
    /// A password where it is joined to the option; alone the option takes no value, and the program asks.
    JoinedPassword,
    /// `user/password@place`.
    SlashLogin,
    Socket,
    /// A database's name, or a whole URL or DSN.
    Database,
    /// Each further argument is a database's name.
    Databases,
    /// A URL, or what stands behind the scheme of one.
    Url,
    /// A database file.
    File,
    /// A file of options.
    OptionFile,
    /// `tcp:host,port`.
    Server,
    /// A name that a file elsewhere gives a place to: a data source, a login path, a bundle of certificates.
    Elsewhere,
    /// Something else, in the next word.
    Value,
    /// Something else, in the next two words.
    TwoValues,
    /// Nothing that has a value.
    Flag,
}

impl Means {
    /// Counts how many of the next words belong to an option that means this.
    pub(crate) fn words(self) -> usize {
        match self {
            Means::JoinedPassword | Means::Hosts | Means::Databases | Means::Flag => 0,
            Means::TwoValues => 2,
            _ => 1,
        }
    }
}

/// A client of `engine`; what is special about it is set behind.
pub(crate) const fn client(
    names: &'static [&'static str],
    engine: &'static str,
    options: &'static [Options],
    positionals: &'static [Means],
) -> Client {
    let (one_dash, takes_commands, has_hidden_default) = (false, false, false);
    Client { names, engine, options, positionals, one_dash, takes_commands, has_hidden_default }
}

impl Client {
    /// Tells what an option means; the beginning of a long one will do, as most of the programs themselves have it.
    pub(crate) fn means(&self, spelling: &str) -> Option<Means> {
        option_in(self.options, spelling).or_else(|| {
            let is_shortened = spelling.starts_with("--") && spelling.len() > 4;
            let begun = || entries(self.options).filter(|(own, _)| is_shortened && own.starts_with(spelling));
            // What names a place goes before what names nothing.
            let names = |means: &Means| !matches!(means, Means::Value | Means::TwoValues | Means::Flag);
            begun().map(|(_, means)| means).find(names).or_else(|| begun().map(|(_, means)| means).next())
        })
    }

    /// Tells whether its first argument is a database file.
    pub(crate) fn opens_a_file(&self) -> bool {
        self.positionals.first() == Some(&Means::File)
    }
}

/// Tells what the option of exactly that spelling means.
pub(crate) fn option_in(options: &[Options], spelling: &str) -> Option<Means> {
    entries(options).find(|(own, _)| *own == spelling).map(|(_, means)| means)
}

pub(crate) fn entries(options: &[Options]) -> impl Iterator<Item = (&'static str, Means)> {
    options
        .iter()
        .copied()
        .flatten()
        .flat_map(|(spellings, means)| spellings.split_ascii_whitespace().map(|spelling| (spelling, *means)))
}
