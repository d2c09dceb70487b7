//! The project's text files, for the tests that read them.

use std::fs;
use std::path::Path;

/// Directories that tools write: nothing in them is ours.
const BUILT: [&str; 5] = [".git", "target", "corpus", "artifacts", "coverage"];

/// Every UTF-8 file below `under` (a path from the project's root, `""` for the root) with its contents, in order of
/// paths. Paths are relative to the root, with `/`.
pub(crate) fn files(under: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), under, &mut found);
    found.sort();
    found
}

fn walk(root: &Path, under: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(root.join(under)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if BUILT.contains(&name.as_str()) {
            continue;
        }
        let path = if under.is_empty() { name } else { format!("{under}/{name}") };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(root, &path, found);
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path()).unwrap())
        {
            found.push((path, text));
        }
    }
}
