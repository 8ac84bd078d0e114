//! PostgreSQL's own programs, and those that take the same options. Not `pg_isready`, which never logs in: it names no
//! database that could be lost, and scripts wait by it for a server that is yet to come.

use crate::tools::clients::row::Means::{Database, Elsewhere, Flag, Host, Port, Url, User, Value};
use crate::tools::clients::row::{Client, Options, client};

const SHARED: Options = &[
    ("-h --host", Host),
    ("-p --port", Port),
    ("-U --username", User),
    ("-d --dbname --maintenance-db", Database),
    ("--encoding --locale --lc-collate --lc-ctype --owner --tablespace --template --role --superuser", Value),
    ("--jobs --schema --exclude-schema --table --exclude-table --index --parallel --timeout --file --format", Value),
    ("--exclude-table-data --exclude-database --exclude-extension --extension --compress --section --snapshot", Value),
    ("--lock-wait-timeout --connection-limit --client --time --scale --transactions --protocol", Value),
];

const PSQL: Options = &[
    ("-c -f -F -L -o -P -R -T -v --command --set --variable --output --log-file --field-separator", Value),
    ("--record-separator --pset --table-attr", Value),
];
const PGCLI: Options = &[("-u --user", User), ("-D --dsn", Elsewhere), ("--prompt", Value)];
const DUMP: Options = &[("-e -E -f -F -j -n -N -S -t -T -Z --filter --extra-float-digits --rows-per-insert", Value)];
const DUMP_ALL: Options = &[("-l --database", Database), ("-E -f -S --filter --extra-float-digits", Value)];
const RESTORE: Options = &[("-f -F -I -j -L -n -N -P -S -t -T --function --trigger --use-list", Value)];
const CREATE_DB: Options = &[("-D -E -l -O -S -T --locale-provider --icu-locale --icu-rules --strategy", Value)];
const MAINTENANCE: Options = &[("-i -j -n -N -P -S -t --min-mxid-age --min-xid-age --buffer-usage-limit", Value)];
const CLUSTER: Options = &[("-t", Value)];
const CHECK: Options = &[("-D -i -I -j -P -r -R -S -t -T --exclude-index --relation --exclude-relation", Value)];
// Before version 17 `-d` switches debugging on.
const BENCH: Options = &[
    ("-d --debug", Flag),
    ("-b -c -D -f -F -I -j -L -M -P -R -s -t -T --builtin --define --fillfactor --init-steps --threads", Value),
    ("--latency-limit --progress --rate --random-seed --sampling-rate --aggregate-interval --max-tries", Value),
    ("--log-prefix --index-tablespace --partitions --partition-method", Value),
];
const CREATE_USER: Options = &[("-c -g -m -a -v --member-of --with-admin --with-member --valid-until", Value)];

const COCKROACH: Options = &[
    ("--url", Url),
    ("--host", Host),
    ("-p --port", Port),
    ("-d --database", Database),
    ("-u --user", User),
    ("-e -f --execute --file --format --certs-dir --set --watch --cluster-name --join --store", Value),
];

// It takes a DSN, and options for everything else.
const USQL: Options = &[
    ("-c -f -o -v -P -F -R -T --command --file --out --set --variable --pset --field-separator", Value),
    ("--record-separator --table-attr --config --init", Value),
];

pub(super) const CLIENTS: &[Client] = &[
    client(&["psql"], "postgres", &[PSQL, SHARED], &[Database, User]),
    client(&["pgcli"], "postgres", &[PGCLI, SHARED], &[Database, User]),
    client(&["pg_dump"], "postgres", &[DUMP, SHARED], &[Database]),
    client(&["pg_dumpall"], "postgres", &[DUMP_ALL, SHARED], &[]),
    // The positional argument is the archive.
    client(&["pg_restore"], "postgres", &[RESTORE, SHARED], &[]),
    client(&["createdb"], "postgres", &[CREATE_DB, SHARED], &[Database]),
    client(&["dropdb"], "postgres", &[SHARED], &[Database]),
    client(&["vacuumdb", "reindexdb"], "postgres", &[MAINTENANCE, SHARED], &[Database]),
    client(&["clusterdb"], "postgres", &[CLUSTER, SHARED], &[Database]),
    client(&["pgbench"], "postgres", &[BENCH, SHARED], &[Database]),
    client(&["pg_amcheck"], "postgres", &[CHECK, SHARED], &[Database]),
    client(&["createuser", "dropuser"], "postgres", &[CREATE_USER, SHARED], &[]),
    client(&["cockroach"], "cockroach", &[COCKROACH], &[]),
    Client { has_hidden_default: true, ..client(&["usql"], "unknown", &[USQL], &[Url]) },
];
