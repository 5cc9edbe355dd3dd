//! A map that is sorted by its keys. All maps of a component share its code: the part that depends on the type of the values is
//! small.

use std::collections::BTreeMap;

use slab::Slab;

/// A key: compared by the first number, then by the second.
pub type Key = (u64, u64);

/// A map from [`Key`]s to values, sorted by the keys.
pub struct OrderedMap<V> {
    places: BTreeMap<Key, usize>,
    /// The values, at the places that the keys name.
    values: Slab<V>,
}

impl<V> Default for OrderedMap<V> {
    fn default() -> Self {
        OrderedMap {
            places: BTreeMap::new(),
            values: Slab::new(),
        }
    }
}

impl<V> OrderedMap<V> {
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
        insert(&mut self.places, key, self.values.insert(value));
        None
    }

    /// Returns the value of a key.
    pub fn get(&self, key: Key) -> Option<&V> {
        self.values.get(place(&self.places, key)?)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        self.values.get_mut(place(&self.places, key)?)
    }

    /// Removes a key. Returns its value.
    pub fn remove(&mut self, key: Key) -> Option<V> {
        let place = remove(&mut self.places, key)?;
        self.values.try_remove(place)
    }

    /// Returns the lowest key.
    pub fn first_key(&self) -> Option<Key> {
        self.places.first_key_value().map(|(key, _)| *key)
    }

    /// Returns the entry with the lowest key.
    pub fn first(&self) -> Option<(Key, &V)> {
        let (key, place) = self.places.first_key_value()?;
        Some((*key, self.values.get(*place)?))
    }

    /// Returns the entries, the lowest key first.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &V)> {
        let entries = self.places.iter();
        entries.filter_map(|(key, place)| Some((*key, self.values.get(*place)?)))
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

// These have no type parameter: each component has one copy of them.

#[inline(never)]
fn insert(places: &mut BTreeMap<Key, usize>, key: Key, place: usize) {
    places.insert(key, place);
}

#[inline(never)]
fn remove(places: &mut BTreeMap<Key, usize>, key: Key) -> Option<usize> {
    places.remove(&key)
}

#[inline(never)]
fn place(places: &BTreeMap<Key, usize>, key: Key) -> Option<usize> {
    places.get(&key).copied()
}

#[cfg(test)]
mod tests {
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
        for round in 0..10_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let key = (random >> 61, (random >> 56) % 32);
            if random >> 40 & 1 == 0 {
                assert_eq!(map.insert(key, round), expected.insert(key, round));
            } else {
                assert_eq!(map.remove(key), expected.remove(&key));
            }
            assert_eq!(map.first_key(), expected.keys().next().copied());
            assert_eq!(map.is_empty(), expected.is_empty());
        }
        assert!(map.iter().map(|(key, value)| (key, *value)).eq(expected));
    }
}
