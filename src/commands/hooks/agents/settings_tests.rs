//! Settings as people and other tools write them: what is put in comes out to the byte.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::commands::hooks::agents::rows::{self, Kind};
use crate::commands::hooks::agents::settings::{Known, Piece, Unfit, made_anew, parse, put_in, take_out};

const GROUP: &str = r#"{"matcher": "Bash", "hooks": [{"type": "command", "command": "safe-test hook"}]}"#;

fn piece(value: &str) -> Piece<'_> {
    Piece { path: &["hooks", "PreToolUse"], key: None, value, known: Known::ByCommand }
}

fn with(text: &str) -> String {
    put_in(text, &piece(GROUP)).unwrap().unwrap()
}

#[test]
fn an_entry_looks_as_if_the_owner_had_written_it() {
    let short = Piece { value: r#"{"command": "safe-test hook"}"#, ..piece(GROUP) };
    for (before, after) in [
        ("{}\n", "{\"hooks\": {\n  \"PreToolUse\": [\n    {\n      \"command\": \"safe-test hook\"\n    }\n  ]\n}}\n"),
        (
            "{\n    \"model\": \"x\" // mine\n}\n",
            "{\n    \"model\": \"x\", // mine\n    \"hooks\": {\n        \"PreToolUse\": [\n            {\n                \"command\": \"safe-test hook\"\n            }\n        ]\n    }\n}\n",
        ),
        (
            "{\n\t\"hooks\": {\n\t\t\"PreToolUse\": [\n\t\t\t{\"command\": \"mine\"},\n\t\t],\n\t},\n}",
            "{\n\t\"hooks\": {\n\t\t\"PreToolUse\": [\n\t\t\t{\"command\": \"mine\"},\n\t\t\t{\n\t\t\t\t\"command\": \"safe-test hook\"\n\t\t\t},\n\t\t],\n\t},\n}",
        ),
        (
            "{\"hooks\":{\"PreToolUse\":[{\"command\":\"mine\"}]}}",
            "{\"hooks\":{\"PreToolUse\":[{\"command\":\"mine\"}, {\n  \"command\": \"safe-test hook\"\n}]}}",
        ),
        (
            "{\"hooks\": {\"PreToolUse\": []}}",
            "{\"hooks\": {\"PreToolUse\": [{\n  \"command\": \"safe-test hook\"\n}]}}",
        ),
        (
            "{\r\n  \"a\": 1\r\n}\r\n",
            "{\r\n  \"a\": 1,\r\n  \"hooks\": {\r\n    \"PreToolUse\": [\r\n      {\r\n        \"command\": \"safe-test hook\"\r\n      }\r\n    ]\r\n  }\r\n}\r\n",
        ),
    ] {
        let within = put_in(before, &short).unwrap().unwrap();
        assert_eq!(within, after);
        assert_eq!(take_out(&within, &short).unwrap().as_deref(), Some(before));
    }
}

#[test]
fn what_is_no_settings_file_is_left_alone() {
    for text in [
        "",
        "\n",
        "[]",
        "1",
        "{",
        "{\"a\" 1}",
        "{a: 1}",
        "{'a': 1}",
        "{\"hooks\": []}",
        "{\"hooks\": null}",
        "{\"hooks\": {\"PreToolUse\": {}}}",
        "{\"hooks\": {}, \"hooks\": {}}",
        "{\"hooks\": {\"PreToolUse\": [], \"PreToolUse\": []}}",
    ] {
        assert!(put_in(text, &piece(GROUP)).is_err(), "{text}");
        assert!(take_out(text, &piece(GROUP)).is_err(), "{text}");
    }
    assert_eq!(parse("{\n  \"a\": tru\n}").unwrap_err().to_string().split(':').next(), Some("line 2"));
    assert_eq!(put_in("[]", &piece(GROUP)), Err(Unfit::NoObject));
}

#[test]
fn ours_is_known_wherever_its_program_is_and_beside_others() {
    for own in [
        r#"{"type": "command", "command": "/opt/bin/safe-test hook --agent claude"}"#,
        r#"{"type": "command", "command": "safe-test", "args": ["hook"]}"#,
        r#"{"bash": "safe-test hook", "powershell": "safe-test hook"}"#,
        r#"{"command": "\"C:\\Tools\\safe-test.exe\" hook"}"#,
    ] {
        let grouped = format!("{{\"hooks\": {{\"PreToolUse\": [{{\"hooks\": [{own}]}}]}}}}");
        assert_eq!(put_in(&grouped, &piece(GROUP)), Ok(None), "{own}");
        let mixed = format!("{{\"hooks\": {{\"PreToolUse\": [{{\"hooks\": [{{\"command\": \"mine\"}}, {own}]}}]}}}}");
        let without = "{\"hooks\": {\"PreToolUse\": [{\"hooks\": [{\"command\": \"mine\"}]}]}}";
        assert_eq!(take_out(&mixed, &piece(GROUP)).unwrap().as_deref(), Some(without), "{own}");
    }
    for foreign in [
        r#"{"command": "safe-test npm test"}"#,
        r#"{"command": "my-safe-test hook"}"#,
        r#"{"command": "echo safe-test hook"}"#,
    ] {
        let text = format!("{{\"hooks\": {{\"PreToolUse\": [{foreign}]}}}}");
        assert!(put_in(&text, &piece(GROUP)).unwrap().is_some(), "{foreign}");
        assert_eq!(take_out(&text, &piece(GROUP)), Ok(None), "{foreign}");
    }
}

#[test]
fn what_came_after_ours_stays() {
    let within = with("{\n  \"a\": 1\n}\n").replace("\n    ]", ",\n      {\"command\": \"theirs\"}\n    ]");
    let without = take_out(&within, &piece(GROUP)).unwrap().unwrap();
    let expected =
        "{\n  \"a\": 1,\n  \"hooks\": {\n    \"PreToolUse\": [\n      {\"command\": \"theirs\"}\n    ]\n  }\n}\n";
    assert_eq!(without, expected);
    // Ours was made anew by hand: what only held it goes along.
    let by_hand = "{\n  \"hooks\": {\"PreToolUse\": [ {\"command\": \"safe-test hook\"} ]},\n  \"a\": 1\n}\n";
    assert_eq!(take_out(by_hand, &piece(GROUP)).unwrap().unwrap(), "{\n  \"a\": 1\n}\n");
}

#[test]
fn every_row_is_json_and_comes_out_of_the_file_it_makes() {
    for agent in rows::ALL {
        for setting in agent.project.iter().chain(agent.of_user) {
            let Kind::Entries { base, pieces } = &setting.kind else { continue };
            let made = made_anew(base, pieces);
            assert!(parse(&made).is_ok(), "{}: {made}", agent.name);
            for piece in *pieces {
                assert_eq!(put_in(&made, piece), Ok(None), "{}: {made}", agent.name);
                serde_json::from_str::<serde_json::Value>(piece.value).unwrap();
            }
        }
    }
}

/// Blanks and comments, wherever JSON may have them.
fn gap() -> impl Strategy<Value = &'static str> {
    let plain = select(vec!["", "", " ", "\n", "\n  ", "\n    ", "\n\t", "\n\n  "]);
    let odd = select(vec![" // one\n", "\n  // two\n  ", " /* three */ ", "\n  /* four\n  */\n", "  \n", "//\n"]);
    prop_oneof![8 => plain, 1 => odd]
}

fn scalar() -> impl Strategy<Value = String> {
    let fixed = ["1", "null", "true", "\"text\"", "\"with \\\"quotes\\\", // and ]}\"", "-1.5e3", "\"safe-test hook\""];
    select(fixed.map(str::to_owned).to_vec())
}

fn value() -> BoxedStrategy<String> {
    let handler = select(vec!["{\"command\": \"mine\"}".to_owned(), "{\"hooks\": []}".to_owned()]);
    let leaf = prop_oneof![3 => scalar(), 1 => handler];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            array(inner.clone()),
            object(select(vec!["a", "b", "c", "matcher", "version"]).prop_map(str::to_owned).boxed(), inner)
        ]
    })
    .boxed()
}

fn array(item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    (vec((gap(), item, gap()), 0..4), gap(), any::<bool>())
        .prop_map(|(items, end, comma)| {
            let is_empty = items.is_empty();
            let items: Vec<String> =
                items.into_iter().map(|(before, item, behind)| format!("{before}{item}{behind}")).collect();
            format!("[{}{}{end}]", items.join(","), if comma && !is_empty { "," } else { "" })
        })
        .boxed()
}

fn object(key: BoxedStrategy<String>, item: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let member = (gap(), key, gap(), item, gap());
    (vec(member, 0..4), gap(), any::<bool>())
        .prop_map(|(members, end, comma)| {
            let is_empty = members.is_empty();
            let mut seen = Vec::new();
            let mut texts = Vec::new();
            for (before, key, colon, item, behind) in members {
                if !seen.contains(&key) {
                    texts.push(format!("{before}\"{key}\"{colon}: {item}{behind}"));
                    seen.push(key);
                }
            }
            format!("{{{}{}{end}}}", texts.join(","), if comma && !is_empty { "," } else { "" })
        })
        .boxed()
}

/// A settings file; the keys that lead to our place are often there.
fn settings_file() -> impl Strategy<Value = String> {
    let list = prop_oneof![4 => array(value()), 1 => value()];
    let events = select(vec!["PreToolUse", "SessionStart", "Stop"]).prop_map(str::to_owned).boxed();
    let hooks = prop_oneof![5 => object(events, list.boxed()), 1 => value()];
    let keys = select(vec!["hooks", "hooks", "model", "permissions"]).prop_map(str::to_owned).boxed();
    let whole = (gap(), object(keys, hooks.boxed()), gap());
    (whole, any::<bool>(), any::<bool>()).prop_map(|((before, top, behind), crlf, mark)| {
        let text = format!("{}{before}{top}{behind}", if mark { "\u{feff}" } else { "" });
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    #[test]
    fn what_is_put_in_comes_out_to_the_byte(before in settings_file()) {
        let start = Piece {
            path: &["hooks", "SessionStart"],
            value: r#"{"hooks": [{"command": "safe-test hook session-start"}]}"#,
            ..piece(GROUP)
        };
        let pieces = [piece(GROUP), start];
        let put_all = |text: &str| -> Result<String, Unfit> {
            pieces.iter().try_fold(text.to_owned(), |text, piece| Ok(put_in(&text, piece)?.unwrap_or(text)))
        };
        if let Ok(within) = put_all(&before) {
            prop_assert_ne!(&within, &before);
            prop_assert!(parse(within.trim_start_matches('\u{feff}')).is_ok(), "{}", within);
            prop_assert_eq!(put_all(&within).unwrap(), within.clone());
            let taken = pieces.iter().rev().fold(within, |text, piece| take_out(&text, piece).unwrap().unwrap_or(text));
            prop_assert_eq!(taken, before);
        }
    }

    #[test]
    fn entries_known_by_value_come_out_to_the_byte(before in settings_file()) {
        let state = Piece { path: &["model", "b"], key: None, value: "\"~/state\"", known: Known::ByValue };
        let named = Piece { path: &[], key: Some("safe-test"), value: "{\"enabled\": true}", known: Known::ByValue };
        for piece in [state, named] {
            if let Ok(Some(within)) = put_in(&before, &piece) {
                prop_assert_eq!(put_in(&within, &piece), Ok(None));
                prop_assert_eq!(take_out(&within, &piece).unwrap(), Some(before.clone()));
            }
        }
    }
}
