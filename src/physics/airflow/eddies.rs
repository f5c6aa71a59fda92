//! Random eddies: a velocity without divergence whose spectrum is that of von Kármán, a sum of plane waves.
//!
//! `u'(x, t) = Σ aₙ cos(κₙ·(x − U t) + ωₙ t + φₙ)`, `κₙ·aₙ = 0`. Isotropic eddies with
//! `E(k) = C σ² ℓ (kℓ)⁴ (1 + (kℓ)²)^(−17/6)` are stretched along x, y, z by the standard deviations of the three
//! components: `aᵢ = sᵢ âᵢ`, `κᵢ = k̂ᵢ/sᵢ` keeps them free of divergence, makes eddies long along the wind and flat, and leaves
//! the spectrum along the wind of von Kármán's form: `S(n) = 4 σ² (L/U)/(1 + 70.8 (n L/U)²)^(5/6)` for the component
//! along the wind. They are carried by one wind and turn over at `½ √(k³E)`.
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
/// The lowest wave number times ℓ: below it lies one part in 10⁴ of the energy.
const LOWEST: f64 = 0.05;
/// Bands of wave number in an octave, each with three waves of two polarisations.
const BANDS_IN_OCTAVE: f64 = 8.0;
/// How fast eddies turn over, of `√(k³E)`: Fung et al. use 0.4 to 1.
const TURN_OVER: f64 = 0.5;
/// Standard deviations of the wind along, across and up over the friction velocity: Panofsky and Dutton, 1984.
pub const SURFACE_LAYER_SIGMA: [f64; 3] = [2.4, 1.92, 1.25];
/// Integral length along the wind over the height: the peak of the spectrum of Kaimal et al., *QJRMS* 98, 1972, at
/// `n z/U = 1/22`, where that of von Kármán has it at `n L/U = 0.146`.
pub const LENGTH_OVER_HEIGHT: f64 = 3.2;

/// What the eddies are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectrum {
    /// Standard deviations along the wind, across it and up, m s⁻¹.
    pub sigma_m_s: [f64; 3],
    /// Integral length along the wind, m.
    pub length_m: f64,
    /// No eddy has a wave number above this, rad m⁻¹ (before they are stretched).
    pub highest_rad_m: f64,
}

impl Spectrum {
    /// The eddies of a neutral surface layer at a height.
    #[must_use]
    pub fn surface_layer(friction_m_s: f64, height_m: f64, highest_rad_m: f64) -> Self {
        Self { sigma_m_s: SURFACE_LAYER_SIGMA.map(|s| s * friction_m_s), length_m: LENGTH_OVER_HEIGHT * height_m, highest_rad_m }
    }

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
        let low = LOWEST / (PEAK_OVER_INTEGRAL * self.length_m);
        if self.highest_rad_m <= low {
            return 0.0;
        }
        const PIECES: u32 = 24;
        let edge = |piece: u32| low * libm::pow(self.highest_rad_m / low, f64::from(piece) / f64::from(PIECES));
        (0..PIECES).map(|piece| self.between(edge(piece), edge(piece + 1))).sum::<f64>() / 1.5
    }
}

/// Plane waves in a frame whose x axis lies along the wind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Eddies {
    waves: Vec<Wave>,
    /// East and north parts of the wind that carries them, m s⁻¹.
    carried_m_s: DVec3,
    /// Cosine and sine of the direction the wind blows to, from east.
    along: (f64, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Wave {
    /// East, north, up.
    wave_rad_m: DVec3,
    amplitude_m_s: DVec3,
    turn_rad_s: f64,
    phase_rad: f64,
}

impl Eddies {
    /// Draws waves. They are carried with `carried_m_s`, which also is the direction they are long in.
    #[must_use]
    pub fn drawn(spectrum: Spectrum, carried_m_s: DVec3, stream: &Stream) -> Self {
        let speed = libm::sqrt(carried_m_s.x * carried_m_s.x + carried_m_s.y * carried_m_s.y);
        let along = if speed > 0.0 { (carried_m_s.x / speed, carried_m_s.y / speed) } else { (1.0, 0.0) };
        let mut eddies = Self { waves: Vec::new(), carried_m_s, along };
        let sigma = DVec3::from_array(spectrum.sigma_m_s);
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
                    let wave = eddies.to_east(k * frame[axis] / stretch);
                    let amplitude = eddies.to_east(amplitude * frame[(axis + polarisation) % 3] * stretch);
                    let turn_rad_s = turn * draws.normal();
                    let phase_rad = draws.between(0.0, std::f64::consts::TAU);
                    eddies.waves.push(Wave { wave_rad_m: wave, amplitude_m_s: amplitude, turn_rad_s, phase_rad });
                }
            }
        }
        eddies
    }

    /// From along, across, up to east, north, up.
    fn to_east(&self, v: DVec3) -> DVec3 {
        let (cos, sin) = self.along;
        DVec3::new(cos * v.x - sin * v.y, sin * v.x + cos * v.y, v.z)
    }

    /// Velocity at a point and time, m s⁻¹.
    #[must_use]
    pub fn at(&self, point: DVec3, time_s: f64) -> DVec3 {
        self.waves.iter().map(|wave| wave.amplitude_m_s * libm::cos(self.phase(wave, point, time_s))).sum()
    }

    fn phase(&self, wave: &Wave, point: DVec3, time_s: f64) -> f64 {
        wave.wave_rad_m.dot(point - self.carried_m_s * time_s) + wave.turn_rad_s * time_s + wave.phase_rad
    }

    /// Adds the part along `component` (east, north, up) at `from`, `from + step`, `from + 2 step` and so on.
    pub fn add_line(&self, component: usize, from: DVec3, step: DVec3, time_s: f64, out: &mut [f64]) {
        for wave in &self.waves {
            let amplitude = wave.amplitude_m_s[component];
            let phase = self.phase(wave, from, time_s);
            let turn = wave.wave_rad_m.dot(step);
            let (mut sin, mut cos) = libm::sincos(phase);
            let (turn_sin, turn_cos) = libm::sincos(turn);
            (sin, cos) = (amplitude * sin, amplitude * cos);
            for value in &mut *out {
                *value += cos;
                (cos, sin) = (cos * turn_cos - sin * turn_sin, sin * turn_cos + cos * turn_sin);
            }
        }
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

    fn eddies(seed: u64) -> (Spectrum, Eddies) {
        let spectrum = Spectrum { sigma_m_s: [1.2, 0.9, 0.6], length_m: 20.0, highest_rad_m: 3.0 };
        let wind = DVec3::new(3.0, 4.0, 0.0);
        (spectrum, Eddies::drawn(spectrum, wind, &Stream::new(seed, "airflow", "eddies")))
    }

    #[test]
    fn every_draw_has_the_variance_of_its_bands_and_no_divergence() {
        let (spectrum, drawn) = eddies(3);
        let share = spectrum.resolved();
        assert!((0.9..1.0).contains(&share), "{share}");
        let variance: DVec3 = drawn.waves.iter().map(|w| 0.5 * w.amplitude_m_s * w.amplitude_m_s).sum();
        let (cos, sin) = drawn.along;
        let covariance: f64 = drawn.waves.iter().map(|w| 0.5 * w.amplitude_m_s.x * w.amplitude_m_s.y).sum();
        let along = variance.x * cos * cos + variance.y * sin * sin + 2.0 * sin * cos * covariance;
        // bands are summed here and in `resolved` with other steps
        assert!((along / (1.44 * share) - 1.0).abs() < 1e-3, "{along}");
        assert!((variance.z / (0.36 * share) - 1.0).abs() < 1e-3);
        let (point, h) = (DVec3::new(7.0, -3.0, 11.0), 1e-4);
        let part = |axis: usize| {
            let e = DVec3::AXES[axis] * h;
            (drawn.at(point + e, 5.0)[axis] - drawn.at(point - e, 5.0)[axis]) / (2.0 * h)
        };
        assert!((part(0) + part(1) + part(2)).abs() < 1e-6);
    }

    #[test]
    fn the_whole_spectrum_holds_three_halves_of_the_variance() {
        let spectrum = Spectrum { sigma_m_s: [1.0; 3], length_m: 50.0, highest_rad_m: 1e5 };
        assert!((spectrum.resolved() - 1.0).abs() < 1e-3, "{}", spectrum.resolved());
    }

    #[test]
    fn a_line_is_the_same_as_its_points() {
        let (_, drawn) = eddies(4);
        let (from, step) = (DVec3::new(1.0, 2.0, 3.0), DVec3::new(0.5, 0.25, 1.0));
        for component in 0..3 {
            let mut line = vec![0.0; 200];
            drawn.add_line(component, from, step, 12.5, &mut line);
            for (n, value) in line.iter().enumerate() {
                assert!((value - drawn.at(from + n as f64 * step, 12.5)[component]).abs() < 1e-9);
            }
        }
    }
}
