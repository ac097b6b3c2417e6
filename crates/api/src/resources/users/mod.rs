//! The resource `users`.

mod handlers;
pub(crate) mod model;

pub(crate) use handlers::routes;
pub use model::{
    EmailAddress, NewUser, User, UserChange, UserChangeList, UserChangeQuery, UserChangeType, UserList, UserName,
    UserPatch, UserQuery, UserSort, Users,
};
