use std::fmt::{self, Write as _};

use asyncio_streams_text::is_unsafe;

/// Displays a text of unknown origin safely: in one line, and without effect on a terminal.
///
/// Control characters, line separators and characters that change the direction of writing appear as escapes, such as
/// `\n` and `\u{1b}`. All other characters are unchanged, those of other alphabets too.
///
/// The messages of this crate's errors and of [`Denied`](crate::Denied) escape the text of programs, peers and file
/// names. Their fields hold the original text: use this type to print them.
///
/// ```
/// use asyncio_streams_host::Escaped;
///
/// let name = "evil\nstreams: everything is fine\u{1b}[2J";
/// assert_eq!(Escaped(name).to_string(), r"evil\nstreams: everything is fine\u{1b}[2J");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_unsafe(c) {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Joins the lines of a library's message to one, and escapes the rest.
pub(crate) fn one_line(message: &str) -> String {
    let lines: Vec<&str> = message.lines().map(str::trim).collect();
    Escaped(&lines.join(" ")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_text_is_unchanged() {
        for text in ["", "plain", r"C:\new\table", "bücher 例え שלום 🙂", "'\"`"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
    }

    #[test]
    fn control_characters_and_line_separators_are_escaped() {
        for (text, shown) in [
            ("a\nb\r\tc\0", r"a\nb\r\tc\u{0}"),
            ("\u{1b}[31m\u{7f}\u{9b}2J", r"\u{1b}[31m\u{7f}\u{9b}2J"),
            ("\u{2028}\u{2029}\u{85}", r"\u{2028}\u{2029}\u{85}"),
            (
                "\u{202e}gpj.exe\u{2066}\u{200f}",
                r"\u{202e}gpj.exe\u{2066}\u{200f}",
            ),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
        }
    }

    #[test]
    fn lines_are_joined_or_kept_and_the_rest_is_escaped() {
        assert_eq!(one_line("a\n   b\u{1b}\r\nc\rd"), r"a b\u{1b} c\rd");
    }
}
