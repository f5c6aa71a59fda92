//! Files that ship inside the program, and how a name in one file leads to another file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostics::Source;

/// Every shipped text by its path in the repository.
macro_rules! shipped_files {
    ($($path:literal),* $(,)?) => {
        /// Paths of the shipped texts, sorted.
        pub const SHIPPED: &[&str] = &[$($path),*];

        fn shipped_text(path: &str) -> Option<&'static str> {
            match path {
                $($path => Some(include_str!(concat!("../../", $path))),)*
                _ => None,
            }
        }
    };
}

shipped_files! {
    "assets/arrays.ron",
    "assets/conductors.ron",
    "assets/ginninderra_2015-05-25.csv",
    "assets/materials.ron",
    "assets/species.ron",
    "products/grid_guardian.ron",
    "products/weather_mast.ron",
    "scenarios/behind_a_building.ron",
    "scenarios/hot_joint.ron",
    "scenarios/methane_release.ron",
    "scenarios/overloaded_conductor.ron",
    "scenarios/quiet_day.ron",
    "scenarios/smouldering_branch.ron",
    "scenarios/smouldering_limb.ron",
    "scenarios/sun_on_shiny_joint.ron",
    "scenarios/vehicle_in_frame.ron",
}

/// A shipped text by its path in the repository.
#[must_use]
pub fn shipped(path: &str) -> Option<Arc<Source>> {
    shipped_text(path).map(|text| Source::new(path, text))
}

/// A file the person named could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// No such file, here or shipped.
    #[error("no such file: {}{}", path.display(), hint.as_ref().map(|h| format!("\n  tip: a similar file exists: {h}")).unwrap_or_default())]
    Missing {
        /// What was asked for.
        path: PathBuf,
        /// The nearest file there is.
        hint: Option<String>,
    },
    /// It exists and cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// What was asked for.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Reads a file a person named on the command line: from disk, or a shipped one by path or bare name.
///
/// # Errors
/// When there is none, with the nearest name there is; or when it cannot be read.
pub fn open(path: &Path, folder: &str) -> Result<Arc<Source>, LibraryError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Source::new(path, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = path.to_string_lossy();
            let bare = format!("{folder}/{}.ron", name.trim_end_matches(".ron"));
            shipped(&name)
                .or_else(|| shipped(&bare))
                .ok_or_else(|| LibraryError::Missing { path: path.to_owned(), hint: similar(path, folder) })
        }
        Err(source) => Err(LibraryError::Unreadable { path: path.to_owned(), source }),
    }
}

/// Reads a file that another file names: beside it, one folder up, in the working folder, or shipped.
#[must_use]
pub fn open_beside(from: &Path, name: &str) -> Option<Arc<Source>> {
    let read = |path: PathBuf| std::fs::read_to_string(&path).ok().map(|text| Source::new(path, text));
    beside(from, name).into_iter().find_map(read).or_else(|| shipped(name))
}

/// The bytes of a file that another file names, and where it was found; shipped files are texts.
#[must_use]
pub fn open_bytes_beside(from: &Path, name: &str) -> Option<(PathBuf, Vec<u8>)> {
    beside(from, name).into_iter().find_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes)))
}

/// Where a name in a file may lead.
fn beside(from: &Path, name: &str) -> [PathBuf; 3] {
    let folder = from.parent().unwrap_or(Path::new(""));
    [folder.join(name), folder.join("..").join(name), PathBuf::from(name)]
}

/// The names of products that a file at `from` could name.
#[must_use]
pub fn names_beside(from: &Path, folder: &str) -> Vec<String> {
    let here = from.parent().unwrap_or(Path::new(""));
    let mut names: Vec<String> = [here.join("..").join(folder), PathBuf::from(folder)]
        .iter()
        .filter_map(|dir| std::fs::read_dir(dir).ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.extend(SHIPPED.iter().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".ron").map(str::to_owned)));
    names.sort();
    names.dedup();
    names
}

fn similar(path: &Path, folder: &str) -> Option<String> {
    let stem = path.file_stem()?.to_str()?.to_owned();
    let names = names_beside(path, folder);
    let near = crate::diagnostics::nearest(&stem, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    Some(format!("{folder}/{near}.ron"))
}
