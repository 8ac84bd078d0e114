//! Commands with secrets in every form that is known, and those beside them that have none.

use super::*;
use std::os::unix::ffi::OsStringExt;

fn shown(line: &[&str]) -> String {
    let words: Vec<OsString> = line.iter().map(OsString::from).collect();
    redact_command(&words, &[Secret::new("t0psecret")]).join(" ")
}

#[test]
fn passwords_in_a_command_are_masked() {
    let cases: [(&[&str], &str); 50] = [
        (&["npm", "test"], "npm test"),
        (&["x", "--password=hunter2"], "x --password=***"),
        (&["x", "--password", "hunter2", "db"], "x --password *** db"),
        (&["x", "-password", "hunter2"], "x -password ***"),
        (&["mysql", "-uroot", "-phunter2", "shop"], "mysql -uroot -p*** shop"),
        (&["mysql", "-p", "shop"], "mysql -p shop"),
        (&["/usr/bin/mariadb-dump", "-phunter2"], "/usr/bin/mariadb-dump -p***"),
        (&["docker", "compose", "exec", "db", "mysql", "-phunter2"], "docker compose exec db mysql -p***"),
        (&["docker", "run", "-p", "5432:5432", "postgres"], "docker run -p 5432:5432 postgres"),
        (&["mongosh", "-u", "app", "-p", "hunter2"], "mongosh -u app -p ***"),
        (&["sqlcmd", "-U", "sa", "-P", "hunter2"], "sqlcmd -U sa -P ***"),
        (&["redis-cli", "-a", "hunter2", "ping"], "redis-cli -a *** ping"),
        (&["sqlplus", "app/hunter2@db"], "sqlplus app/***@db"),
        (&["curl", "-u", "me:hunter2", "http://localhost"], "curl -u me:*** http://localhost"),
        (&["curl", "-H", "Authorization: Bearer abc.def"], "curl -H Authorization: ***"),
        (&["env", "PGPASSWORD=hunter2", "psql"], "env PGPASSWORD=*** psql"),
        (&["docker", "run", "-e", "SECRET_KEY=a b", "x"], "docker run -e SECRET_KEY=*** x"),
        (&["env", "MYSQL_PWD=hunter2", "DB_PASS=x", "authToken=y"], "env MYSQL_PWD=*** DB_PASS=*** authToken=***"),
        (&["env", "PASSWORD=", "true"], "env PASSWORD= true"),
        (&["psql", "postgres://app:hunter2@localhost/app"], "psql postgres://app:***@localhost/app"),
        (&["psql", "postgres://app:hun/t@er2@localhost/app"], "psql postgres://app:***@localhost/app"),
        (&["redis-cli", "-u", "redis://:hunter2@localhost"], "redis-cli -u redis://:***@localhost"),
        (&["git", "clone", "https://ghp_abc@github.com/x/y"], "git clone https://***@github.com/x/y"),
        (&["psql", "postgres://app@localhost/app"], "psql postgres://app@localhost/app"),
        (&["x", "DATABASE_URL=mysql://a:b@h/d"], "x DATABASE_URL=mysql://a:***@h/d"),
        (&["x", "mongodb://a:b@h/d,mongodb://c:d@h/e"], "x mongodb://a:***@h/d,mongodb://c:***@h/e"),
        (&["psql", "host=h password=hunter2 dbname=d"], "psql host=h password=*** dbname=d"),
        (&["x", "Server=h;Password=a b;Database=d"], "x Server=h;Password=***;Database=d"),
        (&["x", "jdbc:postgresql://h/d?user=a&password=b&ssl=1"], "x jdbc:postgresql://h/d?user=a&password=***&ssl=1"),
        (&["x", r#"{"user":"a","password":"b c","n":1}"#], r#"x {"user":"a","password":***,"n":1}"#),
        (&["sh", "-c", "PGPASSWORD='a b' psql -c 'select 1'"], "sh -c PGPASSWORD=*** psql -c 'select 1'"),
        (&["bash", "-lc", "cd x; mysql -phunter2 shop | wc"], "bash -lc cd x; mysql -p*** shop | wc"),
        (&["jest", "--passWithNoTests", "src/a"], "jest --passWithNoTests src/a"),
        (&["pytest", "-k", "token", "--keepdb"], "pytest -k token --keepdb"),
        (&["echo", "at0psecret,t0psecret"], "echo a***,***"),
        (&["x", "http://localhost:3000/a?mail=b"], "x http://localhost:3000/a?mail=b"),
        (&["mysql", "-vphunter2", "shop"], "mysql -vp*** shop"),
        (&["mysqltest", "-phunter2"], "mysqltest -p***"),
        (&["mycli", "-p", "hunter2", "shop"], "mycli -p *** shop"),
        (&["docker", "exec", "mysql", "sh", "-c", "mysql -phunter2 x"], "docker exec mysql sh -c mysql -p*** x"),
        (&["curl", "-ume:hunter2", "--user=me:hunter2"], "curl -ume:*** --user=me:***"),
        (&["sqlldr", "userid=app/hunter2@db", "control=/a/b"], "sqlldr userid=app/***@db control=/a/b"),
        (&["isql", "-v", "shop", "sa", "hunter2"], "isql -v shop sa ***"),
        (&["isql", "-l", "C", "shop", "sa", "hunter2"], "isql -l C shop sa ***"),
        (&["tsql", "-S", "s", "-P", "hunter2"], "tsql -S s -P ***"),
        (&["influx", "-password", "hunter2"], "influx -password ***"),
        (&["cypher-shell", "-phunter2"], "cypher-shell -p***"),
        (&["psql", "-c", "alter user a password 'hun ter2'"], "psql -c alter user a password ***"),
        (&["mysql", "-e", "create user a identified by 'hunter2'"], "mysql -e create user a identified by ***"),
        (&["x", "Bearer abcdefgh.ijkl"], "x Bearer ***"),
    ];
    for (line, expected) in cases {
        assert_eq!(shown(line), expected, "{line:?}");
    }
}

#[test]
fn bytes_that_are_not_text_are_shown_escaped() {
    let words = [OsString::from_vec(b"a\xff\xfeb".to_vec())];
    assert_eq!(redact_command(&words, &[]), ["a\\xff\\xfeb"]);
}

#[test]
fn a_very_long_command_is_cut() {
    let long = vec![OsString::from("ä".repeat(6000)); 20];
    let shown = redact_command(&long, &[]);
    assert!(shown[0].ends_with("… (3808 bytes more)"), "{}", shown[0]);
    assert_eq!(shown.last().unwrap(), "… (13 arguments more)");
    assert!(shown.concat().len() < LONGEST_COMMAND + 100);
}

/// Commands with a secret, `P` in each, which is nowhere in what is shown; the rest of the command is.
const WITH_SECRETS: &str = r#"
7z a -pP x.7z f
ab -A u:P http://localhost/
ansible all -e db_password=P
ansible-playbook site.yml -e '{"db_password":"P"}'
ansible-playbook -e 'ansible_password=P user=x' site.yml
alembic -x password=P upgrade head
aws configure set aws_secret_access_key P
aws configure set default.aws_session_token P
aws --profile x configure set aws_secret_access_key P
aws secretsmanager create-secret --name x --secret-string P
aws secretsmanager put-secret-value --secret-id x --secret-string P
aws ssm put-parameter --name x --type SecureString --value P
aws rds create-db-instance --master-user-password P
az login --service-principal -u u -p P
az keyvault secret set --vault-name v --name n --value P
az storage blob list --account-key P
az storage blob list --sas-token P
az storage blob list --connection-string AccountName=a;AccountKey=P
bw unlock P
bw login me@x.net P
cargo login P
cargo publish --token P
cf login -u u -p P
composer config http-basic.repo.net u P
composer config github-oauth.github.com P
consul kv put x/y P
curl -u u:P http://localhost/
curl -uu:P http://localhost/
curl -sSfu u:P http://localhost/
curl --user u:P http://localhost/
curl --user=u:P http://localhost/
curl -H 'X-Api-Key: P' http://localhost/
curl -HX-Api-Key:P http://localhost/
curl -H 'Authorization: Bearer P' http://localhost/
curl -H 'Authorization: Token P, x' http://localhost/
curl -H 'Cookie: a=P; b=P' http://localhost/
curl -H 'Set-Cookie: a=P, b=P' http://localhost/
curl -b session=P http://localhost/
curl --cookie session=P http://localhost/
curl --oauth2-bearer P http://localhost/
curl --proxy-user u:P http://localhost/
curl -x http://u:P@proxy:3128 http://localhost/
curl -E cert.pem:P http://localhost/
curl --pass P --key k.pem http://localhost/
curl -d password=P http://localhost/
curl -d 'user=a&password=P' http://localhost/
curl -d '{"user":"a","password":"P"}' http://localhost/
curl -F token=P http://localhost/
curl 'https://h.net/x?sig=P'
curl 'https://h.net/x?sp=r&sv=2&sig=P'
curl 'https://h.net/x?X-Amz-Signature=P&x=1'
curl 'https://h.net/x?X-Amz-Security-Token=P'
curl 'https://h.net/x?Signature=P'
curl 'https://h.net/x?access_token=P'
curl 'https://h.net/x?code=P'
curl 'https://h.net/x?api_key=P#x'
curl https://P@h.net/x
curl https://hooks.slack.com/services/P/P
cypher-shell -u u -p P
docker login -u u -p P
docker login -u u -pP registry
docker login --password P registry
podman login -p P quay.io
helm registry login h -u u -p P
helm upgrade a b --set auth.password=P
helm upgrade a b --set x=1,auth.password=P,y=2
docker run -e POSTGRES_PASSWORD=P postgres
docker run -ePOSTGRES_PASSWORD=P postgres
docker run --env MYSQL_ROOT_PASSWORD=P mysql
docker build --build-arg NPM_TOKEN=P .
docker exec db mysql -uroot -pP
docker exec db sh -c 'mysql -pP x'
doppler secrets set ANY=P
dotnet user-secrets set ConnectionStrings:X P
dotnet nuget push x.nupkg -k P
dotnet nuget push x.nupkg --api-key P
dotnet test -- Db.Password=P
env JWT=P node x.js
env DATABASE_URL=postgres://u:P@h/d node x.js
etcdctl --user u:P get x
flask run --secret P
fly secrets set ANY=P
flyway -password=P migrate
flyway -password P migrate
flyway -url=jdbc:mysql://h/d?password=P migrate
gcloud sql users set-password u --password=P
gh secret set NAME --body P
gh secret set NAME -b P
gh api -H 'Authorization: token P' x
git clone https://P@h.net/a
git clone https://u:P@h.net/a
git -c http.extraHeader='Authorization: Basic P' fetch
git -c http.extraHeader='X-Token: P' fetch
git config x.token P
git remote set-url origin https://u:P@h.net/a
glab auth login -t P
glab auth login --token P
goose postgres 'user=u password=P dbname=d' up
gpg --batch --passphrase P -d x
gradle -PdbPassword=P test
grpcurl -H 'authorization: Bearer P' h:1 list
htpasswd -b f u P
htpasswd -nb u P
http -a u:P GET h
http --auth u:P GET h
http --auth=u:P GET h
http POST h password=P
http POST h X-Api-Key:P
ibmcloud login --apikey P
impdp u/P@db
influx -t P
influx --token P
ipmitool -I lanplus -H h -U u -P P power
isql dsn u P
java -Djavax.net.ssl.keyStorePassword=P -jar x.jar
java -jar x.jar --spring.datasource.password=P
jupyter --NotebookApp.token=P
kcadm.sh config credentials --user u --password P
keytool -list -storepass P
keytool -keypass P -list
kubectl create secret generic x --from-literal=any=P
kubectl create secret generic mysql --from-literal=any=P
kubectl create secret generic x --from-literal any=P
kubectl create secret docker-registry x --docker-password=P
kubectl --token=P get x
kubectl exec p -- mysql -pP
kubectl exec p -- redis-cli -a P ping
ldapsearch -x -D cn=a -w P
lftp -u u,P h
liquibase --password P update
mc alias set a http://h AK P
migrate -database postgres://u:P@h/d up
mongosh mongodb://u:P@h/d
mongosh --eval 'db.auth("u", "P")'
mongosh --eval 'db.createUser({user:"u",pwd:"P"})'
mongodump --uri=mongodb://u:P@h
mosquitto_pub -h h -u u -P P -t t
mount -o username=u,password=P //h/s /m
mvn -Ddb.password=P test
mysql -uroot -pP shop
mysql --password P
mysql --password=P shop
mysql -e 'alter user a identified by "P"'
mysql -e "set password for a = 'P'"
mysql -e "set password for a = password('P')"
mysqladmin -u root password P
mysqlsh --uri u:P@h:3306
mysqlsh u:P@h:3306
newman run x --env-var token=P
ngrok authtoken P
ngrok config add-authtoken P
npm config set //registry.npmjs.org/:_authToken=P
npm config set //registry.npmjs.org/:_authToken P
npm set //r.net/:_authToken P
npm publish --otp=P
npm publish --otp P
npx sequelize db:migrate --url mysql://u:P@h/d
oc login -p P
oc login --token=P
openssl rsa -in k -passin pass:P
openssl enc -aes-256-cbc -pass pass:P
openssl enc -aes-256-cbc -k P
openssl passwd -1 -salt x P
pg_dump --dbname=postgresql://u:P@h/d
pg_dump 'host=h user=u password=P'
php artisan x --db-pass=P
plink -pw P h
poetry config http-basic.x u P
poetry config pypi-token.pypi P
psql postgres://u:P@h/d
psql 'host=h password=P dbname=d'
psql "host=h password='P P' dbname=d"
psql "host=h password='P\'P' dbname=d"
psql -c "alter role a password 'P'"
psql -c "create user a with encrypted password 'P'"
psql 'postgres://h/d?sslpassword=P'
pulumi config set --secret k P
pytest --db-url postgres://u:P@h/d
rabbitmqctl add_user u P
rabbitmqctl change_password u P
rar a -hpP x f
rclone obscure P
rclone config create x s3 secret_access_key P
redis-cli -a P ping
redis-cli --pass P ping
redis-cli auth P
redis-cli -h h AUTH u P
redis-cli config set requirepass P
redis-cli -u redis://:P@h
redis-cli -u redis://P@h
rman target=a/P@x
rman target a/P@x
s3cmd --secret_key P ls
sentry-cli --auth-token P releases
sh -c 'PGPASSWORD=P psql'
sh -c 'PGPASSWORD="P P" psql && curl -u u:P x'
sh -c "mysql -e \"create user a identified by 'P'\""
bash -lc 'export API_TOKEN=P; x'
smbclient //h/s -U u%P
snyk auth P
sqlcmd -S h -U sa -P P
sqlcmd -S h -U sa -Q "create login a with password = N'P'"
sqlpackage /tp:P /tsn:h
sqlpackage /TargetPassword:P
sqlplus u/P@db
sqlplus -s u/P@//h:1521/x
sqlplus -L u/P
sqlx database create --database-url postgres://u:P@h/d
ssh h 'mysql -pP x'
sshpass -pP ssh h
sshpass -p P ssh h
svn --username u --password P up
terraform apply -var db_password=P
terraform apply -var=db_password=P
tsql -S s -U u -P P
twine upload -u u -p P x
unzip -P P x.zip
usermod -p P u
vault kv put x any=P
vault kv put -mount=secret x any=P
vault login P
vault login token=P
vault operator unseal P
vault write auth/x any=P
wget --http-password P http://h
wget --password=P http://h
wget --header 'X-Token: P' http://h
wget --header='Cookie: a=P' http://h
x --bearer P
x --password --verbose P
x --password -v P
x --password P --verbose
x -password P
x --pw P
x --pass P
x --dbPassword P
x --db.password P
x --db_password=P
x --jwt=P
x --client-secret P
x --private-key P
x 'Server=h;User Id=a;Password=P'
x "Server=h;User Id=a;Password='P;P'"
x u:P@tcp(h:3306)/d
x //u:P@h
x jdbc:oracle:thin:u/P@//h:1521/x
x AKIAABCDEFGHIJKLMNOP:P/abcdefghijklmnop
x '-----BEGIN PRIVATE KEY----- P -----END PRIVATE KEY-----'
xfreerdp /u:u /p:P /v:h
yarn config set npmAuthToken P
zip -P P x.zip f
zip -r -P P x.zip f
"#;

/// Commands without a secret: they are shown as they are.
const INNOCENT: &str = r#"
docker run -p 5432:5432 postgres:16
docker compose exec db psql -p 5432 -U app
docker pull postgres:16@sha256:abcdef
jest --pass-with-no-tests src/a
jest --passWithNoTests src/a
pytest -k token --keepdb -p no:cacheprovider
server -P 8080 -p 80
sort -k 2 --key 3 f
sort --key=2 f
x --token-limit 5 --max-tokens 7
ssh -p 22 h
mkdir -p a/b/c
grep -P 'password' src/a.rs
curl -k -o out -X POST http://localhost:3000/a?page=2
curl -H 'Accept: text/html' http://localhost/
tar -xpf a.tar
npx -p typescript tsc
npm install lodash@4 @scope/pkg@1 x@npm:y@2
npm run test:auth
npm test -- password.test.js
git log -p src
git commit -m token-handling
git clone git@github.com:a/b.git
git clone ssh://git@h.net/a.git
aws configure get aws_access_key_id
aws s3 ls s3://bucket/key
redis-cli -p 6379 -n 2 ping
redis-cli get auth
vault status
gh auth status
mysqladmin -u root ping
mysql -u root -p shop
zip -r a.zip b
7z x -y a.7z
openssl version -a
keytool -list -keystore k.jks
cargo test --features auth -- --test-threads 1
go test -run TestPassword ./...
phpunit --filter testPassword
psql -h localhost -U app -c 'select 1' app_test
mongosh --quiet --eval 'db.x.find()'
php artisan migrate:fresh --seed --env=testing
rails db:reset RAILS_ENV=test
kubectl get secret x -o yaml
terraform plan -var region=eu
make -k -j 4 test
node --env-file=.env x.js
DB_HOST=localhost DB_PORT=5432 npm test
sh -c 'cd x && npm test | tee log'
x --password-file f --auth-type basic
x --no-auth y
x http://localhost:3000/a 12:30:00
x actions/checkout@v4 me@example.net
"#;

/// Takes a line apart as a shell does.
fn words(line: &str) -> Vec<OsString> {
    let (mut words, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ') => {
                if any {
                    words.push(OsString::from(std::mem::take(&mut word)));
                }
                any = false;
                continue;
            }
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (Some('"'), '\\') => {
                word.extend(letters.next().filter(|next| *next != '"').map_or(vec!['"'], |next| vec!['\\', next]))
            }
            _ => word.push(letter),
        }
        any = true;
    }
    words.push(OsString::from(word));
    words
}

#[test]
fn a_secret_is_nowhere_in_what_is_shown() {
    let (mut leaks, mut count) = (Vec::new(), 0);
    for line in WITH_SECRETS.lines().filter(|line| !line.is_empty()) {
        // `P` stands alone, or behind a letter of an option.
        for secret in ["Zq7Vx9Kp2Lm4", "correcthorse"] {
            let mut planted = String::new();
            for (at, letter) in line.char_indices() {
                let next = line[at + 1..].chars().next();
                let before = line[..at].chars().next_back();
                let ends = !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '_');
                let begins = !before.is_some_and(|before| before.is_ascii_alphanumeric() || before == '_');
                let joined = line[..at]
                    .rsplit(' ')
                    .next()
                    .is_some_and(|word| word.starts_with('-') && word.len() < 5 && !word.contains('='));
                let is_option = begins && before == Some('-') && ends && next == Some(' ');
                match letter == 'P' && ends && (begins || joined) && !is_option {
                    true => planted.push_str(secret),
                    false => planted.push(letter),
                }
            }
            assert_ne!(planted, line, "no secret in {line}");
            count += 1;
            let shown = redact_command(&words(&planted), &[]).join(" ");
            let first = line.split(' ').next().unwrap();
            if shown.contains(secret) || !shown.contains(MASK) || !shown.starts_with(first) {
                leaks.push(format!("{planted}  →  {shown}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{} of {count} leak:\n{}", leaks.len(), leaks.join("\n"));
    assert!(count >= 300, "{count}");
}

#[test]
fn what_holds_no_secret_is_shown_whole() {
    for line in INNOCENT.lines().filter(|line| !line.is_empty()) {
        let words = words(line);
        let whole: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(redact_command(&words, &[]), whole, "{line}");
    }
}
