//! Quarkus: properties for one profile (`%test.key`). Source: its configuration reference ("Profiles").

use crate::environment::Setting;
use crate::environment::ecosystems::jvm::documents::FileEntry;
use crate::environment::ecosystems::jvm::told;
use crate::environment::ecosystems::scene::Scene;

/// Chooses the profile that Quarkus runs in.
pub(crate) fn profile(scene: &Scene<'_>, given: &[Setting], is_test: bool) -> String {
    let (names, default) = match is_test {
        true => (&["quarkus.test.profile", "quarkus.profile"][..], "test"),
        // What was built runs for production.
        false if scene.program() == "java" => (&["quarkus.profile"][..], "prod"),
        false => (&["quarkus.profile"][..], "dev"),
    };
    let variables = if is_test { &["QUARKUS_TEST_PROFILE"][..] } else { &["QUARKUS_PROFILE"][..] };
    let given = names.iter().find_map(|name| told::get(given, name));
    let given = given.or_else(|| variables.iter().find_map(|name| scene.environment.get(name)));
    given.filter(|name| !name.is_empty()).unwrap_or(default).to_owned()
}

/// What is written into descriptions of a deployment, and read by nothing here.
const OF_A_DEPLOYMENT: &[&str] =
    &["quarkus.azure-functions.", "quarkus.helm.", "quarkus.knative.", "quarkus.kubernetes.", "quarkus.openshift."];

/// Puts Quarkus' `%test.key` over `key` where that profile is active, and leaves it out where it is not; what is for a
/// deployment is left out, too.
pub(crate) fn of_profile(entries: Vec<FileEntry>, profile: &str) -> Vec<FileEntry> {
    let (marked, plain): (Vec<FileEntry>, Vec<FileEntry>) =
        entries.into_iter().partition(|entry| entry.name.trim_start_matches('"').starts_with('%'));
    let active = marked.into_iter().filter_map(|mut entry| {
        let (profiles, key) = entry.name.trim_start_matches('"')[1..].split_once('.')?;
        let mut profiles = profiles.trim_matches(['{', '}', '"']).split([',', '|']);
        let is_active = profiles.any(|name| name.trim() == profile);
        entry.name = key.to_owned();
        is_active.then_some(entry)
    });
    let is_own = |entry: &FileEntry| !OF_A_DEPLOYMENT.iter().any(|prefix| entry.name.starts_with(prefix));
    active.chain(plain).filter(is_own).collect()
}
