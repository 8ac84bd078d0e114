//! Shell texts and the commands in them.

use super::*;

fn simple_commands(text: &str) -> Vec<SimpleCommand> {
    read(text).commands
}

fn words(text: &str) -> Vec<String> {
    simple_commands(text).into_iter().map(|command| command.words.join("|")).collect()
}

#[test]
fn text_is_split_into_simple_commands() {
    let table: &[(&str, &[&str])] = &[
        ("npm test", &["npm|test"]),
        ("a && b || c; d | e & f", &["a", "b", "c", "d", "e", "f"]),
        ("a 'b c' \"d e\" f\\ g", &["a|b c|d e|f g"]),
        ("(cd x; make) > log 2>&1", &["cd|x", "make"]),
        ("echo $(psql -c 'x') `ls`", &["echo|$(psql -c 'x')|$(ls)", "ls", "psql|-c|x"]),
        ("if true; then a; else b; fi", &["true", "a", "b"]),
        ("for x in 1 2; do a $x; done", &["a|$x"]),
        ("cat <<EOF\nrm -rf /\nEOF\nb", &["cat", "b"]),
        ("bash <<'EOF'\npsql x\nEOF\nb", &["bash", "b", "psql|x"]),
        ("cat <<-EOF\n\tx\n\tEOF\nb", &["cat", "b"]),
        ("a # b; c\nd", &["a", "d"]),
        ("a \\\n b", &["a|b"]),
        ("psql <<< 'select 1'", &["psql"]),
        ("diff <(a) <(b)", &["diff", "a", "b"]),
        ("a ${X:-$(b)} c", &["a|${X:-$(b)}|c"]),
        ("'unterminated", &["unterminated"]),
        ("case $x in\na|b) c ;;\n(d*) e; f;;\n*) g\nesac; h", &["c", "e", "f", "g", "h"]),
        ("case $(a) in b) c ;& d) e ;; esac", &["c", "e", "a"]),
        ("case x in a) case y in b) c;; esac;; d) e;; esac\nf", &["c", "e", "f"]),
        ("if a; then case x in b) c;; esac; fi", &["a", "c"]),
        ("case x\na b)\nc", &["a|b", "c"]),
        ("case x in\na b\nc", &["a|b", "c"]),
        ("case x in\na b) c", &["a|b", "c"]),
        ("echo case x in a", &["echo|case|x|in|a"]),
        ("f() { a; }; f b", &["a", "f|b"]),
        ("f () (a)\nf", &["a", "f"]),
        ("[[ -n a && -f b || (c) ]] && d", &["[[|-n|a|-f|b|c|]]", "d"]),
        ("if [[ a && b ]]; then c; fi", &["[[|a|b|]]", "c"]),
        ("(( a = b & 1 )); c", &["a|=|b", "1", "c"]),
        ("(( a = $(b) )); c", &["a|=|$(b)", "c", "b"]),
        ("((a; b); c)", &["a", "b", "c"]),
        ("((a b))", &["a|b"]),
        ("((a b); (c))", &["a|b", "c"]),
        ("((a << 2))\nb", &["b", "a"]),
        ("$(", &["$("]),
        ("a `b \"c\"` \"x`d`y\" '`e`' \\`f \"\\`g\\`\"", &["a|$(b \"c\")|x$(d)y|`e`|`f|`g`", "d", "b|c"]),
        ("a `b", &["a|$(b", "b"]),
        ("function f { a; }; f", &["a", "f"]),
        ("function f() { a b; }", &["a|b"]),
        ("coproc a b; coproc N { c; }", &["a|b", "c"]),
        ("trap 'a b' EXIT; trap - INT", &["trap|a b|EXIT", "eval|a b", "trap|-|INT"]),
        ("alias a='b c'\na d", &["alias|a=b c", "a|d", "eval|b c|d"]),
        ("A=(b c) d", &["d", "b|c"]),
        ("cat <<EOF\nx $(a) \\$(b) `c`\nEOF\nd", &["cat", "d", "c", "a"]),
        ("cat <<\\EOF\n$(a)\nEOF", &["cat"]),
        ("cat <<'E'OF\n$(a)\nEOF", &["cat"]),
    ];
    for (text, expected) in table {
        assert_eq!(words(text), *expected, "{text}");
    }
}

#[test]
fn assignments_and_exports_reach_the_commands_after_them() {
    let commands = simple_commands("export A=1 B='2 3'; C=4 a; b");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(commands[0].assignments, [pair("A", "1"), pair("B", "2 3"), pair("C", "4")]);
    assert_eq!(commands[1].assignments, [pair("A", "1"), pair("B", "2 3")]);
}

#[test]
fn defaults_that_are_assigned_stand_in_the_commands_after_them() {
    let given = words(": ${A:=1}; a $A x${A}y ${B=2} ${A#1}; b $B$A $AB '$A'");
    assert_eq!(given, [":|${A:=1}", "a|${A:-1}|x${A:-1}y|${B=2}|${A#1}", "b|${B-2}${A:-1}|$AB|${A:-1}"]);
    let long = format!(": ${{A:={}}}; a $A", "x".repeat(300));
    assert_eq!(simple_commands(&long)[1].unknown, [(0, "A".into())]);
}

#[test]
fn variables_that_cannot_be_told_are_named_with_their_place() {
    let unknown = |text: &str| -> Vec<(usize, String)> {
        let last = simple_commands(text).pop().unwrap();
        last.unknown.into_iter().map(|(at, name)| (at, name.to_string())).collect()
    };
    let named = |at: usize, name: &str| (at, name.to_owned());
    assert_eq!(unknown("read A; x"), [named(0, "A")]);
    assert_eq!(unknown("A=1; read A; B=2; x"), [named(1, "A")]);
    assert_eq!(unknown("for A in 1 2; do read B; A=1; read B; x; done"), [named(0, "A"), named(1, "B")]);
    assert_eq!(unknown("A+=1 x"), [named(0, "A")]);
    assert_eq!(unknown("x; read A"), []);
}

#[test]
fn a_shell_that_is_fed_hides_its_commands() {
    let hides = |text: &str| simple_commands(text).iter().any(|command| command.hides_commands);
    assert!(hides("echo a | sh") && hides("sh <<<a") && hides("sh <a"));
    assert!(!hides("sh <<EOF\na\nEOF") && !hides("sh -c a") && !hides("sh a.sh"));
}

#[test]
fn a_call_of_a_function_of_the_text_is_known() {
    let commands = simple_commands("f() { a; }; f b; (g) ; g() { f; }");
    let calls: Vec<bool> = commands.iter().map(|command| command.calls_function).collect();
    assert_eq!(calls, [false, true, true, true]);
}

#[test]
fn deep_nesting_and_long_texts_end() {
    simple_commands(&"$(".repeat(100_000));
    simple_commands(&"`".repeat(100_000));
    simple_commands(&"export A=1;b;".repeat(10_000));
    simple_commands(&"${".repeat(100_000));
    simple_commands(&": ${A:=".repeat(50_000));
    simple_commands(&"<<A\n".repeat(20_000));
    simple_commands(&"case x in ".repeat(20_000));
    simple_commands(&"((".repeat(100_000));
    simple_commands(&"(( ".repeat(80_000));
}

#[test]
fn double_brackets_that_nothing_closes_are_no_test() {
    let words = |text: &str| -> Vec<String> { simple_commands(text).iter().map(|one| one.words.join(" ")).collect() };
    assert_eq!(words("[[ a || psql -h db x"), ["[[ a", "psql -h db x"]);
    assert_eq!(words("[[ a || b ]] && psql -h db x").last().unwrap(), "psql -h db x");
}

#[test]
fn what_is_repeated_is_not_gone_through_again_for_each_word() {
    assert_eq!(words("{ { ( if { then ! psql -h a; }; }"), ["psql|-h|a"]);
    assert_eq!(words("} [[ a | b ]] && c"), ["[[|a|b|]]", "c"]);
    assert_eq!(words("[[ a | b\n c | d ]]"), ["[[|a", "b", "c", "d|]]"]);
    for (before, repeated, behind) in [
        ("", "{ ", "psql"),
        ("", "if ", "psql"),
        ("case a in ", "{ ", ""),
        ("[[ ", "a|", " ]]"),
        ("[[ ", "a | ", " ]]"),
    ] {
        let started = std::time::Instant::now();
        let found = read(&format!("{before}{}{behind}", repeated.repeat(200_000))).commands;
        assert!(found.len() < 3, "{before}{repeated}: {}", found.len());
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "{before}{repeated}");
    }
}
