//! Roles that are missing, or that the user may not act as.

use crate::snapshot::postgres::restore;
use crate::snapshot::postgres::testing::{Server, Snapshot, Waiting};
use crate::snapshot::postgres::tests::loading::lines_besides;
use crate::snapshot::postgres::tests::rich::text_of;

#[test]
fn a_missing_role_costs_only_what_names_it() {
    let server = Server::shared();
    server.run("postgres", "CREATE ROLE gone; CREATE ROLE kept_owner; CREATE ROLE \"Kept 2\"");
    let target = server.database(
        "of_many_roles",
        "GRANT ALL ON SCHEMA public TO gone, kept_owner; CREATE SCHEMA s AUTHORIZATION gone; CREATE SCHEMA k AUTHORIZATION kept_owner; \
         CREATE TABLE k.a (x serial, y int); ALTER TABLE k.a OWNER TO kept_owner; CREATE TABLE s.b (x serial); ALTER TABLE s.b OWNER TO gone; \
         GRANT SELECT (x), UPDATE (y) ON k.a TO gone; GRANT SELECT ON k.a TO \"Kept 2\" WITH GRANT OPTION; GRANT SELECT ON s.b TO \"Kept 2\"; \
         GRANT USAGE ON SCHEMA k TO \"Kept 2\"; SET ROLE \"Kept 2\"; GRANT SELECT ON k.a TO gone; RESET ROLE; REVOKE ALL ON k.a FROM kept_owner; GRANT INSERT ON k.a TO kept_owner; \
         CREATE FUNCTION k.f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION k.f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION k.f() TO kept_owner; \
         ALTER DEFAULT PRIVILEGES FOR ROLE gone GRANT SELECT ON TABLES TO kept_owner; \
         ALTER DEFAULT PRIVILEGES FOR ROLE kept_owner IN SCHEMA k GRANT SELECT ON TABLES TO \"Kept 2\"; \
         ALTER TABLE k.a ENABLE ROW LEVEL SECURITY; CREATE POLICY of_both ON k.a TO gone, \"Kept 2\" USING (x > 0) WITH CHECK (y > 0); \
         CREATE POLICY alone ON k.a AS RESTRICTIVE FOR SELECT TO gone USING (true); CREATE POLICY everybody ON k.a FOR SELECT USING (y IS NULL); \
         CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw; ALTER SERVER far OWNER TO kept_owner; \
         CREATE USER MAPPING FOR gone SERVER far; CREATE USER MAPPING FOR PUBLIC SERVER far; CREATE USER MAPPING FOR kept_owner SERVER far OPTIONS (user 'x'); \
         SELECT lo_create(77); ALTER LARGE OBJECT 77 OWNER TO kept_owner; GRANT SELECT ON LARGE OBJECT 77 TO gone; \
         CREATE PUBLICATION p FOR TABLE k.a; ALTER PUBLICATION p OWNER TO kept_owner; CREATE TYPE k.e AS ENUM ('a'); ALTER TYPE k.e OWNER TO kept_owner",
    );
    let whole = text_of(&server, "of_many_roles");
    let snapshot = Snapshot::take(&target);
    let put_back = || snapshot.restoring(&target, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(put_back().notes, Vec::<String>::new());
    assert_eq!(text_of(&server, "of_many_roles"), whole);
    server.run("postgres", "ALTER ROLE gone RENAME TO went");
    let restored = put_back();
    let note = "The role `gone` is missing: 3 owners and 7 grants and 2 policies were left out; what it owned belongs to `postgres` now.";
    assert_eq!(restored.notes, [note]);
    let found = text_of(&server, "of_many_roles");
    assert_eq!(
        lines_besides(&found, &whole),
        [
            "ALTER SCHEMA s OWNER TO postgres;",
            "ALTER TABLE s.b OWNER TO postgres;",
            "ALTER TABLE s.b_x_seq OWNER TO postgres;",
            "CREATE POLICY of_both ON k.a TO \"Kept 2\" USING ((x > 0)) WITH CHECK ((y > 0));",
        ]
    );
    let less = lines_besides(&whole, &found);
    assert!(less.iter().all(|line| line.contains("gone") || line.contains("SESSION AUTHORIZATION")), "{less:#?}");
}

#[test]
fn an_owner_that_the_user_may_not_act_as_is_told() {
    let server = Server::shared();
    server.run(
        "postgres",
        "CREATE ROLE app_owner LOGIN PASSWORD 'app_owner' CREATEDB; CREATE ROLE team; GRANT team TO app_owner; CREATE ROLE stranger_owner",
    );
    let target = server.database(
        "of_strangers",
        "ALTER DATABASE of_strangers OWNER TO app_owner; CREATE SCHEMA s AUTHORIZATION app_owner; CREATE TABLE s.mine (a int); \
         ALTER TABLE s.mine OWNER TO app_owner; CREATE TABLE s.ours (a int); ALTER TABLE s.ours OWNER TO team; GRANT CREATE, USAGE ON SCHEMA s TO team; \
         CREATE TABLE s.theirs (a int); ALTER TABLE s.theirs OWNER TO stranger_owner; GRANT ALL ON s.theirs TO app_owner; \
         GRANT SELECT ON s.mine TO stranger_owner",
    );
    let snapshot = Snapshot::take(&target);
    let own = server.target_as("of_strangers", "app_owner");
    let restored = snapshot.restoring(&own, |restoration| restore(restoration, &Waiting::default())).unwrap();
    assert_eq!(
        restored.notes,
        [
            "`app_owner` may not act as `stranger_owner`: 1 owner was left out; what `stranger_owner` owned belongs to `app_owner` now."
        ]
    );
    let owners = server.run("of_strangers", "SELECT string_agg(relname || ':' || relowner::regrole, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 's'::regnamespace");
    assert_eq!(owners, "mine:app_owner ours:team theirs:app_owner");
}
