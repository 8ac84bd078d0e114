//! Tools inside containers, whose engine's program runs those of this machine.

use crate::own_tools::ToolEnvironment;
use crate::own_tools::containers::container::Container;
use crate::snapshot::containers::Inside;
use crate::snapshot::postgres::connection::Connection;
use crate::snapshot::postgres::testing::{Server, environment};
use crate::snapshot::postgres::tools::Tools;
use crate::snapshot::postgres::{PostgresError, Session};

/// The tools of this machine, as those of a container whose server listens at a port.
fn inside(tools: &Tools, port: u16) -> Tools {
    let container = Container::with_programs_of(&tools.folder);
    Tools { inside: Some(Inside { container, port }), ..tools.clone() }
}

/// Gives the port of the target's server.
fn port(server: &Server) -> u16 {
    server.run("postgres", "SHOW port").trim().parse().unwrap()
}

#[test]
fn tools_inside_that_reach_another_server_are_not_used() {
    let (here, other) = (Server::shared(), Server::start());
    let target = here.database("inside_same_test", "CREATE TABLE t (a int)");
    other.database("inside_same_test", "CREATE TABLE t (a int)");
    let session = Session::open(&target, &environment()).unwrap();
    session.expect_reached_by(&inside(&session.tools, port(&here))).unwrap();
    let error = session.expect_reached_by(&inside(&session.tools, port(&other))).unwrap_err();
    assert!(matches!(error, PostgresError::OtherServer { .. }), "{error}");
}

#[test]
fn a_connection_inside_is_to_the_server_there_and_names_no_file_of_this_machine() {
    let server = Server::shared();
    let mut target = server.target("postgres");
    let given = [
        ("sslmode", "verify-full"),
        ("sslrootcert", "/ca.pem"),
        ("channel_binding", "require"),
        ("hostaddr", "10.0.0.9"),
    ];
    target.parameters.extend(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let connection = Connection::new(&target, &ToolEnvironment::default()).unwrap();
    let tools = inside(&connection.tools()[0], 5433);
    let variables: Vec<String> = connection
        .variables(&tools)
        .iter()
        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
        .collect();
    for expected in ["PGHOST=127.0.0.1", "PGPORT=5433", "PGSSLMODE=require", "HOME=/nonexistent"] {
        assert_eq!(variables.iter().filter(|one| *one == expected).count(), 1, "{expected}: {variables:?}");
    }
    let foreign = ["PGSSLROOTCERT", "PGCHANNELBINDING", "PGHOSTADDR", "PGPASSFILE", "PATH"];
    assert!(!variables.iter().any(|one| foreign.iter().any(|name| one.starts_with(name))), "{variables:?}");
}
