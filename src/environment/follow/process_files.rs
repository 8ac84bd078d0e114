//! Programs of Node.js that start the processes which a file of theirs lists: pm2's applications, the servers of
//! Playwright's tests.
//!
//! Sources: pm2's manual, "Ecosystem File", and its `lib/API/interpreter.json`; Playwright's, "Web server".

use std::collections::HashMap;
use std::path::Path;

use crate::environment::follow::code_texts::{Code, Texts};
use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, Step};
use crate::environment::invocation::{option_of, unknown_value};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::code;
use crate::environment::readers::code::Comments;
use crate::environment::readers::code::javascript::without_comments;
use crate::environment::readers::formats;
use crate::text::shell_word;

/// The files of pm2 where none is named.
const OF_PM2: &[&str] = &["ecosystem.config.js", "ecosystem.config.cjs", "ecosystem.json", "pm2.config.js"];

/// How the names of files end that pm2 takes for a list of processes.
const LISTS_OF_PM2: &[&str] = &[".config.cjs", ".config.js", ".config.mjs", ".json", ".yaml", ".yml"];

/// Options of pm2 whose value is the next word, apart from those that are read.
const VALUED_BY_PM2: &[&str] = &[
    "--cron-restart",
    "--error",
    "--exp-backoff-restart-delay",
    "--ext",
    "--gid",
    "--ignore-watch",
    "--instances",
    "--interpreter-args",
    "--kill-timeout",
    "--listen-timeout",
    "--log",
    "--max-memory-restart",
    "--name",
    "--namespace",
    "--node-args",
    "--only",
    "--output",
    "--restart-delay",
    "--uid",
    "--user",
    "-c",
    "-e",
    "-i",
    "-l",
    "-n",
    "-o",
    "-u",
];

/// The files of Playwright.
const OF_PLAYWRIGHT: &[&str] =
    &["playwright.config.ts", "playwright.config.js", "playwright.config.mts", "playwright.config.mjs"];

/// Ways to start one process beyond this many are not followed.
const MOST_WAYS: usize = 64;

/// One key of a file of processes, with what it may be set to.
struct Entry {
    path: Vec<String>,
    texts: Texts,
    line: u32,
    /// What stands in the same object has the same number, and an object in it a higher one.
    bracket: u32,
}

impl Entry {
    fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// One way to start a process that a file lists.
#[derive(Debug, Default, PartialEq, Eq)]
struct Process {
    text: String,
    line: u32,
    folder: Option<String>,
    variables: Vec<(String, String)>,
}

/// The processes of a file, and what is not known of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Processes {
    found: Vec<Process>,
    /// The lines of what is not evaluated.
    unknown: Vec<u32>,
}

/// What lists processes, and how.
struct Kind {
    /// Tells whether a key of a file is the command of a process.
    is_command: fn(&[String]) -> bool,
    /// The word of the file that says that it lists some; empty where it is there for nothing else.
    mark: &'static str,
}

const PM2: Kind = Kind { is_command: |path| path.last().is_some_and(|key| key == "script"), mark: "" };

const PLAYWRIGHT: Kind = Kind {
    is_command: |path| path.last().is_some_and(|key| key == "command") && path.iter().any(|key| key == "webServer"),
    mark: "webServer",
};

impl Expansion<'_> {
    /// What pm2 starts: `pm2 start FILE`, `pm2-runtime FILE --env staging`, `pm2 start npm -- run seed`.
    pub(crate) fn pm2(&self, words: &[String]) -> Vec<Step> {
        const STARTING: &[&str] = &["reload", "restart", "start", "startOrReload", "startOrRestart"];
        let (mut named, mut mode, mut interpreter, mut cwd) = (Vec::new(), None, None, None);
        let mut is_starting = words[0].ends_with("runtime") || words[0].ends_with("dev");
        let mut rest = words[1..].iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            match option {
                "--" => break,
                "--env" => mode = attached.or_else(|| rest.next()),
                "--interpreter" => interpreter = attached.or_else(|| rest.next()),
                "--cwd" => cwd = attached.or_else(|| rest.next()),
                option if VALUED_BY_PM2.contains(&option) && attached.is_none() => drop(rest.next()),
                _ if word.starts_with('-') => {}
                _ if STARTING.contains(&word) && named.is_empty() => is_starting = true,
                _ => named.push(word),
            }
        }
        // What follows is given to the program.
        let arguments: String = rest.map(|word| format!(" {}", shell_word(word))).collect();
        if !is_starting {
            return Vec::new();
        }
        let is_list = |name: &&str| LISTS_OF_PM2.iter().any(|ending| name.ends_with(ending));
        let (lists, programs): (Vec<&str>, Vec<&str>) = named.iter().partition(|name| is_list(name));
        let mut steps: Vec<Step> = lists.iter().flat_map(|name| self.processes(&[name], mode, &PM2)).collect();
        if named.is_empty() {
            steps.extend(self.processes(OF_PM2, mode, &PM2));
        }
        for name in programs {
            let text = started(name, interpreter);
            let folder = cwd.map_or_else(String::new, |folder| format!("cd {} && ", shell_word(folder)));
            steps.extend(self.text(&format!("{folder}{text}{arguments}"), 1, None));
        }
        steps
    }

    /// What Playwright starts beside its tests: `webServer`.
    pub(crate) fn playwright(&self, words: &[String]) -> Vec<Step> {
        let is_test = words.get(1).is_some_and(|word| word == "test");
        let named = words.iter().enumerate().find_map(|(at, word)| {
            let (option, attached) = option_of(word);
            let is_config = matches!(option, "-c" | "--config");
            attached.or_else(|| words.get(at + 1).map(String::as_str)).filter(|_| is_config)
        });
        if !is_test {
            return Vec::new();
        }
        self.processes(named.as_ref().map_or(OF_PLAYWRIGHT, std::slice::from_ref), None, &PLAYWRIGHT)
    }

    /// The processes of the first of these files that is there.
    fn processes(&self, names: &[&str], mode: Option<&str>, kind: &Kind) -> Vec<Step> {
        let Some(file) = names.iter().map(|name| self.step.folder.join(name)).find(|path| self.files.exists(path))
        else {
            return Vec::new();
        };
        let Some(text) = self.text_of(&file) else { return Vec::new() };
        let (entries, spreads) = self.entries_of_processes(&file, &text);
        let not_evaluated = |line: Option<u32>| {
            let why = "it lists processes, or parts of them, that are not evaluated here";
            self.give_up(&file, line, GivenUp::Code(why.into()));
        };
        let Processes { found, unknown } = processes(&entries, mode, kind);
        unknown.into_iter().for_each(|line| not_evaluated(Some(line)));
        let is_marked = kind.mark.is_empty() || without_comments(&text).contains(kind.mark);
        if is_marked && (found.is_empty() || kind.mark.is_empty() && spreads) {
            not_evaluated(None);
        }
        let home = file.parent().unwrap_or(&self.step.folder).to_owned();
        let mut steps = Vec::new();
        for process in found {
            let folder = process.folder.map_or_else(|| home.clone(), |folder| home.join(folder));
            let name = "command".to_owned();
            let assignments = process.variables;
            let script = Script { name, text: process.text, line: process.line, assignments, ..Script::default() };
            steps.extend(self.script(&file, &folder, script));
        }
        steps
    }

    /// Reads the keys of such a file; tells whether objects are put together from others in it.
    fn entries_of_processes(&self, file: &Path, text: &str) -> (Vec<Entry>, bool) {
        let flatten = match file.extension().and_then(|extension| extension.to_str()) {
            Some("yml" | "yaml") => Some(formats::yaml::flatten as formats::Flatten),
            Some("json") => Some(formats::json::flatten as formats::Flatten),
            _ => None,
        };
        if let Some(flatten) = flatten {
            let entry = |entry: &formats::FlatEntry| {
                // The items of a list stand for the objects of code.
                let is_index = |key: &String| key.bytes().all(|byte| byte.is_ascii_digit());
                let at =
                    entry.path.iter().find(|key| is_index(key)).and_then(|key| key.parse::<u32>().ok()).unwrap_or(0);
                let path: Vec<String> = entry.path.iter().filter(|key| !is_index(key)).cloned().collect();
                let bracket = at * 2 + u32::from(path.iter().any(|key| key.starts_with("env")));
                Entry { path, texts: Texts::plain(&entry.value), line: entry.line, bracket }
            };
            let entries = self.entries_of(file, flatten).unwrap_or_default();
            return (entries.iter().map(entry).collect(), false);
        }
        let pairs = code::pairs_and_lists(text, Comments::Slashes).all(|line, why| self.give_up(file, Some(line), why));
        let text = without_comments(text);
        let code = Code::of(&text);
        let entry = |pair: code::Pair| {
            let is_list = pair.path.last().is_some_and(|key| key == "args");
            let texts = if is_list { code.words_of(&pair.expression) } else { code.texts_of(&pair.expression) };
            // A flag is a text in an environment.
            let texts = match pair.expression.as_str() {
                flag @ ("true" | "false") => Texts::plain(flag),
                _ => texts,
            };
            Entry { path: pair.path, texts, line: pair.line, bracket: pair.bracket }
        };
        let counts = |pair: &code::Pair| {
            const KEYS: &[&str] = &["args", "command", "cwd", "interpreter", "script"];
            pair.path.iter().any(|key| key.starts_with("env"))
                || pair.path.last().is_some_and(|key| KEYS.contains(&key.as_str()))
        };
        let spreads = text.match_indices("...").any(|(at, _)| {
            let behind = text[at + 3..].trim_start_matches(['(', ' ']);
            !behind.starts_with("process.env")
        });
        (pairs.into_iter().filter(counts).map(entry).collect(), spreads)
    }
}

/// Lists the processes of a file. What stands in the same object belongs to the command, and so does an `env` in it.
fn processes(entries: &[Entry], mode: Option<&str>, kind: &Kind) -> Processes {
    let mut by_bracket: HashMap<u32, Vec<&Entry>> = HashMap::new();
    entries.iter().for_each(|entry| by_bracket.entry(entry.bracket).or_default().push(entry));
    let mut brackets: Vec<u32> = by_bracket.keys().copied().collect();
    brackets.sort_unstable();
    let commands: Vec<&Entry> = entries.iter().filter(|entry| (kind.is_command)(&entry.path)).collect();
    let mut starts: Vec<u32> = commands.iter().map(|command| command.bracket).collect();
    starts.sort_unstable();
    let of_mode = mode.map(|mode| format!("env_{mode}"));
    let mut all = Processes::default();
    for command in commands {
        // Each with what it may be; a list of words comes as one entry, or as one a word.
        let beside = |key: &str| -> Vec<&Entry> {
            let own = by_bracket.get(&command.bracket).into_iter().flatten();
            own.filter(|entry| entry.key() == key).copied().collect()
        };
        let one = |key: &str| -> Vec<Option<String>> {
            let texts: Vec<Option<String>> = beside(key)
                .first()
                .map_or_else(Vec::new, |entry| entry.texts.found.iter().cloned().map(Some).collect());
            if texts.is_empty() { vec![None] } else { texts }
        };
        let words: Vec<&Entry> = beside("args");
        let arguments: Vec<Option<String>> = match &words[..] {
            [] | [_] => one("args"),
            several => vec![Some(
                several
                    .iter()
                    .flat_map(|entry| &entry.texts.found)
                    .map(|word| shell_word(word))
                    .collect::<Vec<_>>()
                    .join(" "),
            )],
        };
        // The object of its variables opens within its own, before that of the next command.
        let next = starts.get(starts.partition_point(|start| *start <= command.bracket)).copied();
        let inner = brackets.partition_point(|bracket| *bracket <= command.bracket);
        let inner = brackets[inner..].iter().take_while(|bracket| next.is_none_or(|next| **bracket < next));
        let variables: Vec<&Entry> = inner
            .flat_map(|bracket| &by_bracket[bracket])
            .filter(|entry| {
                let [.., own, _] = &entry.path[..] else { return false };
                own == "env" || Some(own) == of_mode.as_ref()
            })
            .copied()
            .collect();
        let parts = ["cwd", "interpreter"].into_iter().flat_map(beside).chain(words).chain([command]);
        all.unknown.extend(parts.filter(|entry| !entry.texts.is_whole).map(|entry| entry.line));
        let ways_of_variables = variables.iter().map(|entry| entry.texts.found.len()).max().unwrap_or(1).max(1);
        let mut ways = 0;
        for script in &command.texts.found {
            for (interpreter, arguments, folder) in combinations(&one("interpreter"), &arguments, &one("cwd")) {
                for way in 0..ways_of_variables {
                    ways += 1;
                    if ways > MOST_WAYS {
                        break;
                    }
                    let mut text = started(script, interpreter.as_deref());
                    text.extend(arguments.iter().flat_map(|arguments| [" ", arguments]));
                    let value = |entry: &Entry| {
                        let found = &entry.texts.found;
                        match found.get(way).or(found.last()) {
                            Some(text) => Some(text.clone()),
                            None => (!entry.texts.is_whole).then(|| unknown_value(entry.key())),
                        }
                    };
                    let set = variables.iter().filter_map(|entry| Some((entry.key().to_owned(), value(entry)?)));
                    all.found.push(Process {
                        text,
                        line: command.line,
                        folder: folder.clone(),
                        variables: set.collect(),
                    });
                }
            }
        }
        if ways > MOST_WAYS {
            all.unknown.push(command.line);
        }
    }
    all
}

type Part = Option<String>;

fn combinations<'p>(
    one: &'p [Part],
    other: &'p [Part],
    third: &'p [Part],
) -> impl Iterator<Item = (&'p Part, &'p Part, &'p Part)> {
    let with_other = one.iter().flat_map(move |one| other.iter().map(move |other| (one, other)));
    with_other.flat_map(move |(one, other)| third.iter().map(move |third| (one, other, third)))
}

/// Spells out what is started as a command: a file of code behind its interpreter, a text as it is.
fn started(script: &str, interpreter: Option<&str>) -> String {
    let ending = Path::new(script).extension().and_then(|extension| extension.to_str());
    let by_ending = match ending.filter(|_| !script.contains(' ')) {
        Some("cjs" | "js" | "mjs" | "ts") => Some("node"),
        Some("php") => Some("php"),
        Some("pl") => Some("perl"),
        Some("py") => Some("python3"),
        Some("rb") => Some("ruby"),
        Some("sh") => Some("bash"),
        _ => None,
    };
    match interpreter.filter(|name| *name != "none").or(by_ending) {
        Some(interpreter) => format!("{interpreter} {script}"),
        None => script.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Project;
    use crate::environment::follow::Room;
    use crate::environment::memory::MemoryFiles;
    use crate::environment::not_followed::Gaps;

    /// The commands that a call comes to, each with its folder and variables, and whether something was given up on.
    fn followed(command: &str, file: (&str, &str)) -> (Vec<String>, bool) {
        let files = MemoryFiles::new(&[(&format!("/p/{}", file.0), file.1)]);
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let project = Project { root: "/p".into(), folder: "/p".into(), home: None };
        let step = Step::typed(words.clone(), Path::new("/p"));
        let (gaps, room) = (Gaps::default(), Room::of(1000));
        let expansion =
            Expansion { step: &step, process: &[], project: &project, files: &files, gaps: &gaps, room: &room };
        let steps = if words[0] == "playwright" { expansion.playwright(&words) } else { expansion.pm2(&words) };
        let shown = |step: &Step| {
            let folder = step.folder.strip_prefix("/p").unwrap().display().to_string();
            let variables = step.invocation.assignments.iter().map(|(name, value)| format!("{name}={value} "));
            let folder = if folder.is_empty() { folder } else { format!("{folder}: ") };
            format!("{folder}{}{}", variables.collect::<String>(), step.invocation.words.join(" "))
        };
        (steps.iter().map(shown).collect(), !gaps.into_inner().is_empty())
    }

    #[test]
    fn the_processes_of_a_file_are_told_apart_with_all_that_they_may_be() {
        let pm2 = "pm2 start ecosystem.config.js --env live";
        for (command, file, text, expected, is_told) in [
            (
                pm2,
                "ecosystem.config.js",
                "module.exports = {\n apps: [\n  { name: 'a', script: 'a.js', env: { A: '1' }, env_live: { A: '2' } },\n  \
                 { name: 'b', script: 'pnpm b', args: '-x', cwd: 'sub' }\n ]\n};",
                "A=1 A=2 node a.js|sub: pnpm b -x",
                false,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "const dir = 'api';\nmodule.exports = { apps: [{ script: x ? 'a.js' : 'b.js', cwd: path.join(__dirname, dir),\n \
                 args: ['run', 'y z'], env: { FORCE: true, PORT: 1, U: undefined } }] };",
                "api: FORCE=true PORT=1 node a.js run y z|api: FORCE=true PORT=1 node b.js run y z",
                false,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "apps: [{ script: 'npm', env: { URL: url() } }]",
                "URL=$(read URL) npm",
                false,
            ),
            (pm2, "ecosystem.config.js", "module.exports = require('./other');", "", true),
            (pm2, "ecosystem.config.js", "apps: names.map((n) => ({ script: `./${n}.js` }))", "", true),
            (pm2, "ecosystem.config.js", "apps: [{ ...common, script: 'a.js' }]", "node a.js", true),
            (
                "pm2 start processes.json",
                "processes.json",
                r#"{"apps": [{"script": "npm", "args": ["run", "it's"], "env": {"A": "b'c"}}, {"script": "b.py"}]}"#,
                "A=b'c npm run it's|python3 b.py",
                false,
            ),
            (
                "pm2-runtime p.yaml",
                "p.yaml",
                "apps:\n  - script: a.js\n    env:\n      A: it's\n",
                "A=it's node a.js",
                false,
            ),
            ("pm2 start npm --name api -- run seed", "x", "", "npm run seed", false),
            ("pm2 start a.js b.sh -i 2 --cwd sub -- --x", "sub/x", "", "sub: node a.js --x|sub: bash b.sh --x", false),
            ("pm2 start server --interpreter tsx", "x", "", "tsx server", false),
            ("pm2 logs api", "x", "", "", false),
            (
                "playwright test",
                "playwright.config.ts",
                "export default defineConfig({ projects: [{ use: { ...devices['x'] } }],\n webServer: [{ command: \
                 process.env.CI ? 'npm start' : 'npm run dev', cwd: './app' }, { command: 'npm run api' }] });",
                "app: npm start|app: npm run dev|npm run api",
                false,
            ),
            ("playwright test", "playwright.config.ts", "export default { webServer: servers };", "", true),
            ("playwright test", "playwright.config.ts", "export default { // webServer: {},\n use: {} };", "", false),
        ] {
            let (found, told) = followed(command, (file, text));
            assert_eq!((found.join("|").as_str(), told), (expected, is_told), "{command} {text}");
        }
    }

    #[test]
    fn many_processes_come_to_an_end_soon() {
        let text: String = (0..20_000).map(|at| format!("{{ script: 'a{at}.js', env: {{ A: '1' }} }},\n")).collect();
        let started = std::time::Instant::now();
        followed("pm2 start ecosystem.config.js", ("ecosystem.config.js", &format!("apps: [{text}]")));
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
