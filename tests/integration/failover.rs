//! A standby takes over from the primary: instances use it without a restart.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use crate::{
    harness::{App, until::until},
    replicas::{Machine, address, create, instance, until_served},
};

/// Waits until a user can be created.
async fn until_written(app: &App, name: &str) -> String {
    let mut path = None;
    until("the new primary is used", async || {
        let user = json!({ "name": name, "email": format!("{name}@example.com") });
        let response = app.post("/users", user).await;
        path = response.header("location").map(str::to_owned);
        assert!([201, 503].contains(&response.status));
        path.is_some()
    })
    .await;
    path.unwrap()
}

/// The address of the primary moves to the standby that was promoted. The other replica follows it, and serves reads again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_is_used_without_a_restart() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    // Without this, the timeline of a replica is known only after its next restartpoint.
    primary.execute("GRANT pg_read_all_stats TO app").await;
    let (standby, replica) = (primary.replica().await, primary.replica().await);
    let processes = [instance(&primary, &[&standby, &replica]).await, instance(&primary, &[&standby, &replica]).await];
    let [one, two] = [&processes[0].app, &processes[1].app];
    let path = create(one, "ada").await;
    for app in [one, two] {
        until_served(app, &path).await;
    }
    standby.until_replicated().await;
    let proxy = primary.kill().await;
    assert_eq!(one.patch(&path, json!({ "name": "Ada King" })).await.status, 503);
    standby.execute("SELECT pg_promote()").await;
    proxy.lead_to(address(&standby.cluster));
    let new = until_written(one, "bob").await;
    for app in [one, two] {
        assert_eq!(app.get(&new).await.status, 200);
        app.until_status("/health/ready", 200).await;
        until_served(app, &new).await;
    }
    for number in 0..50 {
        let name = json!({ "name": format!("Bob {number}") });
        assert_eq!(one.patch(&new, name.clone()).await.status, 200);
        assert_eq!(two.get(&new).await.json()["name"], name["name"]);
    }
}

/// The standby that is promoted was behind another replica, which is then on a timeline that ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_ahead_of_the_new_primary_serves_no_reads() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    primary.execute("GRANT pg_read_all_stats TO app").await;
    let replica = primary.replica().await;
    let process = instance(&primary, &[&replica]).await;
    let app = &process.app;
    let path = create(app, "ada").await;
    // The standby receives nothing after its start.
    let standby = primary.replica().await;
    standby.until_replicated().await;
    standby.execute("ALTER SYSTEM SET primary_conninfo = ''").await;
    standby.execute("SELECT pg_reload_conf()").await;
    sleep(Duration::from_secs(1)).await;
    for number in 0..200 {
        assert_eq!(app.patch(&path, json!({ "name": format!("lost {number}") })).await.status, 200);
    }
    until_served(app, &path).await;
    let proxy = primary.kill().await;
    standby.execute("SELECT pg_promote()").await;
    proxy.lead_to(address(&standby.cluster));
    until_written(app, "bob").await;
    for number in 0..20 {
        let name = json!({ "name": format!("Ada {number}") });
        assert_eq!(app.patch(&path, name.clone()).await.status, 200);
        assert_eq!(app.get(&path).await.json()["name"], name["name"]);
        sleep(Duration::from_millis(50)).await;
    }
    process.until_logged(&["a replica serves no reads", "another timeline"]).await;
}

/// The former primary continues as a standby: no connection to it breaks, and new ones lead to the primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_former_primary_are_not_used_again() {
    let Some(primary) = Machine::primary().await else { return eprintln!("skipped: no PostgreSQL here") };
    let standby = primary.replica().await;
    let processes = [instance(&primary, &[]).await, instance(&primary, &[]).await];
    let [writer, reader] = [&processes[0].app, &processes[1].app];
    let path = create(writer, "ada").await;
    primary.proxy.lead_to(address(&standby.cluster));
    let user = json!({ "name": "Ada", "email": "refused@example.com" });
    for app in [writer, reader] {
        until("the standby serves reads", async || {
            app.get(&path).await.status == 200
                && app.post("/users", user.clone()).await.status == 503
                && app.get("/health/ready").await.status == 503
        })
        .await;
    }
    primary.proxy.move_to(address(&primary.cluster));
    until_written(writer, "bob").await;
    // No request of the second instance writes: its readiness finds the primary.
    reader.until_status("/health/ready", 200).await;
    writer.until_status("/health/ready", 200).await;
    standby.execute("SELECT pg_wal_replay_pause()").await;
    for number in 0..20 {
        let name = json!({ "name": format!("Ada {number}") });
        assert_eq!(writer.patch(&path, name.clone()).await.status, 200);
        assert_eq!(reader.get(&path).await.json()["name"], name["name"]);
    }
}
