//! The role and the password for PostgreSQL, which can change while the server runs.

use std::{path::PathBuf, time::Duration};

use sqlx::ConnectOptions;
use tokio::{sync::watch, time::timeout};

use super::{error_kind::message, pool_options, pools::Pools, schema, store::Store};
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
            let (sender, receiver) = watch::channel(config.database.database_url.clone());
            tokio::spawn(use_checked(store.clone(), config.clone(), receiver));
            // The file may have changed since the settings were read.
            let nothing = Vec::new();
            let old = config.database.database_url;
            files.watch(INTERVAL, nothing, move |contents| {
                sender.send_replace(parse(&old, &contents.concat())?);
                Ok(())
            });
        }
        // A pipe, for example, which can be read once.
        Err(error) => tracing::warn!(error, "changes of the file will not be noticed"),
    }
}

/// Returns the target in the file, which must be the same database.
fn parse(old: &DatabaseTarget, url: &[u8]) -> Result<DatabaseTarget, String> {
    let new = std::str::from_utf8(url).map_err(|_| "not UTF-8".to_owned()).and_then(DatabaseTarget::parse);
    let place = |target: &DatabaseTarget| match target {
        DatabaseTarget::Sqlite(_) => None,
        DatabaseTarget::Postgres(target) => {
            Some((target.get_host().to_owned(), target.get_port(), target.get_database().map(str::to_owned)))
        }
    };
    match new {
        Ok(new) if place(&new) == place(old) => Ok(new),
        Ok(_) => Err("DATABASE_URL_FILE: another database needs a restart".to_owned()),
        Err(problem) => Err(format!("DATABASE_URL_FILE: {problem}")),
    }
}

/// Uses each new role and password when it can do what the server does: before that, the old one serves.
async fn use_checked(store: Store, config: Config, mut targets: watch::Receiver<DatabaseTarget>) {
    let Pools::Postgres { all, probe } = &store.pools else { return };
    let mut used = targets.borrow_and_update().clone();
    while targets.changed().await.is_ok() {
        let mut is_reported = false;
        loop {
            let new = targets.borrow_and_update().clone();
            let (DatabaseTarget::Postgres(new_url), DatabaseTarget::Postgres(old_url)) = (&new, &used) else { break };
            if new_url.to_url_lossy() == old_url.to_url_lossy() {
                break;
            }
            let (role, options) = (new_url.get_username(), pool_options::postgres(&config, new_url));
            match schema::check_role(&options, all.deadline()).await {
                Ok(()) => {
                    for pool in [all, probe] {
                        pool.inner().set_connect_options(options.clone());
                    }
                    if let Some(replicas) = &store.replicas {
                        replicas.set_connect_options(&config, new_url);
                    }
                    tracing::info!(role, "new database connections use the role and password of DATABASE_URL_FILE");
                    used = new;
                    break;
                }
                Err(error) if !is_reported => {
                    is_reported = true;
                    let error = message(&error);
                    tracing::error!(
                        role,
                        error,
                        "DATABASE_URL_FILE cannot be used, so what was read before stays; trying again"
                    );
                }
                Err(_) => {}
            }
            let _ = timeout(INTERVAL, targets.changed()).await;
        }
    }
}
