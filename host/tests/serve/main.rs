//! `streams serve`, and the library behind it.

#![cfg(unix)]

mod admin;
mod beginnings;
mod deployment;
mod drain;
mod library;
mod refusals;
mod served;
mod systemd;
mod tls;
mod workers;

#[path = "../support/mod.rs"]
mod support;
