//! Writes the folder of components. A file changes only when its content does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::checkout;
use crate::stripped::stripped;

/// The files of the folder of components, written one by one.
pub(crate) struct Artifacts {
    folder: PathBuf,
    /// The folders in which stale components are removed. Others stay as they are.
    parts: Vec<&'static str>,
    written: BTreeSet<PathBuf>,
    /// The components that are new, different or removed.
    changed: Vec<PathBuf>,
}

impl Artifacts {
    /// Writes to `target/components`, and removes stale components from these folders of it.
    pub(crate) fn new(parts: &[&'static str]) -> Self {
        Self::at(checkout::components(), parts)
    }

    fn at(folder: PathBuf, parts: &[&'static str]) -> Self {
        Self {
            folder,
            parts: parts.to_vec(),
            written: BTreeSet::new(),
            changed: Vec::new(),
        }
    }

    /// Strips the component in `file` for users, writes it to `name`, and returns it.
    pub(crate) fn add(&mut self, name: impl AsRef<Path>, file: &Path) -> Result<Vec<u8>> {
        let content = stripped(file, &self.folder.join(&name))?;
        self.put(name, &content)?;
        Ok(content)
    }

    /// Writes `content` to `name` (`examples/echo.wasm`), unless the file has it already.
    pub(crate) fn put(&mut self, name: impl AsRef<Path>, content: &[u8]) -> Result<()> {
        let file = self.folder.join(name);
        if fs::read(&file).ok().as_deref() != Some(content) {
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)
                    .with_context(|| format!("cannot make {}", parent.display()))?;
            }
            // Renamed into place, so that a running program sees the old file or the new one.
            let fresh = file.with_extension("new.wasm");
            fs::write(&fresh, content)
                .with_context(|| format!("cannot write {}", fresh.display()))?;
            fs::rename(&fresh, &file)
                .with_context(|| format!("cannot write {}", file.display()))?;
            self.changed.push(file.clone());
        }
        self.written.insert(file);
        Ok(())
    }

    /// Removes components that were not written again, such as that of a removed example. Reports the changes, and
    /// returns the number of components.
    pub(crate) fn finish(mut self) -> Result<u64> {
        self.remove_stale()?;
        let (folder, files) = (checkout::shown(&self.folder), self.written.len());
        if self.changed.is_empty() {
            println!("{folder} is up to date: {files} components, nothing changed");
            return Ok(files as u64);
        }
        for file in &self.changed {
            match fs::metadata(file) {
                Ok(about) => println!("{} ({} bytes)", checkout::shown(file), about.len()),
                Err(_) => println!("{} (removed)", checkout::shown(file)),
            }
        }
        println!(
            "{folder}: {files} components, {} changed",
            self.changed.len()
        );
        Ok(files as u64)
    }

    fn remove_stale(&mut self) -> Result<()> {
        for part in &self.parts {
            let folder = self.folder.join(part);
            for file in checkout::files(&folder, "wasm")? {
                if !self.written.contains(&file) {
                    fs::remove_file(&file)
                        .with_context(|| format!("cannot remove {}", file.display()))?;
                    self.changed.push(file);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_files_stay_and_stale_ones_are_removed() {
        let folder = std::env::temp_dir().join(format!("xtask artifacts {}", std::process::id()));
        let put = |names: &[(&str, &[u8])]| {
            let mut artifacts = Artifacts::at(folder.clone(), &["", "examples"]);
            for (name, content) in names {
                artifacts.put(name, content).unwrap();
            }
            artifacts.remove_stale().unwrap();
            artifacts.changed
        };
        let (one, two) = (folder.join("one.wasm"), folder.join("examples/two.wasm"));
        let both: [(&str, &[u8]); 2] = [("one.wasm", b"1"), ("examples/two.wasm", b"2")];
        assert_eq!(put(&both), vec![one.clone(), two.clone()]);
        assert!(put(&both).is_empty());
        assert_eq!(
            put(&[both[0], ("examples/two.wasm", b"3")]),
            vec![two.clone()]
        );
        assert_eq!(put(&both[..1]), vec![two.clone()]);
        assert!(one.exists() && !two.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
