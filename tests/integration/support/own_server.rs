//! A PostgreSQL server that a project's own suite starts and stops, as `make test` often does.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::postgres::Unprivileged;
use super::postgres_programs::Programs;

/// A folder for a server's data, and the words of a shell that start it. Nothing runs but what they start.
pub(crate) struct OwnServer {
    folder: TempDir,
    programs: Programs,
    port: u16,
    user: Option<Unprivileged>,
}

impl OwnServer {
    /// A folder without data; the port is free now.
    pub(crate) fn new() -> OwnServer {
        let folder = tempfile::Builder::new().prefix("safe-test-own-").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let user = Unprivileged::needed();
        if let Some(user) = &user {
            chown(folder.path(), Some(user.uid), Some(user.gid)).unwrap();
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = OwnServer { folder, programs: Programs::of_machine(), port, user };
        server.write_clients();
        server
    }

    /// A server that has been stopped, in whose database `shop_test` the table `t` has a row.
    pub(crate) fn with_data() -> OwnServer {
        let server = OwnServer::new();
        server.run(&format!(
            "{}\n{}",
            server.initialize("trust"),
            server.during("make; say 'CREATE TABLE t (a int); INSERT INTO t VALUES (1)'")
        ));
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn psql(&self) -> PathBuf {
        self.programs.clients().join("psql")
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://tester@127.0.0.1:{}/shop_test", self.port)
    }

    /// Words that make the data's folder, with this way to log in.
    pub(crate) fn initialize(&self, login: &str) -> String {
        let data = self.data();
        let initdb = format!("initdb -A {login} -U tester -E UTF8 --locale=C --no-sync -D '{}'", data.display());
        format!("{} >/dev/null || exit 90", self.as_user(&initdb))
    }

    /// Words that start the server, do something once it answers, and stop it. `say` asks its database, `make` makes that.
    pub(crate) fn during(&self, script: &str) -> String {
        let folder = self.folder.path().display();
        let start = format!("postgres -D '{folder}/data' -h 127.0.0.1 -p {} -k '{folder}' -c fsync=off", self.port);
        format!(
            "{} >'{folder}/log' 2>&1 &\nserver=$!\nPATH='{folder}':$PATH\n\
             tries=0\nuntil ready || [ $tries -gt 600 ]; do tries=$((tries + 1)); sleep 0.05; done\n\
             ( {script} )\nstatus=$?\nkill -INT $server\nwait $server\n( exit $status )",
            self.as_user(&start),
        )
    }

    /// The same where `pg_ctl` starts the server, as a daemon, and waits for it itself.
    pub(crate) fn during_as_a_daemon(&self, script: &str) -> String {
        let folder = self.folder.path().display();
        let control = |words: &str| self.as_user(&format!("pg_ctl -w -D '{folder}/data' {words} >/dev/null 2>&1"));
        let options = format!("-h 127.0.0.1 -p {} -k {folder} -c fsync=off", self.port);
        let start = control(&format!("-o '{options}' -l '{folder}/daemon.log' start"));
        format!(
            "{start}\nPATH='{folder}':$PATH\n( {script} )\nstatus=$?\n{}\n( exit $status )",
            control("-m fast stop")
        )
    }

    /// Writes the programs that talk to the server: outside of the project, so that nobody reads in them where it is.
    fn write_clients(&self) {
        let (clients, port) = (self.programs.clients(), self.port);
        let psql = format!("'{}/psql' -XAtq -h 127.0.0.1 -p {port} -U tester", clients.display());
        for (name, words) in [
            ("say", format!("{psql} -d shop_test -c \"$1\"")),
            ("make", format!("{psql} -d postgres -c 'CREATE DATABASE shop_test TEMPLATE template0'")),
            ("ready", format!("'{}/pg_isready' -q -h 127.0.0.1 -p {port}", clients.display())),
        ] {
            super::write_program(&self.folder.path().join(name), &format!("#!/bin/sh\nexec {words}\n"), 0o755);
        }
    }

    /// Runs such words outside of safe-test; gives what they said.
    #[track_caller]
    pub(crate) fn run(&self, words: &str) -> String {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", words]).current_dir(self.folder.path()).env_remove("PGPASSWORD");
        let outcome = super::Outcome::of(&mut shell);
        assert_eq!(outcome.code(), Some(0), "{words}\n{}\n{}", outcome.stdout, outcome.stderr);
        outcome.stdout
    }

    fn as_user(&self, program: &str) -> String {
        let program = format!("'{}'/{program}", self.programs.folder.display());
        match &self.user {
            Some(user) => format!("setpriv --reuid={} --regid={} --clear-groups {program}", user.uid, user.gid),
            None => program,
        }
    }
}
