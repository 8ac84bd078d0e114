//! Databases that tests derive from those that are configured: looked for where they would be, judged and saved where they
//! are. What is not there is not spoken of.

use crate::commands::context::Context;
use crate::commands::judging::Judged;
use crate::environment::Derivation;
use crate::error::Failure;
use crate::reach::{Place, Target};
use crate::snapshot;
use crate::snapshot::Neighbours;

/// Finds those that are derived from the target with the index `at`, dialled as `target` has it, and judges them: they are
/// the last targets of `judged` then. `beside` is what the target's server is known to have; where it is not known, it is
/// asked.
///
/// # Errors
///
/// The server cannot be asked, or one of them makes the run less safe.
pub(crate) fn find(
    context: &Context,
    judged: &mut Judged,
    at: usize,
    target: &Target,
    beside: Option<&Neighbours>,
) -> Result<(), Failure> {
    // From what is derived nothing more is.
    if at >= judged.named() || judged.derivations().is_empty() {
        return Ok(());
    }
    let (configured, is_file) = match target.places.as_slice() {
        [Place::File { path }] => (path.file_name().map(|name| name.to_string_lossy().into_owned()), true),
        _ => (target.database.clone(), false),
    };
    let Some(configured) = configured else { return Ok(()) };
    let derivations = judged.derivations().to_vec();
    let by = |name: &str| {
        let makes = |one: &&Derivation| match is_file {
            true => one.makes_in_file(&configured, name),
            false => one.makes_on_server(&configured, name),
        };
        derivations.iter().find(makes).map(|one| one.by)
    };
    let names = match beside {
        Some(known) => known.counted.keys().filter(|name| by(name).is_some()).cloned().collect(),
        None => {
            let is_wanted = |name: &str| by(name).is_some();
            snapshot::names_beside(target, &context.tools, &is_wanted).map_err(|error| error.about(target))?
        }
    };
    let is_known = |found: &Target| {
        let mut known = judged.judgement.targets.iter().map(|one| &one.target);
        known.any(|known| known.places == found.places && (is_file || known.database == found.database))
    };
    let found = names.iter().filter_map(|name| Some((target.beside(name), by(name)?)));
    let found: Vec<(Target, &str)> = found.filter(|(found, _)| !is_known(found)).collect();
    if !found.is_empty() {
        judged.add_derived(context, found)?;
    }
    Ok(())
}
