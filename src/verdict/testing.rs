//! A bench for the rules: a judgement from a few words, everything else harmless.

use crate::environment::{Condition, DataPath, Driver, DriverEvidence, FileProblem, Origin, Project, Service, Setting};
use crate::policy::Policy;
use crate::reach::{Engine, Place, Target};
use crate::verdict::{Judgement, Lying, Machine, judge};

pub(crate) fn driver(name: &str, line: u32, data: DataPath) -> Driver {
    Driver { name: name.to_owned(), file: "package.json".into(), line, data }
}

pub(crate) struct Bench {
    pub(crate) targets: Vec<Target>,
    /// How many of them nothing names, and what cut the look at the project off.
    pub(crate) lying: Option<(usize, Option<&'static str>)>,
    /// Pairs of them that are one database.
    pub(crate) same_database: Vec<(usize, usize)>,
    pub(crate) unseen: Option<&'static str>,
    pub(crate) drivers: DriverEvidence,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) problems: Vec<FileProblem>,
    pub(crate) environment: Vec<Setting>,
    process: Vec<(String, String)>,
    machine: Machine,
    services: Vec<Service>,
    client: Option<String>,
    policy: Policy,
}

impl Bench {
    pub(crate) fn empty() -> Self {
        Bench {
            targets: Vec::new(),
            lying: None,
            same_database: Vec::new(),
            unseen: None,
            drivers: DriverEvidence { complete: true, ..DriverEvidence::default() },
            conditions: Vec::new(),
            problems: Vec::new(),
            environment: Vec::new(),
            process: Vec::new(),
            machine: Machine { name: "laptop".into(), ..Machine::default() },
            services: Vec::new(),
            client: None,
            policy: Policy::default(),
        }
    }

    pub(crate) fn place(engine: Engine, place: Place, database: Option<&str>) -> Self {
        let target = Target {
            engine,
            places: vec![place],
            database: database.map(str::to_owned),
            user: None,
            password: None,
            parameters: Vec::new(),
            origins: vec![Origin::process("DATABASE_URL")],
            doubts: Vec::new(),
        };
        Bench { targets: vec![target], ..Bench::empty() }
    }

    pub(crate) fn postgres(host: &str, database: &str) -> Self {
        Bench::place(Engine::Postgres, Place::Host { name: host.to_owned(), port: Some(5432) }, Some(database))
    }

    pub(crate) fn sqlite(path: &str) -> Self {
        Bench::place(Engine::Sqlite, Place::File { path: path.into() }, Some(path))
    }

    pub(crate) fn local() -> Self {
        Bench::postgres("localhost", "app_test")
    }

    pub(crate) fn process(mut self, name: &str, value: &str) -> Self {
        self.process.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn service(mut self, host: &str) -> Self {
        self.services.push(Service { host: host.to_owned(), file: "compose.yaml".into(), line: 2 });
        self
    }

    pub(crate) fn lying(mut self, count: usize) -> Self {
        self.lying = Some((count, None));
        self
    }

    pub(crate) fn manifest(mut self, file: &str) -> Self {
        self.drivers.manifests.push(file.into());
        self
    }

    pub(crate) fn client(mut self, name: &str) -> Self {
        self.client = Some(name.to_owned());
        self
    }

    pub(crate) fn machine(mut self, change: impl FnOnce(&mut Machine)) -> Self {
        change(&mut self.machine);
        self
    }

    pub(crate) fn policy(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    pub(crate) fn judge(&self) -> Judgement {
        let project = Project { root: "/project".into(), folder: "/project".into(), home: None };
        judge(&crate::verdict::Evidence {
            targets: &self.targets,
            same_database: &self.same_database,
            lying: self.lying.map(|(count, cut)| Lying { count, cut }),
            unseen: self.unseen,
            environment: &self.environment,
            process: &self.process,
            machine: &self.machine,
            services: &self.services,
            conditions: &self.conditions,
            problems: &self.problems,
            drivers: Some(&self.drivers),
            client: self.client.as_deref(),
            policy: &self.policy,
            project: &project,
        })
    }
}
