//! PHP: Laravel, Symfony, phpdotenv, PHPUnit, and configuration in code.

pub(crate) mod code;
pub(crate) mod drivers;
pub(crate) mod laravel;
pub(crate) mod phpdotenv;
pub(crate) mod phpunit;
pub(crate) mod symfony;
