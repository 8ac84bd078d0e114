//! Which profiles of Maven's files count.
//!
//! Source: Maven's "Introduction to Build Profiles", `DefaultProfileSelector` and the activators of `maven-model-builder`: a
//! profile is on if it is named, or if all conditions of its activation hold; one that is on by default only where no other
//! of the same file is; one that is named with `!` never. What depends on the JDK or on the version of the system is not
//! known here, nor what is there or not by where Maven looks: it may be on, and hides none that is on by default.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;

use crate::environment::ecosystems::jvm::{maven_command, maven_settings};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::paths::normal;
use crate::environment::readers::formats::FlatEntry;

/// Tells of each entry of a project's or settings file whether it counts: it stands in no profile, or in one that is on;
/// `None` where that is not known.
///
/// Files of conditions are looked for from the folder of the project, which is the last of `folders`. Where another one of
/// them says otherwise, it is not known whether they are there.
pub(crate) fn counting(scene: &Scene<'_>, entries: &[FlatEntry], folders: &[&Path]) -> Vec<Option<bool>> {
    let mut counts = vec![Some(true); entries.len()];
    let profiles: Vec<Profile> = ranges(entries).map(|range| Profile::of(&entries[range.clone()], range)).collect();
    if profiles.is_empty() {
        return counts;
    }
    let chosen = Chosen::of(scene);
    let state = |profile: &Profile| chosen.state(scene, folders, profile);
    let states: Vec<State> = profiles.iter().map(state).collect();
    let is_one_on = states.contains(&State::On);
    for (profile, state) in profiles.into_iter().zip(states) {
        let is_on = match state {
            State::On => Some(true),
            State::MayBe => None,
            State::ByDefault => Some(!is_one_on),
            State::Off => Some(false),
        };
        counts[profile.range].fill(is_on);
    }
    counts
}

/// Tells whether a profile of a file hangs on other files.
pub(crate) fn look_for_files(entries: &[FlatEntry]) -> bool {
    entries.iter().any(|entry| {
        matches!(&entry.path[..], [_, list, _, activation, file, ..]
            if list == "profiles" && activation == "activation" && file == "file")
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    On,
    MayBe,
    ByDefault,
    Off,
}

/// Finds where the profiles stand.
fn ranges(entries: &[FlatEntry]) -> impl Iterator<Item = Range<usize>> {
    let is_in_profile =
        |entry: &FlatEntry| matches!(&entry.path[..], [_, list, one, ..] if list == "profiles" && one == "profile");
    let starts = move |at: &usize| is_in_profile(&entries[*at]) && entries[*at].path.len() == 3;
    (0..entries.len()).filter(starts).map(move |start| {
        let goes_on = |entry: &&FlatEntry| is_in_profile(entry) && entry.path.len() > 3;
        start..start + 1 + entries[start + 1..].iter().take_while(goes_on).count()
    })
}

/// A profile with what turns it on.
struct Profile {
    range: Range<usize>,
    id: String,
    is_on_by_default: bool,
    /// What stands below `<activation>`: `property.name` and its value.
    conditions: Vec<(String, String)>,
}

impl Profile {
    fn of(entries: &[FlatEntry], range: Range<usize>) -> Self {
        let mut profile = Profile { range, id: String::new(), is_on_by_default: false, conditions: Vec::new() };
        for entry in entries {
            match &entry.path[3..] {
                [id] if id == "id" => profile.id.clone_from(&entry.value),
                [activation, rest @ ..] if activation == "activation" => match rest {
                    [] => {}
                    [one] if one == "activeByDefault" => profile.is_on_by_default = entry.value == "true",
                    rest => profile.conditions.push((rest.join("."), entry.value.clone())),
                },
                _ => {}
            }
        }
        profile
    }

    /// Tells whether it hangs on what is not evaluated here: the JDK, and what later versions of Maven ask for.
    fn has_other_conditions(&self) -> bool {
        let kind = |(name, _): &(String, String)| name.split('.').next().unwrap_or_default().to_owned();
        self.conditions.iter().map(kind).any(|kind| !matches!(kind.as_str(), "property" | "file" | "os"))
    }

    fn condition(&self, name: &str) -> Option<&str> {
        self.conditions.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// What chooses among the profiles of a build.
struct Chosen {
    named: Vec<String>,
    refused: Vec<String>,
    properties: Rc<HashMap<String, String>>,
}

impl Chosen {
    /// Gathers what the command and the settings choose.
    fn of(scene: &Scene<'_>) -> Rc<Self> {
        scene.once("chosen profiles".to_owned(), || {
            let (mut named, mut refused) = (Vec::new(), Vec::new());
            for name in maven_command::profiles(scene) {
                match name.strip_prefix(['!', '-']) {
                    Some(name) => refused.push(name.trim_start_matches('?').to_owned()),
                    None => named.push(name.trim_start_matches(['+', '?']).to_owned()),
                }
            }
            named.extend(maven_settings::active(scene).iter().cloned());
            Chosen { named, refused, properties: maven_command::given(scene) }
        })
    }

    fn state(&self, scene: &Scene<'_>, folders: &[&Path], profile: &Profile) -> State {
        if self.refused.contains(&profile.id) {
            return State::Off;
        }
        if self.named.contains(&profile.id) {
            return State::On;
        }
        let conditions = [
            self.property(scene, profile),
            profile.condition("file.exists").map(|name| is_there(scene, folders, name)),
            profile.condition("file.missing").map(|name| is_there(scene, folders, name).map(|is_there| !is_there)),
            system(profile),
            profile.has_other_conditions().then_some(None),
        ];
        let holding: Vec<Option<bool>> = conditions.into_iter().flatten().collect();
        match () {
            () if !holding.is_empty() && holding.iter().all(|one| *one == Some(true)) => State::On,
            () if !holding.is_empty() && !holding.contains(&Some(false)) => State::MayBe,
            () if profile.is_on_by_default => State::ByDefault,
            () => State::Off,
        }
    }

    /// Tells whether a property has the value that a profile asks for.
    fn property(&self, scene: &Scene<'_>, profile: &Profile) -> Option<Option<bool>> {
        let name = profile.condition("property.name")?;
        let plain = name.strip_prefix('!').unwrap_or(name);
        let own = self.value(scene, plain).filter(|own| !own.is_empty());
        if own.is_none() && is_set_unasked(plain) {
            return Some(None);
        }
        Some(Some(match profile.condition("property.value").filter(|value| !value.is_empty()) {
            Some(value) => match value.strip_prefix('!') {
                Some(other) => own != Some(other),
                None => own == Some(value),
            },
            None => own.is_some() != name.starts_with('!'),
        }))
    }

    fn value<'v>(&'v self, scene: &'v Scene<'_>, name: &str) -> Option<&'v str> {
        match name.strip_prefix("env.") {
            Some(name) => scene.environment.get(name),
            None => self.properties.get(name).map(String::as_str),
        }
    }
}

/// Tells whether a file is there; `None` where its name is not known, or the folders differ.
fn is_there(scene: &Scene<'_>, folders: &[&Path], name: &str) -> Option<bool> {
    let own = ["${basedir}/", "${project.basedir}/"].iter().find_map(|folder| name.strip_prefix(folder));
    let own = own.unwrap_or(name);
    if own.contains("${") {
        return None;
    }
    let mut found = folders.iter().map(|folder| scene.library.exists(&normal(&folder.join(own))));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Properties that the JVM has without being told, by how they begin. Source: `System.getProperties`.
const OF_THE_JVM: &[&str] = &["file.", "java.", "jdk.", "line.", "native.", "os.", "path.", "sun.", "user."];
/// The same of Maven. Source: its `CLIReportingUtils`, `MavenCli` and script `mvn`.
const OF_MAVEN: &[&str] =
    &["maven.build.version", "maven.conf", "maven.home", "maven.multiModuleProjectDirectory", "maven.version"];

fn is_set_unasked(property: &str) -> bool {
    OF_THE_JVM.iter().any(|start| property.starts_with(start)) || OF_MAVEN.contains(&property)
}

/// Tells whether this machine's system is the one that a profile asks for.
fn system(profile: &Profile) -> Option<Option<bool>> {
    let is_own = |condition: &str, own: &[&str]| {
        let asked = profile.condition(condition)?.to_ascii_lowercase();
        let (name, expected) = asked.strip_prefix('!').map_or((asked.as_str(), true), |name| (name, false));
        Some(own.contains(&name) == expected)
    };
    let (family, name): (&[&str], &[&str]) = match std::env::consts::OS {
        "macos" => (&["mac", "unix"], &["mac os x"]),
        _ => (&["unix"], &["linux"]),
    };
    let architecture: &[&str] = match std::env::consts::ARCH {
        "x86_64" => &["amd64", "x86_64"],
        "aarch64" => &["aarch64"],
        _ => &[],
    };
    let known = [is_own("os.family", family), is_own("os.name", name), is_own("os.arch", architecture)];
    let version = profile.condition("os.version").map(|_| None);
    let known: Vec<Option<bool>> = known.into_iter().flatten().map(Some).chain(version).collect();
    match () {
        () if known.is_empty() => None,
        () if known.contains(&Some(false)) => Some(Some(false)),
        () if known.contains(&None) => Some(None),
        () => Some(Some(true)),
    }
}
