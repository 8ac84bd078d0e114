//! Who is spoken to, and who is not.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::thread::JoinHandle;

use crate::reach::{Place, Target};
use crate::secret::Secret;
use crate::snapshot::engine_error::EngineFailure;
use crate::snapshot::mongodb::MongoError;
use crate::snapshot::mongodb::bson::Writing;
use crate::snapshot::mongodb::connection::described;
use crate::snapshot::mongodb::error::Refusal;
use crate::snapshot::mongodb::session::open;
use crate::snapshot::mongodb::testing::{Server, environment};

fn why(target: &Target) -> Refusal {
    match open(target, &environment()) {
        Err(MongoError::CannotConnect { why, .. }) => why,
        other => panic!("{:?}", other.map(drop)),
    }
}

#[test]
fn who_does_not_log_in_is_told_to() {
    let server = Server::start(true);
    let target = server.rich("locked");
    open(&target, &environment()).unwrap();
    let with = |user: Option<&str>, password: Option<&str>| Target {
        user: user.map(str::to_owned),
        password: password.map(Secret::new),
        ..target.clone()
    };
    for wrong in [with(None, None), with(Some("tester"), Some("wrong")), with(Some("tester"), None)] {
        assert_eq!(why(&wrong), Refusal::Denied);
        assert!(open(&wrong, &environment()).unwrap_err().asks_for_password());
    }
    let elsewhere = Target { parameters: vec![("authSource".to_owned(), "nobody".to_owned())], ..target };
    assert_eq!(why(&elsewhere), Refusal::Denied);
}

/// Answers each connection with the same bytes, made of the number of the request.
fn answering(answer: impl Fn(i32) -> Vec<u8> + Send + 'static) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap_or(0);
            let number = buffer[4..read.max(8)].first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
            let _ = stream.write_all(&answer(number));
        }
    });
    let server = Place::Host { name: "127.0.0.1".into(), port: Some(port) };
    let mut target = Server::shared().target("shop");
    target.places = vec![server];
    target
}

fn message(number: i32, document: Writing) -> Vec<u8> {
    let body = document.done();
    let length = i32::try_from(body.len() + 21).unwrap();
    let mut bytes: Vec<u8> = [length, 1, number, 2013, 0].iter().flat_map(|part| part.to_le_bytes()).collect();
    bytes.push(0);
    bytes.extend(body);
    bytes
}

#[test]
fn what_is_no_server_of_mongodb_is_recognised() {
    let silent = answering(|_| Vec::new());
    assert_eq!(why(&silent), Refusal::Closed);
    let web = answering(|_| b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec());
    assert_eq!(why(&web), Refusal::NotMongodb);
    let strange = answering(|number| message(number, Writing::new().integer("ok", 1)));
    assert_eq!(why(&strange), Refusal::NotMongodb);
    let old = answering(|number| message(number, Writing::new().integer("ok", 1).integer("maxWireVersion", 5)));
    assert_eq!(why(&old), Refusal::NotMongodb);
    let mut nobody = silent;
    nobody.places = vec![Place::Host { name: "127.0.0.1".into(), port: Some(1) }];
    assert_eq!(why(&nobody), Refusal::NoServer);
    assert!(open(&nobody, &environment()).unwrap_err().found_no_server());
}

#[test]
fn of_several_hosts_the_one_that_takes_writes_is_used() {
    let secondary = || {
        answering(|number| {
            let says = Writing::new().integer("ok", 1).integer("maxWireVersion", 21).bool("isWritablePrimary", false);
            message(number, says.text("setName", "rs0").text("primary", "db2.test:27017"))
        })
    };
    let alone = secondary();
    assert_eq!(why(&alone), Refusal::NotPrimary);
    let said = open(&alone, &environment()).unwrap_err().to_string();
    assert!(said.ends_with("the primary of the replica set rs0 is db2.test:27017"), "{said}");
    let server = Server::shared();
    let mut target = server.rich("several");
    let nobody = Place::Host { name: "127.0.0.1".into(), port: Some(1) };
    target.places = vec![nobody, secondary().places[0].clone(), target.places[0].clone()];
    target.parameters = vec![("replicaSet".to_owned(), "rs0".to_owned())];
    let found = open(&target, &environment()).unwrap();
    assert_eq!(described(found.session.connection.at()), format!("127.0.0.1:{}", server.port));
}

/// Greets the first who comes, and answers what is asked for then.
fn greeting(router: bool, collections: Writing) -> (Target, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let hello = Writing::new().integer("ok", 1).integer("maxWireVersion", 21).bool("isWritablePrimary", true);
        let hello = if router { hello.text("msg", "isdbgrid") } else { hello };
        for answer in [hello, collections] {
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).unwrap();
            let number = i32::from_le_bytes(*buffer[4..read].first_chunk().unwrap());
            stream.write_all(&message(number, answer)).unwrap();
        }
    });
    let mut target = Server::shared().target("shop");
    target.places = vec![Place::Host { name: "127.0.0.1".into(), port: Some(port) }];
    (target, answering)
}

#[test]
fn what_would_not_come_back_is_not_saved() {
    let collection = |options: Writing| {
        Writing::new().text("name", "secrets").text("type", "collection").document("options", options)
    };
    for (router, options, expected) in [
        (true, Writing::new(), "several servers"),
        (false, Writing::new().document("encryptedFields", Writing::new()), "`secrets` is encrypted"),
    ] {
        let cursor = Writing::new().long("id", 0).array("firstBatch", [collection(options)]);
        let (target, answering) = greeting(router, Writing::new().integer("ok", 1).document("cursor", cursor));
        let error = open(&target, &environment()).unwrap_err();
        answering.join().unwrap();
        assert!(matches!(&error, MongoError::NotSavable { what, .. } if what.contains(expected)), "{error}");
    }
}

#[test]
fn a_list_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let listed = |cursor: Writing| Writing::new().integer("ok", 1).document("cursor", cursor);
    let nameless = || Writing::new().text("type", "collection");
    for answer in [
        Writing::new().integer("ok", 1),
        listed(Writing::new()),
        listed(Writing::new().long("id", 0)),
        listed(Writing::new().array("firstBatch", [])),
        listed(Writing::new().long("id", 0).array("firstBatch", [nameless()])),
    ] {
        let (target, answering) = greeting(false, answer);
        let error = open(&target, &environment()).unwrap_err();
        answering.join().unwrap();
        assert!(matches!(error, MongoError::ConnectionLost { .. }), "{error}");
    }
    // And an empty one is empty.
    let (target, answering) = greeting(false, listed(Writing::new().long("id", 0).array("firstBatch", [])));
    assert!(matches!(open(&target, &environment()), Err(MongoError::NoSuchDatabase { .. })));
    answering.join().unwrap();
}

#[test]
fn who_takes_a_connection_and_says_nothing_is_not_waited_for_without_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut target = Server::shared().target("shop");
    target.places = vec![Place::Host { name: "127.0.0.1".into(), port: Some(listener.local_addr().unwrap().port()) }];
    let error = open(&target, &environment()).unwrap_err();
    assert!(error.to_string().ends_with("it takes the connection and does not answer"), "{error}");
}
