mod connecting;
mod damage;
mod failures;
mod restoring;
mod saving;
