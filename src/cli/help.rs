//! What the help says below the options: examples, and what does not fit beside an option.

pub(crate) const LINE: &str = "\
Examples:
  safe-test npm test                       judge, save, run, record
  safe-test --restore always pytest        the same, and put the databases back afterwards
  safe-test check -- php artisan migrate   judge only
  safe-test restore                        undo the last run

A first word that is no subcommand is the command to guard, and everything behind it belongs to that
command.
`safe-test -- check` guards a program called check.

Exit status: the command's own; 120 refused, 121 no snapshot, 122 restore after the run failed,
125 safe-test itself failed, 126 cannot be executed, 127 not found.";

pub(crate) const CHECK: &str = "\
Examples:
  safe-test check                          what any command here could reach
  safe-test check -v -- npm test           for this command, with every value and where it came from
  safe-test check --format json            the same for programs

Nothing is run or connected to. Exit status: 0 safe, 120 production or not shown to be safe.";

pub(crate) const SNAPSHOT: &str = "\
Examples:
  safe-test snapshot                       save every database that this project names
  safe-test -C ../shop snapshot            the same in another folder";

pub(crate) const LIST: &str = "\
Examples:
  safe-test list                           when, why, how big, its name, which database
  safe-test list -q                        the names alone
  safe-test list -v                        also what is in each and what took it

What restores have left on servers is listed behind the snapshots: `kept` is what one has replaced, which
`safe-test restore NAME` puts back; `killed` is what goes with the next run.";

pub(crate) const RESTORE: &str = "\
Examples:
  safe-test restore                        the databases as the last run found them
  safe-test restore shop_test_20261121_143022
  safe-test restore shop                   at a terminal: choose among those whose names begin so
  safe-test restore shop_test_replaced_20261121_150000
                                           what a restore has replaced, kept on its server
  safe-test restore --yes                  without the question

What is replaced is kept, so a restore can be undone as well. A snapshot that this machine
did not make (it came with a clone) is put back only after a person at a terminal has typed its name.";

pub(crate) const VERIFY: &str = "\
Examples:
  safe-test verify                         the newest snapshots
  safe-test verify --all                   every one, and what was left by something that was killed
  safe-test verify --level restore         restore into a scratch database and compare

Exit status: 121 where one is bad.";

pub(crate) const PRUNE: &str = "\
Examples:
  safe-test prune --dry-run                what would be kept and dropped, and why
  safe-test prune

What restores have left on servers goes, too. What one has replaced is kept for 24 hours at least, and as
long as it is one of the last 10 (`keep_last`). Every run does the same.";

pub(crate) const LOG: &str = "\
Examples:
  safe-test log                            one line an entry
  safe-test log --format json              the entries as they are written
  safe-test log verify                     has anybody edited, cut or reordered it?";

pub(crate) const HOOK: &str = "\
Examples:
  safe-test hook                           deny a command that touches a database without the guard
  safe-test hook --agent cursor            the same, whatever the payload looks like
  safe-test hook session-start             tell the agent what holds in this project

The agent's configuration runs it; `safe-test hooks install` writes that. The answer and the
exit status are those of the agent's own protocol.";

pub(crate) const HOOKS: &str = "\
Examples:
  safe-test hooks install                  git runs the tests before each push
  git config safe-test.command 'npm test'  what it runs, a line for sh
  git push --no-verify                     without the hook, once
  safe-test hooks install claude agents-md the settings and the instructions of coding agents
  safe-test hooks install --user cursor    in your own settings, for all projects
  safe-test hooks install --dry-run all    what would be changed
  safe-test hooks status                   is it there, and does it work?
  safe-test hooks remove                   everything as it was before

In the line that git runs, `$1` is the remote's name and `$2` its URL. Agents: antigravity, augment, claude,
cline, codex, copilot, cursor, devin, gemini, goose, kiro, opencode, windsurf, zed; claude-sandbox and
cursor-sandbox open the log's folder to them; agents-md and claude-md are files of instructions.";
