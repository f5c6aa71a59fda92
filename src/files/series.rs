//! Recorded series: CSV with a header row, read completely and checked before a run starts.

use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Source, nearest};
use crate::units::Timestamp;

/// Numbers over time; times in seconds from the scenario's start, strictly increasing.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Seconds.
    pub time_s: Vec<f64>,
    /// One list for each column asked for, in that order.
    pub columns: Vec<Vec<f64>>,
}

/// A column to read: its name in the header and the interval its numbers must lie in.
#[derive(Clone, Debug)]
pub struct Column<'c> {
    /// Header name.
    pub name: &'c str,
    /// Smallest number allowed.
    pub min: f64,
    /// Largest number allowed.
    pub max: f64,
}

impl Series {
    /// Reads the named columns of a CSV text.
    ///
    /// # Errors
    /// Every missing column; or the first row that is short, not a number, out of range or out of order,
    /// with its row, column name and place.
    pub fn read(source: &Arc<Source>, start: Timestamp, time: &str, columns: &[Column<'_>]) -> Result<Self, Vec<Diagnostic>> {
        let mut rows = rows(&source.text);
        let Some((_, header)) = rows.next() else {
            return Err(vec![Diagnostic::error("empty-series", "this file has no header row", source, 0..0)]);
        };
        let names: Vec<&str> = header.iter().map(|cell| cell.text(&source.text)).collect();
        let header_span = header.first().map_or(0, |c| c.start)..header.last().map_or(0, |c| c.end);
        let mut missing = Vec::new();
        let mut place = |name: &str| {
            names.iter().position(|n| *n == name).unwrap_or_else(|| {
                let near = nearest(name, &names).map_or_else(String::new, |near| format!("a similar name exists: `{near}`; "));
                missing.push(
                    Diagnostic::error("unknown-column", format!("no column is called `{name}`"), source, header_span.clone())
                        .label("the columns there are")
                        .help(format!("{near}known here: {}", names.join(", "))),
                );
                0
            })
        };
        let time_at = place(time);
        let places: Vec<usize> = columns.iter().map(|c| place(c.name)).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut series = Self { time_s: Vec::new(), columns: vec![Vec::new(); columns.len()] };
        for (row, cells) in rows {
            series.push_row(source, start, row, &cells, (time, time_at), columns, &places, names.len()).map_err(|d| vec![*d])?;
        }
        if series.time_s.is_empty() {
            return Err(vec![Diagnostic::error("empty-series", "this file has a header and no rows", source, header_span)]);
        }
        Ok(series)
    }

    #[expect(clippy::too_many_arguments, reason = "one row against everything the header fixed; private")]
    fn push_row(
        &mut self,
        source: &Arc<Source>,
        start: Timestamp,
        row: usize,
        cells: &[Cell],
        time: (&str, usize),
        columns: &[Column<'_>],
        places: &[usize],
        width: usize,
    ) -> Result<(), Box<Diagnostic>> {
        let refuse = |code, message: String, cell: Option<&Cell>| {
            let end = cells.last().map_or(0, |c| c.end);
            let span = cell.map_or(end..end, |c| c.start..c.end);
            Box::new(Diagnostic::error(code, message, source, span))
        };
        let cell = |name: &str, at: usize| {
            cells.get(at).ok_or_else(|| {
                refuse("short-row", format!("row {row} ends before column `{name}`: {} of {width} columns", cells.len()), None)
            })
        };
        let clock = cell(time.0, time.1)?;
        let seconds = seconds_of(clock.text(&source.text), start)
            .ok_or_else(|| refuse("bad-cell", format!("row {row}, column `{}`: not a time", time.0), Some(clock)))?;
        if self.time_s.last().is_some_and(|last| seconds <= *last) {
            return Err(refuse("time-order", format!("row {row}, column `{}`: times must increase", time.0), Some(clock)));
        }
        let mut numbers = Vec::with_capacity(columns.len());
        for (column, at) in columns.iter().zip(places) {
            let cell = cell(column.name, *at)?;
            let text = cell.text(&source.text);
            let number =
                text.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
                    refuse("bad-cell", format!("row {row}, column `{}`: {text:?} is not a number", column.name), Some(cell))
                })?;
            if !(column.min..=column.max).contains(&number) {
                return Err(refuse(
                    "bad-cell",
                    format!("row {row}, column `{}`: must be between {} and {}, got {number}", column.name, column.min, column.max),
                    Some(cell),
                ));
            }
            numbers.push(number);
        }
        self.time_s.push(seconds);
        for (list, number) in self.columns.iter_mut().zip(numbers) {
            list.push(number);
        }
        Ok(())
    }

    /// The records around `time_s` and how far it lies between them, held constant beyond the ends.
    #[must_use]
    pub fn bracket(&self, time_s: f64) -> (usize, usize, f64) {
        let after = self.time_s.partition_point(|t| *t <= time_s);
        if after == 0 {
            return (0, 0, 0.0);
        }
        if after == self.time_s.len() {
            return (after - 1, after - 1, 0.0);
        }
        let (t0, t1) = (self.time_s[after - 1], self.time_s[after]);
        (after - 1, after, (time_s - t0) / (t1 - t0))
    }

    /// Linear interpolation of one column.
    ///
    /// # Panics
    /// If `column` is not one of those that were read.
    #[must_use]
    pub fn at(&self, column: usize, time_s: f64) -> f64 {
        let (low, high, share) = self.bracket(time_s);
        let list = &self.columns[column];
        list[low] + (list[high] - list[low]) * share
    }
}

fn seconds_of(text: &str, start: Timestamp) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let time = Timestamp::try_from(text.to_owned()).ok()?;
    Some((time.micros() - start.micros()) as f64 * 1e-6)
}

/// One cell as its trimmed byte range.
struct Cell {
    start: usize,
    end: usize,
}

impl Cell {
    fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

/// Rows of a CSV text that are neither blank nor a `#` comment, with their 1-based row numbers.
fn rows(text: &str) -> impl Iterator<Item = (usize, Vec<Cell>)> {
    let mut at = 0;
    text.split_inclusive('\n').enumerate().filter_map(move |(index, line)| {
        let start = at;
        at += line.len();
        if line.trim().is_empty() || line.starts_with('#') {
            return None;
        }
        let mut cells = Vec::new();
        let mut from = start;
        for cell in line.split(',') {
            let lead = cell.len() - cell.trim_start().len();
            let end = from + cell.trim_end().len();
            cells.push(Cell { start: (from + lead).min(end), end });
            from += cell.len() + 1;
        }
        Some((index + 1, cells))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Series, Vec<Diagnostic>> {
        let start = Timestamp::try_from("2026-01-01T00:00:00Z".to_owned()).unwrap();
        let column = Column { name: "speed", min: 0.0, max: 100.0 };
        Series::read(&Source::new("w.csv", text), start, "time", &[column])
    }

    #[test]
    fn times_and_numbers_come_out_and_are_interpolated() {
        let series = read("# a note\ntime, speed\n2026-01-01T00:00:10Z, 1\n2026-01-01T00:00:20Z, 3\n").unwrap();
        assert_eq!(series.time_s, [10.0, 20.0]);
        assert!((series.at(0, 15.0) - 2.0).abs() < 1e-12);
        assert!((series.at(0, -5.0) - 1.0).abs() < 1e-12 && (series.at(0, 99.0) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_truncated_row_is_named_by_row_and_column() {
        let faults = read("time,speed\n1,2\n2").unwrap_err();
        assert_eq!(faults[0].message, "row 3 ends before column `speed`: 1 of 2 columns");
        assert_eq!(faults[0].place(), "w.csv:3:2");
    }

    #[test]
    fn bad_numbers_bad_order_and_missing_columns_are_refused() {
        assert!(read("time,speed\n1,fast").unwrap_err()[0].message.contains("row 2, column `speed`"));
        assert!(read("time,speed\n1,-4").unwrap_err()[0].message.contains("between 0 and 100"));
        assert!(read("time,speed\n1,1\n1,1").unwrap_err()[0].message.contains("times must increase"));
        assert!(read("time,velocity\n1,1").unwrap_err()[0].message.contains("no column is called `speed`"));
    }
}
