//! A pooler in between: known by what it makes of a parameter of the session, whatever it is called.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::reach::Place;
use crate::snapshot::postgres::testing::{Server, environment};
use crate::snapshot::postgres::{PostgresError, Session};

/// A stand-in that does with `options` what poolers do: it drops them, or refuses the connection.
fn pooler(port: u16, refuses: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            thread::spawn(move || {
                let Some(startup) = startup(&mut client) else { return };
                if refuses {
                    let fields = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
                    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
                    let _ = client.write_all(&[b"E", length.as_slice(), fields].concat());
                    return;
                }
                let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                server.write_all(&without_options(&startup)).unwrap();
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut client, &mut server);
            });
        }
    });
    own
}

/// The startup message, after the wishes for encryption were declined.
fn startup(client: &mut TcpStream) -> Option<Vec<u8>> {
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length).ok()?;
        let mut message = vec![0; u32::from_be_bytes(length) as usize - 4];
        client.read_exact(&mut message).ok()?;
        if message.len() > 4 {
            return Some(message);
        }
        client.write_all(b"N").ok()?;
    }
}

fn without_options(message: &[u8]) -> Vec<u8> {
    let mut body = message[..4].to_vec();
    let mut words = message[4..].split(|byte| *byte == 0);
    while let (Some(name @ [_, ..]), Some(value)) = (words.next(), words.next()) {
        if name != b"options" {
            body.extend([name, b"\0", value, b"\0"].concat());
        }
    }
    body.push(0);
    [&u32::try_from(body.len() + 4).unwrap().to_be_bytes(), body.as_slice()].concat()
}

#[test]
fn a_pooler_is_recognised_by_its_behaviour() {
    let server = Server::shared();
    for refuses in [true, false] {
        let mut target = server.target("postgres");
        target.places = vec![Place::Host { name: "127.0.0.1".into(), port: Some(pooler(server.port, refuses)) }];
        let error = Session::open(&target, &environment()).map(drop).unwrap_err();
        assert!(matches!(error, PostgresError::Pooler { .. }), "{error}");
    }
}

#[test]
fn a_server_is_not_taken_for_a_pooler_whatever_its_operators_do() {
    let server = Server::shared();
    let target = server.database(
        "own_operators",
        "CREATE FUNCTION never(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false'; \
         CREATE FUNCTION never(name, name) RETURNS bool LANGUAGE sql AS 'SELECT false'; \
         CREATE OPERATOR public.= (FUNCTION = never, LEFTARG = text, RIGHTARG = text); \
         CREATE OPERATOR public.= (FUNCTION = never, LEFTARG = name, RIGHTARG = name); \
         ALTER DATABASE own_operators SET search_path = public, pg_catalog",
    );
    let session = Session::open(&target, &environment()).unwrap();
    assert_eq!(session.identity.database, "own_operators");
}
