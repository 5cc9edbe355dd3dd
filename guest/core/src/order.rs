//! The order in which the addresses of a name are tried.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Interleaves the address families (RFC 8305, section 4; asyncio's parameter `interleave`). A dead family then costs
/// one delay, not one for each of its addresses.
///
/// The first `first_family_count` addresses are of the family that comes first. Then the families alternate in the
/// order in which they appear in `addresses`; each keeps its own order. With 0, nothing is reordered. `family` returns
/// the family of an address.
pub fn interleave<A, F: PartialEq>(
    addresses: Vec<A>,
    first_family_count: usize,
    family: impl Fn(&A) -> F,
) -> Vec<A> {
    let Some(lead) = first_family_count.checked_sub(1) else {
        return addresses;
    };
    let mut ordered = Vec::with_capacity(addresses.len());
    let mut families: Vec<(F, VecDeque<A>)> = Vec::new();
    for address in addresses {
        let key = family(&address);
        match families.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push_back(address),
            None => families.push((key, VecDeque::from([address]))),
        }
    }
    if let Some((_, first)) = families.first_mut() {
        ordered.extend(first.drain(..lead.min(first.len())));
    }
    while !families.is_empty() {
        families.retain_mut(|(_, members)| {
            ordered.extend(members.pop_front());
            !members.is_empty()
        });
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(addresses: &[&'static str], first_family_count: usize) -> Vec<&'static str> {
        interleave(addresses.to_vec(), first_family_count, |address| {
            address.as_bytes()[0]
        })
    }

    #[test]
    fn families_alternate() {
        assert_eq!(
            order(&["6a", "6b", "6c", "4a", "4b"], 1),
            ["6a", "4a", "6b", "4b", "6c"]
        );
        assert_eq!(order(&["4a", "6a", "6b"], 1), ["4a", "6a", "6b"]);
        assert_eq!(
            order(&["6a", "6b", "4a", "ua", "ub"], 1),
            ["6a", "4a", "ua", "6b", "ub"]
        );
    }

    #[test]
    fn the_first_family_may_lead_by_several() {
        assert_eq!(
            order(&["6a", "6b", "6c", "4a"], 2),
            ["6a", "6b", "4a", "6c"]
        );
        assert_eq!(order(&["6a", "4a", "4b"], 5), ["6a", "4a", "4b"]);
        assert_eq!(order(&["6a", "4a"], usize::MAX), ["6a", "4a"]);
    }

    #[test]
    fn zero_keeps_the_order() {
        assert_eq!(order(&["6a", "6b", "4a"], 0), ["6a", "6b", "4a"]);
        assert!(order(&[], 1).is_empty());
    }
}
