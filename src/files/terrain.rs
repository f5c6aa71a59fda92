//! Heights of the ground from ESRI ASCII grids.

use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Source};

/// Ground heights at the middles of square cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Terrain {
    columns: usize,
    rows: usize,
    cell_m: f64,
    /// Row by row from the south, in metres; not a number where the file has none.
    heights_m: Vec<f64>,
}

/// A word of the file and where it stands.
struct Word<'t> {
    text: &'t str,
    start: usize,
}

impl Terrain {
    /// Reads an ESRI ASCII grid: `ncols`, `nrows`, `xllcorner`, `yllcorner` (or `…center`), `cellsize`, `NODATA_value` in any order,
    /// then heights row by row from the north. Where on earth it lies is not used.
    ///
    /// # Errors
    /// A missing or bad header entry, a word that is no number, or too few or too many heights, each with its place.
    pub fn read(source: &Arc<Source>) -> Result<Self, Vec<Diagnostic>> {
        let start_of = |text: &str| text.as_ptr() as usize - source.text.as_ptr() as usize;
        let mut words = source.text.split_whitespace().map(|text| Word { start: start_of(text), text }).peekable();
        let fault = |word: &Word<'_>, message: String| {
            vec![Diagnostic::error("bad-terrain", message, source, word.start..word.start + word.text.len())]
        };
        let number = |word: &Word<'_>| {
            word.text.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| fault(word, format!("`{}` is no number", word.text)))
        };
        let (mut columns, mut rows, mut cell_m, mut none) = (None, None, None, -9999.0);
        while let Some(key) = words.next_if(|word| word.text.starts_with(|c: char| c.is_ascii_alphabetic())) {
            let Some(value) = words.next() else {
                return Err(fault(&key, format!("`{}` has no value", key.text)));
            };
            let value = number(&value)?;
            match key.text.to_ascii_lowercase().as_str() {
                "ncols" => columns = whole(value),
                "nrows" => rows = whole(value),
                "cellsize" => cell_m = Some(value).filter(|size| *size > 0.0),
                "nodata_value" => none = value,
                "xllcorner" | "yllcorner" | "xllcenter" | "yllcenter" => {}
                _ => return Err(fault(&key, format!("`{}` is no entry of an ESRI ASCII grid", key.text))),
            }
        }
        let (Some(columns), Some(rows), Some(cell_m)) = (columns, rows, cell_m) else {
            let message = "the header of this ESRI ASCII grid needs `ncols` and `nrows` of 2 or more and a `cellsize` above 0";
            return Err(vec![Diagnostic::error("bad-terrain", message, source, 0..0)]);
        };
        let mut heights_m = Vec::new();
        for word in words {
            let height = number(&word)?;
            if heights_m.len() == columns * rows {
                return Err(fault(&word, format!("there are more than {columns} times {rows} heights")));
            }
            heights_m.push(if height == none { f64::NAN } else { height });
        }
        if heights_m.len() < columns * rows {
            let end = source.text.trim_end().len();
            let message = format!("this grid ends after {} of {columns} times {rows} heights", heights_m.len());
            return Err(vec![Diagnostic::error("bad-terrain", message, source, end.saturating_sub(1)..end)]);
        }
        let heights_m = heights_m.chunks(columns).rev().flatten().copied().collect();
        Ok(Self { columns, rows, cell_m, heights_m })
    }

    /// Size of its cells, m.
    #[must_use]
    pub const fn cell_m(&self) -> f64 {
        self.cell_m
    }

    /// Height at a place east and north of the grid's south-west corner, bilinear between the middles of cells and constant over the
    /// outer half of the outermost; none outside the grid or where the file has no height.
    #[must_use]
    pub fn height_m(&self, x_m: f64, y_m: f64) -> Option<f64> {
        let (x, y) = (x_m / self.cell_m, y_m / self.cell_m);
        if !(0.0..=self.columns as f64).contains(&x) || !(0.0..=self.rows as f64).contains(&y) {
            return None;
        }
        let between = |at: f64, n: usize| {
            let at = (at - 0.5).clamp(0.0, (n - 1) as f64);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
            let low = (at as usize).min(n - 2);
            (low, at - low as f64)
        };
        let ((i, east), (j, north)) = (between(x, self.columns), between(y, self.rows));
        let at = |i: usize, j: usize| self.heights_m[i + self.columns * j];
        let row = |j: usize| at(i, j) + (at(i + 1, j) - at(i, j)) * east;
        let height = row(j) + (row(j + 1) - row(j)) * north;
        height.is_finite().then_some(height)
    }
}

/// A count of 2 or more.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the interval")]
fn whole(value: f64) -> Option<usize> {
    (value.fract() == 0.0 && (2.0..=1e6).contains(&value)).then_some(value as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOPE: &str = "ncols 3\nnrows 2\nxllcorner 500\nyllcorner 100\ncellsize 10\nNODATA_value -9999\n10 11 12\n20 21 -9999\n";

    #[test]
    fn heights_lie_row_by_row_from_the_north() {
        let terrain = Terrain::read(&Source::new("t.asc", SLOPE)).unwrap();
        for (x, y, height) in [
            (5.0, 15.0, Some(10.0)),
            (0.0, 20.0, Some(10.0)),
            (10.0, 10.0, Some(15.5)),
            (5.0, 5.0, Some(20.0)),
            (25.0, 5.0, None),
            (31.0, 5.0, None),
        ] {
            assert_eq!(terrain.height_m(x, y), height, "{x} {y}");
        }
    }

    #[test]
    fn faults_have_their_place() {
        for (text, at) in [
            (SLOPE.replace("21", "x1"), (8, 4)),
            (SLOPE.replace(" 12", ""), (8, 11)),
            (SLOPE.replace("12", "12 13"), (8, 7)),
            (SLOPE.replace("ncols", "cols"), (1, 1)),
        ] {
            let source = Source::new("t.asc", text);
            let fault = &Terrain::read(&source).unwrap_err()[0];
            assert_eq!(source.line_column(fault.places[0].span.start), at, "{}", fault.message);
        }
    }
}
