//! Looks that take longer: what is asked of `/proc`, of resolvers, of container engines, of the person's databases.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crate::guard::containers;
use crate::guard::containers::{Inventory, Sought};
use crate::guard::decide::Decision;
use crate::guard::facts;
use crate::guard::facts::{Facts, Newness};
use crate::guard::forwarded;
use crate::guard::forwarded::Answers;
use crate::guard::listeners::{Listeners, Listening};
use crate::guard::names;
use crate::guard::names::Names;
use crate::guard::notification::Attempt;
use crate::guard::owners::Owner;
use crate::guard::rules::Point;
use crate::guard::shared::{Shared, traffic};
use crate::guard::waiting::{Look, Subject, is_datagram, lock};
use crate::guard::{kept, newness, owners, process};

/// How many programs' connections are remembered as told of.
const MOST_TOLD: usize = 4096;

/// How long what names mean is taken for what they still mean: a program that tries again and again has nobody asked as often.
const FRESH: Duration = Duration::from_secs(1);

/// Finds out what is to be known of a subject, and answers all that waited for that, on a thread of its own.
pub(super) fn begin(shared: &Arc<Shared>, attempt: &Attempt, subject: Subject, facts: Facts) {
    let look = Arc::new(Look { subject, facts, first: attempt.clone() });
    if !shared.looks.begin(&look, attempt) {
        return;
    }
    let (theirs, looked) = (Arc::clone(shared), Arc::clone(&look));
    let run = move || {
        if catch_unwind(AssertUnwindSafe(|| looked.run(&theirs))).is_err() {
            looked.refuse_all(&theirs);
        }
    };
    if Builder::new().name("look".to_owned()).stack_size(512 << 10).spawn(run).is_err() {
        // No room for a thread: then everybody waits.
        look.run(shared);
    }
}

impl Look {
    /// Looks, and answers all that waited.
    fn run(&self, shared: &Shared) {
        let mut facts = self.facts.clone();
        let decision = self.unless_nobody_is_there().unwrap_or_else(|| self.decide(shared, &mut facts));
        let (met_at, listening) = match &self.subject {
            Subject::Here(address, listening) => (Some(*address), Some(*listening)),
            Subject::Container(address) | Subject::Unheld(address) | Subject::Away(address) => (Some(*address), None),
            Subject::Socket(..) => (None, None),
        };
        let is_to_be_saved = matches!(decision, Decision::SaveFirst(_));
        let decision = shared.settle(decision, met_at, listening);
        // What could not be saved now may be saved the next time.
        let lasts = !is_to_be_saved || matches!(decision, Decision::Cleared(_));
        // Nobody listens on a Unix socket yet whose owner does not show: it may be anybody's.
        let is_known = facts.owner.as_ref().is_none_or(|owner| owner.inode != 0);
        if lasts && is_known && !is_datagram(&facts) {
            shared.remember(&self.subject, &decision);
        }
        for attempt in self.end(&shared.looks) {
            if shared.listener.is_waiting(&attempt) {
                shared.carry_out(&attempt, decision.clone(), &self.subject.address());
            }
        }
    }

    /// Decides, with all that there is to be found out for it.
    fn decide(&self, shared: &Shared, facts: &mut Facts) -> Decision {
        loop {
            let decision = shared.rules().decide(self.subject.aim(), facts);
            let Decision::Look(look) = decision else { return decision };
            self.find_out(look, shared, facts);
        }
    }

    /// Decides where nobody listened, unless somebody answers whom nobody sees.
    fn unless_nobody_is_there(&self) -> Option<Decision> {
        let Subject::Unheld(address) = &self.subject else { return None };
        match forwarded::answers(*address) {
            Answers::Nobody => Some(Decision::Pass),
            // Whoever it is, is looked at the next time.
            Answers::Here => Some(Decision::NobodyThere),
            Answers::Elsewhere => None,
        }
    }

    /// Refuses all that waited, without a word: for a look that failed by a fault of ours.
    fn refuse_all(&self, shared: &Shared) {
        self.end(&shared.looks).iter().for_each(|attempt| shared.listener.fail(attempt, libc::EACCES));
    }

    fn find_out(&self, look: facts::Look, shared: &Shared, facts: &mut Facts) {
        match look {
            facts::Look::Traffic => facts.traffic = Some(facts::Traffic::Stream),
            facts::Look::Owner => facts.owner = Some(self.owner(shared)),
            facts::Look::ContainerPort => facts.container_port = Some(self.container_port(shared)),
            facts::Look::ContainerServes => {
                facts.container_serves = Some(self.container_serves(shared, facts.owner.as_ref()));
            }
            facts::Look::Containers => {
                if let Subject::Socket(name, found, _) = &self.subject {
                    let had = Inventory::of(found);
                    shared.rules_to_change().engines.learn(name, had);
                }
                facts.containers_are_known = true;
            }
            facts::Look::Newness => facts.newness = Some(self.newness(shared, facts.owner.as_ref())),
            facts::Look::GitHost => {
                let process = process::process_of(self.first.thread).unwrap_or(self.first.thread);
                let is_git_host = match &self.subject {
                    Subject::Away(address) => {
                        let own = shared.rules().git_hosts.clone();
                        names::is_git_host(address.ip(), &process::words(process), &own)
                    }
                    Subject::Here(..) | Subject::Container(_) | Subject::Unheld(_) | Subject::Socket(..) => false,
                };
                facts.is_git_host = Some(is_git_host);
            }
            facts::Look::Names => {
                // Whoever else wants to know meanwhile waits for the same answers.
                let mut looked_up = lock(&shared.looked_up);
                if !looked_up.is_some_and(|at| at.elapsed() < FRESH) {
                    let hosts: Vec<String> = shared.rules().hosts().map(str::to_owned).collect();
                    let found = Names::look_up(hosts.iter().map(String::as_str), names::BEFORE_A_REFUSAL);
                    shared.rules_to_change().learn(found);
                    *looked_up = Some(Instant::now());
                }
                facts.names_are_fresh = true;
            }
            facts::Look::ClearedOwners => {
                let points = shared.rules().cleared_points();
                for point in points {
                    let owner = match &point {
                        Point::Tcp(listening) => Some(owners::find(*listening)),
                        Point::Socket(path) => listening_at(path).map(owners::find),
                    };
                    if let Some(owner) = owner {
                        shared.rules_to_change().learn_owner(point, owner);
                    }
                }
                facts.owners_are_known = true;
            }
        }
    }

    fn container_port(&self, shared: &Shared) -> Option<u16> {
        let Subject::Here(address, _) = &self.subject else { return None };
        let engines = shared.rules().engines.clone();
        engines.port_behind(*address)
    }

    fn container_serves(&self, shared: &Shared, owner: Option<&Owner>) -> Option<bool> {
        let engines = shared.rules().engines.clone();
        engines.serves(self.container(owner)?, owner)
    }

    /// By what the container is looked for that the subject may be in.
    fn container(&self, owner: Option<&Owner>) -> Option<Sought> {
        match &self.subject {
            Subject::Container(address) => Some(Sought::Own(address.ip())),
            Subject::Unheld(address) => Some(Sought::Published(*address)),
            Subject::Here(address, _) => owner.and_then(|owner| containers::sought(owner, *address)),
            Subject::Away(_) | Subject::Socket(..) => None,
        }
    }

    fn newness(&self, shared: &Shared, owner: Option<&Owner>) -> Newness {
        if let Some(container) = self.container(owner) {
            let engines = shared.rules().engines.clone();
            return engines.newness(container, shared.table.taken_at());
        }
        let was_taken = match &self.subject {
            Subject::Here(address, listening) => {
                shared.table.has(listening.inode) || shared.table.at(*address).next().is_some()
            }
            Subject::Socket(..) => owner.is_some_and(|owner| shared.table.has(owner.inode)),
            // What happens in a container is not below the command.
            Subject::Container(_) | Subject::Unheld(_) | Subject::Away(_) => false,
        };
        match (owner, shared.table.taken_at()) {
            (Some(owner), Some(since)) => {
                newness::newness(owner, was_taken, |process, kind| kept::find(process, kind, since))
            }
            _ => Newness::Old("nobody can tell whether it is new".to_owned()),
        }
    }

    fn owner(&self, shared: &Shared) -> Owner {
        let listening = match &self.subject {
            Subject::Here(_, listening) => Some(*listening),
            Subject::Socket(_, found, _) => listening_at(found),
            Subject::Container(_) | Subject::Unheld(_) | Subject::Away(_) => None,
        };
        let owner = |listening| {
            let process = process::process_of(self.first.thread).unwrap_or(self.first.thread);
            shared.sockets.owner(listening, process, self.first.socket().unwrap_or(-1))
        };
        listening.map(owner).unwrap_or_default()
    }
}

/// Decides about a listening socket, unless that was done before.
pub(super) fn met(shared: &Arc<Shared>, attempt: &Attempt, subject: Subject) {
    let Some(met) = subject.met() else { return decide(shared, attempt, subject) };
    let connection = (attempt.thread, met);
    if lock(&shared.told).contains(&connection) {
        return shared.listener.let_through(attempt);
    }
    let decided = lock(&shared.decided).get(&met).cloned();
    let Some(decision) = decided else { return decide(shared, attempt, subject) };
    if !matches!(decision, Decision::Refuse(_) | Decision::Deny) {
        let mut told = lock(&shared.told);
        if told.len() == MOST_TOLD {
            told.clear();
        }
        told.insert(connection);
    }
    shared.carry_out(attempt, decision, &subject.address());
}

/// Decides at once where that can be; else has it looked into.
pub(super) fn decide(shared: &Arc<Shared>, attempt: &Attempt, subject: Subject) {
    let mut facts = Facts::default();
    let decision = loop {
        match shared.rules().decide(subject.aim(), &facts) {
            Decision::Look(facts::Look::Traffic) => facts.traffic = Some(traffic(attempt)),
            decision => break decision,
        }
    };
    match decision {
        Decision::Look(_) | Decision::SaveFirst(_) => begin(shared, attempt, subject, facts),
        decision => {
            if !is_datagram(&facts) {
                shared.remember(&subject, &decision);
            }
            shared.carry_out(attempt, decision, &subject.address());
        }
    }
}

fn listening_at(path: &Path) -> Option<Listening> {
    Listeners::new().and_then(|listeners| listeners.unix(path)).ok().flatten()
}
