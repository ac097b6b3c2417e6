//! The end of the suite: every response that the contract documents has occurred, on each database, and so has every example
//! that Swagger UI shows. libtest starts tests in the order of their names, so the name of this file sorts after the others.

mod every_documented_response_occurred {
    use openapi_contract::page;
    use web_server::app;

    use crate::harness::{
        Database, coverage, document::Document, examples, operations::operations, postgres::TestDatabase,
    };

    fn check(database: Database) {
        let (_, module) = module_path!().split_once("::").unwrap();
        let documented = operations()
            .iter()
            .flat_map(|operation| operation.statuses.iter().map(|status| (operation.id.as_str(), *status)));
        if coverage::assert_complete(database, &format!("{module}{}", database.suffix()), documented) {
            let contract = app::contract().unwrap();
            for served in [&contract, &contract.without_credentials().unwrap()] {
                examples::assert_true(database, &Document::parse(&page::form(served)), |id| {
                    let operation = operations().iter().find(|operation| operation.id == id).expect("an operation");
                    operation.target.split('?').next().unwrap()
                });
            }
        }
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
