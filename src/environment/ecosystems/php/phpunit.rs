//! What phpunit's configuration sets before the tests start.
//!
//! Source: phpunit's `TextUI/Configuration/PhpHandler.php`: `<server>` always writes `$_SERVER`; `<env>` writes the
//! environment and `$_ENV` where the name is not set yet or `force` says so; both leave the other's array alone.

use std::path::{Path, PathBuf};

use crate::environment::ecosystems::scene::Scene;
use crate::environment::ecosystems::settings_files::dotted::dotted;
use crate::environment::ecosystems::settings_files::elements;
use crate::environment::layering::Layer;
use crate::environment::layering::Library;
use crate::environment::readers::formats;
use crate::environment::readers::formats::FlatEntry;
use crate::environment::{Origin, Setting};

/// The variables of a phpunit configuration.
#[derive(Debug, Default, Clone)]
pub(crate) struct Phpunit {
    /// `<server>` elements.
    pub(crate) server: Vec<Setting>,
    /// `<env>` elements with `force="true"`.
    pub(crate) forced: Vec<Setting>,
    /// The other `<env>` elements.
    pub(crate) env: Vec<Setting>,
}

impl Phpunit {
    /// Finds the configuration that phpunit would use in `home`, or the one that its `-c` names: a file, or the folder of
    /// one; `None` where none is.
    pub(crate) fn find(scene: &Scene<'_>, home: &Path) -> Option<(PathBuf, Phpunit)> {
        let library = scene.library;
        let names = ["phpunit.xml", "phpunit.dist.xml", "phpunit.xml.dist"];
        let named = scene.option("-c").or(scene.option("--configuration"));
        let named = named.into_iter().flat_map(|named| [scene.path(named), home.join(named)]);
        let named = named.flat_map(|named| std::iter::once(named.clone()).chain(names.map(|name| named.join(name))));
        let named = named.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".xml")));
        let mut paths = named.chain(names.iter().map(|name| home.join(name)));
        let path = paths.find(|path| library.exists(path))?;
        let entries = library.entries(&path, formats::xml::flatten)?;
        let shown = library.shown(&path);
        Some((path, Phpunit::of(&entries, &shown)))
    }

    fn of(entries: &[FlatEntry], shown: &Path) -> Phpunit {
        let mut phpunit = Phpunit::default();
        let mut rest = entries.iter().peekable();
        while let Some(element) = rest.next() {
            let mut attributes = Vec::new();
            while let Some(entry) = rest.next_if(|entry| entry.path.last().is_some_and(|last| last.starts_with('@'))) {
                attributes.push(entry);
            }
            let attribute = |wanted: &str| {
                let found = attributes.iter().find(|entry| entry.path.last().is_some_and(|last| last == wanted));
                found.map(|entry| entry.value.clone())
            };
            let (Some(kind), Some(name)) = (element.path.last(), attribute("@name")) else { continue };
            let is_forced = attribute("@force").is_some_and(|force| force.eq_ignore_ascii_case("true"));
            let list = match kind.as_str() {
                "server" => &mut phpunit.server,
                "env" if is_forced => &mut phpunit.forced,
                "env" => &mut phpunit.env,
                _ => continue,
            };
            let origin = Origin::file(name.clone(), shown, element.line);
            list.push(Setting::known(name, attribute("@value").unwrap_or_default(), origin));
        }
        phpunit
    }

    /// Finds the strongest value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let settings = self.server.iter().chain(&self.forced).chain(&self.env);
        settings.into_iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
    }
}

/// Reads a configuration that is named by itself; other XML is read by its elements and attributes.
pub(crate) fn layers(library: &Library<'_>, path: &Path) -> Vec<Layer> {
    let Some(entries) = library.entries(path, formats::xml::flatten) else { return Vec::new() };
    let shown = library.shown(path);
    let phpunit = Phpunit::of(&entries, &shown);
    let lists = [phpunit.server, phpunit.forced, phpunit.env];
    if lists.iter().all(Vec::is_empty) {
        let of_elements = elements::layer(library, path);
        return of_elements.into_iter().chain([Layer::fixed(dotted(entries.to_vec(), &shown, None))]).collect();
    }
    lists.into_iter().map(Layer::fixed).collect()
}
