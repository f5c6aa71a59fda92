//! What follows from the events for each unit: can it be noticed from here, since when, and what is its label?
//!
//! For each result and event a sensor tells its signal-to-noise ratio: the ideal change the event makes in a
//! channel, at that sensor's cadence and lag, over that channel's clean residual noise. An event is *detectable*
//! from a unit while two consecutive results of one of its sensors reach `DETECTION_SNR`; the first such
//! result is its *arrival*. The unit's label is the class of the detectable event of highest priority, else
//! `NORMAL`. "Not detectable from here" is not "nothing happens": `events` lists every event either way.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

/// The signal-to-noise ratio that counts as noticed: Kaiser's 3 σ detection limit (IUPAC 1976).
pub const DETECTION_SNR: f64 = 3.0;
/// Consecutive results that must reach it.
pub const DETECTION_RESULTS: u32 = 2;
/// The label when no event can be noticed.
pub const NORMAL: &str = "normal";

/// What one sensor's latest result could tell about each event.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SensorSight {
    /// By event index.
    pub events: Vec<Sight>,
}

/// One event as one sensor sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// Largest over the channels of the latest result.
    pub snr: f64,
    /// The channel of that largest ratio over the whole run, and the ratio.
    pub best: Option<(String, f64)>,
    results: u32,
    /// When the first of these results was delivered, microseconds since the start of the warm-up.
    since_us: u64,
}

impl Sight {
    /// Takes the ratio of a new result, delivered `at_us` microseconds after the start of the warm-up.
    pub fn result(&mut self, channel: &str, snr: f64, at_us: u64) {
        self.snr = snr;
        self.results = if snr >= DETECTION_SNR { self.results.saturating_add(1) } else { 0 };
        if self.results == 1 {
            self.since_us = at_us;
        }
        if self.best.as_ref().is_none_or(|(_, best)| snr > *best) && snr > 0.0 {
            self.best = Some((channel.to_owned(), snr));
        }
    }

    /// Since when the event can be noticed in this sensor, if it can: its first loud result, known at the second.
    #[must_use]
    pub fn detectable_since_us(&self) -> Option<u64> {
        (self.results >= DETECTION_RESULTS).then_some(self.since_us)
    }
}

/// One event as one unit sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitEvent {
    /// Largest over the unit's sensors.
    pub snr: f64,
    /// Whether it can be noticed now.
    pub detectable: bool,
    /// UTC in microseconds since when it could first be noticed.
    pub arrival_us: Option<i64>,
}

impl UnitEvent {
    /// Takes what the unit's sensors see now; `utc_us` turns their time into UTC.
    pub fn update<'s>(&mut self, sights: impl Iterator<Item = &'s Sight>, utc_us: impl Fn(u64) -> i64) {
        self.snr = 0.0;
        let mut since_us: Option<u64> = None;
        for sight in sights {
            self.snr = self.snr.max(sight.snr);
            since_us = [since_us, sight.detectable_since_us()].into_iter().flatten().min();
        }
        self.detectable = since_us.is_some();
        self.arrival_us = self.arrival_us.or(since_us.map(utc_us));
    }
}

/// What is true for one unit.
#[derive(Component, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UnitTruth {
    /// By event index.
    pub events: Vec<UnitEvent>,
}

/// The event that gives the label: the detectable one of highest priority, the earlier on a tie.
#[must_use]
pub fn labelling(events: &[UnitEvent], priority: impl Fn(usize) -> u32) -> Option<usize> {
    (0..events.len()).filter(|index| events[*index].detectable).min_by_key(|index| (std::cmp::Reverse(priority(*index)), *index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loud_result_is_not_enough_and_a_quiet_one_starts_over() {
        let mut sight = Sight::default();
        for (time, channel, snr) in [(1, "a", 9.0), (2, "a", 1.0), (3, "b", 4.0)] {
            sight.result(channel, snr, time);
            assert_eq!(sight.detectable_since_us(), None);
        }
        sight.result("b", 3.0, 4);
        assert_eq!(sight.detectable_since_us(), Some(3));
        assert_eq!(sight.best, Some(("a".to_owned(), 9.0)));
    }

    #[test]
    fn arrival_is_the_first_of_two_loud_results_and_stays() {
        let mut sight = Sight::default();
        let mut event = UnitEvent::default();
        for (time, snr) in [(1, 5.0), (2, 5.0), (3, 0.0), (4, 5.0), (5, 5.0)] {
            sight.result("a", snr, time);
            event.update(std::iter::once(&sight), u64::cast_signed);
            assert_eq!(event.arrival_us.is_some(), time > 1);
        }
        assert_eq!(event.arrival_us, Some(1));
        assert!(event.detectable);
    }

    #[test]
    fn the_highest_priority_among_the_detectable_gives_the_label() {
        let seen = |detectable| UnitEvent { detectable, ..UnitEvent::default() };
        let events = [seen(true), seen(false), seen(true)];
        assert_eq!(labelling(&events, |i| [1, 9, 2][i]), Some(2));
        assert_eq!(labelling(&events, |_| 0), Some(0));
        assert_eq!(labelling(&[seen(false)], |_| 0), None);
    }
}
