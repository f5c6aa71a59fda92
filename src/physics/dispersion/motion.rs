//! How a puff moves, rises and grows.
//!
//! It moves with the mean wind at the height that carries it and rises after Briggs if its source is hot, in weak winds as a standing plume does. Across, it grows with
//! its age as Draxler has it ([`lateral_variance_m2`]), or as 2 K t where a diffusivity is given; where eddies are part of the
//! wind they move it, and it grows by smaller ones, `g ε t³/6` until that is faster than 2 K t. Up, by the law of its shape and as
//! Taylor has it, `σ² = 2 K T (t/T − 1 + e^{−t/T})` with T the Lagrangian time of the vertical turbulence: `σ_w t` at first and
//! 2 K t in the end.
//!
//! Sources: Richardson, *Proc. R. Soc. A* 110, 1926, and Salazar and Collins, *Annu. Rev. Fluid Mech.* 41, 2009 (relative
//! dispersion); Draxler, *Atmospheric Environment* 10, 1976; Taylor, *Proc. London Math. Soc.* 20, 1921; Briggs, *Plume Rise*,
//! USAEC 1969, and *Nuclear Safety* 13, 1972. Left out: shear within a puff, sinking of particles inside it.
//! Checked by: the tests below, `tests/verification/puffs.rs`.

use glam::DVec3;

use crate::numerics::special::expm1_below;
use crate::numerics::{SimdLevel, at_simd_levels};
use crate::units::{AIR_HEAT_J_KG_K, DRY_AIR_GAS_CONSTANT_J_KG_K, GRAVITY_M_S2};
use crate::world::air::{Diffusivity, WindSampler, lateral_variance_m2};
use crate::world::puffs::{Puffs, VerticalLaw};

/// Briggs' coefficients: transitional rise, final distance below and above 55 m⁴/s³, final rise in stable air of a plume that bends over and of one that
/// stands.
const BRIGGS: (f64, f64, f64, f64, f64) = (1.6, 49.0, 119.0, 2.6, 5.0);
/// Entrainment and ratio of widths of a plume that stands: Morton, Taylor and Turner, *Proc. R. Soc. A* 234, 1956, with the Gaussian constants of List, *Annu. Rev. Fluid
/// Mech.* 14, 1982.
const STANDING: (f64, f64) = (0.103, 1.16);

/// Buoyancy flux of a release of heat into air of this pressure, m⁴ s⁻³: `g Q / (π ρ cₚ T)` with ρ T = p/R.
#[must_use]
pub fn buoyancy_flux_m4_s3(heat_w: f64, pressure_pa: f64) -> f64 {
    GRAVITY_M_S2 * heat_w * DRY_AIR_GAS_CONSTANT_J_KG_K / (std::f64::consts::PI * AIR_HEAT_J_KG_K * pressure_pa)
}

/// Upward wind on the axis of a standing plume of buoyancy flux `flux`, times the cube root of the height over its source, m^(4/3) s⁻¹.
#[must_use]
pub fn standing_plume(flux: f64) -> f64 {
    let (entrainment, ratio) = STANDING;
    let spread = 1.2 * entrainment;
    libm::cbrt(1.5 * flux * (1.0 + ratio * ratio) / (spread * spread))
}

/// How far a plume of buoyancy flux `flux` has risen after `age_s`, `x_m` downwind in a wind of `wind_m_s`, m.
///
/// It rises as Briggs has it for one that bends over, but no faster than a standing one, `z = (4 A t/3)^¾` for an upward wind of `A z^(−⅓)`. `stability_s2` is
/// the square of the buoyancy frequency, 0 or less where the air is not stable. Source: Briggs 1969, 1972.
#[must_use]
pub fn rise_m(flux: f64, wind_m_s: f64, (x_m, age_s): (f64, f64), stability_s2: f64) -> f64 {
    if flux <= 0.0 {
        return 0.0;
    }
    let wind = wind_m_s.max(f64::MIN_POSITIVE);
    let standing = libm::pow(4.0 / 3.0 * standing_plume(flux) * age_s, 0.75);
    let final_x_m = if flux < 55.0 { BRIGGS.1 * libm::pow(flux, 0.625) } else { BRIGGS.2 * libm::pow(flux, 0.4) };
    let reached = x_m.clamp(0.0, final_x_m);
    // in a calm it is nowhere else and has bent over nowhere
    let transitional = if reached > 0.0 { BRIGGS.0 * libm::cbrt(flux * reached * reached) / wind } else { f64::MAX };
    let stable = if stability_s2 > 0.0 {
        (BRIGGS.3 * libm::cbrt(flux / (wind * stability_s2))).min(BRIGGS.4 * libm::pow(flux, 0.25) * libm::pow(stability_s2, -0.375))
    } else {
        f64::MAX
    };
    transitional.min(stable).min(standing)
}

/// What Taylor's variance gains in `dt_s` and the memory of the release that is left: both follow from how much memory there
/// was, 1 at release and falling as `e^{−t/T}`. Variance in m².
#[expect(clippy::inline_always, reason = "compiled for the SIMD level of its caller")]
#[inline(always)]
#[must_use]
pub fn growth_m2(k_m2_s: f64, lagrangian_s: f64, dt_s: f64, memory: f64) -> (f64, f64) {
    if lagrangian_s <= 0.0 {
        return (2.0 * k_m2_s * dt_s, 0.0);
    }
    let decline = expm1_below(-dt_s / lagrangian_s);
    (2.0 * k_m2_s * (dt_s + lagrangian_s * memory * decline), memory + memory * decline)
}

/// Richardson's constant of the separation of two particles in three dimensions: Salazar and Collins, *Annu. Rev. Fluid Mech.* 41, 2009.
const RICHARDSON: f64 = 0.5;

/// What the variance of a puff along one axis gains in `dt_s` where larger eddies move it as a whole: as `g ε t³/6` while it is small,
/// as `2 K t` once it is as large as the eddies that K stands for; without a dissipation ε always so. In m².
#[must_use]
pub fn relative_growth_m2(k_m2_s: f64, dissipation_m2_s3: f64, variance_m2: f64, dt_s: f64) -> f64 {
    let most = 2.0 * k_m2_s * dt_s;
    if dissipation_m2_s3 <= 0.0 {
        return most;
    }
    // σ² = a t³ with a = g ε/6: how old such a puff is says how it goes on
    let a = RICHARDSON * dissipation_m2_s3 / 6.0;
    let age_s = libm::cbrt(variance_m2 / a);
    let later_s = age_s + dt_s;
    (a * (later_s * later_s * later_s - age_s * age_s * age_s)).min(most)
}

/// The air puffs move in.
pub struct PuffAir<'a> {
    wind: WindSampler<'a>,
    diffusivity: &'a Diffusivity,
    level_m: f64,
    /// Turbulence in the middle of each level; its vertical diffusivity is that of the lower face, and the last one that of the top.
    levels: Vec<Here>,
}

/// Turbulence at one height; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Here {
    x: f64,
    pub(super) y: f64,
    z: f64,
    pub(super) sigma_v: f64,
    lagrangian_s: f64,
    dissipation_m2_s3: f64,
}

impl<'a> PuffAir<'a> {
    /// A wind and what spreads in it, in levels of this height.
    #[must_use]
    pub fn new(wind: WindSampler<'a>, diffusivity: &'a Diffusivity, level_m: f64) -> Self {
        let Diffusivity { x, y, z_faces, sigma_v, lagrangian_s, dissipation_m2_s3, .. } = diffusivity;
        let of = |list: &[f64], k: usize| list.get(k).or(list.last()).copied().unwrap_or_default();
        let level = |k: usize| Here {
            x: of(x, k),
            y: of(y, k),
            z: of(z_faces, k),
            sigma_v: of(sigma_v, k),
            lagrangian_s: of(lagrangian_s, k),
            dissipation_m2_s3: of(dissipation_m2_s3, k),
        };
        Self { wind, diffusivity, level_m, levels: (0..=x.len()).map(level).collect() }
    }

    /// The mean wind at a point; below the middle of the lowest level it falls with the logarithm of height.
    pub(super) fn wind_at(&self, point: DVec3) -> DVec3 {
        let (lowest_m, roughness_m) = (0.5 * self.level_m, self.diffusivity.roughness_m);
        let wind = self.wind.at(point);
        if point.z >= lowest_m || roughness_m <= 0.0 || lowest_m <= 2.0 * roughness_m {
            return wind;
        }
        let height = point.z.max(2.0 * roughness_m);
        wind * (libm::log(height / roughness_m) / libm::log(lowest_m / roughness_m))
    }

    pub(super) fn at(&self, point: DVec3) -> Here {
        let level = point.z / self.level_m;
        let own = self.diffusivity.cells.get(self.wind.grid().cell_near(point)).map_or(0.0, |own| f64::from(*own));
        let (low, high, share) = bracket(level - 0.5, self.levels.len() - 1);
        let (a, b) = (&self.levels[low], &self.levels[high]);
        let between = |a: f64, b: f64| a + (b - a) * share;
        let (below, above, part) = bracket(level, self.levels.len());
        let (k_below, k_above) = (self.levels[below].z, self.levels[above].z);
        Here {
            x: between(a.x, b.x).max(own),
            y: between(a.y, b.y).max(own),
            z: (k_below + (k_above - k_below) * part).max(own),
            sigma_v: between(a.sigma_v, b.sigma_v),
            lagrangian_s: between(a.lagrangian_s, b.lagrangian_s),
            dissipation_m2_s3: between(a.dissipation_m2_s3, b.dissipation_m2_s3),
        }
    }

    pub(super) fn stability_s2(&self, z_m: f64) -> f64 {
        let list = &self.diffusivity.stability_s2;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a level of the list")]
        let level = (z_m / self.level_m).max(0.0) as usize;
        list.get(level.min(list.len().saturating_sub(1))).copied().unwrap_or(0.0)
    }
}

/// The two places of a list around `at`, and how far it is between them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the list")]
fn bracket(at: f64, length: usize) -> (usize, usize, f64) {
    let at = at.clamp(0.0, (length - 1) as f64);
    let low = at as usize;
    (low, (low + 1).min(length - 1), at - low as f64)
}

/// Puffs that are moved together.
const TOGETHER: usize = 64;

/// Some puffs and what the kernels work out of them.
struct Lot<'p> {
    law: VerticalLaw,
    dt_s: f64,
    z_m: &'p mut [f64],
    depth: &'p mut [f64],
    xx_m2: &'p mut [f64],
    yy_m2: &'p mut [f64],
    age_s: &'p mut [f64],
    memory: &'p mut [f64],
    /// Height whose wind carries them, and mean height of their gas, m.
    carried_m: [f64; TOGETHER],
    mean_m: [f64; TOGETHER],
    /// The air there.
    sigma_v: [f64; TOGETHER],
    k_m2_s: [f64; TOGETHER],
    lagrangian_s: [f64; TOGETHER],
}

/// Where the gas of each puff is.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn heights_of(lot: &mut Lot<'_>) {
    let n = lot.z_m.len().min(TOGETHER);
    let (z_m, depth, law) = (&lot.z_m[..n], &lot.depth[..n], lot.law);
    if law == VerticalLaw::Proportional {
        for i in 0..n {
            (lot.carried_m[i], lot.mean_m[i]) = (VerticalLaw::Proportional.carried_at(z_m[i], depth[i]), z_m[i] + depth[i]);
        }
        return;
    }
    for i in 0..n {
        let height = law.mean_height(z_m[i], depth[i]);
        (lot.carried_m[i], lot.mean_m[i]) = (height, height);
    }
}

/// Lets puffs become older, deeper and, where eddies are not part of the wind, wider.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn grow_all(lot: &mut Lot<'_>) {
    let n = lot.z_m.len().min(TOGETHER);
    let dt_s = lot.dt_s;
    let Lot { z_m, depth, xx_m2, yy_m2, age_s, memory, sigma_v, k_m2_s, lagrangian_s, .. } = lot;
    let (z_m, depth, age_s, memory) = (&z_m[..n], &mut depth[..n], &mut age_s[..n], &mut memory[..n]);
    let (xx_m2, yy_m2) = (&mut xx_m2[..n], &mut yy_m2[..n]);
    let proportional = lot.law == VerticalLaw::Proportional;
    for i in 0..n {
        let to_s = age_s[i] + dt_s;
        let gained = lateral_variance_m2(sigma_v[i], to_s) - lateral_variance_m2(sigma_v[i], age_s[i]);
        xx_m2[i] += gained;
        yy_m2[i] += gained;
        age_s[i] = to_s;
        let growth;
        (growth, memory[i]) = growth_m2(1.0, lagrangian_s[i], dt_s, memory[i]);
        let deeper = k_m2_s[i] * growth;
        depth[i] += if proportional { 0.5 * deeper / (z_m[i] + depth[i]).max(f64::MIN_POSITIVE) } else { deeper };
    }
}

at_simd_levels!(fn heights(lot: &mut Lot<'_>) = heights_of);
at_simd_levels!(fn grow(lot: &mut Lot<'_>) = grow_all);

/// Moves every puff by `dt_s` and lets it grow.
pub fn advance(puffs: &mut Puffs, air: &PuffAir<'_>, dt_s: f64, level: SimdLevel) {
    let (law, n) = (puffs.law, puffs.len());
    let Puffs { x_m, y_m, z_m, depth, xx_m2, yy_m2, xy_m2, age_s, memory, travelled_m, buoyancy_m4_s3, .. } = puffs;
    for from in (0..n).step_by(TOGETHER) {
        let these = from..n.min(from + TOGETHER);
        let mut lot = Lot {
            law,
            dt_s,
            z_m: &mut z_m[these.clone()],
            depth: &mut depth[these.clone()],
            xx_m2: &mut xx_m2[these.clone()],
            yy_m2: &mut yy_m2[these.clone()],
            age_s: &mut age_s[these.clone()],
            memory: &mut memory[these.clone()],
            carried_m: [0.0; TOGETHER],
            mean_m: [0.0; TOGETHER],
            sigma_v: [0.0; TOGETHER],
            k_m2_s: [0.0; TOGETHER],
            lagrangian_s: [0.0; TOGETHER],
        };
        heights(level, &mut lot);
        let mut speed_m_s = [0.0; TOGETHER];
        for (i, puff) in these.clone().enumerate() {
            let here = air.at(DVec3::new(x_m[puff], y_m[puff], lot.mean_m[i]));
            let wind = air.wind_at(DVec3::new(x_m[puff], y_m[puff], lot.carried_m[i]));
            x_m[puff] += wind.x * dt_s;
            y_m[puff] += wind.y * dt_s;
            lot.z_m[i] = (lot.z_m[i] + wind.z * dt_s).max(0.0);
            speed_m_s[i] = (wind.x * wind.x + wind.y * wind.y).sqrt();
            (lot.sigma_v[i], lot.k_m2_s[i], lot.lagrangian_s[i]) = (here.sigma_v, here.z, here.lagrangian_s);
            if here.sigma_v <= 0.0 {
                // its size is that across its longer side: a stretch of plume is as long as a slot
                let (xx, yy, xy) = (&mut lot.xx_m2[i], &mut lot.yy_m2[i], xy_m2[puff]);
                let (mean, half) = (0.5 * (*xx + *yy), 0.5 * (*xx - *yy));
                let across_m2 = (mean - (half * half + xy * xy).sqrt()).max(0.0);
                *xx += relative_growth_m2(here.x, here.dissipation_m2_s3, across_m2, dt_s);
                *yy += relative_growth_m2(here.y, here.dissipation_m2_s3, across_m2, dt_s);
            }
        }
        grow(level, &mut lot);
        for (i, puff) in these.enumerate() {
            if buoyancy_m4_s3[puff] > 0.0 {
                let stability_s2 = air.stability_s2(lot.carried_m[i]);
                let risen = |way_m: f64, age_s: f64| rise_m(buoyancy_m4_s3[puff], speed_m_s[i], (way_m, age_s), stability_s2);
                let way_m = travelled_m[puff] + speed_m_s[i] * dt_s;
                lot.z_m[i] += (risen(way_m, lot.age_s[i]) - risen(travelled_m[puff], lot.age_s[i] - dt_s)).max(0.0);
                travelled_m[puff] = way_m;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hot_plume_rises_as_briggs_has_it() {
        for (heat, flux, x, rise) in [(1e4, 0.088_294_5, 10.749_9, 0.694_061), (1e6, 8.829_45, 191.163, 21.948_1)] {
            let got = buoyancy_flux_m4_s3(heat, 1.2 * 287.05 * 293.15);
            assert!((got / flux - 1.0).abs() < 1e-5, "{got}");
            assert!((rise_m(got, 5.0, (x, 0.2 * x), 0.0) / rise - 1.0).abs() < 1e-5);
            assert!((rise_m(got, 5.0, (10.0 * x, 2.0 * x), 0.0) / rise - 1.0).abs() < 1e-5, "it does not rise for ever");
        }
        assert!((rise_m(8.829_45, 5.0, (100.0, 20.0), 0.0) / 14.249_3 - 1.0).abs() < 1e-5);
        // the published final rise of the stable law: a source so strong that it reaches it
        let stable = GRAVITY_M_S2 / 293.15 * 0.02;
        assert!((rise_m(1000.0 * 8.829_45, 5.0, (1e6, 2e5), stable) / (10.0 * 35.931_4) - 1.0).abs() < 1e-4);
    }

    #[test]
    fn growth_does_not_depend_on_how_time_is_cut() {
        let grown = |steps: u32, dt_s: f64| {
            (0..steps).fold((0.0, 1.0), |(sum, memory), _| {
                let (more, memory) = growth_m2(2.0, 5.0, dt_s, memory);
                (sum + more, memory)
            })
        };
        let taylor = |t: f64| 4.0 * (t - 5.0 * (1.0 - libm::exp(-t / 5.0)));
        for (steps, dt_s) in [(1, 20.0), (200, 0.1), (20, 1.0), (1, 0.01)] {
            let (whole, time) = (grown(steps, dt_s).0, f64::from(steps) * dt_s);
            assert!((whole / taylor(time) - 1.0).abs() < 1e-9, "{steps} {dt_s}: {whole}");
        }
        assert_eq!(growth_m2(2.0, 0.0, 3.0, 1.0), (12.0, 0.0));
    }
}
