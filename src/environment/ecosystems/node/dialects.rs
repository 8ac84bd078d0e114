//! How dotenv's files may be read in a project: with or without what dotenv-expand makes of them.
//!
//! Source: dotenv-expand 12 and 1000, measured. `expand(config())`, as its README has it, sees names further down,
//! since `config()` has set them already.

use crate::environment::ecosystems::node::package::{folder, names, nothing_tells};
use crate::environment::ecosystems::scene::Scene;
use crate::environment::readers::dotenv::Dialect;

/// Packages that call `expand(config())`. Source: `config/env.js` of react-scripts, `lib/Service.js` of
/// @vue/cli-service.
const EXPANDING: &[&str] = &["dotenv-expand", "react-scripts", "@vue/cli-service"];

const WITHOUT_EXPAND: &[Dialect] = &[Dialect::Node, Dialect::NodeExpand12, Dialect::NodeExpand1000];

const WITH_EXPAND: &[Dialect] = &[
    Dialect::Node,
    Dialect::NodeExpand12,
    Dialect::NodeExpand1000,
    Dialect::NodeConfigExpand12,
    Dialect::NodeConfigExpand1000,
];

/// Chooses the dialects that dotenv's files may be read in: with what dotenv-expand makes of them where the project has
/// it, or where nothing tells what it has.
pub(crate) fn of(scene: &Scene<'_>) -> &'static [Dialect] {
    let is_installed = || scene.library.exists(&folder(scene).join("node_modules/dotenv-expand"));
    let may_expand = nothing_tells(scene) || names(scene, EXPANDING) || is_installed();
    if may_expand { WITH_EXPAND } else { WITHOUT_EXPAND }
}
