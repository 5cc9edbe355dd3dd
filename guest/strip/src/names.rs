//! Shortens the names by which the parts of a component refer to each other.

use std::collections::HashMap;

/// Short names, in the order in which they were first asked for.
#[derive(Default)]
pub(super) struct Names {
    short: HashMap<String, &'static str>,
    /// Whether every name stays.
    pub(super) kept: bool,
}

impl Names {
    pub(super) fn short<'a>(&mut self, name: &'a str) -> &'a str {
        if self.kept {
            return name;
        }
        let next = self.short.len();
        let short = self.short.entry(name.to_owned());
        // Leaked, since the encoder's types borrow names: some bytes each, in a program that ends soon.
        short.or_insert_with(|| letters(next).leak())
    }
}

/// Returns `a` to `z`, then `aa` to `zz`, and so on: names that imports of components may have too.
pub(super) fn letters(mut number: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return letters;
        }
        number -= 1;
    }
}
