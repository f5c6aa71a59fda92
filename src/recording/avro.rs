//! The only file that knows Avro: a stable header, blocks of a fixed number of samples, one write a block.
//!
//! The same inputs give the same bytes: metadata is sorted, the sync marker is made from schema and plan, blocks close
//! by count. A file that ends early holds every complete block.

use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Reader, Schema};
use sha2::{Digest, Sha256};

use crate::recording::sample::UniversalSensorReading;

/// The schema that ships with the program.
pub const SCHEMA: &str = include_str!("../../schemas/UniversalSensorReading.avsc");
/// Samples in one block; a compromise between size and what a cut file loses. Chosen, see `docs/decisions`.
pub const BLOCK_SAMPLES: usize = 512;
/// Level of the deflate codec: the fastest, level 1.
const DEFLATE_LEVEL: u8 = 1;

/// Why samples could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum AvroError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bytes or the sample do not fit the schema.
    #[error("{}: {message}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        message: String,
    },
}

fn schema() -> &'static Schema {
    static PARSED: OnceLock<Schema> = OnceLock::new();
    PARSED.get_or_init(|| Schema::parse_str(SCHEMA).unwrap_or_else(|error| panic!("the shipped schema: {error}")))
}

/// The schema's SHA-256 in hexadecimal.
#[must_use]
pub fn schema_fingerprint() -> String {
    crate::recording::hex(&Sha256::digest(SCHEMA.as_bytes()))
}

/// Writes samples.
pub struct SampleWriter {
    path: PathBuf,
    file: File,
    datums: GenericDatumWriter<'static>,
    block: Vec<u8>,
    in_block: usize,
    marker: [u8; 16],
    whole: u64,
    /// Samples in complete blocks so far.
    pub written: u64,
}

impl std::fmt::Debug for SampleWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SampleWriter({}, {} written)", self.path.display(), self.written)
    }
}

impl SampleWriter {
    /// Creates the file and writes its header; `plan` stands for everything that decides the samples.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn create(path: &Path, plan: &str) -> Result<Self, AvroError> {
        let io = |source| AvroError::Io { path: path.to_owned(), source };
        let digest = Sha256::new().chain_update(SCHEMA).chain_update(plan).finalize();
        let mut marker = [0; 16];
        marker.copy_from_slice(&digest[..16]);
        let mut header = b"Obj\x01".to_vec();
        put_long(&mut header, 2);
        for (key, value) in [("avro.codec", "deflate"), ("avro.schema", SCHEMA)] {
            put_bytes(&mut header, key.as_bytes());
            put_bytes(&mut header, value.as_bytes());
        }
        put_long(&mut header, 0);
        header.extend_from_slice(&marker);
        let mut file = File::create(path).map_err(io)?;
        file.write_all(&header).map_err(io)?;
        let datums = GenericDatumWriter::builder(schema())
            .human_readable(false)
            .build()
            .map_err(|e| AvroError::Format { path: path.to_owned(), message: e.to_string() })?;
        let whole = header.len() as u64;
        Ok(Self { path: path.to_owned(), file, datums, block: Vec::new(), in_block: 0, marker, whole, written: 0 })
    }

    /// Takes one sample; every [`BLOCK_SAMPLES`]th closes a block.
    ///
    /// # Errors
    /// When the sample does not fit the schema or the block cannot be written.
    pub fn append(&mut self, sample: &UniversalSensorReading) -> Result<(), AvroError> {
        let before = self.block.len();
        if let Err(error) = self.datums.write_ser(&mut self.block, sample) {
            self.block.truncate(before);
            let message = error.to_string().chars().take(300).collect();
            return Err(AvroError::Format { path: self.path.clone(), message });
        }
        self.in_block += 1;
        if self.in_block == BLOCK_SAMPLES { self.close_block() } else { Ok(()) }
    }

    /// Closes the last block. Without it the samples since the last full block are lost.
    ///
    /// # Errors
    /// When the block cannot be written; the file then ends after the last complete block.
    pub fn finish(&mut self) -> Result<(), AvroError> {
        self.close_block()?;
        self.file.sync_all().map_err(|source| AvroError::Io { path: self.path.clone(), source })
    }

    fn close_block(&mut self) -> Result<(), AvroError> {
        if self.in_block == 0 {
            return Ok(());
        }
        let packed = miniz_oxide::deflate::compress_to_vec(&self.block, DEFLATE_LEVEL);
        let mut framed = Vec::with_capacity(packed.len() + 36);
        put_long(&mut framed, self.in_block.cast_signed() as i64);
        put_bytes(&mut framed, &packed);
        framed.extend_from_slice(&self.marker);
        if let Err(source) = self.file.write_all(&framed) {
            // leave the file as it was after the last complete block, readable to its end
            let repaired = self.file.set_len(self.whole).and_then(|()| self.file.seek(io::SeekFrom::End(0)).map(drop));
            self.block.clear();
            self.in_block = 0;
            let path = self.path.clone();
            return Err(match repaired {
                Ok(()) => AvroError::Io { path, source },
                Err(cut) => AvroError::Format { path, message: format!("{source}; the last block is broken and could not be cut: {cut}") },
            });
        }
        self.whole += framed.len() as u64;
        self.written += self.in_block as u64;
        self.block.clear();
        self.in_block = 0;
        Ok(())
    }
}

/// Zig-zag variable-length integer, Avro 1.12 specification, "Binary Encoding".
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_long(out, bytes.len().cast_signed() as i64);
    out.extend_from_slice(bytes);
}

/// Reads samples one by one.
///
/// # Errors
/// When the file is not a sample file; an item is an error where the file is cut or broken.
pub fn read_samples(path: &Path) -> Result<impl Iterator<Item = Result<UniversalSensorReading, AvroError>> + use<>, AvroError> {
    let file = File::open(path).map_err(|source| AvroError::Io { path: path.to_owned(), source })?;
    let format = |path: &Path, error: apache_avro::Error| AvroError::Format {
        path: path.to_owned(),
        message: error.to_string().chars().take(300).collect(),
    };
    let reader = Reader::builder(BufReader::new(file)).human_readable(false).build().map_err(|e| format(path, e))?;
    let path = path.to_owned();
    Ok(reader.into_deser_iter::<UniversalSensorReading>().map(move |item| item.map_err(|e| format(&path, e))))
}
