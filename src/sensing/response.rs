//! Element dynamics: first order, exact for any tick, with its own time for rise and decay.
//!
//! `y ← y + (1 − exp(−Δt/τ)) (x − y)`. The time is that of the *response*: for a metal-oxide element the resistance
//! falls when the response rises. Source: VIM 4.23 (step response); exact step of a linear ODE.

/// Time constants of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lag {
    /// Time to 63 % of a step that increases the response, in seconds; 0 follows at once.
    pub rise_s: f64,
    /// Time to 63 % of a step that decreases it.
    pub decay_s: f64,
    /// True if the signal falls when the response rises.
    pub falling: bool,
}

impl Lag {
    /// Follows at once.
    pub const NONE: Self = Self { rise_s: 0.0, decay_s: 0.0, falling: false };

    /// The same time both ways.
    #[must_use]
    pub const fn symmetric(tau_s: f64) -> Self {
        Self { rise_s: tau_s, decay_s: tau_s, falling: false }
    }

    /// The lagged value one step later, while the target stays at `target`.
    #[must_use]
    pub fn step(&self, value: f64, target: f64, dt_s: f64) -> f64 {
        let rising = (target > value) != self.falling;
        let tau = if rising { self.rise_s } else { self.decay_s };
        if tau <= 0.0 { target } else { target + (value - target) * libm::exp(-dt_s / tau) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rise_and_decay_reach_63_percent_at_their_times_for_any_tick() {
        let lag = Lag { rise_s: 4.8, decay_s: 18.75, falling: true };
        for ticks in [10, 100, 1000] {
            let run = |from: f64, to: f64, time: f64| (0..ticks).fold(from, |y, _| lag.step(y, to, time / f64::from(ticks)));
            let share = 1.0 - (-1.0f64).exp();
            assert!((run(0.0, -1.0, 4.8) + share).abs() < 1e-12);
            assert!((run(-1.0, 0.0, 18.75) + 1.0 - share).abs() < 1e-12);
        }
    }
}
