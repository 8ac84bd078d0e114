//! Maven's `settings.xml`, the user's or the one that the command names: where it is, and which profiles it turns on.
//!
//! Source: Maven's "Settings Reference": `~/.m2/settings.xml`, or `-s FILE`; `-gs FILE` for the installation's.

use std::path::PathBuf;
use std::rc::Rc;

use crate::environment::ecosystems::jvm::maven_command;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::readers::formats;
use crate::text::shown;

/// Lists the files, the user's first.
pub(crate) fn paths(scene: &Scene<'_>) -> Vec<PathBuf> {
    let words = maven_command::words(scene);
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
