//! The files of a capture: one after the other, each with a header, readable by their owner alone, and
//! with whole lines only.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use throng_capture::{Header, line};

/// Where lines go.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    /// Of the file that is written to.
    header: Header,
    file: File,
    /// Bytes of whole lines in it.
    written: u64,
    file_bytes: u64,
    most: usize,
    paths: VecDeque<PathBuf>,
}

impl Files {
    pub(super) fn begin(
        directory: &Path,
        header: Header,
        file_bytes: u64,
        most: usize,
    ) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let (file, path, written) = open(directory, &header)?;
        let directory = directory.to_owned();
        let paths = VecDeque::from([path]);
        Ok(Self { directory, header, file, written, file_bytes, most, paths })
    }

    /// Appends whole lines. Where that fails nothing of them is in the file.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.written >= self.file_bytes {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(lines) {
            // The beginning of a line must not stand before the next one.
            self.file.set_len(self.written)?;
            self.file.seek(SeekFrom::Start(self.written))?;
            return Err(error);
        }
        self.written += lines.len() as u64;
        Ok(())
    }

    /// Makes sure that it survives the machine.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn rotate(&mut self) -> io::Result<()> {
        let header = Header { part: self.header.part + 1, ..self.header.clone() };
        let (file, path, written) = open(&self.directory, &header)?;
        (self.file, self.header, self.written) = (file, header, written);
        self.paths.push_back(path);
        while self.paths.len() > self.most {
            if let Some(oldest) = self.paths.pop_front() {
                // Somebody may have taken it away.
                let _ = fs::remove_file(oldest);
            }
        }
        Ok(())
    }
}

fn open(directory: &Path, header: &Header) -> io::Result<(File, PathBuf, u64)> {
    let (source, part, second) = (header.source, header.part, header.began_unix_us / 1_000_000);
    let path = directory.join(format!("capture-{second}-{source}-{part:05}.jsonl"));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    let first = line(header);
    if let Err(error) = file.write_all(&first) {
        let _ = fs::remove_file(&path);
        return Err(error);
    }
    Ok((file, path, first.len() as u64))
}

#[cfg(test)]
impl Files {
    /// The same, but writing to something that is there already.
    pub(super) fn on(self, path: &str) -> Self {
        let file = OpenOptions::new().write(true).open(path).expect("a test names what is there");
        Self { file, ..self }
    }
}
