//! The end of the suite: every response that the contract documents has occurred, on each database. libtest starts tests in
//! the order of their names, so the name of this file sorts after the others.

mod every_documented_response_occurred {
    use crate::harness::{Database, coverage, operations::operations, postgres::TestDatabase};

    fn check(database: Database) {
        let (_, module) = module_path!().split_once("::").unwrap();
        let documented = operations()
            .iter()
            .flat_map(|operation| operation.statuses.iter().map(|status| (operation.id.as_str(), *status)));
        coverage::assert_complete(database, &format!("{module}{}", database.suffix()), documented);
    }

    #[test]
    fn sqlite() {
        check(Database::Sqlite);
    }

    #[test]
    fn postgres() {
        if TestDatabase::available() {
            check(Database::Postgres);
        }
    }
}
