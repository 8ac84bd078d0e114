//! No reader panics, hangs or grows beyond reason, whatever the bytes.

use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::environment::readers::dotenv::{Dialect, read};

/// Runs a number of cases that `PROPTEST_CASES` can raise to millions.
fn config() -> Config {
    Config { failure_persistence: None, ..Config::default() }
}

fn environment(name: &str) -> Option<String> {
    match name {
        "SELF" => Some("${SELF}$SELF".to_owned()),
        "B" => Some("x".to_owned()),
        _ => None,
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for dialect in Dialect::ALL.iter().copied() {
            let _ = read(dialect, &bytes, &environment);
        }
    }

    #[test]
    fn no_text_of_the_characters_that_matter_makes_a_reader_panic(
        text in r#"([A-C_]{0,3}|SELF|export |[ \t\n\r=:#'"`\\$(){}+?-]|\$\{|:-|\u{feff}|é|\u{2028}|\n[AB]=){0,60}"#,
    ) {
        for dialect in Dialect::ALL.iter().copied() {
            let document = read(dialect, text.as_bytes(), &environment);
            let lines = u32::try_from(text.replace("\r\n", "\n").replace('\r', "\n").split('\n').count()).unwrap();
            for entry in &document.entries {
                prop_assert!((1..=lines).contains(&entry.line), "{:?} {:?} {:?}", dialect, text, entry);
            }
        }
    }
}

#[test]
fn adversarial_input_is_read_to_its_end() {
    let size = 60_000;
    let repeated = |piece: &str| piece.repeat(size / piece.len());
    let chain: String = (0..1000).rev().map(|at| format!("V{at}=$V{}${{V{}}}\n", at + 1, at + 1)).collect();
    let rising: String = (0..1000).map(|at| format!("V{}=$V{at}${{V{at}}}\n", at + 1)).collect();
    let inputs = [
        repeated("A=\"\n"),
        repeated("A='x\n"),
        repeated("A=`x\nB=\"y\nC='z\n"),
        repeated("A=\"\\\"\n"),
        repeated("\n"),
        format!("{}-", repeated("\n ")),
        format!("A{}-", repeated("\n ")),
        format!("A={}", repeated("${")),
        format!("A={}", repeated("${A:-")),
        format!("A={}{}", repeated("${A:-"), repeated("}")),
        format!("A={}", repeated("${B}")),
        format!("A={}", repeated("${A:-x}")),
        format!("A=\"{}\"", repeated("${A:-{")),
        format!("A={}", repeated("$(")),
        format!("A={}", repeated("$((")),
        format!("A={}{}", repeated("$("), repeated("x)")),
        format!("A={}", repeated("(")),
        format!("A={}", repeated("$")),
        format!("A={}", repeated("\\")),
        format!("A=\"{}", repeated("\\\"")),
        format!("A=\"{}\"", repeated("\\\\")),
        format!("A={}x", repeated(" ")),
        format!("A=x{}x", repeated(" \t")),
        format!("A={}", repeated(" #")),
        format!("A=x\n{}", repeated("B=$A$A\nA=$B$B\n")),
        format!("V0=x\n{rising}"),
        format!("V1000=x\n{chain}"),
        repeated("A=$SELF\n"),
        repeated("export A\n"),
        repeated("A"),
        repeated("A=b\\"),
        repeated("A=b "),
        repeated("\u{feff}"),
        repeated("é=\u{2028}"),
    ];
    for input in inputs {
        for dialect in Dialect::ALL.iter().copied() {
            let document = read(dialect, input.as_bytes(), &environment);
            let bytes: usize = document.entries.iter().filter_map(|entry| entry.value.as_ref()).map(String::len).sum();
            assert!(bytes < 64 << 20, "{dialect:?} grows to {bytes} bytes on {:?}", &input[..20]);
            assert!(document.problems.len() <= 150);
        }
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_read_and_its_lines_are_named() {
    for dialect in Dialect::ALL.iter().copied() {
        let document = read(dialect, b"A=1\nB=caf\xe9\nC=3\n", &|_| None);
        assert_eq!(document.get("A").and_then(|entry| entry.value.as_deref()), Some("1"), "{dialect:?}");
        assert_eq!(document.get("C").and_then(|entry| entry.value.as_deref()), Some("3"), "{dialect:?}");
        assert_eq!(document.problems[0].line, 2, "{dialect:?}");
    }
}
