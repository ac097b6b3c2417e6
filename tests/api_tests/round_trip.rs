//! What a client sent and the server accepted is what a later read returns.

use openapi_contract::{Artifacts, Contract};
use reqwest::Method;

use crate::harness::{App, Database, Storage, document::Document, matrix, round_trip};

/// The losses of this property, or of all: a property that the storage really drops fails one test only.
async fn losses(app: &App, document: &Document, property: &str) -> Vec<String> {
    let losses = round_trip::losses(app, document).await.into_iter();
    losses.filter(|loss| ["", &loss.property].contains(&property)).map(|loss| loss.to_string()).collect()
}

matrix! {
    async fn every_operation_keeps_what_it_accepts(app: App) {
        let losses = losses(&app, Document::of_the_contract(), "").await;
        assert!(losses.is_empty(), "{}", losses.join("\n"));
    }

    async fn a_property_that_only_an_update_drops_is_found(app: App) {
        app.faults.drop_property(Method::PATCH, "name");
        let losses = losses(&app, Document::of_the_contract(), "name").await;
        let expected = ["`name` of updateUser (application/json)", "`name` of updateUser (application/merge-patch+json)"];
        assert_eq!(losses.len(), expected.len(), "{}", losses.join("\n"));
        assert!(losses.iter().zip(expected).all(|(loss, expected)| loss.starts_with(expected)), "{}", losses.join("\n"));
    }
}

/// `openapi.yaml` with an optional property of a user.
fn contract_with_locale() -> Artifacts {
    let email = "        email: { $ref: '#/components/schemas/EmailAddress' }\n";
    let locale = "        unstored_locale: { $ref: '#/components/schemas/UnstoredLocale' }\n";
    let schema = "    UnstoredLocale: { type: string, pattern: '^[a-z]{2}(-[A-Z]{2})?$' }\n";
    let yaml = include_str!("../../openapi.yaml");
    assert_eq!(yaml.matches(email).count(), 3, "User, UserInput and UserPatch");
    let yaml =
        yaml.replace(email, &format!("{email}{locale}")).replace("  schemas:\n", &format!("  schemas:\n{schema}"));
    let contract = Contract::load("openapi.yaml", &yaml).unwrap_or_else(|errors| panic!("{errors:?}"));
    Artifacts::of(&contract).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// A property that was added to the contract and to the models, and not to the storage: the build succeeds and every other
/// test passes.
#[tokio::test]
async fn a_property_that_the_storage_drops_is_found() {
    let contract = contract_with_locale();
    for database in [Database::Sqlite, Database::Postgres] {
        let Some(storage) = Storage::new(database).await else { continue };
        let (app, server) = App::start_by(&contract, &storage, &[]).await;
        for method in [Method::POST, Method::PUT, Method::PATCH] {
            app.faults.drop_property(method, "unstored_locale");
        }
        let losses = losses(&app, &Document::parse(&contract.json), "unstored_locale").await;
        let operations = [
            "createUser (application/json)",
            "updateUser (application/json)",
            "updateUser (application/merge-patch+json)",
            "replaceUser (application/json)",
        ];
        assert_eq!(losses.len(), operations.len(), "{}", losses.join("\n"));
        for operation in operations {
            let loss = format!("`unstored_locale` of {operation}: sent ");
            let is_found = |found: &String| found.starts_with(&loss) && found.ends_with("a later GET returned nothing");
            assert!(losses.iter().any(is_found), "{}", losses.join("\n"));
        }
        server.stop().await;
        storage.drop_database().await;
    }
}
