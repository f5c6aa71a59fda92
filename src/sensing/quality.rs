//! Quality flags from what a sensor reported, never from what is true.
//!
//! Values as in the QARTOD manuals of the U.S. IOOS programme. The aggregate is the worst of the tests that ran.

use serde::{Deserialize, Serialize};

/// Quality of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Quality {
    /// Passed every test that ran.
    Good = 1,
    /// No test ran.
    #[default]
    Unknown = 2,
    /// Use with care.
    Suspect = 3,
    /// Do not use.
    Fail = 4,
    /// There is no value.
    Missing = 9,
}

impl Quality {
    /// The number in a sample.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The worse of two; a test that ran beats one that did not.
    #[must_use]
    pub const fn worst(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, any) | (any, Self::Unknown) => any,
            _ if self as u8 >= other as u8 => self,
            _ => other,
        }
    }

    /// Whether firmware of another sensor may use it.
    #[must_use]
    pub const fn usable(self) -> bool {
        !matches!(self, Self::Fail | Self::Missing)
    }
}

/// Equal raw results in a row that count as a flat line. With the noise of every shipped sensor the chance of
/// eight equal results of a healthy one is below 1e-8.
pub const FLAT_LINE_RESULTS: u32 = 8;

/// Counts equal raw results of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlatLine {
    last: Option<f64>,
    equal: u32,
}

impl FlatLine {
    /// Takes a result; true while the line is flat.
    pub fn flat(&mut self, raw: f64) -> bool {
        let same = self.last.is_some_and(|last| last.to_bits() == raw.to_bits());
        self.equal = if same { self.equal.saturating_add(1) } else { 1 };
        self.last = Some(raw);
        self.equal >= FLAT_LINE_RESULTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_test_that_ran_decides() {
        assert_eq!(Quality::Unknown.worst(Quality::Good), Quality::Good);
        assert_eq!(Quality::Suspect.worst(Quality::Good), Quality::Suspect);
        assert_eq!(Quality::Fail.worst(Quality::Suspect), Quality::Fail);
    }

    #[test]
    fn eight_equal_results_are_a_flat_line_and_a_change_ends_it() {
        let mut line = FlatLine::default();
        assert_eq!((0..9).filter(|_| line.flat(4.0)).count(), 2);
        assert!(!line.flat(5.0));
    }
}
