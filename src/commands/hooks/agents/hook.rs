//! An agent's hook, on its way into the settings and out of them again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::commands::hooks::adapter::{Adapter, Asked, Standing, Way};
use crate::commands::hooks::agents::rows::{Agent, Kind, Setting};
use crate::commands::hooks::agents::scope::{AgentError, Scope, is_ours, text_of};
use crate::commands::hooks::agents::settings::{Piece, Unfit};
use crate::commands::hooks::agents::{settings, trial};
use crate::commands::hooks::plan;
use crate::commands::hooks::plan::{Done, Plan, Step};
use crate::error::Failure;
use crate::own_tools;
use crate::text::shown;

impl Agent {
    fn scope(&self, asked: &Asked<'_>) -> Result<Scope, AgentError> {
        let scope = if asked.user { Scope::user(self, asked.context)? } else { Scope::project(self, asked.context) };
        if scope.settings.is_empty() { Err(AgentError::UserOnly { title: self.title }) } else { Ok(scope) }
    }
}

impl Adapter for Agent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has_user_settings(&self) -> bool {
        !self.of_user.is_empty()
    }

    fn is_in_use(&self, asked: &Asked<'_>) -> bool {
        // Settings that a project cannot have are not meant by `all` in a project.
        let is_possible = asked.user || asked.is_status || !self.project.is_empty();
        let project = &asked.context.project;
        let is_there = |mark: &&str| match (mark.strip_prefix("~/"), &project.home) {
            (Some(below), Some(home)) => home.join(below).exists(),
            (Some(_), None) => false,
            (None, _) => project.root.join(mark).exists(),
        };
        is_possible && self.marks.iter().any(is_there)
    }

    fn shows_changes(&self) -> bool {
        true
    }

    fn plan(&self, asked: &Asked<'_>, way: Way) -> Result<Plan, Failure> {
        let scope = self.scope(asked)?;
        let mut steps = Vec::new();
        let mut is_ours_there = false;
        let mut main = None;
        for setting in scope.settings {
            let path = scope.file(setting)?;
            main.get_or_insert_with(|| path.clone());
            let before = text_of(&path)?;
            let wanted = wanted(setting, &scope, asked.context, way, before.as_deref());
            let executable = matches!(setting.kind, Kind::Own { executable: true, .. });
            match wanted.map_err(|why| why.at(&path))? {
                Wanted::Nothing => {}
                Wanted::AsItIs if executable && !plan::is_program(&path) => {
                    is_ours_there = true;
                    let content = before.map(String::into_bytes);
                    steps.push(Step::File { path, before: content.clone(), after: content, executable });
                }
                Wanted::AsItIs => is_ours_there = true,
                Wanted::Text { text, replaces_ours } => {
                    is_ours_there |= replaces_ours;
                    let [before, after] = [before, text].map(|text| text.map(String::into_bytes));
                    steps.push(Step::File { path, before, after, executable });
                }
            }
        }
        steps.extend(emptied_folders(&steps, &scope.limit).into_iter().map(|path| Step::EmptyFolder { path }));
        let done = match (way, steps.is_empty(), is_ours_there) {
            (Way::Install, true, _) => Done::Unchanged,
            (Way::Install, false, false) => Done::Installed,
            (Way::Install, false, true) => Done::Updated,
            (Way::Remove, true, _) => Done::Absent,
            (Way::Remove, false, _) => Done::Removed,
        };
        let mut notes = Vec::new();
        if way == Way::Install {
            notes.extend(self.besides.map(ToOwned::to_owned));
            let is_on_path = !own_tools::find_all("safe-test", &asked.context.tools.folders()).is_empty();
            if self.trial.is_some() && !is_on_path {
                notes.push("safe-test is not on PATH: the agent will not find it".to_owned());
            }
        }
        if way == Way::Remove {
            notes.extend(self.is_there_too(asked));
        }
        Ok(Plan { done, path: main.unwrap_or(scope.folder), steps, command: None, notes })
    }

    fn standing(&self, asked: &Asked<'_>) -> Result<Standing, Failure> {
        Ok(trial::standing(self, asked.context))
    }

    fn text(&self) -> String {
        let settings = if self.project.is_empty() { self.of_user } else { self.project };
        let texts = settings.iter().map(|setting| match &setting.kind {
            Kind::Entries { base, pieces } => settings::made_anew(base, pieces),
            Kind::Own { text, .. } => (*text).to_owned(),
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl Agent {
    /// Says where it stays installed when it is taken out of the settings that are meant.
    fn is_there_too(&self, asked: &Asked<'_>) -> Option<String> {
        let (other, option) = match asked.user {
            true => (Scope::project(self, asked.context), "without `--user`"),
            false => (Scope::user(self, asked.context).ok()?, "with `--user`"),
        };
        let path = other.settings.iter().find_map(|setting| {
            let path = other.file(setting).ok()?;
            let before = text_of(&path).ok()?;
            let removed = wanted(setting, &other, asked.context, Way::Remove, before.as_deref());
            matches!(removed, Ok(Wanted::Text { .. })).then_some(path)
        })?;
        Some(format!("it stays in {}: {option} it is taken out of there", shown(&path)))
    }
}

/// The folders below `limit` that hold nothing but files that go, the innermost first.
fn emptied_folders(steps: &[Step], limit: &Path) -> Vec<PathBuf> {
    let mut gone: Vec<PathBuf> = steps
        .iter()
        .filter_map(|step| match step {
            Step::File { path, after: None, .. } => Some(path.clone()),
            _ => None,
        })
        .collect();
    let mut emptied = Vec::new();
    let mut at = 0;
    while let Some(folder) = gone.get(at).and_then(|path| path.parent()).map(Path::to_owned) {
        at += 1;
        let is_below = folder.starts_with(limit) && folder != limit;
        let goes = |entry: std::io::Result<fs::DirEntry>| entry.is_ok_and(|entry| gone.contains(&entry.path()));
        if is_below && !gone.contains(&folder) && fs::read_dir(&folder).is_ok_and(|mut entries| entries.all(goes)) {
            emptied.push(folder.clone());
            gone.push(folder);
        }
    }
    emptied
}

/// What is to become of a file.
enum Wanted {
    /// Nothing of ours is there, and nothing is to come.
    Nothing,
    /// Ours is there and stays.
    AsItIs,
    /// It gets this text, or goes.
    Text { text: Option<String>, replaces_ours: bool },
}

/// Why nothing becomes of a file.
enum Refused {
    Unfit(Unfit),
    Foreign,
}

impl Refused {
    fn at(self, path: &Path) -> AgentError {
        let path = path.to_owned();
        match self {
            Refused::Unfit(cause) => AgentError::Unfit { path, cause },
            Refused::Foreign => AgentError::Foreign { path },
        }
    }
}

impl From<Unfit> for Refused {
    fn from(why: Unfit) -> Self {
        Refused::Unfit(why)
    }
}

fn wanted(
    setting: &Setting,
    scope: &Scope,
    context: &Context,
    way: Way,
    before: Option<&str>,
) -> Result<Wanted, Refused> {
    match &setting.kind {
        Kind::Entries { base, pieces } => {
            let values: Vec<String> = pieces.iter().map(|piece| scope.filled(piece.value, context)).collect();
            let pieces: Vec<Piece<'_>> =
                pieces.iter().zip(&values).map(|(piece, value)| Piece { value, ..*piece }).collect();
            Ok(of_entries(base, &pieces, way, before)?)
        }
        Kind::Own { text, .. } => match (way, before) {
            (_, Some(before)) if !is_ours(before, text) => match way {
                Way::Install => Err(Refused::Foreign),
                Way::Remove => Ok(Wanted::Nothing),
            },
            (Way::Install, Some(before)) if before == *text => Ok(Wanted::AsItIs),
            (Way::Install, before) => {
                Ok(Wanted::Text { text: Some((*text).to_owned()), replaces_ours: before.is_some() })
            }
            (Way::Remove, Some(_)) => Ok(Wanted::Text { text: None, replaces_ours: true }),
            (Way::Remove, None) => Ok(Wanted::Nothing),
        },
    }
}

fn of_entries(base: &str, pieces: &[Piece<'_>], way: Way, before: Option<&str>) -> Result<Wanted, Unfit> {
    let made_anew = || settings::made_anew(base, pieces);
    let Some(before) = before else {
        return Ok(match way {
            Way::Install => Wanted::Text { text: Some(made_anew()), replaces_ours: false },
            Way::Remove => Wanted::Nothing,
        });
    };
    if way == Way::Remove && before == made_anew() {
        return Ok(Wanted::Text { text: None, replaces_ours: true });
    }
    let mut text = before.to_owned();
    let mut is_ours_there = false;
    let steps: Box<dyn Iterator<Item = &Piece<'_>>> = match way {
        Way::Install => Box::new(pieces.iter()),
        Way::Remove => Box::new(pieces.iter().rev()),
    };
    for piece in steps {
        let changed = match way {
            Way::Install => settings::put_in(&text, piece)?,
            Way::Remove => settings::take_out(&text, piece)?,
        };
        is_ours_there |= changed.is_none();
        text = changed.unwrap_or(text);
    }
    Ok(match text == before {
        true if way == Way::Install => Wanted::AsItIs,
        true => Wanted::Nothing,
        false => Wanted::Text { text: Some(text), replaces_ours: is_ours_there },
    })
}
