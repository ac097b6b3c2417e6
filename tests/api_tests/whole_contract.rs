//! The end of the suite: every answer that the contract documents was exercised, on each database. libtest begins tests in
//! the order of their names, so this file's name sorts after the others'.

mod every_documented_answer_was_exercised {
    use crate::harness::{Database, coverage, postgres::TestDatabase};

    fn on(database: Database) {
        let (_, module) = module_path!().split_once("::").unwrap();
        coverage::demand_all(database, &format!("{module}{}", database.suffix()));
    }

    #[test]
    fn sqlite() {
        on(Database::Sqlite);
    }

    #[test]
    fn postgres() {
        if TestDatabase::available() {
            on(Database::Postgres);
        }
    }
}
