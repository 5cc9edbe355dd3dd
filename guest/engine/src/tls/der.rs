//! A minimal reader of DER (X.690) for messages: it distinguishes kinds of objects and verifies nothing.

/// The tags that this reader supports.
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The elements of a sequence, in order.
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// Opens `bytes` as a sequence.
    pub(super) fn of(bytes: &'a [u8]) -> Option<Self> {
        Elements(bytes).sequence()
    }

    /// Returns the content of the next element if it has the tag `tag`.
    pub(super) fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = match first {
            short @ 0..0x80 => usize::from(short),
            long => {
                let count = usize::from(long & 0x7f);
                let (bytes, after) = rest.split_at_checked(count)?;
                rest = after;
                bytes.iter().try_fold(0_usize, |length, byte| {
                    length.checked_mul(256)?.checked_add(usize::from(*byte))
                })?
            }
        };
        let (content, after) = rest.split_at_checked(length)?;
        if found != tag {
            return None;
        }
        self.0 = after;
        Some(content)
    }

    pub(super) fn sequence(&mut self) -> Option<Elements<'a>> {
        self.next(SEQUENCE).map(Elements)
    }

    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        self.next(INTEGER)
    }

    pub(super) fn octets(&mut self) -> Option<&'a [u8]> {
        self.next(OCTET_STRING)
    }

    pub(super) fn oid(&mut self) -> Option<&'a [u8]> {
        self.next(OID)
    }

    /// Returns the elements inside the explicit tag `number`.
    pub(super) fn tagged(&mut self, number: u8) -> Option<Elements<'a>> {
        self.next(0xa0 | number).map(Elements)
    }
}

/// Returns the length of a positive integer in bits.
pub(super) fn bits(integer: &[u8]) -> usize {
    let mut bytes = integer.iter().skip_while(|byte| **byte == 0);
    let Some(first) = bytes.next() else { return 0 };
    let first = 8_usize.saturating_sub(usize::try_from(first.leading_zeros()).unwrap_or(8));
    bytes.count().saturating_mul(8).saturating_add(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_in_order() {
        let mut of = Elements::of(b"\x30\x06\x02\x01\x05\x04\x01x").expect("a sequence");
        assert_eq!(of.octets(), None);
        assert_eq!(of.integer(), Some(&b"\x05"[..]));
        assert_eq!(of.octets(), Some(&b"x"[..]));
        assert_eq!(of.octets(), None);
    }

    #[test]
    fn elements_of_invalid_length_are_refused() {
        for bytes in [
            &b""[..],
            b"\x30",
            b"\x30\x01",
            b"\x30\x81",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(Elements::of(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn the_bits_of_an_integer_begin_at_its_first_one() {
        assert_eq!(bits(&[]), 0);
        assert_eq!(bits(&[0, 0]), 0);
        assert_eq!(bits(&[0, 0x80, 0]), 16);
        assert_eq!(bits(&[1, 0, 1]), 17);
    }
}
