//! Maven's `settings.xml`: the profiles of the user, or of the file that the command names.
//!
//! Source: Maven's "Settings Reference": `~/.m2/settings.xml`, or `-s FILE`; `-gs FILE` for the installation's.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::jvm::pom;
use crate::environment::ecosystems::jvm::pom::{Chosen, Pom};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::readers::formats;
use crate::text::shown;

/// Lists the files, the user's first.
fn paths(scene: &Scene<'_>) -> Vec<PathBuf> {
    let words = pom::told(scene);
    let named = |options: [&str; 2]| {
        let apart = words.windows(2).filter(|pair| options.contains(&pair[0].as_str())).map(|pair| pair[1].clone());
        let glued = words.iter().filter_map(|word| word.split_once('=').filter(|(name, _)| options.contains(name)));
        apart.chain(glued.map(|(_, value)| value.to_owned())).next_back().map(|name| scene.path(&name))
    };
    let of_user = scene.project.home.as_ref().map(|home| home.join(".m2/settings.xml"));
    let user = named(["-s", "--settings"]).or(of_user);
    let all = user.into_iter().chain(named(["-gs", "--global-settings"]));
    all.filter(|path| scene.library.exists(path)).collect()
}

/// Lists the profiles that the files turn on by their name.
pub(crate) fn active(scene: &Scene<'_>) -> Rc<Vec<String>> {
    let paths = paths(scene);
    let key = paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" ");
    scene.library.once(format!("profiles {key}"), || {
        let entries = paths.iter().filter_map(|path| scene.library.entries(path, formats::xml::flatten));
        let names = entries.flat_map(|entries| {
            let own = entries.iter().filter(
                |entry| matches!(&entry.path[..], [_, list, one] if list == "activeProfiles" && one == "activeProfile"),
            );
            own.map(|entry| entry.value.clone()).collect::<Vec<_>>()
        });
        names.collect()
    })
}

/// Reads the properties of the profiles that count, as project files that beat the project's own.
pub(crate) fn files(scene: &Scene<'_>) -> Vec<Rc<Pom>> {
    let told = pom::told(scene).join(" ");
    let read_once = |path: PathBuf| {
        scene.library.once(format!("settings {told} {}", shown(&path)), || read(scene, &path).unwrap_or_default())
    };
    paths(scene).into_iter().map(read_once).collect()
}

fn read(scene: &Scene<'_>, path: &Path) -> Option<Pom> {
    let entries = scene.library.entries(path, formats::xml::flatten)?;
    let chosen = Chosen::of(scene);
    let mut file = Pom { path: path.to_owned(), ..Pom::default() };
    let mut is_on = false;
    let mut condition = String::new();
    // A profile's activation may stand behind its properties.
    let mut waiting = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let keys: Vec<&str> = entry.path.iter().map(String::as_str).collect();
        match &keys[..] {
            [_, "profiles", "profile"] => {
                is_on = false;
                waiting.clear();
            }
            [_, "profiles", "profile", "id"] => is_on |= chosen.names(&entry.value),
            [_, "profiles", "profile", "activation", rest @ ..] => {
                is_on |= chosen.fits(rest, entry, entries.get(at + 1), &mut condition);
            }
            [_, "profiles", "profile", "properties", name] => {
                waiting.push(((*name).to_owned(), (entry.value.clone(), entry.line)));
            }
            _ => {}
        }
        if is_on {
            file.properties.extend(waiting.drain(..));
        }
    }
    Some(file)
}
