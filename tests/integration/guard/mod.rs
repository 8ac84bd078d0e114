//! The guard, in networks that the tests make themselves: nothing that is connected here leaves this machine.
#![cfg(target_os = "linux")]

mod clients;
mod hindered;
mod leftovers;
mod namespaces;
mod newness;
mod places;
mod policy;
mod unnamed_projects;
mod ways;
mod within;
mod world;
