//! One fixed tick: time is a count times a length, never the wall.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{Schedule, ScheduleLabel};
use serde::{Deserialize, Serialize};

use crate::units::TickLength;
use crate::world::AppStateExt;

/// The schedule that advances the world by one tick.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tick;

/// The order of one tick. Every set has an empty hook set before it: `Before(Sense)` is a plugin's place.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TickSystems {
    /// Time advances.
    Clock,
    /// The timeline changes what it says.
    Script,
    /// Emitters decide how much they release.
    Emit,
    /// Air moves.
    Flow,
    /// Air carries.
    Transport,
    /// What is around each sensor is settled.
    Surroundings,
    /// Sensors look: stages 1 to 7.
    Sense,
    /// Firmware reports: stages 8 to 10.
    Compensate,
    /// Units act on what they reported.
    Operate,
    /// Truth is derived.
    Label,
    /// Samples are written.
    Record,
}

/// The empty hook set in front of a tick set.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Before(pub TickSystems);

impl TickSystems {
    /// All sets in order.
    pub const ALL: [Self; 11] = [
        Self::Clock,
        Self::Script,
        Self::Emit,
        Self::Flow,
        Self::Transport,
        Self::Surroundings,
        Self::Sense,
        Self::Compensate,
        Self::Operate,
        Self::Label,
        Self::Record,
    ];

    pub(crate) fn configure(schedule: &mut Schedule) {
        for set in Self::ALL {
            schedule.configure_sets((Before(set), set).chain());
        }
        for pair in Self::ALL.windows(2) {
            schedule.configure_sets((pair[0], Before(pair[1])).chain());
        }
    }
}

/// What time it is.
#[derive(Resource, Clone, Debug, Serialize, Deserialize)]
pub struct Clock {
    tick: u64,
    length: TickLength,
    warm_up_us: u64,
    start_us: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { tick: 0, length: TickLength::try_from(1.0).unwrap_or_else(|_| unreachable!("1 s is a tick")), warm_up_us: 0, start_us: 0 }
    }
}

impl Clock {
    /// A clock that stands before the first tick of a run.
    #[must_use]
    pub fn new(length: TickLength, warm_up_s: f64, start_us: i64) -> Self {
        let warm_up_us = crate::units::whole_micros(warm_up_s).div_ceil(length.micros()) * length.micros();
        Self { tick: 0, length, warm_up_us, start_us }
    }

    /// Ticks since the start of the warm-up; 1 during the first.
    #[must_use]
    pub const fn tick(&self) -> u64 {
        self.tick
    }

    /// Length of a tick in seconds.
    #[must_use]
    pub fn tick_s(&self) -> f64 {
        self.length.secs()
    }

    /// Length of a tick in microseconds.
    #[must_use]
    pub const fn tick_us(&self) -> u64 {
        self.length.micros()
    }

    /// Microseconds since the start of the warm-up, at the end of this tick.
    #[must_use]
    pub const fn elapsed_us(&self) -> u64 {
        self.tick * self.length.micros()
    }

    /// Simulated seconds since the scenario's start, negative in the warm-up, at the end of this tick.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.micros_from_start(self.elapsed_us()) as f64 * 1e-6
    }

    /// Seconds since the scenario's start at the beginning of this tick.
    #[must_use]
    pub fn began_s(&self) -> f64 {
        self.now_s() - self.tick_s()
    }

    /// Whether this tick lies in the warm-up, which is not recorded.
    #[must_use]
    pub const fn warming_up(&self) -> bool {
        self.elapsed_us() <= self.warm_up_us
    }

    /// Ticks before recording begins.
    #[must_use]
    pub const fn warm_up_ticks(&self) -> u64 {
        self.warm_up_us / self.length.micros()
    }

    /// True UTC of a moment given in microseconds since the start of the warm-up.
    #[must_use]
    pub const fn utc_us(&self, elapsed_us: u64) -> i64 {
        self.start_us + self.micros_from_start(elapsed_us)
    }

    /// Microseconds since the scenario's start of a moment given since the start of the warm-up.
    #[must_use]
    pub const fn micros_from_start(&self, elapsed_us: u64) -> i64 {
        elapsed_us.cast_signed() - self.warm_up_us.cast_signed()
    }

    /// Microseconds since the start of the warm-up of a time in seconds since the scenario's start.
    #[must_use]
    pub fn elapsed_of(&self, from_start_s: f64) -> u64 {
        crate::units::whole_micros(from_start_s + self.warm_up_us as f64 * 1e-6)
    }

    /// True UTC, in microseconds, of a time in seconds since the scenario's start.
    #[must_use]
    pub fn utc_at_us(&self, from_start_s: f64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of a run")]
        let from_start_us = (from_start_s * 1e6).round() as i64;
        self.start_us + from_start_us
    }

    /// Local solar time in hours at a longitude, `now_s` seconds from the start (4 minutes a degree).
    #[must_use]
    pub fn solar_hour(&self, now_s: f64, longitude_deg: f64) -> f64 {
        let utc_h = (self.start_us as f64 * 1e-6 + now_s) / 3600.0;
        (utc_h + longitude_deg / 15.0).rem_euclid(24.0)
    }
}

/// Lets time pass.
pub(crate) struct ClockPlugin;

impl Plugin for ClockPlugin {
    fn build(&self, app: &mut App) {
        app.add_state_resource::<Clock>().add_systems(Tick, advance_clock.in_set(TickSystems::Clock));
    }
}

fn advance_clock(mut clock: ResMut<Clock>) {
    clock.tick += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_negative_in_the_warm_up_and_zero_at_its_last_tick() {
        let mut clock = Clock::new(TickLength::try_from(0.1).unwrap(), 1.0, 5_000_000);
        assert_eq!(clock.warm_up_ticks(), 10);
        clock.tick = 10;
        assert!(clock.warming_up() && clock.now_s().abs() < 1e-12);
        clock.tick = 11;
        assert!(!clock.warming_up());
        assert_eq!(clock.utc_us(clock.elapsed_us()), 5_100_000);
    }
}
