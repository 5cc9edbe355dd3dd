//! The order of a module's functions: those that the module names most often get the lowest numbers, which take the fewest
//! bytes. Functions that nothing uses are left out.

use std::cmp::Reverse;

use super::live::Live;

/// New numbers for the functions of a module. Imported functions keep theirs, which come before all others. The default changes
/// no number.
#[derive(Default)]
pub(super) struct Order {
    /// The places of the module's own functions among them, in the new order.
    places: Vec<usize>,
    /// The new numbers of all functions, by the old ones.
    numbers: Vec<u32>,
}

impl Order {
    /// Numbers the functions that a module uses.
    pub(super) fn of(live: &Live) -> Self {
        let (uses, imported) = live.uses();
        let mut places: Vec<usize> = (imported..uses.len()).filter(|of| uses[*of] > 0).collect();
        places.sort_by_key(|function| Reverse(uses[*function]));
        let mut numbers: Vec<u32> = (0..).take(uses.len()).collect();
        for (number, function) in (0..).skip(imported).zip(&places) {
            numbers[*function] = number;
        }
        places.iter_mut().for_each(|place| *place -= imported);
        Order { places, numbers }
    }

    /// Returns the new number of a function.
    pub(super) fn number(&self, function: u32) -> u32 {
        let number = self.numbers.get(function as usize);
        number.copied().unwrap_or(function)
    }

    /// Puts the parts of the module's own functions, given in the old order, in the new one.
    pub(super) fn sorted<T: Clone>(&self, parts: &[T]) -> Vec<T> {
        self.places
            .iter()
            .map(|place| parts[*place].clone())
            .collect()
    }
}
