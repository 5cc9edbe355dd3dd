//! Punycode (RFC 3492) encodes the letters of a name in ASCII.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const BIAS: u32 = 72;
const FIRST: u32 = 0x80;

/// Appends the encoded letters of a label; at least one is not ASCII.
///
/// Arithmetic saturates. Labels of up to 63 bytes never reach that, and callers refuse longer ones.
pub(super) fn encode(letters: &[char], out: &mut String) {
    let ascii = letters.iter().filter(|letter| letter.is_ascii());
    let before = out.len();
    out.extend(ascii);
    let ascii = saturate(out.len().saturating_sub(before));
    if ascii > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut done) = (FIRST, 0_u32, BIAS, ascii);
    while let Some(next) = letters
        .iter()
        .map(|c| u32::from(*c))
        .filter(|c| *c >= n)
        .min()
    {
        let step = next.saturating_sub(n);
        delta = delta.saturating_add(step.saturating_mul(done.saturating_add(1)));
        n = next;
        for letter in letters.iter().map(|letter| u32::from(*letter)) {
            if letter < n {
                delta = delta.saturating_add(1);
            }
            if letter == n {
                number(delta, bias, out);
                let first = done == ascii;
                done = done.saturating_add(1);
                bias = adapt(delta, done, first);
                delta = 0;
            }
        }
        delta = delta.saturating_add(1);
        n = n.saturating_add(1);
    }
}

/// Appends a number of variable length: little-endian, the last digit below its threshold (RFC 3492, 3.3).
fn number(mut value: u32, bias: u32, out: &mut String) {
    let mut k = BASE;
    loop {
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        let over = value.checked_sub(threshold);
        let Some(over) = over else { break };
        let radix = BASE.saturating_sub(threshold);
        let rest = over.checked_rem(radix).unwrap_or(0);
        out.push(digit(threshold.saturating_add(rest)));
        value = over.checked_div(radix).unwrap_or(0);
        k = k.saturating_add(BASE);
    }
    out.push(digit(value));
}

fn digit(value: u32) -> char {
    char::from_digit(value, BASE).map_or('0', |_| {
        // Letters come before digits, unlike in other numbers of this base.
        let byte = match u8::try_from(value).unwrap_or(0) {
            letter @ 0..=25 => b'a'.saturating_add(letter),
            number => b'0'.saturating_add(number.saturating_sub(26)),
        };
        char::from(byte)
    })
}

/// Returns the next bias (RFC 3492, 6.1).
fn adapt(delta: u32, done: u32, first: bool) -> u32 {
    let delta = if first { delta / DAMP } else { delta / 2 };
    let mut delta = delta.saturating_add(delta.checked_div(done).unwrap_or(0));
    let mut k: u32 = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k = k.saturating_add(BASE);
    }
    let scaled = (BASE - T_MIN + 1).saturating_mul(delta);
    let divisor = delta.saturating_add(SKEW);
    k.saturating_add(scaled.checked_div(divisor).unwrap_or(0))
}

fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3492, 7.1, in lower case.
    #[test]
    fn examples_of_the_standard() {
        for (text, expected) in [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("pročprostěnemluvíčesky", "proprostnemluvesky-uyb24dma41a"),
            (
                "почемужеонинеговорятпорусски",
                "b1abfaaepdrnnbgefbadotcwatmq2g4l",
            ),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("パフィーdeルンバ", "de-jg4avhby1noc0d"),
            ("そのスピードで", "d9juau41awczczp"),
        ] {
            let letters: Vec<char> = text.chars().collect();
            let mut out = String::new();
            encode(&letters, &mut out);
            assert_eq!(out, expected, "{text}");
        }
    }

    #[test]
    fn a_long_label_does_not_trap() {
        let letters: Vec<char> = "\u{10ffff}ü".repeat(2_000).chars().collect();
        let mut out = String::new();
        encode(&letters, &mut out);
        assert!(out.len() > 63);
    }
}
