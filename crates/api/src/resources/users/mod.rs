//! The resource `users`.

mod handlers;
pub(crate) mod model;

pub(crate) use handlers::routes;
pub use model::{
    EmailAddress, NewUser, NewUsers, User, UserChange, UserChangeList, UserChangeQuery, UserChangeType, UserCreation,
    UserCreations, UserList, UserLookup, UserName, UserPatch, UserQuery, UserSort, Users, UsersFound,
};
