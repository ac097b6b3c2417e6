//! The routes of every operation, by listener.

use axum::Router;
use utoipa::{
    OpenApi,
    openapi::{OpenApi as Document, PathItem},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    common_responses, idempotency, preconditions, problem,
    resources::{health, metrics},
    respond,
    state::AppState,
};

/// The components that utoipa does not collect by itself: those that only common responses, parameters and response headers name.
#[derive(OpenApi)]
#[openapi(components(schemas(
    problem::Problem,
    idempotency::IdempotencyKey,
    preconditions::EntityTags,
    respond::EntityTag,
    respond::Location
)))]
struct Base;

/// A set of operations that one listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Every operation.
    All,
    /// The operations for clients, where operators have a listener of their own.
    Public,
    /// The operations for operators: metrics and readiness.
    Operators,
}

macro_rules! resource_routes {
    ($($resource:ident: $Port:ident,)*) => {
        /// The operations on every resource.
        fn resource_routes() -> OpenApiRouter<AppState> {
            OpenApiRouter::new()$(.merge(crate::resources::$resource::routes()))*
        }
    };
}
crate::resources!(resource_routes);

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

/// Returns the routes of a surface. The caller sets the fallbacks for unknown paths and methods.
pub fn router(surface: Surface, state: AppState) -> Router {
    let (router, _) = operations(surface).split_for_parts();
    router.with_state(state)
}

/// Returns the method and the path template of each operation of a surface.
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

/// Returns the paths that are served on the operators' listener only, where there is one.
pub fn operator_paths() -> Vec<String> {
    operations(Surface::Operators).into_openapi().paths.paths.into_keys().collect()
}

/// Returns the OpenAPI document that the handlers' annotations yield: the generated side of the drift check.
///
/// It has structure only. Prose, examples, links and security are in `openapi.yaml` alone.
pub fn openapi() -> Document {
    let mut document = operations(Surface::All).into_openapi();
    common_responses::add(&mut document);
    document
}
