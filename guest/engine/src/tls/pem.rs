//! Finds the entries of a PEM text (RFC 7468), and reports the fault of a text without entries.
//!
//! Messages contain the labels and nothing else of the text: it may be a key.

use std::borrow::Cow;

/// The beginning and the end of an entry.
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The predicate of a message: "key: is empty".
pub(super) type Fault = Cow<'static, str>;

/// The content of an argument.
pub(super) enum Content<'a> {
    /// Possibly one object in DER.
    Der(&'a [u8]),
    /// At least one entry.
    Pem(Vec<Entry<'a>>),
}

/// An entry of a PEM text.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    number: usize,
    line: usize,
    pub(super) label: &'a str,
    /// From the begin line to the end line.
    pub(super) text: &'a [u8],
}

impl Entry<'_> {
    /// Returns the number, label and line of the entry, for messages.
    pub(super) fn place(&self) -> String {
        place(self.number, self.label, self.line)
    }
}

fn place(number: usize, label: &str, line: usize) -> String {
    format!("entry {number} ({label}, line {line})")
}

/// Distinguishes PEM from DER, and finds the entries.
///
/// Skips text before, between and after the entries.
///
/// # Errors
/// If the text is neither PEM nor DER, or an entry is incomplete.
pub(super) fn read(bytes: &[u8]) -> Result<Content<'_>, Fault> {
    if !bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
        // Certificates and keys are sequences, which begin with this byte.
        return match bytes.first() {
            Some(0x30) => Ok(Content::Der(bytes)),
            _ => Err(neither(bytes).into()),
        };
    }
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut open: Option<Open<'_>> = None;
    for line in lines(bytes) {
        let text = line.text.trim_ascii();
        let is_begin = text.starts_with(BEGIN);
        if !is_begin && !text.starts_with(END) {
            continue;
        }
        if line.text.starts_with(b" ") || line.text.starts_with(b"\t") {
            let number = line.number;
            return Err(format!("line {number} is indented: remove the blanks before it").into());
        }
        if is_begin {
            if let Some(open) = open {
                return Err(open.no_end());
            }
            let number = entries.len().saturating_add(1);
            open = Some(Open {
                number,
                label: label(text, BEGIN).ok_or_else(|| begin_line(text, number))?,
                line,
            });
        } else if let Some(open) = open.take() {
            let end = line.start.saturating_add(line.text.len());
            entries.push(open.close(label(text, END), bytes.get(open.line.start..end))?);
        } else {
            let number = line.number;
            return Err(format!("line {number} ends an entry that has no begin line").into());
        }
    }
    match open {
        Some(open) => Err(open.no_end()),
        None if entries.is_empty() => Err("has a begin line that other text precedes: put it on \
             a line of its own"
            .into()),
        None => Ok(Content::Pem(entries)),
    }
}

/// An entry whose end line was not found yet.
#[derive(Clone, Copy)]
struct Open<'a> {
    number: usize,
    label: &'a str,
    line: Line<'a>,
}

impl<'a> Open<'a> {
    fn place(&self) -> String {
        place(self.number, self.label, self.line.number)
    }

    fn no_end(&self) -> Fault {
        let (place, label) = (self.place(), self.label);
        format!("{place} has no line -----END {label}-----: it is cut off, or that line is damaged")
            .into()
    }

    fn close(&self, end: Option<&str>, text: Option<&'a [u8]>) -> Result<Entry<'a>, Fault> {
        let (Some(end), Some(text)) = (end, text) else {
            return Err(self.no_end());
        };
        let &Open {
            number,
            label,
            line,
        } = self;
        if end != label {
            let place = self.place();
            return Err(format!("{place} ends as {end}: two entries are mixed up").into());
        }
        Ok(Entry {
            number,
            line: line.number,
            label,
            text,
        })
    }
}

/// Returns the label between the hyphens of a begin line or an end line.
fn label<'a>(line: &'a [u8], before: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(before)?.strip_suffix(DASHES)?;
    let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'#');
    // Bounded, because messages contain it. The longest label in use has 22 characters.
    if label.is_empty() || label.len() > 64 || !label.iter().all(is_label) {
        return None;
    }
    str::from_utf8(label).ok()
}

/// Returns the fault of a begin line without a label.
fn begin_line(line: &[u8], number: usize) -> Fault {
    let has = |what: &[u8]| line.windows(what.len()).any(|window| window == what);
    if has(b"\\n") {
        format!(
            "entry {number} has the two characters \\ and n where lines should end: put line breaks there"
        )
    } else if line.len() > 80 || has(END) {
        format!("entry {number} is all on one line: the begin line and the end line must stand alone")
    } else {
        format!("the begin line of entry {number} does not have five hyphens on either side")
    }
    .into()
}

/// Returns the fault of bytes that are neither PEM nor DER.
fn neither(bytes: &[u8]) -> &'static str {
    if bytes.trim_ascii().is_empty() {
        return "is empty";
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return "is text in UTF-16: save it as ASCII or UTF-8";
    }
    let Ok(text) = str::from_utf8(bytes) else {
        return "is neither PEM nor DER";
    };
    let text = text.trim();
    if text.contains("BEGIN ") {
        return "has no line -----BEGIN ...----- with five hyphens on either side";
    }
    if is_path(text) {
        return "looks like the path of a file: give what the file contains";
    }
    let is_base64 = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=') || c.is_ascii_whitespace()
    };
    if text.len() >= 32 && text.chars().all(is_base64) {
        return "is base64 without the lines -----BEGIN ...----- and -----END ...-----: put these \
                around it";
    }
    "is neither PEM nor DER"
}

fn is_path(text: &str) -> bool {
    const ENDS: [&str; 9] = [
        ".pem", ".crt", ".cer", ".key", ".der", ".p8", ".p12", ".pfx", ".txt",
    ];
    let lower = text.to_ascii_lowercase();
    let begins = ["./", "../", "~/", ".\\", "..\\", "file:"];
    let drive = lower.get(1..3) == Some(":\\") || lower.get(1..3) == Some(":/");
    // Base64 can begin with a slash too, but it is long and has no dots, hyphens or underscores.
    let rooted = lower.starts_with('/') && (text.len() < 32 || text.contains(['.', '-', '_']));
    text.len() < 4096
        && !text.contains('\n')
        && (drive
            || rooted
            || ENDS.iter().any(|end| lower.ends_with(end))
            || begins.iter().any(|begin| lower.starts_with(begin)))
}

/// A line without its end.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Counted from 1.
    number: usize,
    start: usize,
    text: &'a [u8],
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    /// The byte order mark of UTF-8.
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let start = if bytes.starts_with(MARK) {
        MARK.len()
    } else {
        0
    };
    // Old Macs end lines with a carriage return only.
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let rest = bytes.get(start..).unwrap_or_default();
    let lines = rest.split(move |byte| *byte == end).enumerate();
    lines.scan(start, |next, (index, text)| {
        let start = *next;
        *next = start.saturating_add(text.len()).saturating_add(1);
        Some(Line {
            number: index.saturating_add(1),
            start,
            text,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8]) -> Vec<(String, String)> {
        match read(text) {
            Ok(Content::Pem(entries)) => entries
                .iter()
                .map(|entry| {
                    let text = String::from_utf8_lossy(entry.text).into_owned();
                    (entry.place(), text)
                })
                .collect(),
            Ok(Content::Der(_)) => panic!("taken as DER"),
            Err(fault) => panic!("{fault}"),
        }
    }

    fn fault(text: &[u8]) -> String {
        match read(text) {
            Ok(_) => panic!("taken"),
            Err(fault) => fault.into_owned(),
        }
    }

    const A: &str = "-----BEGIN A-----\nAAAA\n-----END A-----";

    #[test]
    fn entries_are_numbered_and_extracted() {
        let text = format!("a comment\n{A}\n\nanother\n{A}");
        let found = entries(text.as_bytes());
        let expected = [("entry 1 (A, line 2)", A), ("entry 2 (A, line 7)", A)];
        let expected = expected.map(|(place, text)| (place.to_owned(), text.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn every_kind_of_line_break() {
        for (lines, number) in [("\n", 1), ("\r\n", 1), ("\r", 1), (" \n", 1)] {
            let text = A.replace('\n', lines);
            let found = entries(text.as_bytes());
            assert_eq!(
                found[0].0,
                format!("entry {number} (A, line 1)"),
                "{lines:?}"
            );
        }
        let marked = format!("\u{feff}{A}");
        assert_eq!(entries(marked.as_bytes())[0].1, A);
    }

    #[test]
    fn incomplete_entries_report_what_is_missing() {
        let key = "-----BEGIN KEY-----";
        for (text, expected) in [
            (
                format!("{A}\n{key}\nAAAA\n"),
                "entry 2 (KEY, line 4) has no line -----END KEY-----",
            ),
            (format!("{key}\nAAAA\n{A}"), "entry 1 (KEY, line 1) has no"),
            (
                format!("{key}\nAAAA\n-----END KEY--"),
                "entry 1 (KEY, line 1) has no",
            ),
            (
                format!("{key}\nAAAA\n-----END A-----"),
                "entry 1 (KEY, line 1) ends as A",
            ),
            (
                format!("{A}\n-----END A-----"),
                "line 4 ends an entry that has no begin line",
            ),
            (A.replace('\n', " "), "entry 1 is all on one line"),
            (A.replace('\n', ""), "entry 1 is all on one line"),
            (A.replace('\n', "\\n"), "the two characters \\ and n"),
            (
                A.replace("A-----\nA", "A----\nA"),
                "the begin line of entry 1 does not have five hyphens",
            ),
            (A.replace('\n', "\n  "), "line 3 is indented"),
            (format!("  {A}"), "line 1 is indented"),
            (format!("key={A}"), "line 3 ends an entry"),
            (A.replace("-----BEGIN", "----BEGIN"), "five hyphens"),
        ] {
            let said = fault(text.as_bytes());
            assert!(said.contains(expected), "{text}: {said}");
        }
    }

    #[test]
    fn text_that_is_not_pem() {
        let base64 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
        for (text, expected) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"/etc/ssl/key.pem", "path"),
            (b"/run/secrets/key", "path"),
            (b"key.pem\n", "path"),
            (b"./key", "path"),
            (b"C:\\keys\\key.PEM", "path"),
            (b"file:///key", "path"),
            (base64.as_bytes(), "base64"),
            (b"\xff\xfe-\0-\0", "UTF-16"),
            (b"hello", "neither"),
            (b"\x01\xff", "neither"),
        ] {
            let said = fault(text);
            assert!(said.contains(expected), "{text:?}: {said}");
        }
        assert!(matches!(read(b"\x30\x00"), Ok(Content::Der(_))));
    }
}
