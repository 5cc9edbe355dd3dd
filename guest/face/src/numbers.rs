//! Resources by number: what a caller passes in place of a handle.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The random bytes that the host is asked for at once: 32 numbers. A call of the host costs as much as many numbers.
const RANDOM: u64 = 256;

/// The random numbers of a host.
pub trait Random {
    /// Returns this many random bytes. A host may return too few.
    fn bytes(count: u64) -> Vec<u8>;

    /// Returns a random number.
    fn number() -> u64;
}

/// Makes the type `Host`, the random numbers of the host. Needs the bindings of `wasi:random/random` as `random`.
#[macro_export]
macro_rules! host_random {
    () => {
        /// The host's random numbers.
        struct Host;

        impl $crate::numbers::Random for Host {
            fn bytes(count: u64) -> Vec<u8> {
                random::get_random_bytes(count)
            }

            fn number() -> u64 {
                random::get_random_u64()
            }
        }
    };
}

/// A map from numbers to resources. No caller can guess a number. Numbers are random, so one is practically never used again.
pub struct Numbers<T> {
    resources: HashMap<u64, T, BuildHasherDefault<AsIs>>,
    /// Random numbers for later resources.
    unused: Vec<u64>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Numbers<T> {
    /// Creates a map without resources.
    pub const fn new() -> Self {
        Numbers {
            resources: HashMap::with_hasher(BuildHasherDefault::new()),
            unused: Vec::new(),
        }
    }

    /// Adds a resource and returns its number, which is not 0.
    pub fn insert<R: Random>(&mut self, resource: T) -> u64 {
        let mut number = self.random::<R>();
        // A host whose random numbers repeat must not make this endless.
        while number == 0 || self.resources.contains_key(&number) {
            number = number.wrapping_add(1);
        }
        self.resources.insert(number, resource);
        number
    }

    /// Returns the resource that has this number.
    pub fn get(&self, number: u64) -> Option<&T> {
        self.resources.get(&number)
    }

    /// Returns the resource that has this number, to change it.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        self.resources.get_mut(&number)
    }

    /// Removes the resource that has this number, and returns it.
    pub fn remove(&mut self, number: u64) -> Option<T> {
        self.resources.remove(&number)
    }

    fn random<R: Random>(&mut self) -> u64 {
        if self.unused.is_empty() {
            let bytes = R::bytes(RANDOM);
            let (numbers, _) = bytes.as_chunks();
            let numbers = numbers.iter().copied().map(u64::from_ne_bytes);
            self.unused.extend(numbers);
        }
        self.unused.pop().unwrap_or_else(R::number)
    }
}

/// Hashes a number as itself: the numbers in the map are random.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static CALLS: Cell<u64> = const { Cell::new(0) };
    }

    /// Returns the numbers 0, 0, 1, 1, 2, 2 and so on, the last of a call first.
    struct Twice;

    impl Random for Twice {
        fn bytes(count: u64) -> Vec<u8> {
            let numbers = count / 8;
            let first = CALLS.get() * numbers;
            CALLS.set(CALLS.get() + 1);
            let numbers = (first..first + numbers).rev();
            numbers.flat_map(|n| (n / 2).to_ne_bytes()).collect()
        }

        fn number() -> u64 {
            unreachable!("the host has returned enough bytes")
        }
    }

    /// Returns no bytes.
    struct Few;

    impl Random for Few {
        fn bytes(_: u64) -> Vec<u8> {
            vec![0; 7]
        }

        fn number() -> u64 {
            9
        }
    }

    #[test]
    fn each_resource_has_a_number_of_its_own_which_is_not_0() {
        let mut numbers = Numbers::new();
        for resource in 1..=100 {
            assert_eq!(numbers.insert::<Twice>(resource), resource);
        }
        assert!((1..=100).all(|resource| numbers.get(resource) == Some(&resource)));
        assert_eq!((numbers.get(0), numbers.get(101)), (None, None));
    }

    #[test]
    fn a_removed_number_has_no_resource() {
        let mut numbers = Numbers::new();
        let number = numbers.insert::<Twice>("a");
        assert_eq!(numbers.get_mut(number), Some(&mut "a"));
        assert_eq!(numbers.remove(number), Some("a"));
        assert_eq!((numbers.remove(number), numbers.get(number)), (None, None));
    }

    #[test]
    fn a_host_with_too_few_bytes_is_asked_for_a_number() {
        assert_eq!(Numbers::new().insert::<Few>(()), 9);
    }
}
