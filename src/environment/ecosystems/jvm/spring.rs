//! Spring Boot: profile-specific files over plain ones, `config/` over the folder over the classpath.
//!
//! Source: spring-boot's `external-config.adoc` and `profiles.adoc`: properties of the system and arguments beat SPRING_*
//! variables, which beat every file; `${NAME:default}` is filled in from all of them, and `@name@` by the build;
//! `spring.config.import`, `.location`, `.additional-location` and `.name` lead to other files. Micronaut and Quarkus read
//! files of the same kind.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::documents::{FileEntry, documents, relaxed};
use crate::environment::ecosystems::jvm::resources::Folders;
use crate::environment::ecosystems::jvm::test_code::Variant;
use crate::environment::ecosystems::jvm::{
    by_default, config_import, grails, modules, pom, quarkus, resources, test_code, told,
};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::layering::{Layer, ReadingsBuilder};
use crate::environment::not_followed::GivenUp;
use crate::environment::readers::dotenv::Dialect;
use crate::environment::readers::expansion::Lookup;
use crate::environment::readers::expansion::placeholders::Placeholders;
use crate::environment::{Setting, Unresolved};

const DIALECTS: &[Dialect] = &[Dialect::Lenient];
const PROFILES: &str = "spring.profiles.active";

pub(crate) fn add(scene: &Scene<'_>, readings: &mut ReadingsBuilder<'_>) {
    let homes = modules::homes(scene);
    for home in homes.iter() {
        readings.add_base(home);
        let depended = modules::depended(scene, &homes, home);
        for is_test in resources::runs(scene) {
            let told = told::of(scene, home, is_test);
            let mut variants = vec![Variant::default()];
            if is_test {
                variants.extend(test_code::variants(scene, home).iter().cloned());
            }
            for variant in variants {
                Run { scene, home, depended: &depended, is_test, told: &told, variant }.add(readings);
            }
        }
    }
}

/// One way to run a module.
struct Run<'r> {
    scene: &'r Scene<'r>,
    home: &'r Path,
    /// Modules that it has on its classpath.
    depended: &'r [PathBuf],
    is_test: bool,
    /// What the run is told besides its files.
    told: &'r [Setting],
    variant: Variant,
}

impl Run<'_> {
    fn add(&self, readings: &mut ReadingsBuilder<'_>) {
        let build = pom::build(self.scene, self.home);
        let asked = RefCell::new(HashSet::new());
        for properties in &build.properties {
            let differs = |name: &String| properties.get(name) != build.properties[0].get(name);
            let is_first = Rc::ptr_eq(properties, &build.properties[0]);
            if is_first || asked.borrow().iter().any(differs) {
                self.add_filtered(readings, properties, &asked);
            }
        }
    }

    /// Adds what the run sees with these properties of the build; notes which of them are `asked` for.
    fn add_filtered(
        &self,
        readings: &mut ReadingsBuilder<'_>,
        properties: &HashMap<String, String>,
        asked: &RefCell<HashSet<String>>,
    ) {
        let scene = self.scene;
        let mut folders = Folders::of(scene, self.home, self.depended, self.is_test);
        folders.named = config_import::locations(scene, self.home, self.told);
        let names = self.given("spring.config.name").unwrap_or("application").split(',').map(str::trim);
        let names: Vec<&str> = names.chain(["bootstrap"]).collect();
        let known = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            properties.get(name)
        };
        let read = |folders: &Folders, name: &str, active: Option<&[String]>| {
            let mut entries = documents(scene, folders, name, active);
            entries.iter_mut().for_each(|entry| filter(&mut entry.value, &known));
            entries
        };
        let plain: Vec<FileEntry> = names.iter().flat_map(|name| read(&folders, name, None)).collect();
        let stacked = |folders: &Folders, profiles: &[String]| {
            let mut stack = Vec::new();
            for name in &names {
                for profile in profiles.iter().rev() {
                    stack.extend(read(folders, &format!("{name}-{profile}"), None));
                }
                stack.extend(read(folders, name, Some(profiles)));
            }
            stack
        };
        for profiles in self.profiles(&plain, &folders) {
            let [beside, inside] = folders.clone().divided();
            // What lies beside the program beats all of the classpath, before Spring Boot 2.4 not its profiles.
            let beside = stacked(&beside, &profiles);
            let stacks = match beside.is_empty() || profiles.is_empty() {
                true => vec![stacked(&folders, &profiles)],
                false => vec![[beside, stacked(&inside, &profiles)].concat(), stacked(&folders, &profiles)],
            };
            for stack in stacks {
                self.add_stack(stack, readings);
            }
        }
    }

    /// Adds what the run sees where the files say `stack`, the strongest first.
    fn add_stack(&self, stack: Vec<FileEntry>, readings: &mut ReadingsBuilder<'_>) {
        if grails::is_used(self.scene, self.home) {
            self.add_way(stack.clone(), true, readings);
            self.add_way(stack, false, readings);
        } else {
            self.add_way(stack, true, readings);
        }
    }

    fn add_way(&self, stack: Vec<FileEntry>, reads_groovy: bool, readings: &mut ReadingsBuilder<'_>) {
        let scene = self.scene;
        let own = self.properties_of_the_jvm();
        let stack = config_import::with_imported(scene, self.home, self.told, stack, &own);
        let stack = grails::with_own(scene, self.home, self.told, self.is_test, stack, reads_groovy);
        let mut entries = quarkus::of_profile(stack, &quarkus::profile(scene, self.told, self.is_test));
        entries.extend(by_default::of(scene, self.home, &entries, self.is_test));
        let computed = Layer::computed(move |lookup| resolved(&entries, &own, lookup));
        let mut given: Vec<Setting> = self.variant.settings.iter().chain(self.told.iter()).cloned().collect();
        given.extend(grails::environment_setting(scene, self.home, self.told));
        let layers = vec![Layer::fixed(given), Layer::Environment, computed];
        readings.chain("Spring Boot", DIALECTS, layers.clone());
        // A file beside the program is loaded by many IDEs and by spring-dotenv.
        let beside = self.home.join(".env");
        if scene.library.exists(&beside) {
            let mut layers = layers;
            layers.insert(2, Layer::file(beside));
            readings.chain("Spring Boot", DIALECTS, layers);
        }
    }

    /// Lists the properties that every JVM has and that paths begin with.
    fn properties_of_the_jvm(&self) -> Vec<(&'static str, String)> {
        let folder = ("user.dir", self.home.to_string_lossy().into_owned());
        let user = self.scene.project.home.as_ref().map(|home| ("user.home", home.to_string_lossy().into_owned()));
        [folder, ("java.io.tmpdir", "/tmp".to_owned())].into_iter().chain(user).collect()
    }

    /// Finds what the run is told about `name`, by whichever means beats the files.
    fn given(&self, name: &str) -> Option<&str> {
        let by_test = told::get(&self.variant.settings, name).or_else(|| told::get(self.told, name));
        by_test.or_else(|| self.scene.environment.get(&relaxed(name)))
    }

    /// Lists the sets of profiles that may be active.
    fn profiles(&self, plain: &[FileEntry], folders: &Folders) -> Vec<Vec<String>> {
        let scene = self.scene;
        let in_file = || {
            let entry = plain.iter().find(|entry| entry.name == PROFILES || entry.name == format!("{PROFILES}[0]"))?;
            let value = Placeholders::of_value(&|name: &str| scene.environment.get(name).map(str::to_owned))
                .filled(&entry.value);
            (!value.contains(['$', '@', '#'])).then_some(value)
        };
        let of_micronaut = self.given("micronaut.environments");
        let given = self.given("spring.profiles.active").or(of_micronaut);
        let named = scene.purpose.named.as_deref().or(given).map(str::to_owned);
        let set = named.clone().or_else(in_file);
        let mut sets = vec![set.map_or_else(Vec::new, |text| listed(&text))];
        if !self.variant.profiles.is_empty() {
            sets = vec![self.variant.profiles.clone()];
        }
        // `@ActiveProfiles("test")` may stand in code that is not seen: the file that waits for it makes it plausible.
        let has_test_file = |folder: &PathBuf| {
            ["properties", "yml", "yaml"]
                .iter()
                .any(|extension| scene.library.exists(&folder.join(format!("application-test.{extension}"))))
        };
        // Micronaut adds what is named to what it sees itself.
        if self.is_test
            && (named.is_none() || of_micronaut.is_some())
            && self.variant == Variant::default()
            && !sets[0].iter().any(|name| name == "test")
            && folders.all().any(has_test_file)
        {
            sets.push(vec!["test".to_owned()]);
        }
        let give_up = || {
            let why = GivenUp::too_much("its settings turn on more than 64 profiles");
            scene.library.give_up(self.home, None, why);
        };
        sets.into_iter().map(|set| with_included(set, plain, &give_up)).collect()
    }
}

fn listed(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Adds the profiles that a file includes, and the members of groups.
fn with_included(mut set: Vec<String>, plain: &[FileEntry], give_up: &dyn Fn()) -> Vec<String> {
    let wanted = |name: &str, prefix: &str| {
        name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    let included = plain.iter().filter(|entry| wanted(&entry.name, "spring.profiles.include"));
    let included: Vec<String> = included.flat_map(|entry| listed(&entry.value)).collect();
    set.extend(included);
    let mut at = 0;
    while at < set.len() {
        if set.len() > MOST_PROFILES {
            give_up();
            break;
        }
        let group = format!("spring.profiles.group.{}", set[at]);
        let members = plain.iter().filter(|entry| wanted(&entry.name, &group)).flat_map(|entry| listed(&entry.value));
        let members: Vec<String> = members.filter(|member| !set.contains(member)).collect();
        set.extend(members);
        at += 1;
    }
    set
}

/// More profiles at once are not followed into their groups.
const MOST_PROFILES: usize = 64;

/// Fills in what a build filters into resources: `@spring.profiles.active@`.
fn filter<'p>(value: &mut String, known: &dyn Fn(&str) -> Option<&'p String>) {
    while let Some((start, end)) = filtered_name(value) {
        let Some(known) = known(&value[start + 1..end]).filter(|known| !known.contains('@')) else { return };
        value.replace_range(start..=end, known);
    }
}

/// Finds the `@name@` in a value, whose name no address would have: where it begins and ends.
fn filtered_name(value: &str) -> Option<(usize, usize)> {
    let start = value.find('@')?;
    let end = start + 1 + value[start + 1..].find('@')?;
    let name = &value[start + 1..end];
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    is_name.then_some((start, end))
}

/// Takes the strongest value of each name, placeholders filled in. A name that a variable sets is left to the variable.
fn resolved(entries: &[FileEntry], own: &[(&'static str, String)], lookup: Lookup<'_>) -> Vec<Setting> {
    let mut winners: HashMap<&str, &FileEntry> = HashMap::new();
    for entry in entries {
        winners.entry(&entry.name).or_insert(entry);
    }
    let look = |name: &str| {
        // Spring makes up whatever follows.
        let random = || name.starts_with("random.").then(|| "0".to_owned());
        let own = || own.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone()).or_else(random);
        let in_file = || winners.get(name).map(|entry| entry.value.clone());
        lookup(name).or_else(|| lookup(&relaxed(name))).or_else(in_file).or_else(own)
    };
    let mut settings = Vec::new();
    for entry in winners.values().filter(|entry| lookup(&relaxed(&entry.name)).is_none()) {
        let value = Placeholders::of_value(&look).filled(&entry.value);
        let unresolved = filtered_name(&value).is_some().then_some(Unresolved::Template);
        settings.push(Setting { name: entry.name.clone(), value, origin: entry.origin(), unresolved });
    }
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    settings
}
