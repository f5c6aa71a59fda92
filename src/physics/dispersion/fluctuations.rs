//! Concentration fluctuations of `turbulence: Ensemble`: what a sensor meets is the mean plume times a factor of mean one.
//!
//! One factor for each source, shared by all that it releases. At a point its law is gamma with the intensity `i` of
//! Gifford's meandering plume, `1 + i² = (1 + M)²/(1 + 2M) exp(r²/σ² · M/(1 + 2M))`, M the meander variance over
//! that of the instantaneous plume. With τ the travel time over the meander time T, Taylor's absolute and
//! meander spreads are `σ² ∝ 2(τ − 1 + e^−τ)` and `(1 − e^−τ)²`, so the relative one grows with τ³ at first.
//! Behind it runs a Gaussian field in space and time: waves whose amplitudes are Ornstein–Uhlenbeck processes on slots of
//! 0.1 s of their own clock, whatever the tick.
//!
//! Sources: Gifford, *Adv. Geophys.* 6, 1959; Taylor, *Proc. London Math. Soc.* 20, 1921; gamma law across the whole
//! plume: Pang, Talluru and Chauhan, arXiv 2601.20470. The meander time is `MEANDER` Lagrangian times, chosen so that the axis intensity is 0.8–2 at 20–60 m as in field data.
//! Left out: chemistry that feels fluctuations, advection of the pattern, two sources that meander together.

use bevy_ecs::prelude::*;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::files::scenario::Turbulence;
use crate::numerics::gamma::{gamma_quantile, normal_below};
use crate::streams::Stream;
use crate::world::air::{Diffusivity, WindField, lateral_variance_m2};
use crate::world::emitter::{EmitterNode, SourceElement};
use crate::world::environment::{Footprint, SourceFactors};
use crate::world::puffs::Puffs;
use crate::world::solid::Solids;
use crate::world::spawn::{Conditions, RunSeed};
use crate::world::tracers::{Releases, Tracers};
use crate::world::{Clock, Grid};

/// Waves of one source.
const WAVES: usize = 32;
/// Seconds of one slot.
const SLOT_S: f64 = 0.1;
/// Meander time over the Lagrangian time of the vertical turbulence.
const MEANDER: f64 = 5.0;
/// Correlation times of a point are kept within what is observed near the ground, s.
const CORRELATION_S: (f64, f64) = (1.0, 30.0);
/// No factor is more intermittent than this: gas a tenth of the time.
const MOST_INTENSITY: f64 = 4.358_9;
/// A path or volume is looked at in so many places at most.
const PLACES: usize = 64;
/// No eddy that counts is smaller, m.
const LEAST_LENGTH_M: f64 = 1.0;

/// Everything that fluctuates.
#[derive(Resource, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Fluctuations {
    sources: Vec<Unrest>,
}

impl Fluctuations {
    /// The mean plume of a source as the fluctuations see it.
    #[must_use]
    pub fn plume(&self, source: usize) -> Option<Plume> {
        self.sources.iter().find(|unrest| unrest.source == source).map(|unrest| unrest.plume)
    }
}

/// The random field of one source and the plume it belongs to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Unrest {
    path: String,
    source: usize,
    plume: Plume,
    /// Radians per metre.
    waves: Vec<DVec3>,
    amplitudes: Vec<(f64, f64)>,
    slots: u64,
}

/// A mean plume as far as its fluctuations need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plume {
    /// Where it starts.
    pub source_m: DVec3,
    /// Mean wind there, m s⁻¹.
    pub wind_m_s: DVec3,
    /// Diffusivity across and up, m² s⁻¹.
    pub across_m2_s: f64,
    /// Vertical diffusivity, m² s⁻¹.
    pub up_m2_s: f64,
    /// Standard deviation of the lateral wind, m s⁻¹; 0 where only a diffusivity is known.
    pub sigma_v_m_s: f64,
    /// Lagrangian time of the vertical turbulence, s.
    pub lagrangian_s: f64,
    /// Spread at the start, that of the source, m.
    pub start_m: f64,
}

impl Plume {
    /// Fluctuation intensity at a point: standard deviation over mean; 0 where the plume does not reach.
    #[must_use]
    pub fn intensity(&self, point: DVec3) -> f64 {
        let speed = self.wind_m_s.truncate().length();
        if speed <= 0.0 || self.lagrangian_s <= 0.0 {
            return 0.0;
        }
        let away = point - self.source_m;
        let along = self.wind_m_s.truncate() / speed;
        let downwind = away.truncate().dot(along);
        if downwind <= 0.0 {
            return 0.0;
        }
        let across = away.truncate().perp_dot(along);
        let travel_s = downwind / speed;
        let tau = travel_s / (MEANDER * self.lagrangian_s);
        let decay = -libm::expm1(-tau);
        let absolute = 2.0 * (tau - decay);
        let meander = decay * decay;
        let ratio = meander / (absolute - meander).max(1e-12);
        let variance = |k: f64| 2.0 * k * travel_s + self.start_m * self.start_m;
        let wide = if self.sigma_v_m_s > 0.0 {
            lateral_variance_m2(self.sigma_v_m_s, travel_s) + self.start_m * self.start_m
        } else {
            variance(self.across_m2_s)
        };
        let radius = across * across / wide + away.z * away.z / variance(self.up_m2_s);
        let squared =
            (1.0 + ratio) * (1.0 + ratio) / (1.0 + 2.0 * ratio) * libm::exp((radius * ratio / (1.0 + 2.0 * ratio)).min(50.0)) - 1.0;
        libm::sqrt(squared.max(0.0)).min(MOST_INTENSITY)
    }

    /// Time over which the concentration at a point forgets itself, s.
    #[must_use]
    pub fn correlation_s(&self) -> f64 {
        self.lagrangian_s.clamp(CORRELATION_S.0, CORRELATION_S.1)
    }
}

/// The factor of a gamma law of mean one and this intensity where a standard normal field has the value `z`.
#[must_use]
pub fn gamma_factor(intensity: f64, z: f64) -> f64 {
    if intensity < 0.02 {
        return 1.0 + intensity * z;
    }
    let squared = intensity * intensity;
    squared * gamma_quantile(1.0 / squared, normal_below(z))
}

impl Unrest {
    fn advance_to(&mut self, slots: u64, seed: u64) {
        let stream = Stream::new(seed, &self.path, "fluctuation");
        if self.waves.is_empty() {
            // wave numbers of a Gaussian correlation over the height of the source: eddies near the ground are as large
            let length = self.plume.source_m.z.max(LEAST_LENGTH_M);
            let mut draws = stream.at(0);
            self.waves = (0..WAVES).map(|_| DVec3::from_array(std::array::from_fn(|_| draws.normal() / length))).collect();
            self.amplitudes = (0..WAVES).map(|_| (draws.normal(), draws.normal())).collect();
        }
        let phi = libm::exp(-SLOT_S / self.plume.correlation_s());
        let kick = libm::sqrt(1.0 - phi * phi);
        while self.slots < slots {
            self.slots += 1;
            let mut draws = stream.at(self.slots);
            for (a, b) in &mut self.amplitudes {
                *a = phi * *a + kick * draws.normal();
                *b = phi * *b + kick * draws.normal();
            }
        }
    }

    fn field(&self, point: DVec3) -> f64 {
        let sum: f64 = self
            .waves
            .iter()
            .zip(&self.amplitudes)
            .map(|(wave, (a, b))| {
                let (sin, cos) = libm::sincos(wave.dot(point));
                a * cos + b * sin
            })
            .sum();
        sum / libm::sqrt(self.waves.len() as f64)
    }

    fn factor(&self, point: DVec3) -> f64 {
        let intensity = self.plume.intensity(point);
        if intensity == 0.0 { 1.0 } else { gamma_factor(intensity, self.field(point)) }
    }
}

impl Unrest {
    /// The factor of a sensor that looks at these places: each counts by the gas of this source that is there.
    fn mean_factor(&self, places: &[DVec3], density: impl Fn(DVec3) -> f64) -> f64 {
        if let [place] = places {
            return self.factor(*place);
        }
        let (mut sum, mut whole) = (0.0, 0.0);
        for place in places {
            let here = density(*place);
            if here > 0.0 {
                sum += here * self.factor(*place);
                whole += here;
            }
        }
        if whole > 0.0 { sum / whole } else { 1.0 }
    }
}

/// Brings every source's field up to the present and tells each sensor its factors.
#[expect(clippy::too_many_arguments, reason = "fluctuations follow the mean plume, which needs all of the air")]
pub(super) fn fluctuate(
    (grid, clock, seed): (Res<Grid>, Res<Clock>, Res<RunSeed>),
    conditions: Res<Conditions>,
    wind: WindField,
    diffusivity: Res<Diffusivity>,
    (tracers, releases, solids): (Tracers, Res<Releases>, Res<Solids>),
    emitters: Query<(&EmitterNode, &Puffs)>,
    mut fluctuations: ResMut<Fluctuations>,
    mut sensors: Query<(&Footprint, &mut SourceFactors)>,
) {
    if !matches!(conditions.scenario.turbulence, Turbulence::Ensemble) {
        return;
    }
    let mut emitters: Vec<(&EmitterNode, &Puffs)> = emitters.iter().collect();
    emitters.sort_by_key(|(emitter, _)| emitter.source);
    fluctuations.sources.resize_with(emitters.len(), Unrest::default);
    let slots = clock.elapsed_us() / 100_000;
    for (unrest, (emitter, _)) in fluctuations.sources.iter_mut().zip(&emitters) {
        unrest.source = emitter.source;
        unrest.path = format!("emitter/{}", emitter.id);
        unrest.plume = plume(&grid, &wind, &diffusivity, emitter);
        unrest.advance_to(slots, seed.0);
    }
    let columns = tracers.columns();
    let count = emitters.iter().map(|(emitter, _)| emitter.source + 1).max().unwrap_or(0);
    for (footprint, mut factors) in &mut sensors {
        factors.0.clear();
        factors.0.resize(count, 1.0);
        let places: Vec<DVec3> = footprint.places(PLACES);
        for (unrest, (emitter, puffs)) in fluctuations.sources.iter().zip(&emitters) {
            let slots: Vec<usize> = (0..columns.len())
                .filter(|slot| releases.list[*slot].substance_of() == Some(unrest.source) && releases.list[*slot].live)
                .collect();
            let substances: Vec<&Vec<f64>> = emitter
                .slots
                .iter()
                .zip(&puffs.mass_kg)
                .filter(|(slot, _)| !releases.list[**slot].is_heat())
                .map(|(_, mass)| mass)
                .collect();
            let density = |place: DVec3| -> f64 {
                let cells = solids.weights(&grid, place);
                let mut sum: f64 =
                    slots.iter().flat_map(|slot| cells.iter().map(|(cell, weight)| f64::from(columns[*slot][*cell]) * weight)).sum();
                puffs.visit(place, |puff, density| sum += density * substances.iter().map(|mass| mass[puff]).sum::<f64>());
                sum
            };
            factors.0[unrest.source] = unrest.mean_factor(&places, density);
        }
    }
}

/// The mean plume of a source in the present air.
fn plume(grid: &Grid, wind: &WindField, diffusivity: &Diffusivity, emitter: &EmitterNode) -> Plume {
    let at_m = emitter.middle_m();
    let widest = |of: fn(&SourceElement) -> f64| emitter.elements.iter().map(of).fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the levels")]
    let level = (at_m.z / grid.cell_m[2]).clamp(0.0, (grid.shape[2] - 1) as f64) as usize;
    let known = |list: &[f64]| list.get(level).copied().unwrap_or(0.0);
    Plume {
        source_m: at_m,
        wind_m_s: wind.at(grid, at_m),
        across_m2_s: diffusivity.y[level],
        sigma_v_m_s: known(&diffusivity.sigma_v),
        up_m2_s: f64::midpoint(diffusivity.z_faces[level], diffusivity.z_faces[level + 1]),
        lagrangian_s: known(&diffusivity.lagrangian_s),
        start_m: libm::sqrt(widest(|element| element.across_m2[0].max(element.across_m2[1]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intensity_is_that_of_a_meandering_plume() {
        let plume = Plume {
            source_m: DVec3::new(0.0, 0.0, 8.0),
            wind_m_s: DVec3::new(2.2, 0.0, 0.0),
            across_m2_s: 2.2,
            sigma_v_m_s: 0.57,
            up_m2_s: 0.96,
            lagrangian_s: 6.8,
            start_m: 0.5,
        };
        let axis = |x: f64| plume.intensity(DVec3::new(x, 0.0, 8.0));
        // at the levels of field data, and falling downwind
        assert!((0.8..2.0).contains(&axis(20.0)) && axis(60.0) < axis(20.0) && axis(60.0) > 0.5, "{} {}", axis(20.0), axis(60.0));
        assert!(plume.intensity(DVec3::new(20.0, 8.0, 8.0)) > axis(20.0), "the edge is more intermittent than the axis");
        assert_eq!(plume.intensity(DVec3::new(-5.0, 0.0, 8.0)), 0.0);
    }

    #[test]
    fn the_field_at_a_point_is_standard_normal_and_forgets_at_its_own_pace() {
        let plume = Plume { wind_m_s: DVec3::new(2.5, 0.0, 0.0), lagrangian_s: 5.0, ..Plume::default() };
        let mut sums = [0.0; 4];
        let mut count = 0.0;
        for seed in 0..40 {
            let mut unrest = Unrest { path: "emitter/test".to_owned(), plume, ..Unrest::default() };
            let point = DVec3::new(33.0, 11.0, 5.0);
            let mut before = 0.0;
            for result in 1..400 {
                // samples two memories apart, and one second later
                unrest.advance_to(result * 110, seed);
                let z = unrest.field(point);
                before = if result == 1 { z } else { before };
                unrest.advance_to(result * 110 + 10, seed);
                let later = unrest.field(point);
                count += 1.0;
                sums[0] += z;
                sums[1] += z * z;
                sums[2] += z * later;
                sums[3] += z.powi(4);
            }
        }
        let [mean, variance, lagged, fourth] = sums.map(|sum| sum / count);
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05 && (fourth - 3.0).abs() < 0.4, "{mean} {variance} {fourth}");
        assert!((lagged - (-1.0f64 / 5.0).exp()).abs() < 0.05, "{lagged}");
    }

    #[test]
    fn a_factor_has_mean_one_and_its_intensity() {
        for intensity in [0.3, 1.0, 2.0] {
            let n = 40_000;
            let stream = Stream::new(1, "test", "factor");
            let values: Vec<f64> = (0..n).map(|index| gamma_factor(intensity, stream.at(index).normal())).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
            assert!(
                (mean - 1.0).abs() < 0.04 && (variance.sqrt() / intensity - 1.0).abs() < 0.04,
                "{intensity}: {mean} {}",
                variance.sqrt()
            );
        }
    }
}
