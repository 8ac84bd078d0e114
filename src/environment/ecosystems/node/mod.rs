//! Node.js: dotenv and its kin, Next, Vite, Bun, Prisma, node-config, and configuration in code.

pub(crate) mod code;
pub(crate) mod drivers;
pub(crate) mod loaders;
pub(crate) mod node_config;
pub(crate) mod prisma;
pub(crate) mod setup;
