//! Generated code for the imports of the platform. Other bindings of a component share these types (`with`).

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "platform",
    generate_all,
});
