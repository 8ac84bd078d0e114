//! The modules of a build that a command runs in: the one it stands in, those that it names, or all of them.
//!
//! Sources: Maven's "Guide to Working with Multiple Modules" (`-pl`, `-f`), Gradle's "Multi-Project Builds" (`:a:b:task`,
//! `settings.gradle`), sbt's "Multi-project builds".

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::collections::HashSet;
use crate::environment::ecosystems::jvm::manifests;
use crate::environment::ecosystems::manifest::quoted;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{normal, parent};
use crate::text::shown;

/// More modules of a build are not looked into.
const MOST: usize = 1024;

/// What marks a module's folder.
const MARKS: [&str; 4] = ["pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"];

/// Lists the folders of the modules that the command may belong to.
pub(crate) fn homes(scene: &Scene<'_>) -> Rc<Vec<PathBuf>> {
    scene.once("homes".to_owned(), || find_homes(scene))
}

fn find_homes(scene: &Scene<'_>) -> Vec<PathBuf> {
    let start = start(scene);
    let mut homes = match scene.program() {
        "mvn" | "mvnw" | "mvnd" => chosen_by_maven(scene, &start),
        "gradle" | "gradlew" => chosen_by_gradle(scene, &start),
        "java" => jar(scene).into_iter().collect(),
        _ => Vec::new(),
    };
    if homes.is_empty() {
        homes = nearest(scene, &start);
        if scene.program() != "java" {
            let members = members(scene, &start);
            homes.extend(members.iter().filter(|member| member.starts_with(&start)).cloned());
        }
    }
    let mut seen = HashSet::default();
    homes.retain(|home| seen.insert(home.as_os_str().to_owned()));
    homes
}

/// Lists the modules that a build tool works in, and those of the same build that their build files name, where that is not
/// all of the project.
pub(crate) fn confines(scene: &Scene<'_>) -> Option<Vec<PathBuf>> {
    if !matches!(scene.program(), "mvn" | "mvnw" | "mvnd" | "gradle" | "gradlew") {
        return None;
    }
    let mut own = homes(scene).to_vec();
    own.retain(|home| MARKS.iter().any(|mark| scene.library.exists(&home.join(mark))));
    if own.is_empty() || own.contains(&scene.project.root) {
        return None;
    }
    Some(with_depended(scene, own))
}

/// Adds the modules of the same build that the build files of these name, and those that they name.
fn with_depended(scene: &Scene<'_>, own: Vec<PathBuf>) -> Vec<PathBuf> {
    let key = own.iter().map(|home| shown(home)).collect::<Vec<_>>().join(" ");
    scene.library.once(format!("depended {key}"), || find_depended(scene, own)).to_vec()
}

fn find_depended(scene: &Scene<'_>, mut own: Vec<PathBuf>) -> Vec<PathBuf> {
    let others = members(scene, &scene.project.root);
    let names: Vec<String> = others
        .iter()
        .map(|member| member.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()))
        .collect();
    let mut is_known: Vec<bool> = others.iter().map(|member| own.contains(member)).collect();
    let mut at = 0;
    while at < own.len() {
        let files = MARKS.map(|mark| own[at].join(mark));
        let words: Vec<Rc<NamedWords>> =
            files.iter().filter(|path| scene.library.exists(path)).map(|path| named_words(scene, path)).collect();
        for (member, name) in names.iter().enumerate() {
            if !is_known[member] && words.iter().any(|words| words.name(name)) {
                is_known[member] = true;
                own.push(others[member].clone());
            }
        }
        at += 1;
    }
    own
}

/// The words of a build file that may name a module, in whole and by their parts.
struct NamedWords {
    words: HashSet<String>,
    /// `orderCore` of Gradle's `projects.orderCore`, without what separates its parts; empty where it names none so.
    folded: HashSet<String>,
}

impl NamedWords {
    fn name(&self, module: &str) -> bool {
        self.words.contains(module) || !self.folded.is_empty() && self.folded.contains(&folded(module))
    }
}

fn folded(name: &str) -> String {
    name.replace(['-', '_'], "").to_ascii_lowercase()
}

/// A longer word is no list of a module's names.
const MOST_PARTS: usize = 12;

/// Cuts a build file into words once: each module is looked for in those of each other one.
fn named_words(scene: &Scene<'_>, path: &Path) -> Rc<NamedWords> {
    scene.library.once(format!("words {}", shown(path)), || {
        let text = scene.library.manifest(path);
        let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        let mut words = HashSet::default();
        for word in text.split(|c| !is_part(c)).filter(|word| !word.is_empty()) {
            if !words.insert(word.to_owned()) {
                continue;
            }
            // `shop-data-api` may name `data-api`.
            let ends = |at: &usize| *at == word.len() || word[*at..].starts_with(['-', '_', '.']);
            let starts: Vec<usize> = std::iter::once(0)
                .chain(word.match_indices(['-', '_', '.']).map(|(at, _)| at + 1))
                .take(MOST_PARTS)
                .collect();
            let stops: Vec<usize> = (1..=word.len()).filter(|at| word.is_char_boundary(*at)).filter(ends).collect();
            for start in &starts {
                let own = stops.iter().filter(|stop| *stop > start).take(MOST_PARTS);
                words.extend(own.map(|stop| word[*start..*stop].to_owned()));
            }
        }
        let folded = match text.contains("projects.") {
            true => words.iter().map(|word| folded(word)).collect(),
            false => HashSet::default(),
        };
        NamedWords { words, folded }
    })
}

/// How many modules a command may run in for their dependencies to be looked up: where it runs in more, it commonly runs in
/// these, too.
const FEW: usize = 4;

/// Lists the modules whose resources the module in `home` has on its classpath, where the command does not run in them.
pub(crate) fn depended(scene: &Scene<'_>, homes: &[PathBuf], home: &Path) -> Vec<PathBuf> {
    if homes.len() > FEW {
        return Vec::new();
    }
    with_depended(scene, vec![home.to_owned()]).split_off(1)
}

/// Finds the folder that the build starts in: the command's own, or the one that `-f` or `-p` names.
fn start(scene: &Scene<'_>) -> PathBuf {
    let named = match scene.program() {
        "mvn" | "mvnw" | "mvnd" => scene.option("-f").or(scene.option("--file")),
        "gradle" | "gradlew" => scene.option("-p").or(scene.option("--project-dir")),
        _ => None,
    };
    let Some(path) = named.map(|name| normal(&scene.path(name))) else { return scene.folder.to_owned() };
    if path.extension().is_some_and(|ending| ending == "xml") { parent(&path) } else { path }
}

/// Lists the folder of the nearest build file, then the one that the command starts in.
fn nearest(scene: &Scene<'_>, start: &Path) -> Vec<PathBuf> {
    if start != scene.folder {
        return vec![start.to_owned()];
    }
    let mark = MARKS.iter().chain(&["src"]).find(|mark| scene.is_in_project(mark));
    scene.homes(mark.unwrap_or(&"pom.xml"))
}

/// Finds the module that built the archive of `java -jar api/target/api.jar`.
fn jar(scene: &Scene<'_>) -> Option<PathBuf> {
    let path = scene.path(scene.option("-jar")?);
    let mut above = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&scene.project.root));
    let home = above.find(|folder| MARKS.iter().any(|mark| scene.library.exists(&folder.join(mark))))?;
    (home != scene.folder).then(|| home.to_owned())
}

/// Lists the modules of `-pl`; none where others are built along with them.
fn chosen_by_maven(scene: &Scene<'_>, start: &Path) -> Vec<PathBuf> {
    let glued = scene.words().iter().find_map(|word| word.strip_prefix("-pl")).filter(|names| !names.is_empty());
    let Some(names) = scene.option("-pl").or(scene.option("--projects")).or(glued) else { return Vec::new() };
    let makes_others =
        |word: &String| matches!(word.as_str(), "-am" | "-amd" | "--also-make" | "--also-make-dependents");
    if names.contains('!') || names.starts_with('-') || scene.words().iter().any(makes_others) {
        return Vec::new();
    }
    let members = members(scene, start);
    let homes = names.split(',').map(|name| {
        let Some((_, artifact)) = name.rsplit_once(':') else { return normal(&start.join(name)) };
        let is_called = |folder: &&PathBuf| {
            let own = format!("<artifactId>{artifact}</artifactId>");
            folder.ends_with(artifact) || scene.library.manifest(&folder.join("pom.xml")).contains(&own)
        };
        let by_name = members.iter().find(|folder| folder.ends_with(artifact));
        by_name.or_else(|| members.iter().find(is_called)).cloned().unwrap_or_else(|| start.join(artifact))
    });
    homes.collect()
}

/// Lists the projects of `:a:b:task`; none where a task without a project runs in all of them.
fn chosen_by_gradle(scene: &Scene<'_>, start: &Path) -> Vec<PathBuf> {
    let mut homes = Vec::new();
    let mut words = scene.words().iter().skip(1);
    let Some(root) = build_root(scene, start) else { return homes };
    while let Some(word) = words.next() {
        if matches!(
            word.as_str(),
            "-x" | "--exclude-task" | "--tests" | "-p" | "--project-dir" | "-I" | "-c" | "--args"
        ) {
            words.next();
            continue;
        }
        if word.starts_with('-') {
            continue;
        }
        match word.rsplit_once(':') {
            Some((project, _)) => {
                let from = if project.starts_with(':') || project.is_empty() { &root } else { start };
                homes.push(folder_of(scene, &root, from, project));
            }
            None => return Vec::new(),
        }
    }
    homes
}

/// Finds the folder of the project `:a:b`, which `settings.gradle` may have put elsewhere.
fn folder_of(scene: &Scene<'_>, root: &Path, from: &Path, project: &str) -> PathBuf {
    let elsewhere = SETTINGS.iter().find_map(|name| {
        let text = scene.library.manifest(&root.join(name));
        let line = text.lines().find(|line| {
            line.contains("projectDir")
                && quoted(line).next().is_some_and(|own| own.trim_start_matches(':') == project.trim_start_matches(':'))
        })?;
        Some(normal(&root.join(quoted(line).last()?)))
    });
    let below = from.join(project.trim_start_matches(':').replace(':', "/"));
    elsewhere.unwrap_or(below).components().collect()
}

const SETTINGS: &[&str] = &["settings.gradle", "settings.gradle.kts"];

/// Finds the folder with the settings of Gradle's build around `start`.
fn build_root(scene: &Scene<'_>, start: &Path) -> Option<PathBuf> {
    let mut above = start.ancestors().take_while(|folder| folder.starts_with(&scene.project.root));
    let root = above.find(|folder| SETTINGS.iter().any(|name| scene.library.exists(&folder.join(name))));
    root.map(Path::to_owned)
}

/// Lists the modules that the build files of `start`, and of the modules themselves, name.
fn members(scene: &Scene<'_>, start: &Path) -> Rc<Vec<PathBuf>> {
    scene.library.once(format!("modules {}", shown(start)), || find_members(scene, start))
}

fn find_members(scene: &Scene<'_>, start: &Path) -> Vec<PathBuf> {
    let root = build_root(scene, start).unwrap_or_else(|| start.to_owned());
    let mut members: Vec<PathBuf> = Vec::new();
    let mut waiting = VecDeque::from([root.clone()]);
    if root != start {
        waiting.push_back(start.to_owned());
    }
    while let Some(folder) = waiting.pop_front() {
        let names = manifests::MEMBERS.iter().filter_map(|(file, members_in)| {
            let path = folder.join(file);
            scene.library.exists(&path).then(|| members_in(&scene.library.manifest(&path)))?
        });
        for name in names.flatten() {
            let member = normal(&folder.join(name));
            let member =
                if member.extension().is_some_and(|ending| ending == "xml") { parent(&member) } else { member };
            if !member.starts_with(&scene.project.root) || members.contains(&member) || member == folder {
                continue;
            }
            if members.len() == MOST {
                scene.library.give_up(&folder, None, GivenUp::too_much("its build has more than 1,024 modules"));
                return members;
            }
            members.push(member.clone());
            waiting.push_back(member);
        }
    }
    members
}
