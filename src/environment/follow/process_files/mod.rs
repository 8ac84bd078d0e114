//! Programs of Node.js that start the processes which a file of theirs lists: pm2's applications, the servers of
//! Playwright's tests.
//!
//! Sources: pm2's manual, "Ecosystem File", and its `lib/API/interpreter.json`; Playwright's, "Web server".

mod list;

use std::path::PathBuf;

use crate::environment::follow::process_files::list::{Kind, Processes, started};
use crate::environment::follow::script::Script;
use crate::environment::follow::{Expansion, Step};
use crate::environment::invocation::option_of;
use crate::environment::not_followed::GivenUp;
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
    "--kill-timeout",
    "--listen-timeout",
    "--log",
    "--max-memory-restart",
    "--name",
    "--namespace",
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

const PM2: Kind =
    Kind { is_command: |path| path.last().is_some_and(|key| matches!(key.as_str(), "exec" | "script")), mark: "" };

const PLAYWRIGHT: Kind = Kind {
    is_command: |path| path.last().is_some_and(|key| key == "command") && path.iter().any(|key| key == "webServer"),
    mark: "webServer",
};

impl Expansion<'_> {
    /// What pm2 starts: `pm2 start FILE`, `pm2-runtime FILE --env staging`, `pm2 start npm -- run seed`.
    pub(crate) fn pm2(&self, words: &[String]) -> Vec<Step> {
        const STARTING: &[&str] = &["reload", "restart", "start", "startOrReload", "startOrRestart"];
        let (mut named, mut mode, mut interpreter, mut cwd) = (Vec::new(), None, None, None);
        let mut of_interpreter = None;
        let mut is_starting = words[0].ends_with("runtime") || words[0].ends_with("dev");
        let mut rest = words[1..].iter().map(String::as_str);
        while let Some(word) = rest.next() {
            let (option, attached) = option_of(word);
            match option {
                "--" => break,
                "--env" => mode = attached.or_else(|| rest.next()),
                "--interpreter" => interpreter = attached.or_else(|| rest.next()),
                "--interpreter-args" | "--node-args" => of_interpreter = attached.or_else(|| rest.next()),
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
        let there = |name: &&str| self.step.folder.join(name);
        let mut steps: Vec<Step> = lists.iter().flat_map(|name| self.processes([there(name)], mode, &PM2)).collect();
        if named.is_empty() {
            steps.extend(self.processes(OF_PM2.iter().map(there), mode, &PM2));
        }
        for name in programs {
            let text = started(name, interpreter, of_interpreter);
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
        let there = named.map_or_else(|| self.step.folder.clone(), |named| self.step.folder.join(named));
        match self.files.folder(&there) {
            Some(_) => self.processes(OF_PLAYWRIGHT.iter().map(|name| there.join(name)), None, &PLAYWRIGHT),
            None => self.processes([there], None, &PLAYWRIGHT),
        }
    }

    /// The processes of the first of these files that is there.
    fn processes(&self, paths: impl IntoIterator<Item = PathBuf>, mode: Option<&str>, kind: &Kind) -> Vec<Step> {
        let Some(file) = paths.into_iter().find(|path| self.files.exists(path)) else { return Vec::new() };
        let Some(text) = self.text_of(&file) else { return Vec::new() };
        let not_evaluated = |line: Option<u32>| {
            let why = "it lists processes, or parts of them, that are not evaluated here";
            self.give_up(&file, line, GivenUp::Code(why.into()));
        };
        let Processes { found, unknown, is_open } = self.processes_of(&file, &text, mode, kind);
        unknown.into_iter().for_each(|line| not_evaluated(Some(line)));
        if is_open {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::follow::testing;

    /// The commands that a call comes to, each with its folder and variables, and whether something was given up on.
    fn followed(command: &str, file: (&str, &str)) -> (Vec<String>, bool) {
        let expand = |expansion: &Expansion<'_>, words: &[String]| match words[0].as_str() {
            "playwright" => expansion.playwright(words),
            _ => expansion.pm2(words),
        };
        let (steps, is_told) = testing::followed(command, &[file], &[("DB_HOST", "db.test")], expand);
        let shown = |step: &Step| {
            let folder = testing::folder(step);
            let variables = step.invocation.assignments.iter().map(|(name, value)| format!("{name}={value} "));
            let folder = if folder.is_empty() { folder } else { format!("{folder}: ") };
            format!("{folder}{}{}", variables.collect::<String>(), step.invocation.words.join(" "))
        };
        (steps.iter().map(shown).collect(), is_told)
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
            (
                pm2,
                "ecosystem.config.js",
                "apps: [{ script: 'npm', args: `run ${process.env.DB_HOST}`, env: { H: process.env.DB_HOST } }]",
                "H=db.test npm run db.test",
                false,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "apps: [{ script: 'npm', args: `run ${process.env.TASK}`, env: { H: process.env.OTHER, I: process.env.I, \
                 J: process.env.J || 'j', K: x ? secret() : 'k' } }]",
                "H=$(read H) J=j K=k npm run|H=$(read H) K=$(read K) npm run",
                true,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "const common = { A: '1', B: process.env.DB_HOST };\nmodule.exports = { apps: [{ script: 'a.js', env: common },\n \
                 { script: 'b.js', env_live: common, env: process.env }] };",
                "A=1 B=db.test node a.js|A=1 B=db.test node b.js",
                false,
            ),
            (pm2, "ecosystem.config.js", "apps: [{ script: 'a.js', env: common }]", "node a.js", true),
            (pm2, "ecosystem.config.js", "apps: [{ script: 'a.js', env: require('./env') }]", "node a.js", true),
            (pm2, "ecosystem.config.js", "apps: [{ script: 'a.js', env_stage: common }]", "node a.js", false),
            (
                pm2,
                "ecosystem.config.js",
                "const { env } = process;\napps: [{ script: 'a.js', env }]",
                "node a.js",
                true,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "const { env, cwd } = process;\napps: [{ script: 'a.js' }]",
                "node a.js",
                false,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "apps: [{ script: 'a.js', node_args: ['--env-file', '.env.live'] },\n \
                 { exec: 'b.js', interpreter_args: '-r ./c', exec_interpreter: 'bun' }]",
                "node --env-file .env.live a.js|bun -r ./c b.js",
                false,
            ),
            (
                pm2,
                "ecosystem.config.js",
                "let file = 'a.js';\nif (x) file = 'b.js';\napps: [{ script: file }]",
                "",
                true,
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
            ("pm2 start a.js --node-args --env-file=.env.live", "x", "", "node --env-file=.env.live a.js", false),
            (
                "pm2 start p.json",
                "p.json",
                r#"{"apps": [{"script": "a.js", "node_args": ["-r", "x y"], "args": "b"}]}"#,
                "node -r x y a.js b",
                false,
            ),
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
            (
                "playwright test",
                "playwright.config.ts",
                "export default { webServer: { command, port: 1 } };",
                "",
                true,
            ),
            (
                "playwright test -c e2e",
                "e2e/playwright.config.ts",
                "export default { webServer: { command: 'npm start' } };",
                "e2e: npm start",
                false,
            ),
            (
                "playwright test --config=e2e/live.ts",
                "e2e/live.ts",
                "export default { webServer: { command: 'npm start' } };",
                "e2e: npm start",
                false,
            ),
            ("playwright test", "playwright.config.ts", "export default { // webServer: {},\n use: {} };", "", false),
        ] {
            let (found, told) = followed(command, (file, text));
            assert_eq!((found.join("|").as_str(), told), (expected, is_told), "{command} {text}");
        }
    }

    #[test]
    fn many_processes_come_to_an_end_soon() {
        let choice = "x ? 'a' : y ? 'b' : z ? 'c' : 'd'";
        let variables: String = (0..20).map(|at| format!("A{at}: {choice}, ")).collect();
        for process in [
            "{ script: 'a.js', env: { A: '1' } },\n".to_owned(),
            format!("{{ script: {choice}, args: {choice}, cwd: {choice}, env: {{ {variables} }} }},\n"),
            ",env".to_owned(),
        ] {
            let text = process.repeat(20_000.min((1 << 20) / process.len()));
            let started = std::time::Instant::now();
            let (_, is_told) =
                followed("pm2 start ecosystem.config.js", ("ecosystem.config.js", &format!("apps: [{text}]")));
            assert!(is_told);
            assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
        }
    }
}
