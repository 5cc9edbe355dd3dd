//! Support that several tests share.

#![allow(dead_code, reason = "no test uses all of it")]

pub(crate) mod model;
