//! The resource `users`.

mod handlers;
pub(crate) mod model;

pub(crate) use handlers::routes;
pub use model::{
    EmailAddress, User, UserBatch, UserChange, UserChangeList, UserChangeQuery, UserChangeType, UserCreation,
    UserCreations, UserInput, UserList, UserLookup, UserName, UserPatch, UserQuery, UserSort, Users, UsersFound,
};
