//! The clients of the other databases.

use crate::tools::clients::row::Means::{
    Database, Elsewhere, File, Flag, Host, Hosts, Password, Port, Server, SlashLogin, Socket, TwoValues, Url, User,
    Value,
};
use crate::tools::clients::row::{Client, Options, client};

const MONGODB: Options = &[
    ("-h --host", Host),
    ("--port", Port),
    ("-u --username", User),
    ("-p --password", Password),
    ("--uri", Url),
    ("-d --db", Database),
    ("-f --eval --file --authenticationDatabase --authenticationMechanism --tlsCAFile --sslCAFile", Value),
    ("--tlsCertificateKeyFile --collection --out --query --archive --type --fields --apiVersion --config", Value),
    ("--tlsCertificateKeyFilePassword --sslPEMKeyPassword --awsSecretAccessKey --awsSessionToken", Password),
];
const MONGODB_TOOLS: Options = &[("-c -o -q -j", Value)];

const REDIS: Options = &[
    ("-h", Host),
    ("-p", Port),
    ("-u", Url),
    ("-s", Socket),
    ("-a --pass", Password),
    ("--user", User),
    ("-n", Database),
    // `redis-cli --cluster call 10.0.0.1:6379 FLUSHALL`
    ("--cluster", Hosts),
    ("-r -i -d -D -X -t --rdb --eval --pattern --sni --cacert --cacertdir --cert --key --lru-test", Value),
];
const REDIS_BENCHMARK: Options = &[("--dbnum", Database), ("-c -n -d -k -r -P -t --threads --precision --seed", Value)];

const SQLCMD: Options = &[
    ("-S --server", Server),
    ("-d --database-name", Database),
    ("-U --user-name", User),
    ("-P", Password),
    // A new password.
    ("-z -Z", Password),
    ("-q -Q -i -o -v -l -t -h -s -w -a -m -V -H -K -c -f -y -Y --query --input-file --output-file", Value),
    ("--driver-logging-level --screen-width --login-timeout --query-timeout --variables", Value),
];
const BCP: Options = &[
    ("-S", Server),
    ("-d", Database),
    ("-U", User),
    ("-P", Password),
    ("-a -b -C -e -f -F -h -i -K -l -L -m -o -r -t -V", Value),
];
// FreeTDS' tsql; the isql of unixODBC and of Sybase.
const TSQL: Options = &[
    ("-H", Host),
    ("-S", Server),
    ("-p", Port),
    ("-U", User),
    ("-P", Password),
    ("-D", Database),
    ("-I -J -t -r -o", Value),
];
const ISQL: Options = &[
    ("-h -H", Host),
    ("-S", Server),
    ("-p", Port),
    ("-U", User),
    ("-P", Password),
    ("-D", Database),
    ("-k", Elsewhere),
    ("-i -o -l -m -s -t", Value),
];

const SQLITE: Options = &[
    ("-lookaside -pagecache --lookaside --pagecache", TwoValues),
    ("-cmd -init -separator -newline -nullvalue -vfs -maxsize -mmap -heap -escape -key -textkey -hexkey", Value),
    ("--cmd --init --separator --newline --nullvalue --vfs --maxsize --mmap --heap --escape --key", Value),
    ("--textkey --hexkey", Value),
];
const DUCKDB: Options = &[("-c -s -f -storage-version --storage-version", Value)];
const LITECLI: Options = &[("-R -l -e --prompt --logfile --execute --liteclirc", Value)];

const CLICKHOUSE: Options = &[
    ("-h --host", Host),
    ("--port", Port),
    ("-u --user", User),
    ("-p --password", Password),
    ("-d --database", Database),
    ("--connection", Elsewhere),
    ("-q -f -C --query --format --queries-file --config-file --history_file --param_name", Value),
];
const CQLSH: Options = &[
    ("-u --username", User),
    ("-p --password", Password),
    ("-k --keyspace", Database),
    ("-b --secure-connect-bundle", Elsewhere),
    ("-e -f --execute --file --encoding --cqlshrc --credentials --cqlversion --protocol-version --browser", Value),
    ("--connect-timeout --request-timeout --coverage", Value),
];
const CYPHER: Options = &[
    ("-a --address --uri", Url),
    ("-u --username", User),
    ("-p --password --change-password", Password),
    ("-d --database", Database),
    ("-f -P --file --param --format --encryption --log --sample-rows --history", Value),
];
const INFLUX: Options = &[
    ("-host --host", Url),
    ("-port --port", Port),
    ("-username --username", User),
    ("-password --password -t --token", Password),
    ("-database --database -b --bucket", Database),
    ("-c --active-config --configs-path -socket --unsocket", Elsewhere),
    ("-execute --execute -o --org --org-id --bucket-id -precision --precision -format --format -f --file", Value),
];
const ORACLE: Options = &[("-C -M -R", Value), ("-S -L -F -V -H", Flag)];

pub(super) const CLIENTS: &[Client] = &[
    client(&["mongosh", "mongo"], "mongodb", &[MONGODB], &[Database]),
    client(
        &["mongodump", "mongorestore", "mongoimport", "mongoexport", "mongostat", "mongotop", "mongofiles"],
        "mongodb",
        &[MONGODB_TOOLS, MONGODB],
        &[],
    ),
    client(&["redis-cli", "valkey-cli", "keydb-cli"], "redis", &[REDIS], &[]),
    client(&["redis-benchmark", "valkey-benchmark"], "redis", &[REDIS_BENCHMARK, REDIS], &[]),
    client(&["sqlcmd"], "sqlserver", &[SQLCMD], &[]),
    client(&["bcp"], "sqlserver", &[BCP], &[]),
    client(&["tsql"], "sqlserver", &[TSQL], &[]),
    Client { has_hidden_default: true, ..client(&["isql"], "unknown", &[ISQL], &[Elsewhere, User, Password]) },
    Client { one_dash: true, ..client(&["sqlite3", "sqlite", "sqlcipher"], "sqlite", &[SQLITE], &[File]) },
    client(&["litecli"], "sqlite", &[LITECLI], &[File]),
    Client { one_dash: true, ..client(&["duckdb"], "duckdb", &[DUCKDB, SQLITE], &[File]) },
    client(&["clickhouse-client"], "clickhouse", &[CLICKHOUSE], &[]),
    client(&["cqlsh"], "cassandra", &[CQLSH], &[Host, Port]),
    client(&["cypher-shell"], "neo4j", &[CYPHER], &[]),
    Client { one_dash: true, has_hidden_default: true, ..client(&["influx"], "unknown", &[INFLUX], &[]) },
    Client {
        has_hidden_default: true,
        ..client(&["sqlplus", "sqlldr", "impdp", "expdp", "rman"], "oracle", &[ORACLE], &[SlashLogin])
    },
];
