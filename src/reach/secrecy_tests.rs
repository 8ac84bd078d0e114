//! A password, planted wherever a grammar or a mistake puts one, is in no name that a target shows.

use crate::reach::testing::{found, reading};

/// Values of `DATABASE_URL`; `P` is the password.
const VALUES: &str = r#"
postgres://localhost/db;password=P
postgres://localhost/db?password=P
postgres://localhost/db&password=P
postgres://u:P@localhost/db
postgres://u:P@@localhost/db
postgres://u:a/P@localhost/db
postgres://u:a@P/b@localhost/db
postgres://u:a?P@localhost/db
postgres://u:a#P@localhost/db
postgres://u:P localhost/db
postgres://u P@localhost/db
postgres://:P@localhost/db
postgres://localhost/db#P
postgres://localhost/db#password=P
postgres:u:P@localhost/db
postgres:/u:P@localhost/db
postgres//u:P@localhost/db
postgres//u:P@localhost
//u:P@localhost/db
u:P@localhost/db
u:P@localhost
u/P@localhost:1521/XE
u/P@//localhost:1521/XE
u/"P"@//localhost:1521/XE
jdbc:oracle:thin:u/P@//localhost:1521/XE
jdbc:oracle:thin:u/P@localhost:1521:XE
oracle://u:P@h:1521/x
oracle+cx_oracle://u:P@h:1521/?service_name=x
jdbc:teradata://h/DATABASE=db,PASSWORD=P
jdbc:teradata://h/DATABASE=db,USER=u,PASSWORD=P
jdbc:sqlserver://h;databaseName=d;user=u;password=P
jdbc:sqlserver://h;databaseName=d;user=u;password={P;x}
jdbc:mysql://u:P@h/d
jdbc:mysql://h/d?user=u&password=P
jdbc:mysql://(host=h,user=u,password=P)/d
jdbc:mysql://address=(host=h)(port=3306)(user=u)(password=P)/d
jdbc:mysql:loadbalance://u:P@h1,u:P@h2/d
jdbc:h2:mem:x;USER=u;PASSWORD=P
jdbc:h2:file:./x;PASSWORD=P
jdbc:h2:tcp://h/x;PASSWORD=P
jdbc:hsqldb:mem:x;password=P
jdbc:derby://h:1527/x;user=u;password=P
jdbc:derby:x;user=u;password=P
jdbc:db2://h:50000/x:user=u;password=P;
jdbc:informix-sqli://h:1/d:INFORMIXSERVER=x;user=u;password=P
jdbc:sybase:Tds:h:5000/d?USER=u&PASSWORD=P
jdbc:redshift://h/d?UID=u&PWD=P
jdbc:snowflake://a.snowflakecomputing.com/?user=u&password=P
jdbc:clickhouse://u:P@h/d
jdbc:sqlite:x.db?password=P
jdbc:sqlite:x.db;password=P
jdbc:firebirdsql://h/d?user=u&password=P
jdbc:sap://h:1/?databaseName=d&password=P
jdbc:unknown://u:P@h/d
jdbc:postgresql://h/d;password=P
jdbc:postgresql://u:P@h/d
sqlite://x.db;Password=P
sqlite:x.db;Password=P
sqlite:///x.db?password=P
sqlite:///x.db?key=P
sqlite://user:P@host/x
sqlite://user:a/P@host/x
sqlite:user:P@host/x
file:x.db?key=P
file:user:P@host/x.db
file:x.db;password=P
x.db;Password=P
./x.db?password=P
Data Source=x.db;Password=P
Data Source=h;Initial Catalog=d;User ID=u;Password=P
Data Source=h;Database=d;Pwd="P;x"
Server=h,1433;Database=d;Uid=u;Pwd=P
Server=h;Database=d;Uid=u;Pwd = P
Server=h Database=d Uid=u Pwd=P
Server=h,Database=d,Uid=u,Pwd=P
Server=h|Database=d|Pwd=P
Host=h;Username=u;Password=P;Database=d
Driver={ODBC};Server=h;UID=u;PWD={P}
Provider=X;Data Source=h;Jet OLEDB:Database Password=P
AccountEndpoint=https://h/;AccountKey=P;
AccountEndpoint=https://h/;AccountKey=P==;Database=x
Endpoint=sb://h/;SharedAccessKeyName=x;SharedAccessKey=P
DefaultEndpointsProtocol=https;AccountName=a;AccountKey=P
host=h user=u password=P dbname=d
host=h user=u password='P x' dbname=d
host=h user=u dbname=d password='P'
host=h user=u password=a\ P dbname=d
host = h password = P
host=h,password=P
dbname=d password=P
psql "host=h password=P"
psql postgres://u:P@h/d
psql -h h -U u -W P d
DATABASE_URL=postgres://u:P@h/d
"postgres://u:P@h/d
'postgres://u:P@h/d
<postgres://u:P@h/d>
postgres://u:P@h/d,postgres://v:P@g/e
postgres://u:P@h/d postgres://v:P@g/e
postgres://u:P@h1,h2/d
postgres://u:P@h1,u:P@h2/d
mongodb://u:P@h/d
mongodb+srv://u:P@h/d?authMechanismProperties=AWS_SESSION_TOKEN:P
mongodb://u:P/x@h/d
redis://P@h
redis://:P@h:6379/0
redis://h:6379/0?password=P
redis://h:6379,password=P
h:6379,password=P,ssl=True
h:6379,password=P
rediss://default:P@h
amqp://u:P@h/v
amqps://u:P@a,u:P@b/v
clickhouse://h:9000?username=u&password=P
http://h:8123/?user=u&password=P
https://u:P@h/d
https://P@h/d
https://h/d?apikey=P
https://h/d?authToken=P
libsql://h?authToken=P
libsql://h/?authToken=P&x=1
turso://h?tls=0&auth_token=P
prisma://accelerate.prisma-data.net/?api_key=P
prisma+postgres://accelerate.prisma-data.net/?api_key=P
prisma+postgres://localhost:51213/?api_key=P
neo4j://u:P@h
bolt://u:P@h
cassandra://u:P@h/k
couchbase://u:P@h
snowflake://u:P@a/d/s?warehouse=w
bigquery://p/d?credentials_base64=P
databricks://token:P@h?http_path=x
mssql+pyodbc://u:P@dsn
sqlserver://u:P@h?database=d
sqlserver://h;password=P;database=d
sqlserver://h:1433;user=u;pwd=P
mssql://u:P@h/d?encrypt=true
u:P@tcp(h:3306)/d
u:P@unix(/tmp/x.sock)/d
u:P@/d
u:P@(h)/d
u:P@h(3306)/d
mysql:host=h;dbname=d;password=P
mysql:host=h;dbname=d;user=u;pwd=P
pgsql:host=h;dbname=d;password=P
sqlsrv:Server=h;Database=d;PWD=P
mysql://u:P@tcp(h:3306)/d
mysql2://u:P@h/d
mysql://u:P@h:port/d
mysql://u:P@/d
mysql:u:P@h/d
postgres://${U}:P@h/d
postgres://${U:-u:P@h}/d
postgres://${U:-u}:${PW:-P}@${H:-h}/d
${DB:-postgres://u:P@h/d}
${DATABASE_PASSWORD:-P}
${PASSWORD:-P}
$(echo P)
{{ password | default('P') }}
{{ 'P' }}
<%= ENV['X'] || 'postgres://u:P@h/d' %>
postgres://u:<%= 'P' %>@h/d
postgres://<user>:P@<host>/d
postgres://u:P@<host>/<db>
postgres://user:P@HOST:PORT/DATABASE
newdb://u:P@h/d
newdb:u:P@h
tcp://u:P@h:5432
unix://u:P@/tmp/x
{"host":"h","user":"u","password":"P"}
{"username":"u","password":"P","engine":"postgres","host":"h","dbname":"d"}
{'password': 'P'}
postgres://u:P%40x@h/d
postgres://u:P%ZZ@h/d
postgres://u:P\@h/d
postgres:\\u:P@h\d
postgres://u:[P@h/d
postgres://u:P]@[::1]/d
postgres://[u:P@h]/d
postgres://u:P@[::1/d
arn:aws:secretsmanager:eu-west-1:1:secret:P
(DESCRIPTION=(ADDRESS=(HOST=h)(PORT=1))(CONNECT_DATA=(SID=x)(PASSWORD=P)))
u/P@(DESCRIPTION=(ADDRESS=(HOST=h)))
u/P@XE
sys/P@h as sysdba
user=u password=P
Password=P
password: P
ghp_PPPPPPPP
Bearer PPPPPPPP
-----BEGIN PRIVATE KEY----- P
https://h/x?sig=P
https://h/x?X-Amz-Signature=P
ldap://u:P@h
ftp://u:P@h
s3://AK:P@b
smtp://u:P@h
"#;

/// What stands under a wrong name: a URL in the place of a host, a login in that of a database.
const MISPLACED: &str = r#"
https://x.y/z?api_key=P
//u:P@h
u:P@h
u:P@h:5432/d
postgres://u:P@h/d
postgres://h/d?password=P
d;password=P
d?password=P
d password=P
{"password":"P"}
a@b:P@h
${X:-u:P@h}
${DB_PASSWORD:-P}
ghp_PPPPPP
password=P
key: P
Server=h;Password=P
/tmp/u:P@h
/tmp/x;password=P
"#;

const NAMES: &str = "DB_HOST DB_DATABASE DB_USERNAME DB_PORT DB_SOCKET DB_CONNECTION DB_OPTIONS PGHOST PGDATABASE \
    PGUSER PGSERVICE PGSSLCERT MYSQL_HOST MONGO_HOST REDIS_HOST INSTANCE_CONNECTION_NAME DB_MASTER CLICKHOUSE_HOSTS \
    KAFKA_BROKERS DYNAMODB_ENDPOINT ES_HOST TNS_ADMIN DATABASE DATABASE_FILE SQLITE_PATH DB_DSN";

const PASSWORD: &str = "Zq7Vx9Kp2Lm4";

fn planted(template: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    let mut out = String::new();
    for (at, letter) in template.char_indices() {
        let alone = !is_part(template[..at].chars().next_back()) && !is_part(template[at + 1..].chars().next());
        let repeated = template[at..].starts_with("PP") || template[..at].ends_with("PP");
        out.push_str(if letter == 'P' && (alone || repeated) { PASSWORD } else { &template[at..=at] });
    }
    out
}

#[track_caller]
fn expect_none_shown(name: &str, template: &str) {
    let value = planted(template);
    assert!(value.contains(PASSWORD), "{template}");
    for target in found(&[reading(&[(name, &value)])], &[], &[]) {
        let shown = format!("{target:?} {} {}", target.shown(), target.address());
        assert!(!shown.to_ascii_lowercase().contains(&PASSWORD.to_ascii_lowercase()), "{name}={template}: {shown}");
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty())
}

#[test]
fn no_form_of_a_value_shows_its_password() {
    assert!(lines(VALUES).count() > 170);
    lines(VALUES).for_each(|template| expect_none_shown("DATABASE_URL", template));
}

#[test]
fn no_value_under_a_wrong_name_shows_its_password() {
    for name in NAMES.split(' ') {
        lines(MISPLACED).for_each(|template| expect_none_shown(name, template));
    }
}
