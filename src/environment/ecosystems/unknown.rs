//! Nothing is recognised: what the common loaders of any language would do.

use crate::environment::ecosystems::modes;
use crate::environment::ecosystems::row::{LoadOrder, always};
use crate::environment::readers::dotenv::EVERY_DIALECT;

pub(crate) static DOTENV: LoadOrder = LoadOrder {
    name: "dotenv",
    applies: always,
    add: |scene, readings| modes::add(scene, readings, "dotenv", EVERY_DIALECT, scene.folder),
};
