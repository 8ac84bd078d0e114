//! Files of variables that a project's code names to its dotenv library: `Dotenv::createImmutable(__DIR__, 'shop.conf')`,
//! `(new Dotenv())->load(__DIR__ . '/shop.env')`, `new Loader([CONFIG . '.env'])`. By text, never executed.
//!
//! Sources: the READMEs of vlucas/phpdotenv, symfony/dotenv and josegonzalez/dotenv.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::environment::ecosystems::manifest::quoted;
use crate::environment::ecosystems::scene::Scene;
use crate::environment::not_followed::GivenUp;
use crate::environment::paths::{normal, parent};
use crate::text::{head, shown};

/// What loads a file, or makes what loads one.
const CALLS: &[&str] =
    &["Dotenv::create", "->load(", "->loadEnv(", "->bootEnv(", "->overload(", "Loader([", "Loader(", "new Dotenv("];

/// Folders whose code starts a program, below the project's own.
const FOLDERS: &[&str] = &["config", "bootstrap", "common", "public", "web", "app", "src", "tests"];

/// More code is not read.
const MOST_FILES: usize = 512;
const LONGEST: usize = 256 << 10;
/// How far the arguments of a call are looked at.
const LONGEST_CALL: usize = 300;

/// Lists the files that the code in `home` loads and that are there.
pub(crate) fn files(scene: &Scene<'_>, home: &Path) -> Rc<Vec<PathBuf>> {
    scene.library.once(format!("dotenv calls {}", shown(home)), || {
        let code = scene
            .files_in(home, FOLDERS)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|ending| ending == "php"));
        let mut found = Vec::new();
        for (at, path) in code.enumerate() {
            if at == MOST_FILES {
                let why = GivenUp::too_much("more than 512 files of code may load files of variables");
                scene.library.give_up(&path, None, why);
                break;
            }
            let text = scene.library.manifest(&path);
            if !text.contains("otenv") {
                continue;
            }
            if text.len() > LONGEST {
                let why = GivenUp::too_much("it may load files of variables and is longer than 256 KiB");
                scene.library.give_up(&path, None, why);
                continue;
            }
            for place in CALLS.iter().flat_map(|call| text.match_indices(call)) {
                let inside = arguments(&text[place.0..]);
                if text[..place.0]
                    .rsplit('\n')
                    .next()
                    .is_some_and(|line| line.trim_start().starts_with(['/', '*', '#']))
                {
                    continue;
                }
                for name in quoted(inside).filter(|name| !name.is_empty()) {
                    let own = name.trim_start_matches('/');
                    let folders = [parent(&path), home.to_owned(), home.join("config")];
                    let file = folders.iter().map(|folder| normal(&folder.join(own))).find(|path| {
                        path.starts_with(&scene.project.root)
                            && scene.library.exists(path)
                            && scene.names_in(path).is_empty()
                    });
                    found.extend(file.filter(|file| !found.contains(file)));
                }
            }
        }
        found
    })
}

/// Cuts out what stands up to the `;` that ends the statement.
fn arguments(text: &str) -> &str {
    head(text, text.find(';').unwrap_or(text.len()).min(LONGEST_CALL))
}
