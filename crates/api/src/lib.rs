//! What the contract describes, and nothing else: the resources, their models, their storage ports and the
//! annotated handlers.
//!
//! The document that mirrors `openapi.yaml` comes from [`openapi`], without a database, a configuration or a runtime:
//! the build script calls it to compare the two. This crate never sees SQL or a socket; what it needs from the outside
//! it asks for through the ports in [`AppState`].
//!
//! A resource is one file: models, port, handlers, routes. [`resources!`] lists them. [`health`] and [`metrics`] are built
//! the same way.

pub mod extract;
pub mod health;
pub mod metrics;
pub mod page;
pub mod problem;
pub mod store_error;
pub mod timestamp;
pub mod users;

mod respond;
mod shared_answers;

use std::sync::Arc;

use axum::Router;
use utoipa::{
    OpenApi,
    openapi::{OpenApi as Document, PathItem},
};
use utoipa_axum::router::OpenApiRouter;

/// The resources, listed once, as `module: Port`. It hands the list to the macro that it is given: to `state` below, which
/// makes of it the fields of [`AppState`] and the routes, and to the server's store, which makes of it the ports and
/// what it checks at start. There the module of the same name holds the SQL, and the table has that name too.
#[macro_export]
macro_rules! resources {
    ($macro:ident) => {
        $macro! {
            users: Users,
        }
    };
}

macro_rules! state {
    ($($resource:ident: $Port:ident,)*) => {
        /// The ports that the handlers speak to.
        #[derive(Clone)]
        pub struct AppState {
            $(
                #[doc = concat!("Where ", stringify!($resource), " are kept.")]
                pub $resource: Arc<dyn $resource::$Port>,
            )*
            /// Says whether the server can do its work.
            pub readiness: Arc<dyn health::Readiness>,
            /// Gives the metrics in the Prometheus text format.
            pub metrics: Arc<dyn metrics::Exposition>,
        }

        /// The operations on every resource.
        fn resource_routes() -> OpenApiRouter<AppState> {
            OpenApiRouter::new()$(.merge($resource::routes()))*
        }
    };
}
resources!(state);

/// The components that utoipa does not collect by itself: what only shared answers and response headers name.
#[derive(OpenApi)]
#[openapi(components(schemas(problem::Problem, respond::EntityTag, respond::Location)))]
struct Base;

/// Which operations a listener answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// All of them.
    All,
    /// What clients call, where operators have a listener of their own.
    Public,
    /// What operators call: metrics and readiness.
    Operators,
}

/// The operations of a surface, and no other route.
fn operations(surface: Surface) -> OpenApiRouter<AppState> {
    let public = || health::public_routes().merge(resource_routes());
    let operators = || health::operator_routes().merge(metrics::routes());
    let base = OpenApiRouter::with_openapi(Base::openapi());
    match surface {
        Surface::All => base.merge(public()).merge(operators()),
        Surface::Public => base.merge(public()),
        Surface::Operators => base.merge(operators()),
    }
}

/// The routes of a surface. Unknown paths and wrong methods are the caller's to answer.
pub fn router(surface: Surface, state: AppState) -> Router {
    let (router, _) = operations(surface).split_for_parts();
    router.with_state(state)
}

/// What a surface routes: the method and the path template of each operation.
pub fn routes(surface: Surface) -> Vec<(&'static str, String)> {
    let paths = operations(surface).into_openapi().paths.paths;
    let methods = |item: &PathItem| {
        [
            ("GET", item.get.is_some()),
            ("PUT", item.put.is_some()),
            ("POST", item.post.is_some()),
            ("DELETE", item.delete.is_some()),
            ("OPTIONS", item.options.is_some()),
            ("HEAD", item.head.is_some()),
            ("PATCH", item.patch.is_some()),
            ("TRACE", item.trace.is_some()),
        ]
    };
    let routed =
        |(path, item)| methods(&item).map(|(method, is_routed)| is_routed.then(|| (method, String::clone(&path))));
    paths.into_iter().flat_map(routed).flatten().collect()
}

/// The OpenAPI document that the handlers' annotations yield: the code's side of the drift check.
///
/// It holds structure only. Prose, examples, links and security live in `openapi.yaml` alone.
pub fn openapi() -> Document {
    let mut document = operations(Surface::All).into_openapi();
    shared_answers::add(&mut document);
    document
}

/// Where, in a checkout, the handlers and their types stand, and then who makes values of those, benchmarks and tests too:
/// what a fix-it edits. The clients in `tests/sdk` have types of their own.
pub const SOURCES: [&str; 6] =
    ["crates/api/src", "src", "benches", "tests/api_tests", "tests/harness", "tests/integration"];

/// The file of the rules behind [`with_shared_answers`].
pub const SHARED_ANSWERS: &str = "crates/api/src/shared_answers.rs";

/// An operation, in JSON, with the answers that every operation of its kind has.
pub fn with_shared_answers(operation: serde_json::Value) -> serde_json::Value {
    shared_answers::add_to(operation)
}

/// The paths that move to the operators' listener where there is one.
pub fn operator_paths() -> Vec<String> {
    operations(Surface::Operators).into_openapi().paths.paths.into_keys().collect()
}
