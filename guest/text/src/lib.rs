//! Escapes text of peers and of other components, so that a log line stays one line and terminals execute no control
//! codes.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

use std::fmt::{self, Display};

/// Displays `text` on one line, whatever it contains.
///
/// | in the text | becomes |
/// |---|---|
/// | newline, carriage return, tab | `\n`, `\r`, `\t` |
/// | any other control character, such as ESC | `\u{1b}` |
/// | characters that reorder or hide text: bidirectional controls, line and paragraph separators, tags | `\u{202e}` |
/// | bytes that are not UTF-8 | `\xff` |
///
/// Everything else stays unchanged: letters of all languages, emoji, quotes and backslashes. So a second escaping
/// changes nothing. The result does not distinguish an escaped newline from a backslash followed by `n`.
///
/// ```
/// use asyncio_streams_text::escaped;
///
/// assert_eq!(escaped("Grüße\n\x1b[2J").to_string(), r"Grüße\n\u{1b}[2J");
/// assert_eq!(escaped(b"caf\xe9").to_string(), r"caf\xe9");
/// ```
pub fn escaped<T: AsRef<[u8]> + ?Sized>(text: &T) -> impl Display + '_ {
    Escaped(text.as_ref())
}

struct Escaped<'a>(&'a [u8]);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            write_escaped(f, chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Writes runs of safe characters as a whole.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for piece in text.split_inclusive(is_unsafe) {
        let Some(last) = piece.chars().next_back().filter(|last| is_unsafe(*last)) else {
            f.write_str(piece)?;
            continue;
        };
        f.write_str(piece.strip_suffix(last).unwrap_or_default())?;
        match last {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            other => write!(f, "{}", other.escape_unicode())?,
        }
    }
    Ok(())
}

/// Returns whether a character affects the text around it instead of showing itself.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Bidirectional controls: they change the displayed order of the text.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators: some programs start a new line.
            | '\u{2028}' | '\u{2029}'
            // Byte order mark, deprecated format characters, annotations and tags: they are invisible.
            | '\u{feff}' | '\u{206a}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_and_reordering_are_escaped() {
        for (text, shown) in [
            ("", ""),
            ("a\nb\r\n\tc", r"a\nb\r\n\tc"),
            (
                "\u{1b}[31mred\u{7}\0\u{7f}",
                r"\u{1b}[31mred\u{7}\u{0}\u{7f}",
            ),
            ("\u{9b}2J\u{85}", r"\u{9b}2J\u{85}"),
            ("\u{202e}gpj.exe\u{2069}", r"\u{202e}gpj.exe\u{2069}"),
            ("one\u{2028}two\u{2029}", r"one\u{2028}two\u{2029}"),
            ("\u{feff}x\u{e0041}", r"\u{feff}x\u{e0041}"),
        ] {
            assert_eq!(escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "plain",
            "bücher.example, Ελλάδα, العربية, עברית, 日本語",
            "👩‍👩‍👧 and \"quotes\" 'too' \\ C:\\new",
            "نمی‌خواهم",
        ] {
            assert_eq!(escaped(text).to_string(), text);
        }
    }

    #[test]
    fn invalid_utf8_is_shown_in_hex() {
        assert_eq!(escaped(b"\xff\xfea\xc3").to_string(), r"\xff\xfea\xc3");
        // An overlong newline, and half of a surrogate pair.
        assert_eq!(
            escaped(b"\xc0\x8a\xed\xa0\x80").to_string(),
            r"\xc0\x8a\xed\xa0\x80"
        );
    }

    #[test]
    fn escaping_twice_changes_nothing() {
        let once = escaped("a\nb\u{1b}\u{202e}\\").to_string();
        assert_eq!(escaped(&once).to_string(), once);
    }

    #[test]
    fn every_character_is_shown_on_one_line() {
        for c in '\0'..=char::MAX {
            let shown = escaped(c.encode_utf8(&mut [0; 4])).to_string();
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
        }
    }
}
