//! A map that is sorted by its keys. All maps of a component share its code: the part that depends on the type of the values is
//! small.

use slab::Slab;

/// The most keys in a run. A longer one is split into two.
const RUN: usize = 64;

/// A key: compared by the first number, then by the second.
pub type Key = (u64, u64);

/// A map from [`Key`]s to values, sorted by the keys.
pub struct OrderedMap<V> {
    places: Places,
    /// The values, at the places that the keys name.
    values: Slab<V>,
}

impl<V> Default for OrderedMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> OrderedMap<V> {
    /// Creates an empty map.
    pub const fn new() -> Self {
        OrderedMap {
            places: Places { runs: Vec::new() },
            values: Slab::new(),
        }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether the map has no entries.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Sets the value of a key. Returns the value that it had.
    pub fn insert(&mut self, key: Key, value: V) -> Option<V> {
        if let Some(known) = self.get_mut(key) {
            return Some(std::mem::replace(known, value));
        }
        self.places.insert(key, self.values.insert(value));
        None
    }

    /// Returns the value of a key.
    pub fn get(&self, key: Key) -> Option<&V> {
        self.values.get(self.places.get(key)?)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        self.values.get_mut(self.places.get(key)?)
    }

    /// Removes a key. Returns its value.
    pub fn remove(&mut self, key: Key) -> Option<V> {
        let place = self.places.remove(key)?;
        self.values.try_remove(place)
    }

    /// Returns the lowest key.
    pub fn first_key(&self) -> Option<Key> {
        self.places.first().map(|(key, _)| key)
    }

    /// Returns the entry with the lowest key.
    pub fn first(&self) -> Option<(Key, &V)> {
        let (key, place) = self.places.first()?;
        Some((key, self.values.get(place)?))
    }

    /// Returns the entries, the lowest key first.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &V)> {
        let entries = self.places.runs.iter().flatten();
        entries.filter_map(|(key, place)| Some((*key, self.values.get(*place)?)))
    }

    /// Returns the values, to change them, in no order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut().map(|(_, value)| value)
    }

    /// Removes the entries for whose values `keep` does not hold.
    pub fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        let others = self.iter().filter(|(_, value)| !keep(value));
        let others: Vec<Key> = others.map(|(key, _)| key).collect();
        for key in others {
            self.remove(key);
        }
    }
}

/// The keys, each with its place, in sorted runs. It takes a tenth of the code of the standard library's map, and twice its
/// time for thousands of keys.
struct Places {
    /// The run with the lowest keys first. Only a single run may be empty.
    runs: Vec<Vec<(Key, usize)>>,
}

// These have no type parameter: each component has one copy of them.
impl Places {
    #[inline(never)]
    fn insert(&mut self, key: Key, place: usize) {
        let index = self.run_of(key);
        let Some(run) = self.runs.get_mut(index) else {
            return self.runs.push(vec![(key, place)]);
        };
        run.insert(lower(run, key), (key, place));
        if run.len() > RUN {
            let higher = run.split_off(RUN / 2);
            self.runs.insert(index.saturating_add(1), higher);
        }
    }

    #[inline(never)]
    fn remove(&mut self, key: Key) -> Option<usize> {
        let index = self.run_of(key);
        let run = self.runs.get_mut(index)?;
        let at = lower(run, key);
        run.get(at).filter(|(known, _)| *known == key)?;
        let (_, place) = run.remove(at);
        // The last run keeps its memory for the next key.
        if run.is_empty() && self.runs.len() > 1 {
            self.runs.remove(index);
        }
        Some(place)
    }

    #[inline(never)]
    fn get(&self, key: Key) -> Option<usize> {
        let run = self.runs.get(self.run_of(key))?;
        let (known, place) = run.get(lower(run, key))?;
        (*known == key).then_some(*place)
    }

    fn first(&self) -> Option<(Key, usize)> {
        self.runs.first()?.first().copied()
    }

    /// Returns the index of the run in which a key is, or belongs.
    fn run_of(&self, key: Key) -> usize {
        let begins_after = |run: &Vec<(Key, usize)>| run.first().is_some_and(|first| first.0 > key);
        let next = self.runs.partition_point(|run| !begins_after(run));
        next.saturating_sub(1)
    }
}

/// Returns how many keys of a run are lower.
fn lower(run: &[(Key, usize)], key: Key) -> usize {
    run.partition_point(|(known, _)| *known < key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn entries_are_sorted_by_both_numbers() {
        let mut map = OrderedMap::default();
        for (key, value) in [((2, 0), "c"), ((1, 5), "b"), ((1, 4), "a"), ((3, 0), "d")] {
            assert_eq!(map.insert(key, value), None);
        }
        let entries: Vec<_> = map.iter().map(|(key, value)| (key, *value)).collect();
        let expected = [((1, 4), "a"), ((1, 5), "b"), ((2, 0), "c"), ((3, 0), "d")];
        assert_eq!(entries, expected);
        assert_eq!(map.first(), Some(((1, 4), &"a")));
    }

    #[test]
    fn a_key_has_one_value() {
        let mut map = OrderedMap::default();
        assert_eq!(map.insert((1, 0), "old"), None);
        assert_eq!(map.insert((1, 0), "new"), Some("old"));
        assert_eq!(map.get_mut((1, 0)), Some(&mut "new"));
        assert_eq!(map.get((1, 0)), Some(&"new"));
        assert_eq!(map.get_mut((0, 1)), None);
        assert_eq!(map.remove((1, 0)), Some("new"));
        assert_eq!(map.remove((1, 0)), None);
        assert_eq!((map.is_empty(), map.first_key()), (true, None));
    }

    #[test]
    fn all_values_can_be_changed() {
        let mut map = OrderedMap::default();
        for number in [3, 1, 2] {
            map.insert((number, 0), number);
        }
        map.remove((2, 0));
        for value in map.values_mut() {
            *value += 10;
        }
        let entries: Vec<_> = map.iter().map(|(key, value)| (key.0, *value)).collect();
        assert_eq!(entries, [(1, 11), (3, 13)]);
    }

    #[test]
    fn retaining_keeps_the_order() {
        let mut map = OrderedMap::default();
        for number in 0..10 {
            map.insert((number, 0), number);
        }
        map.retain(|number| number % 3 == 0);
        assert!(map.iter().map(|(_, number)| *number).eq([0, 3, 6, 9]));
    }

    /// The place of a removed value is used again.
    #[test]
    fn it_equals_a_map_of_the_standard_library() {
        let (mut map, mut expected) = (OrderedMap::default(), BTreeMap::new());
        let mut random: u64 = 1;
        for round in 0..20_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let key = (random >> 59, (random >> 54) % 32);
            // It grows to many runs, then it shrinks.
            if (random >> 40) % 4 < if round < 10_000 { 3 } else { 1 } {
                assert_eq!(map.insert(key, round), expected.insert(key, round));
            } else {
                assert_eq!(map.remove(key), expected.remove(&key));
            }
            assert_eq!(map.get(key), expected.get(&key));
            assert_eq!(map.first_key(), expected.keys().next().copied());
            assert_eq!(map.len(), expected.len());
        }
        assert!(map.iter().map(|(key, value)| (key, *value)).eq(expected));
    }
}
