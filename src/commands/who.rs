//! Who asks for something, as the log says it: account, machine, caller, commit.

use crate::audit::{CallerReport, Who};
use crate::commands::commit::commit_of;
use crate::commands::context::Context;
use crate::text::{lossless, shown};

pub(crate) fn who(context: &Context) -> Who {
    Who {
        user: user_name(context),
        host: lossless(rustix::system::uname().nodename().to_bytes()).into_owned(),
        caller: CallerReport::from(&context.caller),
        commit: commit_of(&context.project.root),
    }
}

fn user_name(context: &Context) -> String {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| context.variable(name));
    named.map_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()), |name| shown(name).into_owned())
}
