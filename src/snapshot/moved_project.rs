//! Finds the databases of a project that was moved.

use std::path::Path;

use crate::snapshot::{Manifest, engines};

/// Follows a project that was moved: a database file within its former folder, which is gone, is now looked for at the
/// same place in `root`. Where the folder is still there the project was copied, and its databases are the original's.
pub(crate) fn follow_project(manifest: &mut Manifest, root: &Path) {
    let Some(former) = manifest.project.as_deref().map(Path::new).filter(|former| *former != root) else { return };
    let Ok(inside) = Path::new(&manifest.database).strip_prefix(former) else { return };
    let Some(database) = root.join(inside).to_str().map(str::to_owned) else { return };
    let is_a_file = engines::named(&manifest.engine).is_some_and(|engine| engine.keeps_files());
    if is_a_file && matches!(former.try_exists(), Ok(false)) {
        manifest.target = manifest.target.replacen(&manifest.database, &database, 1);
        manifest.database = database;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Kind;
    use crate::snapshot::testing::manifest;

    #[test]
    fn only_files_below_a_folder_that_is_gone_are_followed() {
        let here = tempfile::tempdir().unwrap();
        let (root, gone) = (here.path().join("new"), here.path().join("old"));
        let (gone, still_there) = (gone.to_str().unwrap(), here.path().to_str().unwrap());
        for (engine, project, database, is_followed) in [
            ("sqlite", gone, format!("{gone}/db/app.db"), true),
            ("sqlite", gone, "/srv/app.db".to_owned(), false),
            ("sqlite", still_there, format!("{still_there}/app.db"), false),
            ("postgres", gone, format!("{gone}/app"), false),
            ("nothing", gone, format!("{gone}/app"), false),
        ] {
            let mut manifest = manifest("app_20261121_143022", &database, Kind::Run, "2026-11-21T14:30:22Z");
            manifest.engine = engine.to_owned();
            manifest.project = Some(project.to_owned());
            manifest.target = format!("{engine}:{database}");
            follow_project(&mut manifest, &root);
            let expected = if is_followed { root.join("db/app.db").display().to_string() } else { database };
            assert_eq!(manifest.target, format!("{engine}:{expected}"));
            assert_eq!(manifest.database, expected);
        }
    }
}
