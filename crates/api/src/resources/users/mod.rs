//! The resource `users`.

mod handlers;
pub(crate) mod model;

pub(crate) use handlers::routes;
pub use model::{EmailAddress, NewUser, User, UserList, UserName, UserPatch, UserQuery, UserSort, Users};
