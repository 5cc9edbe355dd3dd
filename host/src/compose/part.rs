use std::path::Path;

use super::ComposeError;

/// A component to compose, with the name that messages use for it.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    bytes: Vec<u8>,
}

impl Part {
    /// Makes a part from memory. `name` is for messages only.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }

    /// Reads a part from a file; its name is the path as given.
    ///
    /// # Errors
    /// [`ComposeError::Read`] when the file cannot be read. The content is checked later, during the composition.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ComposeError> {
        let path = path.as_ref();
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self::new(path.display().to_string(), bytes)),
            Err(reason) => Err(ComposeError::Read {
                path: path.to_owned(),
                reason,
            }),
        }
    }

    /// The name that messages use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Checks by the first bytes whether the part is a component.
    ///
    /// # Errors
    /// [`ComposeError::NotAComponent`] describes what it is instead.
    pub fn check(&self) -> Result<(), ComposeError> {
        let found = match *self.bytes.as_slice() {
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => return Ok(()),
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
                "it is a core module; link it with wasm-component-ld, or wrap it with `wasm-tools component new`"
            }
            [] => "the file is empty",
            [b'(', ..] => "it is WebAssembly text; translate it with `wasm-tools parse`",
            _ => "it is not WebAssembly",
        };
        Err(ComposeError::NotAComponent {
            part: self.name.clone(),
            found,
        })
    }

    pub(super) fn into_inner(self) -> (String, Vec<u8>) {
        (self.name, self.bytes)
    }
}
