//! Remembers which components were stripped to which: stripping takes longer than all else in a build where nothing changed.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use asyncio_streams_strip::strip;

use crate::checkout;

/// Strips the component in `file` for users. `place` has the result of an earlier build, which is returned if nothing has changed.
///
/// # Errors
/// When the file cannot be read, or is no component.
pub(crate) fn stripped(file: &Path, place: &Path) -> Result<Vec<u8>> {
    Memory::at(checkout::tools().join("stripped")).stripped(file, place)
}

/// A folder with a file for each component: what it was made of, and what it became.
struct Memory {
    folder: PathBuf,
}

impl Memory {
    fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn stripped(&self, file: &Path, place: &Path) -> Result<Vec<u8>> {
        let built = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let note = self.folder.join(format!("{:016x}", hash(place)));
        let known = fs::read_to_string(&note).unwrap_or_default();
        if let Ok(earlier) = fs::read(place)
            && known == entry(&built, &earlier)
        {
            return Ok(earlier);
        }
        let stripped =
            strip(&built).with_context(|| format!("{} cannot be stripped", file.display()))?;
        // Without a note, the next build strips again.
        if fs::create_dir_all(&self.folder).is_ok() {
            let _ = fs::write(note, entry(&built, &stripped));
        }
        Ok(stripped)
    }
}

/// Names a component, its result and this program.
fn entry(built: &[u8], stripped: &[u8]) -> String {
    let program = std::env::current_exe().and_then(fs::metadata);
    let changed = program
        .as_ref()
        .ok()
        .and_then(|about| about.modified().ok())
        .unwrap_or(SystemTime::UNIX_EPOCH);
    format!("{:x} {:x}", hash((built, changed)), hash(stripped))
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_stripped_again_if_it_or_its_result_has_changed() {
        let folder = std::env::temp_dir().join(format!("xtask stripped {}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let memory = Memory::at(folder.join("memory"));
        let (file, place) = (folder.join("built.wasm"), folder.join("stripped.wasm"));
        // The head of an empty component, and one with a custom section.
        let head = b"\0asm\x0d\0\x01\0".to_vec();
        let long = [head.as_slice(), b"\0\x02\x01x"].concat();
        fs::write(&file, &long).unwrap();
        assert_eq!(memory.stripped(&file, &place).unwrap(), head);
        // The memory makes a changed result again, and returns a known result without a check.
        fs::write(&place, &long).unwrap();
        assert_eq!(memory.stripped(&file, &place).unwrap(), head);
        let note = memory.folder.join(format!("{:016x}", hash(&place)));
        fs::write(&note, entry(&long, &long)).unwrap();
        assert_eq!(memory.stripped(&file, &place).unwrap(), long);
        fs::write(&file, &head).unwrap();
        assert_eq!(memory.stripped(&file, &place).unwrap(), head);
        fs::remove_dir_all(folder).unwrap();
    }
}
