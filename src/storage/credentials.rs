//! The role and the password for PostgreSQL, which can change while the server runs.

use std::{path::PathBuf, time::Duration};

use sqlx::ConnectOptions;

use super::{pool_options, pools::Pools, store::Store};
use crate::{
    config::{Config, DatabaseTarget},
    watched_files::WatchedFiles,
};

/// How often the file is read.
const INTERVAL: Duration = Duration::from_secs(1);

/// Reads `DATABASE_URL_FILE` again when it changes and at SIGHUP. New connections have its role and password; those that are
/// open stay.
pub(super) async fn follow(store: &Store, config: Config) {
    let file = &config.database.database_url_file;
    if file.is_empty() || matches!(store.pools, Pools::Sqlite(_)) {
        return;
    }
    let files = WatchedFiles::new([("DATABASE_URL_FILE", PathBuf::from(file))]);
    match files.read().await {
        Ok(_) => {
            let (store, mut used) = (store.clone(), config.database.database_url.clone());
            // The file may have changed since the settings were read.
            let nothing = Vec::new();
            files.watch(INTERVAL, nothing, move |contents| replace(&store, &config, &mut used, &contents.concat()));
        }
        // A pipe, for example, which can be read once.
        Err(error) => tracing::warn!(error, "changes of the file will not be noticed"),
    }
}

fn replace(store: &Store, config: &Config, used: &mut DatabaseTarget, url: &[u8]) -> Result<(), String> {
    let refused = |problem: &str| Err(format!("DATABASE_URL_FILE: {problem}"));
    let (Pools::Postgres { all, probe }, DatabaseTarget::Postgres(old)) = (&store.pools, &*used) else { return Ok(()) };
    let new = match std::str::from_utf8(url).map(DatabaseTarget::parse) {
        Ok(Ok(DatabaseTarget::Postgres(new))) => new,
        Ok(Ok(DatabaseTarget::Sqlite(_))) => return refused("another database needs a restart"),
        Ok(Err(problem)) => return refused(&problem),
        Err(_) => return refused("not UTF-8"),
    };
    let place = |target: &sqlx::postgres::PgConnectOptions| {
        (target.get_host().to_owned(), target.get_port(), target.get_database().map(str::to_owned))
    };
    if place(&new) != place(old) {
        return refused("another database needs a restart");
    }
    if new.to_url_lossy() == old.to_url_lossy() {
        return Ok(());
    }
    let options = pool_options::postgres(config, &new);
    for pool in [all, probe] {
        pool.inner().set_connect_options(options.clone());
    }
    if let Some(replicas) = &store.replicas {
        replicas.set_connect_options(config, &new);
    }
    tracing::info!(
        role = new.get_username(),
        "new database connections use the role and password of DATABASE_URL_FILE"
    );
    *used = DatabaseTarget::Postgres(new);
    Ok(())
}
