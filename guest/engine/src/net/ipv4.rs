//! IPv4 addresses in the notations of C's `inet_aton`, parsed as in the URL standard: `127.1`, `0x7f.1`, `2130706433`.
//!
//! Resolvers accept these notations. Parsing them here makes them work with TLS too, which needs the address itself.

use std::net::Ipv4Addr;

/// Parses an ASCII name. Returns `None` unless the last label is a number; then the name must be an address.
#[expect(
    clippy::option_option,
    reason = "`None`: not a number; `Some(None)`: a number that is no address"
)]
pub(super) fn parse(name: &str) -> Option<Option<Ipv4Addr>> {
    let (mut bits, mut shift, mut valid) = (0_u32, 32_u32, true);
    let mut last: Option<&str> = None;
    for part in name.strip_suffix('.').unwrap_or(name).split('.') {
        // Every part but the last is one byte.
        if let Some(byte) = last.replace(part) {
            shift = shift.saturating_sub(8);
            match number(byte).map(u8::try_from) {
                Some(Ok(byte)) if shift > 0 => bits |= u32::from(byte).wrapping_shl(shift),
                _ => valid = false,
            }
        }
    }
    let last = last.unwrap_or_default();
    let Some(rest) = number(last) else {
        // Digits such as `09` are a number, but not an octal one: the address is invalid.
        let digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        return digits.then_some(None);
    };
    // The last part fills the rest of the address.
    valid &= rest.checked_shr(shift) == Some(0);
    let rest = u32::try_from(rest).unwrap_or_default();
    Some(valid.then(|| Ipv4Addr::from(bits | rest)))
}

/// Parses a number, saturating: hexadecimal after `0x`, octal after `0`, else decimal.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.as_bytes() {
        [] => return None,
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] => (digits, 8),
        digits => (digits, 10),
    };
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        let value = value.saturating_mul(radix.into());
        Some(value.saturating_add(digit.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_radix() {
        for (text, expected) in [
            ("1.2.3.4", "1.2.3.4"),
            ("1.2.3", "1.2.0.3"),
            ("1.2.65535", "1.2.255.255"),
            ("1.16777215", "1.255.255.255"),
            ("4294967295", "255.255.255.255"),
            ("0", "0.0.0.0"),
            ("0x", "0.0.0.0"),
            ("00.0x0.010.8", "0.0.8.8"),
            ("0xFFFFFFFF", "255.255.255.255"),
            ("000000000000000001", "0.0.0.1"),
        ] {
            let expected: Ipv4Addr = expected.parse().unwrap();
            assert_eq!(parse(text), Some(Some(expected)), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_no_addresses() {
        for text in [
            "256.1",
            "1.2.3.256",
            "1.2.65536",
            "1.16777216",
            "4294967296",
            "1.2.3.4.5",
            "1..2",
            ".1",
            "08",
            "a.1",
            "0x100000000",
            "1.2.3.4..5",
        ] {
            assert_eq!(parse(text), Some(None), "{text}");
        }
    }

    #[test]
    fn names_are_not_parsed() {
        for text in ["", ".", "a", "1.a", "0xg", "1.2.3.4a", "1."] {
            let is_number = text == "1.";
            assert_eq!(parse(text).is_some(), is_number, "{text}");
        }
    }
}
