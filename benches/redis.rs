//! Saving a Redis server, against its own client.

use crate::compare::{Contest, Runner};
use crate::project::Project;
use crate::redis_server::Redis;

/// A guarded command, against the client that writes the same file. The server waits for nobody before it sends it.
pub(crate) fn run_against_client() -> Contest {
    let server: &'static Redis = Box::leak(Box::new(Redis::start()));
    // 100 MB of text that does not compress well.
    let fill = "for at = 1, 100000 do local text = {} for part = 1, 25 do text[part] = redis.sha1hex(at .. ' ' .. part) end \
                redis.call('SET', 'key:' .. at, table.concat(text)) end";
    server.cli(&["EVAL", fill, "0"]);
    assert_eq!(server.cli(&["DBSIZE"]), "100000");
    let project = Project::new("redis-run");
    project.write(".env", &format!("APP_ENV=testing\nREDIS_URL={}\n", server.url(0)));
    let (other, ours) = (project.clone(), project.clone());
    Contest::new(
        Runner::new(move || {
            let mut client = other.command("redis-cli");
            client.args(["-p", &server.port.to_string(), "--rdb"]).arg(other.folder().join("plain.rdb"));
            client
        }),
        Runner::new(move || ours.safe_test(&["-q", "true"])).after(move || project.forget_snapshots()),
    )
}
