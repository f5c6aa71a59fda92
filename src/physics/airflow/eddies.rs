//! Random eddies: a velocity without divergence whose spectrum is that of von Kármán, a sum of plane waves.
//!
//! `u'(x, t) = Σ aₙ cos(κₙ·(x − U t) + ωₙ t + φₙ)`, `κₙ·aₙ = 0`. Isotropic eddies with
//! `E(k) = C σ² ℓ (kℓ)⁴ (1 + (kℓ)²)^(−17/6)` are stretched along x, y, z by the standard deviations of the three
//! components: `aᵢ = sᵢ âᵢ`, `κᵢ = k̂ᵢ/sᵢ` keeps them free of divergence, makes eddies long along the wind and flat, and leaves
//! the spectrum along the wind of von Kármán's form: `S(n) = 4 σ² (L/U)/(1 + 70.8 (n L/U)²)^(5/6)` for the component
//! along the wind. They are carried by one wind and turn over at `√(k³E)`. Waves are drawn for a unit wind along x; a [`Moment`]
//! says how strong the wind is now, where it blows and how far it has carried them, so that they follow a wind that changes.
//!
//! Waves come in orthogonal threes with both polarisations, the energy of a band shared evenly, so that every draw has
//! exactly the variance of its bands in every component. A function of place and time: no tick, no thread changes it.
//!
//! Sources: von Kármán, *PNAS* 34, 1948; Fung, Hunt, Malik and Perkins, *J. Fluid Mech.* 236, 1992 (waves, turn-over); Lee, Lele
//! and Moin, *Physics of Fluids A* 4, 1992 (carried eddies at an inflow). Left out: shear stress, height in the lengths.
//! Checked by: the tests below, `tests/verification/eddies.rs`.

use glam::DVec3;

use crate::streams::Stream;

/// Length ℓ of the spectrum over the integral length along the wind: `Γ(1/3)/(√π Γ(5/6))`.
const PEAK_OVER_INTEGRAL: f64 = 1.339;
/// `C`: `55 Γ(5/6)/(9 √π Γ(1/3))`, so that the spectrum integrates to `3σ²/2`.
const LEVEL: f64 = 1.452_75;
/// The lowest wave number times ℓ: below it lie two parts in 10⁴ of the energy.
const LOWEST: f64 = 0.25;
/// Bands of wave number in an octave, each with three waves of two polarisations.
const BANDS_IN_OCTAVE: f64 = 10.0;
/// How fast eddies turn over, of `√(k³E)`: Fung et al. use 0.4 to 1. The upper end forgets slow waves that lie along the wind within the hour.
const TURN_OVER: f64 = 1.0;
/// Standard deviations of the wind along, across and up over the friction velocity: Panofsky and Dutton, 1984.
pub const SURFACE_LAYER_SIGMA: [f64; 3] = [2.4, 1.92, 1.25];

/// What the eddies are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectrum {
    /// Standard deviations along the wind, across it and up, in units of the speed of a [`Moment`].
    pub sigma: [f64; 3],
    /// Integral length along the wind, m.
    pub length_m: f64,
    /// No eddy has a wave number above this, rad m⁻¹ (before they are stretched).
    pub highest_rad_m: f64,
}

impl Spectrum {
    /// Energy of isotropic eddies of unit standard deviation per wave number, m.
    fn energy(&self, k: f64) -> f64 {
        let length = PEAK_OVER_INTEGRAL * self.length_m;
        let x = (k * length) * (k * length);
        LEVEL * length * x * x * libm::pow(1.0 + x, -17.0 / 6.0)
    }

    /// Energy between two wave numbers.
    fn between(&self, low: f64, high: f64) -> f64 {
        const PARTS: usize = 16;
        let step = libm::log(high / low) / PARTS as f64;
        (0..PARTS).map(|part| libm::exp(libm::log(low) + (part as f64 + 0.5) * step)).map(|k| self.energy(k) * k * step).sum()
    }

    /// Variance over that of the whole spectrum that lies below the highest wave number.
    #[must_use]
    pub fn resolved(&self) -> f64 {
        const PIECES: u32 = 24;
        let low = LOWEST / (PEAK_OVER_INTEGRAL * self.length_m);
        if self.highest_rad_m <= low {
            return 0.0;
        }
        let edge = |piece: u32| low * libm::pow(self.highest_rad_m / low, f64::from(piece) / f64::from(PIECES));
        (0..PIECES).map(|piece| self.between(edge(piece), edge(piece + 1))).sum::<f64>() / 1.5
    }
}

/// Plane waves in a frame whose x axis lies along the wind, for a unit of the speed that σ is measured in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Eddies {
    waves: Vec<Wave>,
}

/// The wind of a moment, and what it has done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// The speed that σ is measured in, m s⁻¹.
    pub scale_m_s: f64,
    /// East and north parts of the unit vector the wind blows along.
    pub towards: (f64, f64),
    /// The place the frame turns round, m.
    pub middle_m: DVec3,
    /// How far the eddies have been carried along, m.
    pub carried_m: f64,
    /// What `scale_m_s` adds up to over time, m: eddies turn over with it.
    pub turned_m: f64,
}

/// Along, across, up; all in the frame of the wind.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wave {
    vector_rad_m: DVec3,
    amplitude: DVec3,
    turn_rad_m: f64,
    phase_rad: f64,
}

impl Moment {
    /// From east, north, up to along, across, up.
    fn turned(&self, v: DVec3) -> DVec3 {
        let (cos, sin) = self.towards;
        DVec3::new(cos * v.x + sin * v.y, cos * v.y - sin * v.x, v.z)
    }

    /// The part of a vector of the frame along east, north or up.
    fn part(&self, component: usize, v: DVec3) -> f64 {
        let (cos, sin) = self.towards;
        match component {
            0 => cos * v.x - sin * v.y,
            1 => sin * v.x + cos * v.y,
            _ => v.z,
        }
    }

    fn phase(&self, wave: &Wave, point: DVec3) -> f64 {
        let at = self.turned(point - self.middle_m) - DVec3::X * self.carried_m;
        wave.vector_rad_m.dot(at) + wave.turn_rad_m * self.turned_m + wave.phase_rad
    }
}

impl Eddies {
    /// Draws waves for σ in units of the speed of a [`Moment`].
    #[must_use]
    pub fn drawn(spectrum: Spectrum, stream: &Stream) -> Self {
        let mut eddies = Self::default();
        let sigma = DVec3::from_array(spectrum.sigma);
        let stretch = sigma / sigma.x;
        let low = LOWEST / (PEAK_OVER_INTEGRAL * spectrum.length_m);
        if !(sigma.x > 0.0 && spectrum.highest_rad_m > low) {
            return eddies;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
        let bands = (BANDS_IN_OCTAVE * libm::log2(spectrum.highest_rad_m / low)).ceil() as u64;
        let edge = |band: u64| low * libm::pow(spectrum.highest_rad_m / low, band as f64 / bands as f64);
        for band in 0..bands {
            let mut draws = stream.at(band);
            // three waves share the energy, each with two polarisations of variance a²/2; the three components take 2/3 of it
            let variance = sigma.x * sigma.x * spectrum.between(edge(band), edge(band + 1));
            let amplitude = libm::sqrt(2.0 * variance / 3.0);
            let frame = orthogonal(&mut || draws.normal());
            for axis in 0..3 {
                let k = libm::exp(draws.between(libm::log(edge(band)), libm::log(edge(band + 1))));
                let turn = TURN_OVER * sigma.x * libm::sqrt(k * k * k * spectrum.energy(k));
                for polarisation in 1..3 {
                    eddies.waves.push(Wave {
                        vector_rad_m: k * frame[axis] / stretch,
                        amplitude: amplitude * frame[(axis + polarisation) % 3] * stretch,
                        turn_rad_m: turn * draws.normal(),
                        phase_rad: draws.between(0.0, std::f64::consts::TAU),
                    });
                }
            }
        }
        eddies
    }

    /// East, north and up parts of the velocity at a point, m s⁻¹.
    #[must_use]
    pub fn at(&self, point: DVec3, now: &Moment) -> DVec3 {
        let sum: DVec3 = self.waves.iter().map(|wave| wave.amplitude * libm::cos(now.phase(wave, point))).sum();
        now.scale_m_s * DVec3::from_array(std::array::from_fn(|component| now.part(component, sum)))
    }

    /// The same eddies with all velocities multiplied.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        for wave in &mut self.waves {
            wave.amplitude *= factor;
        }
        self
    }

    /// Wave vectors in rad m⁻¹ and amplitudes in units of σ's speed; along, across, up.
    pub(super) fn waves(&self) -> impl Iterator<Item = (DVec3, DVec3)> + '_ {
        self.waves.iter().map(|wave| (wave.vector_rad_m, wave.amplitude))
    }

    /// Wave vectors, amplitudes in m s⁻¹ and phases at the origin of a moment; east, north, up.
    pub(super) fn waves_at(&self, now: &Moment) -> impl Iterator<Item = (DVec3, DVec3, f64)> + '_ {
        let now = *now;
        self.waves.iter().map(move |wave| {
            let east_north_up = |v: DVec3| DVec3::from_array(std::array::from_fn(|component| now.part(component, v)));
            (east_north_up(wave.vector_rad_m), now.scale_m_s * east_north_up(wave.amplitude), now.phase(wave, DVec3::ZERO))
        })
    }
}

/// Three orthogonal unit vectors, turned at random.
fn orthogonal(normal: &mut impl FnMut() -> f64) -> [DVec3; 3] {
    let mut draw = || DVec3::new(normal(), normal(), normal());
    let first = draw().normalize_or(DVec3::X);
    let second = draw();
    let second = (second - first * first.dot(second)).normalize_or(first.any_orthonormal_vector());
    [first, second, first.cross(second)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eddies(seed: u64) -> (Spectrum, Eddies, Moment) {
        let spectrum = Spectrum { sigma: [2.4, 1.8, 1.2], length_m: 20.0, highest_rad_m: 3.0 };
        let now = Moment { scale_m_s: 0.5, towards: (0.6, 0.8), middle_m: DVec3::new(30.0, 20.0, 0.0), carried_m: 62.5, turned_m: 6.0 };
        (spectrum, Eddies::drawn(spectrum, &Stream::new(seed, "airflow", "eddies")), now)
    }

    #[test]
    fn every_draw_has_the_variance_of_its_bands_and_no_divergence() {
        let (spectrum, drawn, now) = eddies(3);
        let share = spectrum.resolved();
        assert!((0.9..1.0).contains(&share), "{share}");
        let variance: DVec3 = drawn.waves.iter().map(|w| 0.5 * w.amplitude * w.amplitude).sum();
        for axis in 0..3 {
            // bands are summed here and in `resolved` with other steps
            assert!((variance[axis] / (spectrum.sigma[axis].powi(2) * share) - 1.0).abs() < 1e-3, "{variance}");
        }
        let (point, h) = (DVec3::new(7.0, -3.0, 11.0), 1e-4);
        let part = |axis: usize| {
            let e = DVec3::AXES[axis] * h;
            (drawn.at(point + e, &now)[axis] - drawn.at(point - e, &now)[axis]) / (2.0 * h)
        };
        assert!((part(0) + part(1) + part(2)).abs() < 1e-6);
    }

    #[test]
    fn eddies_come_with_the_wind_and_turn_with_it() {
        let (_, drawn, now) = eddies(5);
        let (point, wind) = (DVec3::new(12.0, 3.0, 4.0), DVec3::new(0.6, 0.8, 0.0));
        let later = Moment { carried_m: now.carried_m + 7.0, ..now };
        assert!((drawn.at(point + 7.0 * wind, &later) - drawn.at(point, &now)).length() < 1e-9);
        // a quarter turn to the left takes the whole pattern with it
        let turned = Moment { towards: (-0.8, 0.6), ..now };
        let from = now.middle_m;
        let quarter = |v: DVec3| DVec3::new(-v.y, v.x, v.z);
        assert!((drawn.at(from + quarter(point - from), &turned) - quarter(drawn.at(point, &now))).length() < 1e-9);
    }

    #[test]
    fn the_whole_spectrum_holds_three_halves_of_the_variance() {
        let spectrum = Spectrum { sigma: [1.0; 3], length_m: 50.0, highest_rad_m: 1e5 };
        assert!((spectrum.resolved() - 1.0).abs() < 1e-3, "{}", spectrum.resolved());
    }
}
