//! A run and a machine for tests of decisions.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::environment::Origin;
use crate::guard::blind::Blind;
use crate::guard::decide::Decision;
use crate::guard::facts::{Aim, Facts, Look, Newness, Traffic};
use crate::guard::grounds::Grounds;
use crate::guard::listeners::Listening;
use crate::guard::names::Names;
use crate::guard::owners::Owner;
use crate::guard::rules::{Point, Rules};
use crate::own_tools::ToolEnvironment;
use crate::policy::{GuardMode, GuardRules};
use crate::reach::{Engine, Place, Target};
use crate::snapshot::{Beside, Care, Receipt};

/// A run, and a machine to find things out about.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) targets: Vec<Target>,
    pub(super) receipts: Vec<Receipt>,
    pub(super) policy: GuardRules,
    pub(super) is_unnamed: bool,
    pub(super) is_person: bool,
    pub(super) environment: Vec<(String, String)>,
    /// What listened at the start, with its owner.
    pub(super) listening: Vec<(SocketAddr, u32, Owner)>,
    pub(super) names: Vec<(&'static str, &'static str)>,
    /// What the resolver says the second time.
    pub(super) later: Vec<(&'static str, &'static str)>,
    pub(super) newness: Newness,
    pub(super) traffic: Traffic,
    pub(super) is_git_host: bool,
    /// The port inside the container that the engine says is published.
    pub(super) container_port: Option<u16>,
    /// Whether a container runs a database server, as far as it shows.
    pub(super) container_serves: Option<bool>,
}

pub(super) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn owner(process: i32, program: &str) -> Owner {
    Owner { process: Some(process), program: Some(program.to_owned()), ..Owner::default() }
}

/// A server whose process may not be seen.
pub(super) fn unseen(account: u32, name: &str) -> Owner {
    Owner { account, account_name: Some(name.to_owned()), ..Owner::default() }
}

pub(super) fn target(engine: Engine, places: Vec<Place>) -> Target {
    Target {
        engine,
        places,
        database: Some("app_test".to_owned()),
        user: None,
        password: None,
        parameters: Vec::new(),
        origins: vec![Origin::file("DATABASE_URL", ".env", 1)],
        doubts: Vec::new(),
    }
}

pub(super) fn host(name: &str, port: u16) -> Place {
    Place::Host { name: name.to_owned(), port: Some(port) }
}

pub(super) fn socket(path: &str, port: u16) -> Place {
    Place::Socket { path: path.into(), port: Some(port) }
}

impl Scene {
    pub(super) fn empty() -> Scene {
        Scene {
            targets: Vec::new(),
            receipts: Vec::new(),
            policy: GuardRules::default(),
            is_unnamed: false,
            is_person: false,
            environment: Vec::new(),
            listening: Vec::new(),
            names: Vec::new(),
            later: Vec::new(),
            newness: Newness::Old("it was there before the command".to_owned()),
            traffic: Traffic::Stream,
            is_git_host: false,
            container_port: None,
            container_serves: None,
        }
    }

    pub(super) fn unnamed() -> Scene {
        Scene { is_unnamed: true, ..Scene::empty() }
    }

    pub(super) fn strict() -> Scene {
        Scene { policy: GuardRules { mode: GuardMode::Strict, ..GuardRules::default() }, ..Scene::empty() }
    }

    pub(super) fn allows(mut self, pair: &str) -> Scene {
        self.policy.allow.push(pair.to_owned());
        self
    }

    pub(super) fn named(mut self, engine: Engine, place: Place) -> Scene {
        self.targets.push(target(engine, vec![place]));
        self
    }

    pub(super) fn awaited(mut self, engine: Engine, place: Place) -> Scene {
        self.receipts.push(Receipt::new(self.targets.len(), Care::NotUpYet, Beside::default()));
        self.named(engine, place)
    }

    pub(super) fn saved(mut self, engine: Engine, place: Place) -> Scene {
        let care = Care::NothingToLose { reason: "it is empty".to_owned() };
        self.receipts.push(Receipt::new(self.targets.len(), care, Beside::default()));
        self.named(engine, place)
    }

    pub(super) fn listens(mut self, address: &str, inode: u32, owner: Owner) -> Scene {
        self.listening.push((at(address), inode, owner));
        self
    }

    pub(super) fn resolves(mut self, host: &'static str, address: &'static str) -> Scene {
        self.names.push((host, address));
        self
    }

    pub(super) fn carries(self, traffic: Traffic) -> Scene {
        Scene { traffic, ..self }
    }

    pub(super) fn new_server(self) -> Scene {
        Scene { newness: Newness::New, ..self }
    }

    pub(super) fn rules(&self) -> Rules {
        let targets: Vec<&Target> = self.targets.iter().collect();
        let grounds = Grounds {
            targets: &targets,
            receipts: &self.receipts,
            policy: &self.policy,
            is_unnamed: self.is_unnamed,
            is_person: self.is_person,
            git_hosts: &[],
            environment: &self.environment,
            tools: &ToolEnvironment::new(&[], Path::new("/"), Path::new("/")),
        };
        // `/var/run` leads to `/run`, as everywhere.
        let real =
            |path: &Path| path.strip_prefix("/var/run").map_or(path.to_owned(), |rest| Path::new("/run").join(rest));
        let mut rules = Rules::new(&grounds, &Blind::of(grounds.environment()), real);
        rules.learn(Names::known(&self.names));
        rules.look_around(|address| {
            let found = self.listening.iter().find(|(known, ..)| *known == address)?;
            Some(Listening { inode: found.1, account: found.2.account })
        });
        rules
    }

    /// Answers what the rules want to know until they decide; they want nothing twice.
    pub(super) fn settle(&self, rules: &mut Rules, aim: Aim<'_>, owner: &Owner) -> Decision {
        let mut facts = Facts::default();
        let mut wanted = Vec::new();
        loop {
            let decision = rules.decide(aim, &facts);
            let Decision::Look(look) = decision else { return decision };
            assert!(!wanted.contains(&look), "{look:?} is wanted twice");
            wanted.push(look);
            match look {
                Look::Traffic => facts.traffic = Some(self.traffic),
                Look::Owner => facts.owner = Some(owner.clone()),
                Look::Newness => facts.newness = Some(self.newness.clone()),
                Look::ContainerPort => facts.container_port = Some(self.container_port),
                Look::ContainerServes => facts.container_serves = Some(self.container_serves),
                Look::Containers => facts.containers_are_known = true,
                Look::GitHost => facts.is_git_host = Some(self.is_git_host),
                Look::Names => {
                    rules.learn(Names::known(&self.later));
                    facts.names_are_fresh = true;
                }
                Look::ClearedOwners => {
                    for point in rules.cleared_points() {
                        let known = self.listening.iter().find(|(_, inode, owner)| {
                            point == Point::Tcp(Listening { inode: *inode, account: owner.account })
                        });
                        if let Some((.., owner)) = known {
                            rules.learn_owner(point, owner.clone());
                        }
                    }
                    facts.owners_are_known = true;
                }
            }
        }
    }

    /// Decides about a connection to an address of this machine, with this listener.
    pub(super) fn here(&self, address: &str, inode: u32, owner: &Owner) -> Decision {
        let listening = Listening { inode, account: owner.account };
        self.settle(&mut self.rules(), Aim::Here { address: at(address), listening }, owner)
    }

    pub(super) fn away(&self, address: &str) -> Decision {
        self.settle(&mut self.rules(), Aim::Away { address: at(address) }, &Owner::default())
    }

    pub(super) fn container(&self, address: &str) -> Decision {
        self.settle(&mut self.rules(), Aim::Container { address: at(address) }, &Owner::default())
    }

    pub(super) fn socket(&self, path: &str, owner: &Owner) -> Decision {
        self.settle(&mut self.rules(), Aim::Socket { path: Path::new(path) }, owner)
    }
}

#[track_caller]
pub(super) fn refused(decision: Decision) -> String {
    match decision {
        Decision::Refuse(refusal) => format!("{}; {}", refusal.why, refusal.remedy),
        other => panic!("{other:?}"),
    }
}

pub(super) fn saved_here() -> Scene {
    let server = owner(7, "postgres");
    Scene::empty().saved(Engine::Postgres, host("localhost", 5432)).listens("[::1]:5432", 11, server.clone()).listens(
        "127.0.0.1:5432",
        10,
        server,
    )
}

/// Starts `cat`, with what the command sets besides, and waits until it runs: when `spawn` returns, the kernel may still show
/// the program, and the open files, of who has started it.
pub(super) fn running_cat(set: impl FnOnce(&mut Command) -> &mut Command) -> Child {
    let mut cat = set(&mut Command::new("cat")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cat.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    cat.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    cat
}
