//! Internationalised names (RFC 5891) in ASCII: `bücher.example` as `xn--bcher-kva.example`.
//!
//! Complete IDNA (UTS #46) would need 158 KB of tables, 40 % of `streams.wasm`. This module accepts the letters that
//! IDNA leaves unchanged. It folds the case of Latin, Greek, Cyrillic and Armenian, and refuses all other letters with
//! advice. A test compares every accepted letter with a complete implementation.

use super::punycode;

const ADVICE: &str = "has a letter that is not accepted: give the name in lower case and composed letters (NFC), \
     or in ASCII, as xn--...";

/// Converts `host` to lower-case ASCII. Labels that are ASCII already are not checked.
///
/// # Errors
/// If a letter would have to be rewritten first.
pub(super) fn to_ascii(host: &str) -> Result<String, &'static str> {
    let mut name = String::with_capacity(host.len());
    for (index, label) in host.split(is_dot).enumerate() {
        if index > 0 {
            name.push('.');
        }
        if label.is_ascii() {
            name.extend(label.chars().map(|c| c.to_ascii_lowercase()));
            continue;
        }
        let letters = letters(label)?;
        name.push_str("xn--");
        punycode::encode(&letters, &mut name);
    }
    Ok(name)
}

/// Includes the full stops of East Asian input methods (RFC 3490, 3.1).
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

fn letters(label: &str) -> Result<Vec<char>, &'static str> {
    if label.starts_with('-') || label.ends_with('-') {
        return Err("has a label that begins or ends with a hyphen");
    }
    // Hyphens in this place are reserved for encodings (RFC 5891, 4.2.3.1).
    if label.get(2..4) == Some("--") {
        return Err(ADVICE);
    }
    let letters: Option<Vec<char>> = label.chars().map(fold).collect();
    let letters = letters.ok_or(ADVICE)?;
    if letters.windows(2).any(composes) {
        return Err(ADVICE);
    }
    Ok(letters)
}

/// How the letters of a range convert to lower case.
#[derive(Clone, Copy)]
enum Case {
    /// The letters have no case, or are small.
    Same,
    /// Capital and small letters alternate; the small ones are odd.
    Odd,
    /// Capital and small letters alternate; the small ones are even.
    Even,
    /// The code of the small letter is greater by this number.
    Later(u8),
}

use Case::{Even, Later, Odd, Same};

/// The accepted letters and digits, in order. Includes the capitals whose small letter can be computed.
static TAKEN: [(u16, u16, Case); 83] = [
    // ASCII. Other ASCII characters are not allowed in internationalised labels.
    (0x2d, 0x2d, Same),
    (0x30, 0x39, Same),
    (0x41, 0x5a, Later(0x20)),
    (0x5f, 0x5f, Same),
    (0x61, 0x7a, Same),
    // Latin, with the middle dot of Catalan.
    (0xb7, 0xb7, Same),
    (0xc0, 0xd6, Later(0x20)),
    (0xd8, 0xde, Later(0x20)),
    (0xdf, 0xf6, Same),
    (0xf8, 0xff, Same),
    (0x100, 0x12f, Odd),
    (0x131, 0x131, Same),
    (0x134, 0x137, Odd),
    (0x138, 0x138, Same),
    (0x139, 0x13e, Even),
    (0x141, 0x148, Even),
    (0x14a, 0x177, Odd),
    (0x179, 0x17e, Even),
    (0x180, 0x180, Same),
    (0x1a0, 0x1a1, Odd),
    (0x1af, 0x1b0, Even),
    (0x1cd, 0x1dc, Even),
    (0x1de, 0x1ef, Odd),
    (0x1f8, 0x21f, Odd),
    (0x222, 0x233, Odd),
    (0x250, 0x2af, Same),
    // Greek, Cyrillic, Armenian.
    (0x390, 0x390, Same),
    (0x391, 0x3a1, Later(0x20)),
    (0x3a3, 0x3ab, Later(0x20)),
    (0x3ac, 0x3ce, Same),
    (0x400, 0x40f, Later(0x50)),
    (0x410, 0x42f, Later(0x20)),
    (0x430, 0x45f, Same),
    (0x460, 0x481, Odd),
    (0x48a, 0x4bf, Odd),
    (0x4c1, 0x4ce, Even),
    (0x4cf, 0x4cf, Same),
    (0x4d0, 0x52f, Odd),
    (0x531, 0x556, Later(0x30)),
    (0x561, 0x586, Same),
    // Hebrew, Arabic.
    (0x5d0, 0x5ea, Same),
    (0x620, 0x64a, Same),
    (0x660, 0x669, Same),
    (0x66e, 0x66f, Same),
    (0x671, 0x674, Same),
    (0x679, 0x6d3, Same),
    (0x6d5, 0x6d5, Same),
    (0x6ee, 0x6fc, Same),
    // India and Sri Lanka, without letters that decompose.
    (0x900, 0x957, Same),
    (0x960, 0x963, Same),
    (0x966, 0x96f, Same),
    (0x971, 0x9db, Same),
    (0x9e0, 0xa32, Same),
    (0xa34, 0xa35, Same),
    (0xa37, 0xa58, Same),
    (0xa5f, 0xb5b, Same),
    (0xb5e, 0xdf3, Same),
    // Thai, Lao, Burmese, Georgian, Ethiopic, Khmer.
    (0xe01, 0xe32, Same),
    (0xe34, 0xe3a, Same),
    (0xe40, 0xe4e, Same),
    (0xe50, 0xe59, Same),
    (0xe81, 0xeb2, Same),
    (0xeb4, 0xed9, Same),
    (0x1000, 0x1049, Same),
    (0x10d0, 0x10fa, Same),
    (0x1200, 0x135a, Same),
    (0x1780, 0x17b3, Same),
    (0x17b6, 0x17d3, Same),
    (0x17d7, 0x17d7, Same),
    (0x17dc, 0x17dc, Same),
    (0x17e0, 0x17e9, Same),
    // More Latin.
    (0x1e00, 0x1e95, Odd),
    (0x1e96, 0x1e99, Same),
    (0x1ea0, 0x1eff, Odd),
    // Chinese, Japanese, Korean.
    (0x3005, 0x3007, Same),
    (0x3041, 0x3096, Same),
    (0x309d, 0x309e, Same),
    (0x30a1, 0x30fe, Same),
    (0x3105, 0x312f, Same),
    (0x3400, 0x4dbf, Same),
    (0x4e00, 0x9fff, Same),
    (0xa000, 0xa48c, Same),
    (0xac00, 0xd7a3, Same),
];

/// Returns the letter in lower case, or `None` if it is not accepted.
fn fold(c: char) -> Option<char> {
    let Ok(letter) = u16::try_from(u32::from(c)) else {
        // Chinese characters beyond the first 28,000.
        let taken = matches!(c, '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2ebe0}' | '\u{30000}'..='\u{323af}');
        return taken.then_some(c);
    };
    let has = |range: &&(u16, u16, Case)| range.0 <= letter && letter <= range.1;
    let folded = match TAKEN.iter().find(has)?.2 {
        Same => letter,
        Odd => letter | 1,
        Even => letter.saturating_add(letter & 1),
        Later(by) => letter.saturating_add(by.into()),
    };
    char::from_u32(folded.into())
}

/// Pairs that Unicode composes into one letter (NFC).
static COMPOSED: [(u16, u16); 26] = [
    (0x928, 0x93c),
    (0x930, 0x93c),
    (0x933, 0x93c),
    (0x9c7, 0x9be),
    (0x9c7, 0x9d7),
    (0xb47, 0xb3e),
    (0xb47, 0xb56),
    (0xb47, 0xb57),
    (0xb92, 0xbd7),
    (0xbc6, 0xbbe),
    (0xbc6, 0xbd7),
    (0xbc7, 0xbbe),
    (0xc46, 0xc56),
    (0xcbf, 0xcd5),
    (0xcc6, 0xcc2),
    (0xcc6, 0xcd5),
    (0xcc6, 0xcd6),
    (0xcca, 0xcd5),
    (0xd46, 0xd3e),
    (0xd46, 0xd57),
    (0xd47, 0xd3e),
    (0xdd9, 0xdca),
    (0xdd9, 0xdcf),
    (0xdd9, 0xddf),
    (0xddc, 0xdca),
    (0x1025, 0x102e),
];

fn composes(pair: &[char]) -> bool {
    let &[first, second] = pair else { return false };
    let (first, second) = (u32::from(first), u32::from(second));
    let mut composed = COMPOSED.iter();
    composed.any(|pair| u32::from(pair.0) == first && u32::from(pair.1) == second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the ASCII form by UTS #46.
    fn standard(host: &str) -> Option<String> {
        let ascii = ::idna::domain_to_ascii_cow(host.as_bytes(), ::idna::AsciiDenyList::URL);
        ascii.ok().map(String::from)
    }

    fn agrees(host: &str) {
        if let (Ok(ours), Some(standard)) = (to_ascii(host), standard(host)) {
            assert_eq!(ours, standard, "{host} ({})", host.escape_unicode());
        }
    }

    #[test]
    fn names_of_many_languages() {
        for host in [
            "bücher.example",
            "BÜCHER.Example",
            "straße.example",
            "ÅNGSTRÖM.example",
            "łódź.example",
            "ŞEKER.example",
            "đường.example",
            "ƯỚC.example",
            "παράδειγμα.δοκιμή",
            "ΔΟΚΙΜΗ.example",
            "пример.испытание",
            "ПРИМЕР.example",
            "оренда.україна",
            "հայաստան.հայ",
            "דוגמה.טעסט",
            "مثال.إختبار",
            "उदाहरण.परीक्षा",
            "உதாரணம்.பரிட்சை",
            "উদাহরণ.বাংলা",
            "ตัวอย่าง.ไทย",
            "ឧទាហរណ៍.ខ្មែរ",
            "例え.テスト",
            "例子.测试",
            "실례.테스트",
            "l·l.example",
            "a1-ü.example",
        ] {
            let standard = standard(host).expect("a name");
            assert_eq!(to_ascii(host), Ok(standard), "{host}");
        }
    }

    #[test]
    fn names_that_would_be_rewritten_are_refused() {
        for host in [
            "bu\u{308}cher",
            "ｅxample",
            "ﬁsh",
            "①",
            "İstanbul",
            "a\u{200d}b",
            "\u{202e}abc",
            "か\u{3099}",
            "xn--ü",
            "☕",
            "a ü",
        ] {
            let reason = to_ascii(host).expect_err(host);
            assert!(reason.contains("xn--"), "{reason}");
        }
    }

    #[test]
    fn every_letter_agrees_with_the_standard() {
        for c in (0x80..=0x10_ffff).filter_map(char::from_u32) {
            if fold(c).is_none() {
                continue;
            }
            // Some letters cannot begin a label, and the first letter determines which directions may follow.
            let befores: &[&str] = match u32::from(c) {
                0x3000.. => &[""],
                _ => &["", "a", "א", "ا"],
            };
            for before in befores {
                agrees(&format!("{before}{c}"));
            }
        }
    }

    #[test]
    fn every_pair_of_letters_agrees_with_the_standard() {
        // Letters compose only with letters of the same script.
        for block in [0xc0..0x250, 0x370..0x530_u32] {
            pairs(block);
        }
        for start in (0x900..0x1100).step_by(0x80) {
            pairs(start..start + 0x80);
        }
        pairs(0x1780..0x1800);
        pairs(0x3040..0x3100);
    }

    fn pairs(block: std::ops::Range<u32>) {
        let taken = |u: &u32| char::from_u32(*u).and_then(fold).is_some();
        let letters: Vec<char> = block.filter(taken).filter_map(char::from_u32).collect();
        for first in &letters {
            for second in &letters {
                agrees(&format!("{first}{second}"));
            }
        }
    }
}
