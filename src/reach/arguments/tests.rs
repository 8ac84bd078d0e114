//! Tests of what the words of commands name.

use crate::environment::{Origin, Reading};
use crate::reach::Engine;
use crate::reach::testing::{found, reading, target_line, typed};
use crate::tools::clients;
use crate::tools::clients::Means;

#[test]
fn arguments_of_clients_name_their_targets() {
    let cases: [(&str, &[&str]); 40] = [
        ("psql", &["postgres unix:/var/run/postgresql:5432 -"]),
        ("psql -h db.example.net -p 5433 -U ann shop", &["postgres db.example.net:5433 shop u=ann"]),
        ("psql --host=db.example.net --dbname shop", &["postgres db.example.net:5432 shop"]),
        ("psql -qAt -hdb shop -c 'drop table x'", &["postgres db:5432 shop"]),
        ("psql -h localhost postgres://db.example.net/shop", &["postgres db.example.net:5432 shop"]),
        ("psql 'host=db.example.net dbname=shop'", &["postgres db.example.net:5432 shop"]),
        ("psql -f schema.sql app_test", &["postgres unix:/var/run/postgresql:5432 app_test"]),
        ("/usr/lib/postgresql/16/bin/pg_dump -d shop -f out.dump", &["postgres unix:/var/run/postgresql:5432 shop"]),
        ("pg_restore -d shop -h db out.dump", &["postgres db:5432 shop"]),
        ("createdb -p 5433 shop", &["postgres unix:/var/run/postgresql:5433 shop"]),
        ("dropdb --if-exists shop", &["postgres unix:/var/run/postgresql:5432 shop"]),
        ("mysql", &["mysql localhost:3306 -"]),
        ("mysql -h db.example.net -psecret -P 3307 -u root shop", &["mysql db.example.net:3307 shop u=root"]),
        ("mysql -hdb -D shop -p", &["mysql db:3306 shop"]),
        ("mysqldump -S /tmp/m.sock shop", &["mysql unix:/tmp/m.sock shop"]),
        ("mysql --defaults-file=/p/x.cnf", &["mysql cnf.example.net:3306 -"]),
        ("mongosh", &["mongodb localhost:27017 -"]),
        ("mongosh mongodb://m.example.net/shop", &["mongodb m.example.net:27017 shop"]),
        ("mongosh m.example.net:27018/shop", &["mongodb m.example.net:27018 shop"]),
        ("mongosh --host m --port 27018 shop", &["mongodb m:27018 shop"]),
        ("redis-cli -h r.example.net -p 6380 FLUSHALL", &["redis r.example.net:6380 -"]),
        ("redis-cli -u redis://r.example.net", &["redis r.example.net:6379 -"]),
        ("sqlcmd -S tcp:s.example.net,1434 -d Shop -Q 'select 1'", &["sqlserver s.example.net:1434 Shop"]),
        ("sqlite3 db/x.sqlite3 .tables", &["sqlite file:/p/db/x.sqlite3 db/x.sqlite3"]),
        ("sqlite3", &["sqlite memory -"]),
        ("npx prisma migrate reset --url postgres://db.example.net/x", &["postgres db.example.net:5432 x"]),
        ("diesel migration run --database-url=postgres://db/x", &["postgres db:5432 x"]),
        ("sqlx database drop -D postgres://db/x", &["postgres db:5432 x"]),
        ("dbmate -u mysql://db/x up", &["mysql db:3306 x"]),
        ("migrate -database postgres://db/x -path m up", &["postgres db:5432 x"]),
        ("goose postgres 'user=u dbname=x host=db' up", &["postgres db:5432 x u=u"]),
        ("goose mysql u:p@/x up", &["mysql localhost:3306 x u=u"]),
        ("goose sqlite3 ./x.db up", &["sqlite file:/p/x.db ./x.db"]),
        ("flyway -url=jdbc:mysql://db/x clean", &["mysql db:3306 x"]),
        ("java -Dspring.datasource.url=jdbc:mysql://db/x -jar a.jar", &["mysql db:3306 x"]),
        ("./mvnw test --spring.datasource.url=jdbc:mysql://db/x", &["mysql db:3306 x"]),
        ("run-tests --db-host db.example.net --db-name x", &["unknown db.example.net x"]),
        ("make test DATABASE_URL=postgres://db/x", &["postgres db:5432 x"]),
        ("alembic -x url=postgresql://db/x upgrade head", &["postgres db:5432 x"]),
        ("vite --host 0.0.0.0 --port 3000", &[]),
    ];
    let option_file = ("/p/x.cnf", "[client]\nhost=cnf.example.net\n");
    for (command, expected) in cases {
        let targets = found(&[], &[typed(command)], &[option_file]);
        let shown: Vec<String> = targets.iter().map(target_line).collect();
        assert_eq!(shown, expected, "{command}");
    }
}

#[test]
fn a_client_without_arguments_follows_its_environment() {
    let env = reading(&[("PGHOST", "db.example.net"), ("PGDATABASE", "shop")]);
    let shown: Vec<String> = found(&[env], &[typed("psql -c x")], &[]).iter().map(target_line).collect();
    assert_eq!(shown, ["postgres db.example.net:5432 shop"]);
    let shown: Vec<String> =
        found(&[], &[typed("PGHOST=other.example.net psql")], &[]).iter().map(target_line).collect();
    assert_eq!(shown, ["postgres other.example.net:5432 -"]);
}

#[test]
fn variables_in_the_words_of_any_program_are_filled_in_where_they_are_known() {
    let env = reading(&[("APP", "postgres://db.example.net/shop"), ("H", "db.example.net")]);
    for (command, expected) in [
        ("sqlx migrate run --database-url $APP", "postgres db.example.net:5432 shop"),
        ("sqlx migrate run --database-url=${APP:-postgres://localhost/x}", "postgres db.example.net:5432 shop"),
        ("run-tests --db-host $H --db-name x", "postgres db.example.net:5432 x"),
        ("run-tests --db-host ${NONE} --db-name x", "postgres ${none}:5432 x [Unexpanded]"),
    ] {
        let empty = reading(&[]);
        let targets = found(&[empty, env.clone()], &[typed(command)], &[]);
        let shown: Vec<String> = targets.iter().map(target_line).collect();
        assert!(shown.iter().any(|line| line == expected), "{command}: {shown:?}");
    }
}

#[test]
fn the_default_in_a_word_counts_where_some_environment_does_not_know_its_variable() {
    let known = [
        ("DATABASE_URL", "postgres://localhost/shop_test"),
        ("APP", "postgres://localhost/x"),
        ("H", "localhost"),
        ("B", "x"),
    ];
    let live = "db.northwind-shop.net";
    for command in [
        "psql ${DATABASE_URL:-postgres://db.northwind-shop.net/shop}",
        "psql ${DATABASE_URL-postgres://db.northwind-shop.net/shop}",
        "psql -h ${H:-db.northwind-shop.net} x",
        "psql -h ${H:-db.northwind-shop.net} $B",
        "mysql -h${H:=db.northwind-shop.net}",
        "mongosh mongodb://${H:-db.northwind-shop.net}/x",
        "sqlx migrate run --database-url ${APP:-postgres://db.northwind-shop.net/shop}",
        "sqlx migrate run --database-url=${APP:-postgres://db.northwind-shop.net/shop}",
        "sqlx migrate run -D postgres://${H:-db.northwind-shop.net}/shop",
        "goose postgres ${APP:-postgres://db.northwind-shop.net/shop} up",
        "run-tests --db-host ${H:-db.northwind-shop.net}",
        "run-tests --db-host ${NONE:-${H:-db.northwind-shop.net}}",
        "make test DATABASE_URL=${APP:-postgres://db.northwind-shop.net/shop}",
    ] {
        let shown = |readings: &[Reading]| {
            let mut invocation = typed(command);
            invocation.origin = Origin::file("t.sh", "t.sh", 1);
            found(readings, &[invocation], &[]).iter().map(target_line).collect::<Vec<_>>()
        };
        let lines = shown(&[reading(&[]), reading(&known)]);
        assert!(lines.iter().any(|line| line.contains(live)), "{command}: {lines:?}");
        // Where nothing knows the variable, its default is one of the things that it could hold.
        let lines = shown(&[reading(&[("B", "x")])]);
        assert!(lines.iter().any(|line| line.contains("Unexpanded")), "{command}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains(live) && !line.contains("Unexpanded")), "{command}: {lines:?}");
        // A variable that is set everywhere needs no default.
        let lines = shown(&[reading(&known), reading(&[&known[..], &[("NONE", "localhost")]].concat())]);
        assert!(!lines.iter().any(|line| line.contains(live)), "{command}: {lines:?}");
    }
}

#[test]
fn a_tool_that_is_told_a_url_by_a_variable_that_nothing_knows_is_in_doubt() {
    let env = reading(&[("DATABASE_URL", "postgres://localhost/x")]);
    for (command, is_open) in [
        ("sqlx migrate run -D $APP", true),
        ("npx dbmate -u ${APP} up", true),
        ("migrate -path m -database=$APP up", true),
        ("flyway -url=$APP clean", true),
        ("prisma migrate diff --from-url $APP --to-url $DATABASE_URL", true),
        ("sqlx migrate run -D $U", true),
        ("alembic -x url=$APP upgrade head", true),
        ("sqitch deploy db:$APP", true),
        ("sqitch deploy ${APP}", true),
        ("tern migrate --conn-string $APP", true),
        ("atlas schema apply --dev-url=$APP", true),
        ("'sqitch' deploy '$(cat target)'", true),
        ("'sqitch' deploy '${APP:-$(cat target)}'", true),
        ("pgloader $APP $DATABASE_URL", true),
        ("alembic upgrade $REVISION", false),
        ("alembic -x tenant=$APP upgrade head", false),
        ("alembic revision -m $APP", false),
        ("prisma migrate dev --name $APP", false),
        ("dbmate -d db/migrations up", false),
        ("sqlx migrate run -D $DATABASE_URL", false),
        ("curl -u $APP -d $APP", false),
    ] {
        let shown: Vec<String> =
            found(std::slice::from_ref(&env), &[typed(command)], &[]).iter().map(target_line).collect();
        assert_eq!(shown.iter().any(|line| line.contains("Unexpanded")), is_open, "{command}: {shown:?}");
        assert!(shown.iter().any(|line| line == "postgres localhost:5432 x"), "{command}: {shown:?}");
    }
}

/// What a line of a script names, as each of several files sets its variables.
fn in_a_script(readings: &[Reading], command: &str) -> Vec<String> {
    let mut invocation = typed(command);
    invocation.origin = Origin::file("t.sh", "t.sh", 1);
    found(readings, &[invocation], &[]).iter().map(target_line).collect()
}

#[test]
fn each_environment_takes_the_defaults_of_what_it_lacks_and_of_nothing_else() {
    let live = reading(&[("H", "db.northwind-shop.net")]);
    let test = reading(&[("H", "localhost"), ("P", "5432"), ("D", "shop_test")]);
    for (command, expected) in [
        ("psql -h ${H:-localhost} -p ${P:-5432} shop_test", "postgres db.northwind-shop.net:5432 shop_test"),
        ("psql -h ${H:-localhost} -p ${P:-5433} ${D:-shop}", "postgres db.northwind-shop.net:5433 shop"),
        ("psql postgres://${H:-localhost}:${P:-5433}/shop_test", "postgres db.northwind-shop.net:5433 shop_test"),
        ("dbmate -u mysql://${H:-localhost}:${P:-3307}/${D:-shop} up", "mysql db.northwind-shop.net:3307 shop"),
        ("run-tests --db-host ${H:-localhost} --db-port ${P:-5433}", "unknown db.northwind-shop.net:5433 -"),
    ] {
        let lines = in_a_script(&[reading(&[]), live.clone(), test.clone()], command);
        assert!(lines.iter().any(|line| line == expected), "{command}: {lines:?}");
        assert!(lines.iter().all(|line| !line.ends_with(']')), "{command}: {lines:?}");
        // What no environment knows may be set by what is not followed.
        let lines = in_a_script(&[reading(&[]), live.clone()], command);
        assert!(lines.iter().any(|line| line.starts_with(expected)), "{command}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains("Unexpanded")), "{command}: {lines:?}");
    }
}

#[test]
fn a_place_is_reached_though_only_another_environment_knows_the_name() {
    let live = reading(&[("H", "db.northwind-shop.net")]);
    let test = reading(&[("H", "localhost"), ("D", "shop_test")]);
    for command in [
        "psql -h $H -d $D",
        "psql -h $H ${D}",
        "mysql -h$H $D",
        "psql postgres://$H/$D",
        "sqlx migrate run --database-url postgres://$H/$D",
        "node seed.js postgres://$H/$D",
        "node seed.js --url=postgres://$H/$D",
        "run-tests --db-host $H --db-name $D",
    ] {
        let lines = in_a_script(&[reading(&[]), live.clone(), test.clone()], command);
        assert!(lines.iter().any(|line| line.contains("db.northwind-shop.net")), "{command}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains("localhost")), "{command}: {lines:?}");
        // A place that is a target already, and one that is not known, say nothing new.
        let local = [reading(&[]), reading(&[("H", "localhost")]), reading(&[("D", "x")]), test.clone()];
        for readings in [&local[..], &[live.clone(), reading(&[("H", "db.northwind-shop.net"), ("D", "shop")])]] {
            let lines = in_a_script(readings, command);
            assert!(lines.iter().all(|line| !line.ends_with(']')), "{command}: {lines:?}");
        }
    }
    let ambient = [reading(&[("PGHOST", "db.northwind-shop.net")]), reading(&[("PGHOST", "127.0.0.1"), ("D", "x")])];
    let lines = in_a_script(&ambient, "psql -c x $D");
    assert!(lines.iter().any(|line| line.contains("db.northwind-shop.net:5432")), "{lines:?}");
    let lines = in_a_script(&[reading(&[]), ambient[1].clone()], "psql -c x $D");
    assert!(lines.iter().all(|line| line.contains(" 127.0.0.1:5432 ") && !line.ends_with(']')), "{lines:?}");
    let tunnel = [reading(&[("H", "/run/tunnel")]), test.clone()];
    let lines = in_a_script(&tunnel, "psql -h $H -d $D");
    assert!(lines.iter().any(|line| line.contains("/run/tunnel")), "{lines:?}");
    let hosts = [live.clone(), reading(&[("H", "localhost"), ("I", "localhost")])];
    let lines = in_a_script(&hosts, "psql -h $H,$I x");
    assert!(lines.iter().any(|line| line.contains("db.northwind-shop.net")), "{lines:?}");
    let ports = [reading(&[("P", "15432")]), reading(&[("P", "5432"), ("D", "x")])];
    let lines = in_a_script(&ports, "psql -h localhost -p $P $D");
    assert!(lines.iter().any(|line| line.contains("localhost:15432 $D [Unexpanded]")), "{lines:?}");
}

#[test]
fn a_default_that_is_not_known_leaves_a_doubt() {
    let known = [("DATABASE_URL", "postgres://localhost/shop_test"), ("H", "localhost")];
    for command in [
        "psql ${DATABASE_URL:-$NONE}",
        "'psql' '${DATABASE_URL:-$(cat url)}'",
        "'psql' '${DATABASE_URL:-$(heroku config:get DATABASE_URL -a $NONE)}'",
        "'psql' '${DATABASE_URL:-`cat url`}'",
        "'psql' -h '${H:-$(cat host)}' x",
        "sqlx migrate run --database-url ${DATABASE_URL:-$NONE}",
        "sqlx migrate run --database-url '${DATABASE_URL:-$(cat url)}'",
        "sqlx migrate run -D '${DATABASE_URL:-$(cat $NONE)}'",
        "sqlx migrate run -D 'postgres://${H:-$(cat host)}/x'",
        "run-tests --db-host ${H:-$NONE}",
    ] {
        let lines = in_a_script(&[reading(&[]), reading(&known)], command);
        assert!(lines.iter().any(|line| line.contains("localhost") && !line.ends_with(']')), "{command}: {lines:?}");
        assert!(lines.iter().any(|line| line.contains("Unexpanded")), "{command}: {lines:?}");
        let lines = in_a_script(&[reading(&known)], command);
        assert!(lines.iter().all(|line| !line.ends_with(']')), "{command}: {lines:?}");
    }
}

#[test]
fn a_variable_that_a_script_reads_stays_in_doubt_beside_a_default() {
    let mut invocation = typed("sqlx migrate run --database-url ${APP:-postgres://localhost/x}");
    invocation.unknown = vec![(0, "APP".into())];
    let shown: Vec<String> = found(&[reading(&[])], &[invocation], &[]).iter().map(target_line).collect();
    assert!(shown.iter().any(|line| line.contains("Variable")), "{shown:?}");
}

#[test]
fn each_client_names_a_remote_host_by_its_usual_option() {
    for client in clients::all() {
        let name = client.names[0];
        assert!(Engine::named(client.engine).is_some() || client.has_hidden_default, "{name}");
        let of_option = [Means::Host, Means::Server, Means::Url].into_iter().find_map(|wanted| {
            let spelled = client.options.iter().copied().flatten().find(|(_, means)| *means == wanted)?;
            Some(format!("{name} {} db.example.net", spelled.0.split(' ').next()?))
        });
        let of_argument = client.positionals.first().and_then(|means| match means {
            Means::Host | Means::Url => Some(format!("{name} db.example.net")),
            Means::SlashLogin => Some(format!("{name} app/x@db.example.net:1521/shop")),
            _ => None,
        });
        let Some(command) = of_option.or(of_argument) else {
            assert!(client.opens_a_file(), "{name}: nothing names a host");
            continue;
        };
        let targets = found(&[], &[typed(&command)], &[]);
        assert!(targets.iter().any(|target| target_line(target).contains("db.example.net")), "{command}: {targets:?}");
    }
}

#[test]
fn an_option_without_a_value_hides_no_host() {
    let table = [
        "isql -h db.example.net",
        "isql -S db.example.net -U sa",
        "bcp shop.dbo.orders out f -c -S db.example.net",
        "bcp shop.dbo.orders in f -n -w -T -S db.example.net",
        "redis-cli -x -h db.example.net set key",
        "redis-cli --cluster call db.example.net:6379 FLUSHALL",
        "redis-benchmark -n 10 -h db.example.net",
        "pg_dump -b -x -h db.example.net shop",
        "pgbench -d -h db.example.net -c 10 shop",
        "mysql -r -o -h db.example.net shop",
        "mysqlcheck --repair -h db.example.net shop",
        "mariadb-check -A -h db.example.net",
        "mysqlsh app@db.example.net:3306/shop",
        "mysqlsh --sql --uri=app@db.example.net",
        "myloader -d dump -h db.example.net -p x",
        "usql pg://db.example.net/shop",
        "usql my://app@db.example.net/shop",
        "clickhouse-client --max_threads 4 --host db.example.net",
        "cqlsh --debug db.example.net 9042",
        "cqlsh -u app db.example.net",
        "tsql -H db.example.net -p 1433",
        "sqlcmd -E -S tcp:db.example.net,1433",
        "influx -host db.example.net -execute x",
        "influx query --host http://db.example.net:8086 x",
        "cypher-shell -a neo4j://db.example.net:7687",
        "sqlplus -S app/x@//db.example.net/shop",
        "mongoimport --jsonArray -h db.example.net -d shop",
    ];
    for command in table {
        let targets = found(&[], &[typed(command)], &[]);
        assert!(targets.iter().any(|target| target_line(target).contains("db.example.net")), "{command}: {targets:?}");
    }
}

#[test]
fn a_place_that_a_file_elsewhere_names_leaves_a_doubt() {
    for command in
        ["isql shop sa x", "isql", "influx -execute x", "usql", "sqlplus app/x@live", "sqlplus / as", "cqlsh -b a.zip"]
    {
        let targets = found(&[], &[typed(command)], &[]);
        assert!(
            !targets.is_empty() && targets.iter().all(|target| !target.doubts.is_empty()),
            "{command}: {targets:?}"
        );
    }
}

#[test]
fn each_database_that_an_option_lists_counts() {
    let targets = found(&[], &[typed("mysqlcheck -h localhost --databases shop orders")], &[]);
    let names: Vec<_> = targets.iter().map(|target| target.database.as_deref()).collect();
    assert_eq!(names, [Some("shop"), Some("orders")]);
}
