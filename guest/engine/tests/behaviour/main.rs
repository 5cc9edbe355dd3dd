//! The behaviour of connections and servers over the network in memory: in order, and with some seeds.
//!
//! The contracts are those of wit/README.md; `states` checks its tables.

#[path = "../support/mod.rs"]
mod support;

mod closing;
mod connecting;
mod giving;
mod lobby;
mod quotas;
mod reading;
mod reporting;
mod serving;
mod states;
mod unix;
mod watching;
mod writing;
