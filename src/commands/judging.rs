//! From the surroundings to a judgement: reads the policy, surveys the environment, finds the targets, judges.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::mem;
use std::path::PathBuf;
use std::rc::Rc;

use crate::audit::JudgementReport;
use crate::clearance::ClearanceError;
use crate::commands::context::Context;
use crate::commands::lying_files;
use crate::commands::lying_files::Search;
use crate::commands::policy_file::InForce;
use crate::commands::seen::{Looking, Seen};
use crate::commands::{machine, policy_file};
use crate::environment;
use crate::environment::remembered::Remembered;
use crate::environment::{
    Condition, Derivation, DriverEvidence, FileProblem, Files, Invocation, Origin, Reading, Service, Setting,
    SurveyInput,
};
use crate::error::Failure;
use crate::policy::{FILE_NAME, Policy};
use crate::reach;
use crate::reach::{Engine, Reached, Target};
use crate::snapshot::{Store, StoreError, Stored};
use crate::verdict;
use crate::verdict::{Evidence, Judgement, Lying, Machine};

/// A judgement with what it was made of, for those who explain or record it.
#[derive(Clone)]
pub(crate) struct Judged {
    /// The judgement.
    pub(crate) judgement: Judgement,
    /// The policy in force.
    pub(crate) policy: Policy,
    /// All of it, for people, programs and the log.
    pub(crate) report: JudgementReport,
    /// The programs that the command visibly starts, as they are called there.
    pub(crate) programs: BTreeSet<String>,
    basis: Rc<Basis>,
    /// The report before anything was found on servers; `None` where nothing was.
    before: Option<Rc<JudgementReport>>,
    /// Pairs of targets that their servers showed to be one database.
    same_database: Vec<(usize, usize)>,
}

impl Judged {
    /// Tells whether this comes to the same as an earlier judgement, to the passwords. What was found on servers since does
    /// not count.
    pub(crate) fn is_as(&self, earlier: &Judged) -> bool {
        let targets = |judged: &Judged, count: usize| {
            judged.judgement.targets.iter().take(count).map(|one| one.target.clone()).collect::<Vec<_>>()
        };
        let count = earlier.named();
        self.report == *earlier.before() && targets(self, usize::MAX) == targets(earlier, count)
    }

    fn before(&self) -> &JudgementReport {
        self.before.as_deref().unwrap_or(&self.report)
    }

    /// Counts the targets that were there before any server was asked: the first ones.
    pub(crate) fn named(&self) -> usize {
        self.before().targets.len()
    }

    /// Lists how tests derive databases from the targets.
    pub(crate) fn derivations(&self) -> &[Derivation] {
        &self.basis.derivations
    }

    /// Lists the container services that the project declares, where a host may be one.
    pub(crate) fn services(&self) -> &[Service] {
        &self.basis.services
    }

    /// Judges anew, with targets that their servers have besides, each with whose tests derive it.
    ///
    /// # Errors
    ///
    /// The run is less safe than it was; then this is the judgement that says why.
    pub(crate) fn add_derived(
        &mut self,
        context: &Context,
        derived: Vec<(Target, &'static str)>,
    ) -> Result<(), ClearanceError> {
        let (targets, by): (Vec<Target>, Vec<&'static str>) = derived.into_iter().unzip();
        self.judge_anew(context, targets, &by)
    }

    /// Judges anew, where two targets were shown to be one database.
    ///
    /// # Errors
    ///
    /// As [`Judged::add_derived`].
    pub(crate) fn note_one(&mut self, context: &Context, one: usize, other: usize) -> Result<(), ClearanceError> {
        self.same_database.push((one, other));
        self.judge_anew(context, Vec::new(), &[])
    }

    fn judge_anew(
        &mut self,
        context: &Context,
        more: Vec<Target>,
        derived_by: &[&'static str],
    ) -> Result<(), ClearanceError> {
        self.before.get_or_insert_with(|| Rc::new(self.report.clone()));
        let known = self.judgement.targets.iter().map(|one| one.target.clone());
        let targets: Vec<Target> = known.chain(more).collect();
        let verdict = self.judgement.verdict;
        self.judgement = self.basis.judge(context, &self.policy, &targets, &self.same_database);
        self.report.judged_anew(&self.judgement, &context.caller, derived_by);
        if self.judgement.verdict > verdict {
            return Err(ClearanceError::Verdict(self.judgement.verdict));
        }
        Ok(())
    }
}

/// What a judgement rests on besides its targets.
struct Basis {
    environment: Vec<Setting>,
    machine: Machine,
    services: Vec<Service>,
    conditions: Vec<Condition>,
    problems: Vec<FileProblem>,
    drivers: Option<DriverEvidence>,
    client: Option<String>,
    unseen: Option<String>,
    /// How many of the targets lie in the project without being named, and why not all of it was looked through.
    lying: Option<(usize, Option<String>)>,
    derivations: Vec<Derivation>,
}

impl Basis {
    fn judge(
        &self,
        context: &Context,
        policy: &Policy,
        targets: &[Target],
        same_database: &[(usize, usize)],
    ) -> Judgement {
        verdict::judge(&Evidence {
            targets,
            same_database,
            lying: self.lying.as_ref().map(|(count, cut)| Lying { count: *count, cut: cut.as_deref() }),
            environment: &self.environment,
            process: &context.process_text,
            machine: &self.machine,
            services: &self.services,
            conditions: &self.conditions,
            problems: &self.problems,
            drivers: self.drivers.as_ref(),
            client: self.client.as_deref(),
            unseen: self.unseen.as_deref(),
            policy,
            project: &context.project,
        })
    }
}

/// Judges what `command` could reach; without one, test and development runs are both considered.
pub(crate) fn judge(context: &Context, command: Option<&[OsString]>) -> Result<Judged, Failure> {
    judge_with(context, Scope::Project, command, &*context.disk, |targets, _| targets)
}

/// Judges what `command` could reach, and notes the files that it rests on, to be looked at again before it starts.
pub(crate) fn judge_before_a_run(context: &Context, command: &[OsString]) -> Result<(Judged, Seen), Failure> {
    let files = Looking::new(&*context.disk, context.now);
    files.watch(&context.project.root.join(FILE_NAME));
    let judged = judge_with(context, Scope::Project, Some(command), &files, |targets, _| targets)?;
    Ok((judged, files.into_seen()))
}

/// Judges the targets of these snapshots, in this order; see [`judge_addresses`].
pub(crate) fn judge_snapshots(context: &Context, snapshots: &[Stored]) -> Result<Judged, Failure> {
    let addresses: Vec<&str> = snapshots.iter().map(|stored| stored.manifest.target.as_str()).collect();
    judge_addresses(context, &addresses, |at| StoreError::Manifest {
        path: snapshots[at].dump.with_extension("json"),
        reason: "its target is not the address of a database".to_owned(),
    })
}

/// Judges the targets at these addresses, in this order: as the project names them, with their passwords; a target that the
/// project does not name any more is made of its address alone. Where one is no address, gives the error for its index.
pub(crate) fn judge_addresses(
    context: &Context,
    addresses: &[&str],
    unreadable: impl Fn(usize) -> StoreError,
) -> Result<Judged, Failure> {
    let mut no_address = None;
    let judged = judge_with(context, Scope::Addresses, None, &*context.disk, |targets, lookup| {
        let of = |(at, address): (usize, &&str)| {
            let named = targets.iter().find(|target| target.address() == *address).cloned();
            let found = named.or_else(|| {
                let mut found = target_at(address, lookup)?;
                // The same account on the same server, named for another database.
                let same = |known: &&Target| {
                    known.engine == found.engine
                        && verdict::may_be_one_server(known, &found)
                        && known.user == found.user
                };
                let password = targets.iter().find(same).and_then(|same| same.password.clone());
                found.password = found.password.take().or(password);
                Some(found)
            });
            if found.is_none() {
                no_address = Some(at);
            }
            found
        };
        addresses.iter().enumerate().filter_map(of).collect()
    })?;
    match no_address {
        Some(at) => Err(unreadable(at).into()),
        None => Ok(judged),
    }
}

/// Stand-in origin for a target that only a snapshot's manifest names.
const SNAPSHOTS_OWN: &str = "SNAPSHOT_DATABASE_URL";

/// Tells whether the project itself names this target of [`judge_snapshots`].
pub(crate) fn is_named_by_the_project(target: &Target) -> bool {
    target.origins.iter().any(|origin| origin.variable != SNAPSHOTS_OWN)
}

fn target_at(address: &str, lookup: &reach::Lookup<'_>) -> Option<Target> {
    let name = SNAPSHOTS_OWN.to_owned();
    let setting =
        Setting { name: name.clone(), value: address.to_owned(), origin: Origin::process(name), unresolved: None };
    let reading = Reading { loader: "the snapshot's manifest".to_owned(), settings: vec![Rc::new(setting)] };
    reach::find_targets(&[reading], &[], lookup).targets.into_iter().find(|target| target.address() == address)
}

/// What is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All that the project's command could reach.
    Project,
    /// Certain databases.
    Addresses,
}

/// Begins to look for database files in the project.
fn search(context: &Context, policy: &Policy) -> Search {
    Search::begin(&context.project.root, store(context, policy).as_ref().map(Store::directory))
}

/// Finds the database files that the command's words name. They do not count as a database that is named: what else the
/// command reaches is as unknown as before.
fn named_files(
    context: &Context,
    policy: &Policy,
    invocations: &[Invocation],
    lookup: &reach::Lookup<'_>,
) -> Vec<(PathBuf, Engine)> {
    let paths: BTreeSet<PathBuf> = invocations.iter().flat_map(|one| reach::named_files(one, lookup)).collect();
    let mut found = lying_files::among(paths);
    if !found.is_empty()
        && let Some(store) = store(context, policy)
    {
        found.retain(|(path, _)| !path.starts_with(store.directory()));
    }
    found
}

/// The store of the project's snapshots. One that cannot be used is told of where something is saved.
fn store(context: &Context, policy: &Policy) -> Option<Store> {
    Store::locate(&context.project.root, policy.snapshots.directory.as_deref()).ok()
}

fn judge_with(
    context: &Context,
    scope: Scope,
    command: Option<&[OsString]>,
    files: &dyn Files,
    select: impl FnOnce(Vec<Target>, &reach::Lookup<'_>) -> Vec<Target>,
) -> Result<Judged, Failure> {
    let files: &dyn Files = &Remembered::new(files);
    let InForce { policy, trust } = policy_file::in_force(context)?;
    let only: Option<Vec<_>> =
        policy.files.as_ref().map(|files| files.iter().map(|file| context.project.root.join(file)).collect());
    let mut survey = environment::survey(&SurveyInput {
        process: &context.process,
        project: &context.project,
        files,
        command,
        extra_files: &context.env_files,
        only_files: only.as_deref(),
    });
    let lookup = reach::Lookup { project: &context.project, files, base_folders: &survey.bases };
    let Reached { targets: found, not_followed } = reach::find_targets(&survey.readings, &survey.invocations, &lookup);
    survey.conditions.extend(not_followed.into_iter().map(Condition::NotFollowed));
    let client = survey.invocations.iter().find_map(reach::database_client);
    let unseen = survey.invocations.iter().find_map(reach::acts_unseen);
    let is_cut = survey.conditions.iter().any(Condition::is_gap);
    // It takes about as long as reading the manifests does.
    let search = (scope == Scope::Project && (found.is_empty() || is_cut)).then(|| search(context, &policy));
    // Lock files can be large: they are read only where something hangs on them.
    let has_unknown_engine = found.iter().any(|target| target.engine == Engine::Unknown);
    let confined = survey.confined.take();
    let read_drivers = || environment::database_drivers(&context.project, confined.as_deref(), files);
    let drivers = (has_unknown_engine || found.is_empty() || is_cut).then(read_drivers);
    let folder = |path: &String| Target::folder(context.project.root.join(path), FILE_NAME, &context.project);
    let folders: Vec<Target> = policy.snapshots.folders.iter().map(folder).collect();
    let mut known = reach::name_engines(found, drivers.as_ref());
    if scope == Scope::Addresses {
        known.extend(folders.iter().cloned());
    }
    let mut targets = select(known, &lookup);
    let matter = verdict::Surroundings::of(&targets);
    let find_services = || environment::services(&context.project, files, &context.process, command);
    let services = if matter.names { find_services() } else { Vec::new() };
    let machine = machine::read(matter, files);
    let unread = context.disk.not_followed(&context.project, &survey.conditions);
    survey.conditions.extend(unread);
    let mut basis = Basis {
        environment: verdict::environment_names(&survey.readings, &survey.invocations),
        machine,
        services,
        conditions: mem::take(&mut survey.conditions),
        problems: mem::take(&mut survey.problems),
        drivers,
        client,
        unseen,
        lying: None,
        derivations: mem::take(&mut survey.derivations),
    };
    let mut judgement = basis.judge(context, &policy, &targets, &[]);
    if scope == Scope::Project {
        let mut lying = BTreeSet::from_iter(named_files(context, &policy, &survey.invocations, &lookup));
        let mut cut = Some("nobody has looked for more of them".to_owned());
        if judgement.is_unnamed() {
            basis.drivers.get_or_insert_with(read_drivers);
            let found = search.unwrap_or_else(|| self::search(context, &policy)).finish();
            lying.extend(found.files);
            cut = found.cut;
        }
        let named = targets.len();
        for (path, engine) in lying {
            if !targets.iter().any(|target| target.is_in_file(&path)) {
                targets.push(Target::lying(engine, path, &context.project));
            }
        }
        targets.extend(folders);
        if judgement.is_unnamed() || targets.len() > named {
            basis.lying = Some((targets.len() - named, cut));
            judgement = basis.judge(context, &policy, &targets, &[]);
        }
    }
    let report = JudgementReport::new(&judgement, &survey, &context.caller, &policy, trust);
    let programs: BTreeSet<&String> = survey.invocations.iter().filter_map(|one| one.words.first()).collect();
    let programs = programs.into_iter().cloned().collect();
    // The environment is thousands of small pieces: the end of the process frees them all at once.
    mem::forget(survey);
    Ok(Judged { judgement, policy, report, programs, basis: Rc::new(basis), before: None, same_database: Vec::new() })
}
