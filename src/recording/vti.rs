//! Fields as VTK image data (`.vti`): XML header, cell data in base64, readable by `ParaView` and meshio.
//!
//! Format: *The VTK User's Guide*, 11th ed., "VTK File Formats"; one `UInt32` byte count before each array.

use std::io::{self, Write};

use crate::world::Grid;

/// One field: name and cell values, x fastest.
pub type NamedField<'f> = (&'f str, &'f [f32]);

/// Writes fields on a grid.
///
/// # Errors
/// When the writer refuses.
pub fn write_vti(mut out: impl Write, grid: &Grid, fields: &[NamedField<'_>]) -> io::Result<()> {
    let [nx, ny, nz] = grid.shape;
    let [dx, dy, dz] = grid.cell_m;
    let extent = format!("0 {nx} 0 {ny} 0 {nz}");
    writeln!(out, "<?xml version=\"1.0\"?>")?;
    writeln!(out, "<VTKFile type=\"ImageData\" version=\"0.1\" byte_order=\"LittleEndian\">")?;
    writeln!(out, "<ImageData WholeExtent=\"{extent}\" Origin=\"0 0 0\" Spacing=\"{dx} {dy} {dz}\">")?;
    writeln!(out, "<Piece Extent=\"{extent}\"><CellData>")?;
    for (name, values) in fields {
        let mut bytes = u32::try_from(values.len() * 4).map_err(io::Error::other)?.to_le_bytes().to_vec();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        writeln!(out, "<DataArray type=\"Float32\" Name=\"{name}\" format=\"binary\">")?;
        writeln!(out, "{}", base64(&bytes))?;
        writeln!(out, "</DataArray>")?;
    }
    writeln!(out, "</CellData></Piece></ImageData></VTKFile>")
}

/// RFC 4648 base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_vectors_of_the_standard() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
