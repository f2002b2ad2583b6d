//! Reading capture files, and writing one.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use throng_capture::{Problem, line, read};

use super::merge::{Merged, Source};

/// A capture that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file or folder.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// What is in a file.
    #[error("{}: {problem}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        problem: Problem,
    },
    /// A folder without captures.
    #[error("{}: no file that ends in .jsonl", .0.display())]
    Nothing(PathBuf),
}

/// Reads files, and all `.jsonl` files of folders.
///
/// # Errors
/// [`FileError`] that names the file.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Source>, FileError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |error| FileError::Io { path: path.clone(), error };
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file.extension().is_some_and(|it| it == "jsonl") {
                inside.push(file);
            }
        }
        if inside.is_empty() {
            return Err(FileError::Nothing(path.clone()));
        }
        inside.sort();
        files.extend(inside);
    }
    files.into_iter().map(load_one).collect()
}

fn load_one(path: PathBuf) -> Result<Source, FileError> {
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => return Err(FileError::Io { path, error }),
    };
    match read(BufReader::with_capacity(1 << 20, file)) {
        Ok(contents) => Ok(Source { name: path.display().to_string(), contents }),
        Err(problem) => Err(FileError::Content { path, problem }),
    }
}

/// Writes a capture, readable by its owner alone.
///
/// # Errors
/// What the system says.
pub fn save(merged: &Merged, path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = BufWriter::new(options.open(path)?);
    out.write_all(&line(&merged.header))?;
    for record in &merged.records {
        out.write_all(&line(record))?;
    }
    out.flush()
}
