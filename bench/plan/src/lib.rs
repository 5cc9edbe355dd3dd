//! What every peer of the benchmark agrees on: the orders on its command line, when it stops, and what it says then.

mod meter;
mod order;

pub use meter::{Measured, Meter};
pub use order::{Client, Kind, Order, Server};
