//! Engines of containers, as a small server of ours on a Unix socket: its answers were recorded from Docker 20.10.24.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, sleep};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::guard::containers::{Engines, Inventory, Runs, Sought, behind_a_proxy, what_runs};
use crate::guard::facts::Newness;
use crate::guard::testing::owner;
use crate::own_tools::ToolEnvironment;

const ID: &str = "79dab3379acc126ddad7a70aa1045f28d9476558679f38605f8bb4bf8bbcd702";

const RUNNING: &str = r#"[{"Id":"79dab3379acc126ddad7a70aa1045f28d9476558679f38605f8bb4bf8bbcd702","Names":["/old"],
"Image":"pg:1","ImageID":"sha256:d8e8d6aaada01e9daed4776f277225a0db1b83312ae9dabb10aa517d6801ae65",
"Command":"/usr/local/bin/entry.sh","Created":1795730546,
"Ports":[{"IP":"127.0.0.1","PrivatePort":5432,"PublicPort":49153,"Type":"tcp"},{"PrivatePort":9187,"Type":"tcp"}],
"Labels":{},"State":"running","Status":"Up 6 seconds","HostConfig":{"NetworkMode":"default"},"NetworkSettings":
{"Networks":{"bridge":{"IPAMConfig":null,"Links":null,"Aliases":null,"Gateway":"172.17.0.1","IPAddress":"172.17.0.2",
"IPPrefixLen":16,"IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"DriverOpts":null}}},
"Mounts":[{"Type":"volume","Name":"oldvol","Source":"/data/volumes/oldvol/_data",
"Destination":"/var/lib/postgresql/data","Driver":"local","Mode":"z","RW":true,"Propagation":""}]}]"#;

const VOLUMES: &str = r#"{"Volumes":[{"CreatedAt":"2026-11-26T22:02:31Z","Driver":"local","Labels":null,
"Mountpoint":"/data/volumes/oldvol/_data","Name":"oldvol","Options":null,"Scope":"local"}],"Warnings":null}"#;

const TOP: &str = r#"{"Processes":[
["root","901","883","0","22:02","?","00:00:00","runuser -u postgres -- /usr/lib/postgresql/15/bin/postgres -D /data"],
["message+","1406","901","0","22:02","?","00:00:00","/usr/lib/postgresql/15/bin/postgres -D /data -c fsync=off"],
["message+","1414","1406","0","22:02","?","00:00:00","postgres: checkpointer"]],
"Titles":["UID","PID","PPID","C","STIME","TTY","TIME","CMD"]}"#;

/// An engine with one container, `old`, and one volume, `oldvol`.
struct Engine {
    folder: TempDir,
    answers: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Engine {
    fn start() -> Engine {
        let folder = TempDir::new().unwrap();
        let answers: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
        let server = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let told = Arc::clone(&answers);
        // It waits for its next caller until the tests end.
        let serve = move || {
            for caller in server.incoming() {
                let Ok(mut caller) = caller else { return };
                let mut question = Vec::new();
                let mut byte = [0];
                while !question.ends_with(b"\r\n\r\n") && caller.read_exact(&mut byte).is_ok() {
                    question.push(byte[0]);
                }
                let question = String::from_utf8(question).unwrap();
                let path = question.split(' ').nth(1).unwrap_or_default();
                let answer = match told.lock().unwrap().get(path) {
                    Some(body) => format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}"),
                    None => "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"no such thing\"}\n".to_owned(),
                };
                // Who asked may have lost patience.
                let _ = caller.write_all(answer.as_bytes());
            }
        };
        Builder::new().spawn(serve).unwrap();
        let engine = Engine { folder, answers };
        engine.answers("/containers/json", RUNNING);
        engine.answers("/containers/json?all=1", RUNNING);
        engine.answers("/volumes", VOLUMES);
        engine.answers(&format!("/containers/{ID}/top"), TOP);
        engine.has(&mount("volume", "oldvol", "/data/volumes/oldvol/_data", true));
        engine
    }

    fn answers(&self, path: &str, body: &str) {
        self.answers.lock().unwrap().insert(path.to_owned(), body.to_owned());
    }

    /// Has the container made with this in it.
    fn has(&self, mounts: &str) {
        let container = format!(
            r#"{{"Id":"{ID}","Created":"2026-11-26T22:02:26.902310481Z","Name":"/old",
            "Path":"/usr/local/bin/entry.sh","Args":[],"Mounts":[{mounts}]}}"#
        );
        self.answers(&format!("/containers/{ID}/json"), &container);
    }

    fn has_volume(&self, name: &str, driver: &str, options: &str) {
        self.has(&mount("volume", name, "/data/volumes/x/_data", true));
        let volume = format!(
            r#"{{"CreatedAt":"2026-11-26T22:05:31Z","Driver":"{driver}","Name":"{name}","Options":{options}}}"#
        );
        self.answers(&format!("/volumes/{name}"), &volume);
    }

    /// Brings Podman's program along, which answers so to what it is asked for, each by its first words.
    fn has_podman(&self, answers: &[(&str, &str)]) {
        let folder = self.folder.path().join("bin");
        let _ = fs::create_dir(&folder);
        let case =
            |(asked, answer): &(&str, &str)| format!("'--remote=false {asked}'*) printf '%s\\n' '{answer}' ;;\n");
        let cases: String = answers.iter().map(case).collect();
        fs::write(folder.join("podman"), format!("#!/bin/sh\ncase \"$*\" in\n{cases}*) exit 125 ;;\nesac\n")).unwrap();
        fs::set_permissions(folder.join("podman"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// The engines of a machine that has no other.
    fn engines(&self) -> Engines {
        let folder = self.folder.path().to_str().unwrap();
        let environment = [
            ("DOCKER_HOST", format!("unix://{folder}/docker.sock")),
            ("XDG_RUNTIME_DIR", folder.to_owned()),
            ("HOME", folder.to_owned()),
        ];
        let elsewhere = |path: &Path| {
            if path.starts_with(folder) {
                path.to_owned()
            } else {
                Path::new("/nowhere").join(path.file_name().unwrap())
            }
        };
        let path = self.folder.path().join("bin");
        let tools = ToolEnvironment::new(&[("PATH".into(), path.into())], Path::new("/nowhere"), Path::new("/nowhere"));
        Engines::of(&environment.map(|(name, value)| (name.to_owned(), value)), &tools, elsewhere)
    }

    /// The same, where the engine had nothing when the command turned to it.
    fn engines_of_a_command(&self) -> Engines {
        let mut engines = self.engines();
        engines.learn(&self.socket(), Ok(Inventory::default()));
        engines
    }
}

fn mount(kind: &str, name: &str, source: &str, is_writable: bool) -> String {
    format!(
        r#"{{"Type":"{kind}","Name":"{name}","Source":"{source}","Destination":"/var/lib/postgresql/data",
        "Mode":"z","RW":{is_writable},"Propagation":""}}"#
    )
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

const PUBLISHED: &str = "127.0.0.1:49153";

fn published() -> Sought {
    Sought::Published(at(PUBLISHED))
}

#[track_caller]
fn old(newness: Newness) -> String {
    match newness {
        Newness::Old(why) => why,
        Newness::New => panic!("it counts as new"),
    }
}

#[test]
fn a_published_port_leads_to_the_port_inside() {
    let engines = Engine::start();
    let engines = engines.engines();
    for (address, inside) in [(PUBLISHED, Some(5432)), ("127.0.0.2:49153", None), ("127.0.0.1:9187", None)] {
        assert_eq!(engines.port_behind(at(address)), inside, "{address}");
    }
}

#[test]
fn what_there_was_before_the_command_is_old() {
    let engine = Engine::start();
    let mut engines = engine.engines();
    assert!(engines.is_first_at(&engine.socket()));
    assert!(!engines.is_first_at(Path::new("/tmp/docker.sock")), "another's");
    // The command has not turned to the engine, or found none.
    engines.learn(&engine.socket(), Inventory::of(Path::new("/nowhere/docker.sock")));
    assert!(engines.is_first_at(&engine.socket()));
    assert_eq!(old(engines.newness(published(), None)), "nothing shows that the command made its container");
    engines.learn(&engine.socket(), Inventory::of(&engine.socket()));
    assert!(!engines.is_first_at(&engine.socket()));
    for sought in [published(), Sought::Own("172.17.0.2".parse().unwrap())] {
        assert_eq!(old(engines.newness(sought, None)), "its container old was there before the command");
    }
    // What the command has made by the second time is not taken for what was there before.
    engines.learn(&engine.socket(), Ok(Inventory::default()));
    assert_eq!(old(engines.newness(published(), None)), "its container old was there before the command");
    let nobodys = engines.newness(Sought::Own("172.17.0.3".parse().unwrap()), None);
    assert_eq!(old(nobodys), "no container engine that could be asked knows of it");
}

#[test]
fn a_new_container_with_new_volumes_has_nothing_to_lose() {
    let engine = Engine::start();
    let engines = engine.engines_of_a_command();
    engine.has_volume("pgdata", "local", "null");
    assert_eq!(engines.newness(published(), None), Newness::New);
    assert_eq!(engines.newness(Sought::Own("172.17.0.2".parse().unwrap()), None), Newness::New);
    engine.has_volume("pgdata", "local", r#"{"type":"tmpfs","device":"tmpfs","o":"size=100m"}"#);
    assert_eq!(engines.newness(published(), None), Newness::New);
    engine.has("");
    assert_eq!(engines.newness(published(), None), Newness::New);
    engine.has(&mount("tmpfs", "", "", true));
    assert_eq!(engines.newness(published(), None), Newness::New);
}

#[test]
fn a_new_container_with_an_old_volume_is_not_new() {
    let engine = Engine::start();
    let mut engines = engine.engines();
    engine.answers("/containers/json?all=1", "[]");
    engines.learn(&engine.socket(), Inventory::of(&engine.socket()));
    let why = old(engines.newness(published(), None));
    assert_eq!(why, "its container old is new, but its volume oldvol was there before the command");
    engine.has_volume("new", "rexray/ebs", "null");
    assert!(old(engines.newness(published(), None)).contains("its volume new is kept by the driver rexray/ebs"));
    engine.has_volume("new", "local", r#"{"type":"nfs","device":":/srv/shop","o":"addr=10.0.0.5"}"#);
    assert!(old(engines.newness(published(), None)).contains("its volume new is kept in :/srv/shop"));
    engine.has(&mount("cluster", "x", "", true));
    assert!(old(engines.newness(published(), None)).contains("is a mount of the kind cluster"));
    // Nobody says what the volume is.
    engine.has(&mount("volume", "unheard-of", "", true));
    assert!(
        old(engines.newness(published(), None))
            .contains("its volume unheard-of cannot be asked about: it answers with")
    );
}

#[test]
fn a_folder_that_a_container_writes_to_is_new_where_all_in_it_is() {
    let engine = Engine::start();
    let data = engine.folder.path().join("pg");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "15").unwrap();
    // Births are as coarse as the kernel's ticks.
    sleep(Duration::from_millis(50));
    let since = Some(SystemTime::now());
    let engines = engine.engines_of_a_command();
    sleep(Duration::from_millis(50));
    let bound = |source: &Path, is_writable| engine.has(&mount("bind", "", source.to_str().unwrap(), is_writable));
    bound(&data, true);
    assert!(old(engines.newness(published(), since)).ends_with("pg holds files from before the command"));
    bound(&data, false);
    assert_eq!(engines.newness(published(), since), Newness::New);
    let empty = engine.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    bound(&empty, true);
    assert_eq!(engines.newness(published(), since), Newness::New);
    fs::rename(data.join("PG_VERSION"), empty.join("PG_VERSION")).unwrap();
    assert!(old(engines.newness(published(), since)).contains("holds files from before"), "what was moved stays old");
    bound(&engine.folder.path().join("gone"), true);
    assert!(old(engines.newness(published(), since)).contains("cannot be looked into"));
    // A volume by another name.
    let options = format!(r#"{{"type":"none","o":"bind","device":"{}"}}"#, empty.to_str().unwrap());
    engine.has_volume("new", "local", &options);
    assert!(old(engines.newness(published(), since)).contains("holds files from before"));
}

/// Recorded from Podman 4.3.1, as far as it is looked at.
fn podmans(made: &str, volume_made: &str, rootfs: &str) -> Vec<(&'static str, String)> {
    let container = format!(
        r#"[{{"Id": "fresh", "Created": "{made}", "Path": "docker-entrypoint.sh", "Args": ["postgres"], "Rootfs": "{rootfs}",
        "State": {{"Status": "running", "Pid": 220}}, "Name": "fresh", "Mounts": [{{"Type": "volume", "Name": "data",
        "Source": "/v/data/_data", "Destination": "/var/lib/postgresql/data", "Driver": "local", "Mode": "", "RW": true}}],
        "NetworkSettings": {{"Ports": {{"5432/tcp": [{{"HostIp": "127.0.0.1", "HostPort": "49200"}}]}}}}}}]"#
    );
    let volume = format!(r#"[{{"Name": "data", "Driver": "local", "CreatedAt": "{volume_made}", "Options": {{}}}}]"#);
    vec![
        ("ps", "fresh".to_owned()),
        ("inspect fresh", container.clone()),
        ("container inspect fresh", container),
        ("volume inspect data", volume),
        ("top fresh args", "COMMAND\npostgres: checkpointer".to_owned()),
    ]
}

#[test]
fn a_container_of_podman_s_own_is_new_by_its_record() {
    let engine = Engine::start();
    let since = chrono::DateTime::parse_from_rfc3339("2026-11-28T06:12:55.5Z").ok().map(SystemTime::from);
    let fresh = Sought::Published(at("127.0.0.1:49200"));
    let newness = |made: &str, volume_made: &str, rootfs: &str| {
        let answers = podmans(made, volume_made, rootfs);
        let answers: Vec<_> = answers.iter().map(|(asked, answer)| (*asked, answer.as_str())).collect();
        engine.has_podman(&answers);
        engine.engines().newness(fresh, since)
    };
    let (before, after) = ("2026-11-28T06:12:55.499999999Z", "2026-11-28T06:12:55.5Z");
    assert_eq!(newness(after, after, ""), Newness::New);
    assert_eq!(engine.engines().port_behind(at("127.0.0.1:49200")), Some(5432));
    assert_eq!(engine.engines().serves(fresh, None), Some(true));
    for (made, volume_made, rootfs, expected) in [
        (before, after, "", "its container fresh was there before the command"),
        ("", after, "", "its container fresh was there before the command"),
        (after, before, "", "its container fresh is new, but its volume data was there before the command"),
        (after, "0", "", "its container fresh is new, but its volume data was there before the command"),
        (after, after, "/srv/old", "its container fresh is new, but it runs in a folder of this machine"),
    ] {
        assert_eq!(old(newness(made, volume_made, rootfs)), expected);
    }
    assert_eq!(
        old(engine.engines().newness(fresh, None)),
        "no container engine that could be asked knows of it",
        "nobody knows when the command was started"
    );
    // One that an engine which was turned to had before is no newer by its program.
    assert_eq!(
        old(engine.engines_of_a_command().newness(Sought::Published(at("127.0.0.1:1")), since)),
        "no container engine that could be asked knows of it"
    );
    engine.has_podman(&[]);
    let why = old(engine.engines().newness(fresh, since));
    assert!(
        why.starts_with("no container engine that could be asked knows of it, and Podman cannot be asked: "),
        "{why}"
    );
}

#[test]
fn of_containers_that_share_a_port_each_is_to_be_new() {
    let engine = Engine::start();
    let pod = RUNNING.replacen("[{", "[{\"Id\":\"infra\",\"Ports\":[{\"IP\":\"127.0.0.1\",\"PrivatePort\":5432,\"PublicPort\":49153,\"Type\":\"tcp\"}]},{", 1);
    engine.answers("/containers/json", &pod);
    engine.answers(
        "/containers/infra/json",
        r#"{"Id":"infra","Name":"/infra","Path":"/catatonit","Args":["-P"],"Mounts":[]}"#,
    );
    engine.answers("/containers/infra/top", r#"{"Processes":[["/catatonit -P"]],"Titles":["COMMAND"]}"#);
    engine.has("");
    let engines = engine.engines_of_a_command();
    assert_eq!(engines.newness(published(), None), Newness::New);
    assert_eq!(engines.serves(published(), None), Some(true));
    engine.has(&mount("bind", "", "/gone", true));
    assert!(old(engines.newness(published(), None)).starts_with("its container old is new, but its folder /gone"));
}

#[test]
fn an_engine_that_does_not_answer_makes_nothing_new() {
    let engine = Engine::start();
    let mut engines = engine.engines();
    engine.answers("/volumes", "<html>");
    engines.learn(&engine.socket(), Inventory::of(&engine.socket()));
    let why = old(engines.newness(published(), None));
    assert_eq!(why, "what its container engine had before the command is not known");
    engine.answers("/containers/json", "<html>");
    assert!(
        old(engine.engines_of_a_command().newness(published(), None)).contains("cannot be asked whether it is new")
    );
    assert_eq!(engines.port_behind(at(PUBLISHED)), None);
    fs::remove_file(engine.socket()).unwrap();
    assert_eq!(
        old(engines.newness(published(), None)),
        "no container engine was found that could be asked whether it is new"
    );
}

#[test]
fn a_container_that_carries_connections_elsewhere_is_not_new() {
    let engine = Engine::start();
    let engines = engine.engines_of_a_command();
    engine.has("");
    let top = |line: &str| format!(r#"{{"Titles":["UID","CMD"],"Processes":[["root","{line}"]]}}"#);
    engine.answers(&format!("/containers/{ID}/top"), &top("/usr/bin/socat TCP-LISTEN:5432,fork TCP:db:5432"));
    let why = old(engines.newness(published(), None));
    assert_eq!(why, "its container old is new, but socat in it carries connections elsewhere");
}

/// Podman 4.3.1 says nothing about a container without `ps` in it, unless it is asked so.
#[test]
fn podman_is_asked_for_what_runs_in_a_container_without_ps() {
    let engine = Engine::start();
    let engines = engine.engines_of_a_command();
    engine.has("");
    engine.answers(&format!("/containers/{ID}/top"), "");
    let top = r#"{"Processes":[["runuser -u postgres -- /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/data"],
        ["/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/data"],["postgres: checkpointer"]],"Titles":["COMMAND"]}"#;
    engine.answers(&format!("/containers/{ID}/top?ps_args=args"), top);
    assert_eq!(engines.newness(published(), None), Newness::New);
}

#[test]
fn a_container_serves_by_what_its_engine_or_its_monitor_shows() {
    let engine = Engine::start();
    let engines = engine.engines();
    engine.has("");
    assert_eq!(engines.serves(published(), None), Some(true));
    engine
        .answers(&format!("/containers/{ID}/top"), r#"{"Processes":[["root","/app/mailpit"]],"Titles":["UID","CMD"]}"#);
    assert_eq!(engines.serves(published(), None), Some(false));
    engine.answers(&format!("/containers/{ID}/json"), "<html>");
    assert_eq!(engines.serves(published(), None), None);

    let folder = TempDir::new().unwrap();
    for (program, name) in [("/bin/sh", "conmon"), ("/bin/sleep", "postgres")] {
        fs::copy(program, folder.path().join(name)).unwrap();
    }
    for (script, expected) in [("./postgres 60 & echo; wait", true), ("sleep 60 & echo; wait", false)] {
        let mut monitor = std::process::Command::new("./conmon");
        monitor.args(["-c", script]).current_dir(folder.path()).stdout(std::process::Stdio::piped()).process_group(0);
        let mut monitor = monitor.spawn().unwrap();
        // What it starts is there once it has said something.
        monitor.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let process = i32::try_from(monitor.id()).unwrap();
        let monitored = owner(process, "conmon");
        let elsewhere = Sought::Published(at("127.0.0.1:1"));
        let serves = || engines.serves(elsewhere, Some(&monitored));
        assert!(
            (0..500).any(|_| serves() == Some(expected) || {
                sleep(Duration::from_millis(10));
                false
            }),
            "{script}"
        );
        assert_eq!(engines.serves(elsewhere, Some(&owner(process, "pasta"))), None);
        rustix::process::kill_process_group(
            rustix::process::Pid::from_raw(process).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
        monitor.wait().unwrap();
    }
}

#[test]
fn what_runs_in_a_container_shows_by_its_start_and_its_processes() {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let cases: [(&str, &[&str], Runs); 8] = [
        ("docker-entrypoint.sh postgres", &["bash /usr/local/bin/docker-entrypoint.sh postgres"], Runs::Server),
        ("docker-entrypoint.sh mongod --bind_ip_all", &[], Runs::Server),
        ("/opt/scripts/entrypoint.sh /opt/scripts/run.sh", &["/opt/pg/bin/postgres -D /data"], Runs::Server),
        ("/init", &["s6-svscan", "postgres: checkpointer"], Runs::Server),
        ("sleep infinity", &["sleep infinity"], Runs::Unknown),
        (
            "docker-entrypoint.sh postgres",
            &["postgres", "socat TCP-L:1 TCP:db:5432"],
            Runs::Carrier("socat".to_owned()),
        ),
        ("/entrypoint.sh /usr/bin/pgbouncer", &[], Runs::Carrier("pgbouncer".to_owned())),
        ("", &[], Runs::Unknown),
    ];
    for (first, lines, expected) in cases {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(what_runs(&words(first), &lines), expected, "{first} {lines:?}");
    }
}

#[test]
fn the_proxies_of_docker_say_themselves_where_they_lead() {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let proxy = words(
        "/usr/sbin/docker-proxy -proto tcp -host-ip 127.0.0.1 -host-port 49153 -container-ip 172.17.0.2 -container-port 5432",
    );
    let all = [words("vim docker-proxy -host-ip 127.0.0.1 -host-port 49153 -container-port 1"), proxy];
    assert_eq!(behind_a_proxy(all.clone().into_iter(), at(PUBLISHED)), Some(5432));
    assert_eq!(behind_a_proxy(all.into_iter(), at("127.0.0.1:49154")), None);
}
