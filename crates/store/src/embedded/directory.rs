//! The data directory: who has it open, what format it is in, and the engine's files in it.
//!
//! - `lock`: locked while a process has the store open.
//! - `format`: one line that names the format.
//! - `engine/`: the engine's files.
//! - `engine.new/`: the same while they are first made; left behind only by a crash.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::{Database, DatabaseBuilder};

use super::backend;
use crate::StoreError;

const FORMAT: &str = "throng-store 1";

/// A data directory that this process owns until it is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if need be, locks it and checks its format.
    pub(crate) fn claim(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(disk)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(disk)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(disk(error)),
        }
        let directory = Self { path: path.to_owned(), _lock: lock };
        directory.check_format()?;
        Ok(directory)
    }

    fn check_format(&self) -> Result<(), StoreError> {
        let found = match fs::read(self.path.join("format")) {
            Ok(marker) => String::from_utf8_lossy(&marker[..marker.len().min(64)]).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if self.path.join("engine").try_exists().map_err(disk)? {
                    "no marker".to_owned()
                } else {
                    return self.write_format().map_err(disk);
                }
            }
            Err(error) => return Err(disk(error)),
        };
        if found.trim_end() == FORMAT {
            return Ok(());
        }
        Err(self.bad_format(format!("{:?}", found.trim_end())))
    }

    fn bad_format(&self, found: String) -> StoreError {
        StoreError::Format { path: self.path.clone(), found, expected: FORMAT }
    }

    fn write_format(&self) -> io::Result<()> {
        let new = self.path.join("format.new");
        let mut file = File::create(&new)?;
        writeln!(file, "{FORMAT}")?;
        file.sync_all()?;
        fs::rename(&new, self.path.join("format"))?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Opens the engine, and makes it first if there is none.
    ///
    /// The engine cannot open what it was killed in the middle of making, so it is made beside its
    /// place and moved there when it is whole.
    pub(crate) fn open_engine(
        &self,
        builder: impl Fn(&Path) -> DatabaseBuilder<Database>,
    ) -> Result<Database, StoreError> {
        let (engine, new) = (self.path.join("engine"), self.path.join("engine.new"));
        if !engine.try_exists().map_err(disk)? {
            match fs::remove_dir_all(&new) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(disk(error)),
                Ok(()) | Err(_) => {}
            }
            drop(builder(&new).open().map_err(backend)?);
            fs::rename(&new, &engine).and_then(|()| self.sync()).map_err(disk)?;
        }
        builder(&engine).open().map_err(|error| match error {
            fjall::Error::InvalidVersion(version) => {
                self.bad_format(format!("engine version {version:?}"))
            }
            fjall::Error::Locked => StoreError::InUse { path: self.path.clone() },
            other => backend(other),
        })
    }
}

fn disk(error: io::Error) -> StoreError {
    StoreError::Backend { source: Arc::new(error) }
}
