//! Proves that nothing is lost by looking at alike environments once: every reading under every invocation, all of
//! its variables, comes to the same targets.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use proptest::prelude::*;

use crate::environment::readers::expansion::shell_word::{Quotes, Word};
use crate::environment::readers::expansion::{Budget, Scope, Unset, names_with_default};
use crate::environment::{Invocation, Origin, Project, Reading, Setting, Unresolved};
use crate::reach::arguments::{Call, Values};
use crate::reach::assemble::{Defaults, Known, Shared, Variable, Variables, fill, names_nothing};
use crate::reach::merge::{Merger, place_name};
use crate::reach::testing::{Folder, typed};
use crate::reach::{Doubt, Lookup, Place, Target, arguments, assemble, find_targets};

/// Finds targets the slow way.
fn of_all_pairs(readings: &[Reading], invocations: &[Invocation], lookup: &Lookup<'_>) -> Vec<Target> {
    let mut known = Known::default();
    let mut merger = Merger::default();
    let values = Values::of(readings);
    let calls: Vec<Call<'_>> = invocations.iter().map(|invocation| Call::read(invocation, &values)).collect();
    for reading in readings {
        let mut settings = reading.settings.clone();
        settings.sort_by_key(|setting| (setting.origin.file.clone(), setting.origin.line, setting.name.clone()));
        for call in &calls {
            let invocation = call.invocation;
            let assigned = invocation.assignments.iter().map(|(name, value)| {
                let origin = Origin { variable: name.clone(), ..invocation.origin.clone() };
                Setting::known(name.clone(), value.clone(), origin)
            });
            let mut later = HashSet::new();
            let all: Vec<Setting> = assigned.chain(call.typed.iter().cloned()).collect();
            let mut over: Vec<&Setting> = all.iter().rev().filter(|own| later.insert(own.name.as_str())).collect();
            over.reverse();
            let below =
                settings.iter().map(|setting| &**setting).filter(|setting| !later.contains(setting.name.as_str()));
            let laid: Vec<&Setting> = below.chain(over).collect();
            for defaults in call.ways() {
                let filled = laid.iter().map(|setting| match call.typed.contains(setting) {
                    true => Shared::Own(Rc::new(word_filled(setting, &laid, call, defaults))),
                    false => Shared::Lent(setting),
                });
                let all = filled.flat_map(|setting| Variable::all_of(setting, &mut known).to_vec()).collect();
                let variables = Variables::new(all, lookup);
                merger.add_all(assemble::find(&variables));
                merger.add_all(arguments::find(call, &variables, defaults));
            }
        }
    }
    merger.finish().targets
}

/// Fills in what a word sets.
fn word_filled(setting: &Setting, beside: &[&Setting], call: &Call<'_>, defaults: Defaults<'_>) -> Setting {
    let named = |name: &str| beside.iter().rev().find(|one| one.name == name && !names_nothing(&one.value));
    let asked = RefCell::new(Vec::new());
    let filled = fill(&setting.value, defaults, &|name| {
        asked.borrow_mut().push(name.to_owned());
        named(name).map(|one| one.value.clone())
    });
    let is_unresolved = asked.borrow().iter().any(|name| named(name).is_some_and(|one| one.unresolved.is_some()));
    let is_doubtful = is_unresolved || !filled.is_known && call.is_open(defaults);
    Setting { value: filled.text, unresolved: is_doubtful.then_some(Unresolved::Variable), ..setting.clone() }
}

/// The hosts that a line names where its shell has what a reading has without those variables; nothing where that is set
/// to what is not known, and a driver's default.
fn hosts_without(unset: &[&str], reading: &Reading, invocation: &Invocation, lookup: &Lookup<'_>) -> BTreeSet<String> {
    let look = |name: &str| {
        let setting = reading.get(name).filter(|setting| !names_nothing(&setting.value) && !unset.contains(&name))?;
        Some(setting.value.clone())
    };
    let expanded = |word: &String| {
        let word = Word::new(word, Quotes::Removed, Unset::Empty);
        word.expand(&mut Scope::new(&look), &mut Budget::new()).unwrap_or_default()
    };
    let words = invocation.words.iter().map(expanded).collect();
    let bare = Reading { settings: Vec::new(), ..reading.clone() };
    let targets = find_targets(&[bare], &[Invocation { words, ..invocation.clone() }], lookup).targets;
    let sure = targets.iter().filter(|target| target.doubts.is_empty()).flat_map(|target| &target.places);
    sure.filter(|place| matches!(place, Place::Host { name, .. } if name != "localhost")).map(place_name).collect()
}

/// A target as it is shown, without the lines that it was read from: an alike environment stands for others.
fn shown(target: &Target) -> (String, Vec<(String, Option<PathBuf>)>) {
    let mut origins: Vec<_> = Vec::new();
    for Origin { variable, file, .. } in &target.origins {
        let origin = (variable.clone(), file.clone());
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    (format!("{:?}", Target { origins: Vec::new(), ..target.clone() }), origins)
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "A",
        "B",
        "HOME_DIR",
        "DATABASE_URL",
        "DB_HOST",
        "DB_PORT",
        "DB_DATABASE",
        "DB_CONNECTION",
        "DB_USERNAME",
        "LEGACY_DB_HOST",
        "PGHOST",
        "PGHOSTADDR",
        "PGDATABASE",
        "MYSQL_HOST",
        "BACKEND",
        "AWS_REGION",
        "ORDERS_TABLE",
        "VCAP_SERVICES",
        "TUNNEL_REMOTE_HOST",
    ])
}

fn value() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "x",
        "5432",
        "mysql",
        "sqlite",
        "localhost",
        "db.example.net",
        "db.shop.test",
        "postgres://ann@localhost/shop_test",
        "mysql://db.example.net/shop",
        "$(dirname $0)/lib",
        "shop.rds.amazonaws.com",
        "eu-west-1",
        r#"{"db":{"host":"db.example.net","name":"shop"}}"#,
        "app.db",
    ])
}

fn reading() -> impl Strategy<Value = Reading> {
    let file = prop::sample::select(vec![None, Some("run.sh"), Some(".env")]);
    let setting = (name(), value(), file, 1_u32..4, prop::bool::weighted(0.2));
    prop::collection::btree_map(name(), setting, 0..7).prop_map(|settings| {
        let settings = settings.into_iter().map(|(name, (_, value, file, line, is_unresolved))| {
            let origin = file.map_or_else(|| Origin::process(name), |file| Origin::file(name, file, line));
            let unresolved = is_unresolved.then_some(Unresolved::CommandSubstitution);
            Setting { unresolved, ..Setting::known(name, value, origin) }.into()
        });
        Reading { loader: "test".to_owned(), settings: settings.collect() }
    })
}

/// Variables that hold the parts of addresses, and nothing in which these are lost.
fn reading_of_parts() -> impl Strategy<Value = Reading> {
    let names = prop::sample::select(vec!["A", "B", "DB_HOST", "DB_DATABASE", "BACKEND"]);
    let values = prop::sample::select(vec!["", "x", "localhost", "db.example.net", "db.shop.test", "10.1.2.3"]);
    let port = prop::option::of(prop::sample::select(vec!["5432", "3307"]));
    (prop::collection::btree_map(names, values, 0..5), port).prop_map(|(mut settings, port)| {
        settings.extend(port.map(|port| ("DB_PORT", port)));
        let setting = |(name, value)| Setting::known(name, value, Origin::file(name, ".env", 1)).into();
        Reading { loader: "test".to_owned(), settings: settings.into_iter().map(setting).collect() }
    })
}

fn invocation() -> impl Strategy<Value = Invocation> {
    let command = prop::sample::select(vec![
        "psql -h $A $B",
        "psql ${B:-shop}",
        "mysql -h ${DB_HOST} shop",
        "mysql shop",
        "npx prisma db push",
        "java -jar $A/app.jar",
        "test -d $HOME_DIR",
        "run --db-host db.example.net --db-name x",
        "sqlite3 $A",
        "migrate -database postgres://$A/x up",
        "psql -h ${A:-db.example.net} shop",
        "psql -h ${A:-db.example.net} $B",
        "mysql -h${DB_HOST-localhost}",
        "migrate -database ${A:-postgres://localhost/x} up",
        "migrate -database=postgres://${A:-db.example.net}/${B} up",
        "run --db-host ${A:-db.example.net} --db-name $B",
        "node seed.js $A",
        "node seed.js --url=${BACKEND}",
        "node seed.js $A$B",
        "node seed.js $A://$B",
        "sh -c $B",
        "psql -h ${A:-localhost} -p ${B:-5432} shop",
        "psql -h $A -d $B",
        "psql -h ${A:-$B} x",
        "mysql -h ${DB_HOST:-db.example.net} -P ${DB_PORT:-3307} ${DB_DATABASE:-shop}",
        "migrate -database postgres://${A:-localhost}:${DB_PORT:-5432}/${B:-shop} up",
        "run --db-host ${A:-localhost} --db-port ${DB_PORT:-5432} --db-name $B",
        "node seed.js postgres://$A/$B",
    ]);
    let assignments = prop::collection::vec((name(), value()), 0..4);
    (command, assignments, prop::bool::ANY, 1_u32..9).prop_map(|(command, assignments, is_in_script, line)| {
        let assignments = assignments.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let origin = if is_in_script { Origin::file("run.sh", "run.sh", line) } else { Origin::command_line() };
        Invocation { assignments, origin, ..typed(command) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(1000), failure_persistence: None, ..ProptestConfig::default() })]

    /// What one environment alone would reach is reached beside others, too.
    #[test]
    fn a_further_environment_takes_no_target_away(
        readings in prop::collection::vec(reading(), 1..4),
        invocation in invocation(),
    ) {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let files = Folder::default();
        let base_folders = [PathBuf::from("/p")];
        let lookup = Lookup { project: &project, files: &files, base_folders: &base_folders };
        let invocations = [invocation];
        let all = find_targets(&readings, &invocations, &lookup).targets;
        for reading in &readings {
            let of_one = find_targets(std::slice::from_ref(reading), &invocations, &lookup).targets;
            let is_sure = |target: &&Target| target.doubts.iter().all(|doubt| *doubt == Doubt::Placeholder);
            for target in of_one.iter().filter(is_sure) {
                // One of no known engine may have become one with that of a known engine, with its usual port.
                let names = |target: &Target| target.places.iter().map(place_name).collect::<BTreeSet<_>>();
                let is_it = |other: &Target| names(other) == names(target) && other.database == target.database;
                prop_assert!(all.iter().any(is_it), "{target:?} is lost: {all:?}");
            }
        }
    }

    /// Whichever of the defaults an environment takes, the hosts that the line names then are reached.
    #[test]
    fn no_default_and_no_missing_variable_hides_a_host(
        readings in prop::collection::vec(reading_of_parts(), 1..4),
        invocation in invocation(),
    ) {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let files = Folder::default();
        let base_folders = [PathBuf::from("/p")];
        let lookup = Lookup { project: &project, files: &files, base_folders: &base_folders };
        let invocation = Invocation { assignments: Vec::new(), ..invocation };
        let given = find_targets(&readings, std::slice::from_ref(&invocation), &lookup).targets;
        let given: BTreeSet<String> = given.iter().flat_map(|target| &target.places).map(place_name).collect();
        let lacks = |reading: &Reading, name: &str| {
            reading.get(name).is_none_or(|setting| names_nothing(&setting.value))
        };
        let mut defaults: Vec<&str> = invocation.words.iter().flat_map(|word| names_with_default(word)).collect();
        // Where every environment knows it, nothing takes the default.
        defaults.retain(|name| readings.iter().any(|reading| lacks(reading, name)));
        for reading in &readings {
            for subset in 0..1_usize << defaults.len() {
                let chosen = defaults.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1);
                let unset: Vec<&str> = chosen.map(|(_, name)| *name).collect();
                let hosts = hosts_without(&unset, reading, &invocation, &lookup);
                prop_assert!(hosts.is_subset(&given), "{unset:?} of {reading:?}: {hosts:?} are not in {given:?}");
            }
        }
    }

    #[test]
    fn each_environment_by_itself_comes_to_the_same_targets(
        readings in prop::collection::vec(reading(), 1..5),
        invocations in prop::collection::vec((invocation(), 1_usize..3), 1..5),
    ) {
        let project = Project { root: "/p".into(), folder: "/p".into(), home: Some("/home/tester".into()) };
        let files = Folder::default();
        let base_folders = [PathBuf::from("/p")];
        let lookup = Lookup { project: &project, files: &files, base_folders: &base_folders };
        // Commands of a script that follow each other mostly see the same assignments.
        let repeated = invocations.into_iter().flat_map(|(one, times)| std::iter::repeat_n(one, times));
        let invocations: Vec<Invocation> = repeated.collect();
        let given: Vec<_> = find_targets(&readings, &invocations, &lookup).targets.iter().map(shown).collect();
        let expected: Vec<_> = of_all_pairs(&readings, &invocations, &lookup).iter().map(shown).collect();
        prop_assert_eq!(given, expected);
    }
}
