//! Many findings to few targets: variables and readings that name one database become one.

use std::path::Path;

use crate::collections::{HashMap, HashSet};
use crate::reach::grammars::placeholder;

use crate::environment::Origin;
use crate::environment::not_followed::{GivenUp, NotFollowed};
use crate::reach::assemble::Found;
use crate::reach::assemble::ambient::SOCKET_FOLDERS;
use crate::reach::without_secrets::without_secrets;
use crate::reach::{Doubt, Engine, Place, Target};
use crate::secret::MASK;
use crate::tools::clients;

/// What makes two findings one database.
#[derive(PartialEq, Eq, Hash, Clone)]
struct Key {
    family: Engine,
    places: Vec<Place>,
    database: Option<String>,
}

impl Key {
    fn new(engine: Engine, places: &[Place], database: Option<&String>) -> Key {
        let mut sorted = places.to_vec();
        sorted.sort();
        // A file is one database however its path is written.
        let is_file = places.iter().all(|place| matches!(place, Place::File { .. } | Place::Memory));
        Key { family: engine.family(), places: sorted, database: database.filter(|_| !is_file).cloned() }
    }
}

/// What a command could reach.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) targets: Vec<Target>,
    /// What names more than was looked at.
    pub(crate) not_followed: Vec<NotFollowed>,
}

/// Collects findings, in the order in which they come.
#[derive(Default)]
pub(crate) struct Merger {
    targets: Vec<Target>,
    index: HashMap<Key, usize>,
    origins: HashSet<(usize, Origin)>,
    /// What cannot be dialled as it stands, for want of what another environment has.
    partial: Vec<Found>,
    not_followed: Vec<NotFollowed>,
    cuts: HashSet<(Origin, &'static str)>,
}

impl Merger {
    pub(crate) fn add_all(&mut self, found: Vec<Found>) {
        for one in found {
            self.add(one);
        }
    }

    /// Notes that more stands at `place` than was looked at, each reason once.
    pub(crate) fn note_cut(&mut self, place: &Origin, why: &'static str) {
        if self.cuts.insert((place.clone(), why)) {
            self.not_followed.push(NotFollowed::at(place.clone(), GivenUp::TooMuch(why.into())));
        }
    }

    fn add(&mut self, found: Found) {
        if let (Some(why), Some(place)) = (found.draft.cut, found.origins.first()) {
            self.note_cut(place, why);
        }
        if found.is_partial && found.draft.doubts.iter().any(|doubt| doubt.blocks()) {
            self.partial.push(found);
            return;
        }
        let Found { draft, origins, .. } = found;
        let draft = without_secrets(draft);
        let mut places = draft.places;
        // Nothing that was found is without a place; a place with an empty name would be one.
        places.retain(|place| !matches!(place, Place::Host { name, .. } if name.is_empty()));
        if places.is_empty() {
            return;
        }
        let mut doubts = draft.doubts;
        doubts.sort();
        doubts.dedup();
        let key = Key::new(draft.engine, &places, draft.database.as_ref());
        let at = *self.index.entry(key).or_insert_with(|| {
            self.targets.push(Target {
                engine: draft.engine,
                places,
                database: draft.database,
                user: None,
                password: None,
                parameters: Vec::new(),
                origins: Vec::new(),
                doubts: doubts.clone(),
            });
            self.targets.len() - 1
        });
        let target = &mut self.targets[at];
        // What one reading can dial, the target can be dialled by.
        target.doubts.retain(|doubt| doubts.contains(doubt) || !doubt.blocks());
        add_new(&mut target.doubts, doubts.into_iter().filter(|doubt| !doubt.blocks()));
        if target.engine == Engine::Mysql && draft.engine == Engine::Mariadb {
            target.engine = Engine::Mariadb;
        }
        let expanded = |text: &str| !placeholder::is_unexpanded(text);
        let has_login = target.password.as_ref().is_some_and(|password| expanded(password.expose()));
        if !has_login && (draft.password.is_some() || target.user.is_none()) {
            target.user = draft.user.or(target.user.take());
            target.password = draft.password.or(target.password.take());
        }
        add_new(&mut target.parameters, draft.parameters);
        for origin in origins {
            if self.origins.insert((at, origin.clone())) {
                target.origins.push(origin);
            }
        }
    }

    /// Hands the targets over, without readings that cannot be dialled where another reading of the same line can be.
    pub(crate) fn finish(mut self) -> Reached {
        self.adopt_unknown();
        let told = Told::of(self.targets.iter().filter(|target| is_dialable(target)));
        for mut found in std::mem::take(&mut self.partial) {
            found.is_partial = false;
            if told.lacks(found.draft.engine, &found.draft.places, &found.draft.doubts) {
                self.add(found);
            }
        }
        let read: HashSet<Origin> = self
            .targets
            .iter()
            .filter(|target| is_dialable(target))
            .flat_map(|target| target.origins.iter().cloned())
            .collect();
        // What hides a second host that some parser could dial stays, whatever another parser makes of the text.
        let hides =
            |target: &Target| target.places.len() > 1 && target.places.iter().any(|place| place_name(place) == MASK);
        // Two calls of a client are two values, though both are known by its name alone; its words have one reading.
        let is_a_client = |origin: &Origin| clients::named(&origin.variable).is_some();
        let elsewhere = |target: &Target| {
            // No other reading of the line says what such a variable holds.
            !target.doubts.contains(&Doubt::Variable)
                && target.origins.first().is_some_and(|origin| read.contains(origin) && !is_a_client(origin))
        };
        let further = |target: &Target| told.lacks(target.engine, &target.places, &target.doubts);
        self.targets.retain(|target| is_dialable(target) || hides(target) || !elsewhere(target) || further(target));
        Reached { targets: self.targets, not_followed: self.not_followed }
    }

    /// Makes a target of no known engine one with that of a known engine at the same place, under the same name.
    fn adopt_unknown(&mut self) {
        type Names = (Vec<String>, Option<String>);
        let names = |target: &Target| -> Names {
            let mut names: Vec<String> = target.places.iter().map(place_name).collect();
            names.sort();
            (names, target.database.clone())
        };
        let mut known: HashMap<Names, usize> = HashMap::default();
        for (at, target) in self.targets.iter().enumerate() {
            if target.engine != Engine::Unknown && !target.engine.is_auxiliary() {
                let first = known.entry(names(target)).or_insert(at);
                if !is_dialable(&self.targets[*first]) && is_dialable(target) {
                    *first = at;
                }
            }
        }
        let mut adopted = vec![None; self.targets.len()];
        for (at, target) in self.targets.iter().enumerate() {
            if target.engine == Engine::Unknown {
                adopted[at] = known.get(&names(target)).copied().filter(|home| {
                    // What can be dialled is not hidden behind what cannot.
                    (is_dialable(&self.targets[*home]) || !is_dialable(target))
                        && target
                            .places
                            .iter()
                            .zip(&self.targets[*home].places)
                            .all(|(own, other)| ports_agree(own, other))
                });
            }
        }
        for (at, home) in adopted.iter().enumerate() {
            let Some(home) = *home else { continue };
            let adopted = self.targets[at].clone();
            add_new(&mut self.targets[home].doubts, adopted.doubts.into_iter().filter(|doubt| !doubt.blocks()));
            add_new(&mut self.targets[home].parameters, adopted.parameters);
            for origin in adopted.origins {
                if self.origins.insert((home, origin.clone())) {
                    self.targets[home].origins.push(origin);
                }
            }
        }
        let mut adopted = adopted.into_iter();
        self.targets.retain(|_| adopted.next().flatten().is_none());
        // What is added from now on meets them at their new places.
        let targets = || self.targets.iter().enumerate();
        let key = |target: &Target| Key::new(target.engine, &target.places, target.database.as_ref());
        self.index = targets().map(|(at, target)| (key(target), at)).collect();
        self.origins =
            targets().flat_map(|(at, target)| target.origins.iter().map(move |origin| (at, origin.clone()))).collect();
    }
}

/// The places of all that can be dialled.
struct Told(HashSet<(String, Option<u16>)>);

impl Told {
    fn of<'t>(targets: impl Iterator<Item = &'t Target>) -> Self {
        let with_and_without_port = |place: &Place| [port_of(place), None].map(|port| (place_name(place), port));
        Told(targets.flat_map(|target| &target.places).flat_map(with_and_without_port).collect())
    }

    /// Tells whether one of the places is known and a further one: what is in doubt is only the rest, which another
    /// environment or another reading has. A driver's own default, however it is written, is no further place.
    fn lacks(&self, engine: Engine, places: &[Place], doubts: &[Doubt]) -> bool {
        let is_of_a_name = |doubt: &Doubt| !matches!(doubt, Doubt::Port | Doubt::Syntax);
        let is_known = |place: &Place| {
            let name = place_name(place);
            name != MASK && !placeholder::is_unexpanded(&name) && !matches!(place, Place::File { .. } | Place::Memory)
        };
        let unusual_port = |place: &Place| port_of(place).filter(|port| Some(*port) != engine.default_port());
        let is_further = |place: &Place| {
            let is_default = match place {
                Place::Socket { path, .. } => SOCKET_FOLDERS.iter().any(|usual| path == Path::new(usual)),
                Place::Host { name, .. } => {
                    matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1") && unusual_port(place).is_none()
                }
                Place::File { .. } | Place::Memory | Place::Instance { .. } => false,
            };
            !is_default && !self.0.contains(&(place_name(place), unusual_port(place)))
        };
        doubts.iter().all(is_of_a_name) && places.iter().any(|place| is_known(place) && is_further(place))
    }
}

fn port_of(place: &Place) -> Option<u16> {
    match place {
        Place::Host { port, .. } | Place::Socket { port, .. } => *port,
        Place::File { .. } | Place::Memory | Place::Instance { .. } => None,
    }
}

pub(crate) fn place_name(place: &Place) -> String {
    match place {
        Place::Host { name, .. } | Place::Instance { name } => name.clone(),
        Place::Socket { path, .. } | Place::File { path } => path.to_string_lossy().into_owned(),
        Place::Memory => String::new(),
    }
}

/// Appends what the list does not hold yet.
fn add_new<T: PartialEq>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}

fn ports_agree(unknown: &Place, known: &Place) -> bool {
    match (unknown, known) {
        (Place::Host { port: Some(own), .. }, Place::Host { port: Some(other), .. }) => own == other,
        _ => true,
    }
}

fn is_dialable(target: &Target) -> bool {
    !target.doubts.iter().any(|doubt| doubt.blocks())
}
