use super::*;

const UNSET: Context<'_> = Context { environment: Some("test"), lookup: &|_| None };

#[test]
fn a_name_is_what_it_is_bound_to_where_it_is_read() {
    let table = [
        ("host = \"a\"\n", Some("a")),
        ("host = \"a\"\nif x do\n  host = \"b\"\nend\n", Some("a")),
        ("host = \"a\"\nif x do\n  host = \"b\"\nelse\n  host = \"c\"\nend\n", Some("a")),
        ("host = \"a\"\nif x do\nhost = \"b\"\nend\n", Some("a")),
        ("host = \"a\"\nEnum.each(list, fn one ->\n  host = one\nend)\n", Some("a")),
        ("host =\n  if System.get_env(\"X\") do\n    \"b\"\n  else\n    \"c\"\n  end\n", Some("c")),
        ("host = if System.get_env(\"X\") do\n  \"b\"\nelse\n  \"c\"\nend\n", Some("c")),
        ("if host = System.get_env(\"X\") || \"a\" do\n  1\nend\n", Some("a")),
        ("host = \"a\"\n{host, port} = {\"b\", 1}\n", None),
        ("host = \"a\"\n%{\n  host: host\n} = URI.parse(\"b\")\n", None),
        ("host = \"a\"\n[host | _] = list\n", None),
        ("host = \"a\"\n\"ecto://\" <> host = url\n", None),
        ("host = \"a\"\nother == host\n", Some("a")),
    ];
    for (text, expected) in table {
        let statements = Statements::of(text);
        let value = match statements.value("host", 99, UNSET) {
            Value::Known(value) => Some(value),
            Value::Unset | Value::Unknown => None,
        };
        assert_eq!(value.as_deref(), expected, "{text}");
    }
}

#[test]
fn what_a_pattern_binds_is_seen_in_its_block() {
    let text = "host = \"a\"\ncase x do\n  nil ->\n    read(host)\n  host ->\n    read(host)\nend\nfor host <- hosts do\n  read(host)\nend\nwith {:ok, host} <- x,\n     {:ok, port} <- y do\n  read(host)\nend\ncond do\n  host == \"a\" -> read(host)\nend\n";
    let statements = Statements::of(text);
    let known = |line| statements.value("host", line, UNSET) == Value::Known("a".to_owned());
    let reads = text.lines().zip(1..).filter(|(line, _)| line.contains("read(host)")).map(|(_, line)| line);
    assert_eq!(reads.map(known).collect::<Vec<_>>(), [true, false, false, false, true]);
    assert!(known(7));
}

/// Shows which of the lines that are numbers count, way by way.
fn counting(text: &str, environment: &str) -> Vec<String> {
    let statements = Statements::of(text);
    let context = Context { environment: Some(environment), ..UNSET };
    let decisions = statements.decisions(context);
    let lines: Vec<(&str, u32)> =
        text.lines().zip(1..).filter(|(line, _)| line.trim().ends_with(|c: char| c.is_ascii_digit())).collect();
    let numbers: Vec<u32> = lines.iter().map(|(_, line)| *line).collect();
    let counted = |way: Way| {
        let own = lines.iter().filter(|(_, line)| statements.counts(*line, &decisions, way));
        own.map(|(line, _)| line.trim().rsplit(' ').next().unwrap_or_default()).collect::<Vec<_>>().join(" ")
    };
    statements.ways(&decisions, &numbers).into_iter().map(counted).collect()
}

#[test]
fn sections_count_by_their_conditions_or_in_several_ways() {
    let table: &[(&str, &str, &[&str])] = &[
        ("if config_env() == :prod do\n  1\nelse\n  2\nend\n3\n", "test", &["2 3"]),
        ("if(config_env() == :prod) do\n  1\nend\n3\n", "test", &["3"]),
        ("unless config_env() == :prod do\n  1\nend\n", "test", &["1"]),
        ("case config_env() do\n  :test -> 1\n  _ -> 2\nend\n", "test", &["1"]),
        ("case config_env() do\n  :test ->\n    1\n  _other ->\n    2\nend\n", "dev", &["2"]),
        ("case System.get_env(\"X\") do\n  nil -> 1\n  host -> 2\nend\n", "dev", &["1"]),
        ("case read() do\n  \"a\" -> 1\n  _ -> 2\nend\n3\n", "test", &["1 2 3", "1 3", "2 3"]),
        ("cond do\n  config_env() == :prod -> 1\n  true -> 2\nend\n", "test", &["2"]),
        ("1\nif read() do\n  2\nend\n", "test", &["1 2", "1 2", "1"]),
        ("if read() do\n  1\nelse\n  2\nend\n", "test", &["1 2", "1", "2"]),
        ("if read() do\n  1\n  if more() do\n    2\n  end\nend\n", "test", &["1 2", "1", "", "1 2", "1"]),
        ("if System.get_env(\"X\") do\n  1\nend\n", "test", &["1", "1", ""]),
        ("if System.get_env(\"X\") do\n  1\nelse\n  2\nend\n", "test", &["2"]),
        ("if config_env() == :prod, do: put 1\n2\n", "test", &["2"]),
        ("with {:ok, a} <- read() do\n  1\nelse\n  _ -> 2\nend\n", "test", &["1 2", "1", "2"]),
        ("if x do\n  key: 1\nend\nendpoint: 2\n", "test", &["1 2", "1 2", "2"]),
    ];
    for (text, environment, expected) in table {
        assert_eq!(counting(text, environment), *expected, "{text}");
    }
}

#[test]
fn hostile_files_end() {
    for piece in [
        "a = 1\n",
        " a = 1\na = a\n",
        "if a = b do\n",
        "case a do\n",
        "case a do\n  b -> c\nend\n",
        "  b ->\n",
        "{a, b} = c\n",
        "} = c\n",
        "for a <- b do\n",
        "a <- b <- ",
        "fn a -> ",
        "if a, do: b\n",
        "end\n",
    ] {
        let text = piece.repeat(20_000);
        let statements = Statements::of(&text);
        let decisions = statements.decisions(UNSET);
        statements.ways(&decisions, &[1, 2, 20_000]);
        for line in (1..20_000).step_by(100) {
            statements.counts(line, &decisions, Way::All);
            statements.value("a", line, UNSET);
        }
    }
}
