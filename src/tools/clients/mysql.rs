//! The programs of MySQL and MariaDB.

use crate::tools::clients::row::Means::{
    Database, Databases, Elsewhere, Host, JoinedPassword, OptionFile, Password, Port, Socket, Url, User, Value,
};
use crate::tools::clients::row::{Client, Options, client};

const SHARED: Options = &[
    ("-h --host", Host),
    ("-P --port", Port),
    ("-u --user", User),
    ("-p --password", JoinedPassword),
    ("-S --socket", Socket),
    ("--defaults-file --defaults-extra-file", OptionFile),
    // What these name lies in a file that is scrambled (`.mylogin.cnf`), or in a group of it that is not read here.
    ("--login-path --defaults-group-suffix", Elsewhere),
    ("--protocol --default-character-set --max-allowed-packet --plugin-dir --default-auth --connect-timeout", Value),
    ("--ssl-ca --ssl-mode --ssl-cipher --tls-version --character-sets-dir --net-buffer-length", Value),
];

const MYSQL: Options =
    &[("-D --database", Database), ("-e --execute --delimiter --init-command --prompt --pager --tee", Value)];
const MYCLI: Options = &[
    ("-D --database", Database),
    // It takes the password from the next word, too.
    ("-p --pass --password", Password),
    ("-d --dsn", Elsewhere),
    ("-e -l -R -g --execute --logfile --prompt --myclirc --init-command --charset --login-path-file", Value),
];
const DUMP: Options = &[
    ("-B --databases", Databases),
    ("-r -T -w --result-file --tab --where --ignore-table --ignore-database --fields-terminated-by", Value),
    ("--fields-enclosed-by --fields-escaped-by --lines-terminated-by --master-data --source-data", Value),
];
const IMPORT: Options = &[("-c --columns --fields-terminated-by --fields-enclosed-by --ignore-lines", Value)];
const CHECK: Options = &[("-B --databases", Databases)];
const SLAP: Options = &[
    ("--create-schema", Database),
    (
        "-c -e -F -i -q -x -y --concurrency --engine --delimiter --iterations --query --create --number-of-queries",
        Value,
    ),
];
const ADMIN: Options = &[("-c -i -O --count --sleep --wait", Value)];
const SHELL: Options = &[
    ("--uri", Url),
    ("-D --database --schema", Database),
    ("-e -f --execute --file --log-level --result-format --dbpassword", Value),
];
const DUMPER: Options = &[
    ("-p --password", Password),
    ("-B --database", Database),
    (
        "-o -d -T -x -t -s -F -r -O -L -m --outputdir --directory --tables-list --regex --threads --rows --logfile",
        Value,
    ),
    ("-q --queries-per-transaction --source-db --omit-from-file --statement-size --chunk-filesize", Value),
];

pub(super) const CLIENTS: &[Client] = &[
    client(&["mysql", "mariadb"], "mysql", &[MYSQL, SHARED], &[Database]),
    client(&["mycli"], "mysql", &[MYCLI, SHARED], &[Database]),
    client(&["mysqldump", "mariadb-dump", "mysqlpump"], "mysql", &[DUMP, SHARED], &[Database]),
    client(&["mysqlimport", "mariadb-import"], "mysql", &[IMPORT, SHARED], &[Database]),
    client(
        &["mysqlcheck", "mariadb-check", "mysqlanalyze", "mysqlrepair", "mysqloptimize"],
        "mysql",
        &[CHECK, SHARED],
        &[Database],
    ),
    client(&["mysqlshow", "mariadb-show"], "mysql", &[SHARED], &[Database]),
    client(&["mysqlslap", "mariadb-slap"], "mysql", &[SLAP, SHARED], &[]),
    client(&["mysql_upgrade", "mariadb-upgrade", "mysqlbinlog", "mariadb-binlog"], "mysql", &[SHARED], &[]),
    Client { takes_commands: true, ..client(&["mysqladmin", "mariadb-admin"], "mysql", &[ADMIN, SHARED], &[]) },
    client(&["mysqlsh"], "mysql", &[SHELL, SHARED], &[Url]),
    client(&["mydumper", "myloader"], "mysql", &[DUMPER, SHARED], &[]),
];
