//! The examples of the contract, as Swagger UI sends them to a new server.

use crate::harness::{
    EXAMPLES, OPEN, matrix,
    operations::{Operation, operations},
};

fn operation(id: &str) -> &'static Operation {
    operations().iter().find(|operation| operation.id == id).unwrap()
}

matrix! {
    /// The responses are compared with their examples at the end of the suite.
    async fn every_operation_succeeds_with_its_examples(app: App) using [OPEN, EXAMPLES] {
        let list = app.get("/users").await.text();
        let mut succeeded = 0;
        // A deletion has the id of the user of the other examples.
        let mut in_order: Vec<_> = operations().iter().collect();
        in_order.sort_by_key(|operation| operation.method == "DELETE");
        for operation in in_order {
            let response = operation.example(&app).send().await;
            // There are no examples of other resources.
            let is_there = operation.ids().all(|id| list.contains(id));
            succeeded += usize::from(is_there);
            let is_expected = if is_there { (200..300).contains(&response.status) } else { response.status == 404 };
            assert!(is_expected, "{}: {} {}", operation.id, response.status, response.text());
        }
        assert!(succeeded >= 13, "only {succeeded} operations succeeded");
    }

    /// As the example of a page of changes, with the example of `after`.
    async fn the_creation_of_the_example_is_a_change(app: App) using [OPEN] {
        assert_eq!(operation("createUser").example(&app).send().await.status, 201);
        let changes = operation("listUserChanges").example(&app).send().await.json();
        assert_eq!(changes["changes"].as_array().unwrap().len(), 1);
        assert_eq!(changes, app.get("/users/changes").await.json());
    }
}
