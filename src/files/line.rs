//! Overhead lines, as typed.

use serde::Deserialize;

use crate::files::scenario::Position;
use crate::units::{Length, NonNegative};

/// An overhead line: equal conductors side by side over the same poles.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineEntry {
    /// Unique among the lines.
    pub id: String,
    /// A conductor of `assets/conductors.ron`.
    pub conductor: String,
    /// Its phases, from left to right as seen from the first pole; a body sits `on: "LINE/PHASE"`.
    pub phases: Vec<String>,
    /// Where it is held up.
    pub points_m: Vec<Position>,
    /// How far the middle of each span hangs below the straight way.
    #[serde(default)]
    pub sag_m: Option<NonNegative>,
    /// Distance between neighbouring phases, level and across the line.
    #[serde(default = "a_metre")]
    pub spacing_m: Length,
    /// Current in each phase, ampere; a `timeline` sets `lines.ID.load_a`.
    #[serde(default)]
    pub load_a: Option<NonNegative>,
    /// The current from a CSV file instead.
    #[serde(default)]
    pub recorded: Option<RecordedLoad>,
}

/// A current over time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedLoad {
    /// Path from this file, or from the working folder.
    pub file: String,
    /// The column of times: RFC 3339, or seconds from `start`.
    pub time: String,
    /// The column of currents in ampere.
    pub load_a: String,
}

fn a_metre() -> Length {
    Length::new(1.0).unwrap_or_else(|_| unreachable!("1 m is a length"))
}
