//! The JVM: Spring, Maven and Gradle.

pub(crate) mod build_files;
pub(crate) mod drivers;
pub(crate) mod spring;
