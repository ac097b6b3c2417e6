//! A client of the users API, made by progenitor of the contract beside it.
//!
//! Every operation is a method of [`Client`]; what they take and give is in [`types`].

progenitor::generate_api!("openapi-3.0.json");
