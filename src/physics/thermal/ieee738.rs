//! Heat balance of a bare overhead conductor a metre long, in W m⁻¹.
//!
//! `C dT/dt = I² R(T) + q_s − q_c − q_r`: Joule heat, sun, convection (the largest of natural and two forced laws) and long-wave
//! radiation to surroundings at air temperature. Source: IEEE Std 738-2012, clauses 4.4 and 4.5, SI forms. Left out: rain, skin effect
//! beyond what the tabled resistances hold, shade, sky colder than the air, reflected sun. Checked by: the tests below (the worked
//! example of the standard), `tests/verification/heat.rs`.

use std::f64::consts::PI;

/// Kelvin of 0 °C as the standard rounds it.
const ICE_POINT_K: f64 = 273.0;
/// Total sun on a surface facing it under a clear sky against the sun's altitude in degrees: table 3 of the standard, lowest power first.
const CLEAR_SKY: [f64; 7] = [-42.2391, 63.8044, -1.9220, 3.469_21e-2, -3.611_18e-4, 1.943_18e-6, -4.076_08e-9];

/// What of a conductor meets the air.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Skin {
    /// Outer diameter, m.
    pub diameter_m: f64,
    /// Long-wave emissivity.
    pub emissivity: f64,
    /// Absorptivity for sunlight.
    pub absorptivity: f64,
}

/// The air about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AirAround {
    /// °C.
    pub temperature_c: f64,
    /// m s⁻¹.
    pub wind_m_s: f64,
    /// Cosine of the angle between wind and conductor.
    pub along: f64,
    /// Height above mean sea level, m.
    pub elevation_m: f64,
}

/// Density (kg m⁻³), dynamic viscosity (kg m⁻¹ s⁻¹) and thermal conductivity (W m⁻¹ K⁻¹) of air at a film temperature.
#[must_use]
pub fn air_properties(film_c: f64, elevation_m: f64) -> [f64; 3] {
    let density = (1.293 - 1.525e-4 * elevation_m + 6.379e-9 * elevation_m * elevation_m) / (1.0 + 0.003_67 * film_c);
    let viscosity = 1.458e-6 * libm::pow(film_c + ICE_POINT_K, 1.5) / (film_c + 383.4);
    [density, viscosity, 2.424e-2 + 7.477e-5 * film_c - 4.407e-9 * film_c * film_c]
}

/// Convective loss at a skin temperature: natural, forced at low Reynolds number, forced at high; the loss is the largest.
#[must_use]
pub fn convection_w_m(skin: Skin, air: AirAround, skin_c: f64) -> [f64; 3] {
    let warmer = skin_c - air.temperature_c;
    let [density, viscosity, conductivity] = air_properties(0.5 * (skin_c + air.temperature_c), air.elevation_m);
    let reynolds = skin.diameter_m * density * air.wind_m_s / viscosity;
    // the angle factor K of the standard, from cos φ: cos 2φ = 2 cos² φ − 1, sin 2φ = 2 sin φ cos φ
    let along = air.along.abs().min(1.0);
    let across = (1.0 - along * along).sqrt();
    let angle = 1.194 - along + 0.194 * (2.0 * along * along - 1.0) + 0.368 * 2.0 * across * along;
    let natural = 3.645 * density.sqrt() * libm::pow(skin.diameter_m, 0.75) * libm::pow(warmer.abs(), 1.25).copysign(warmer);
    let low = angle * (1.01 + 1.35 * libm::pow(reynolds, 0.52)) * conductivity * warmer;
    [natural, low, angle * 0.754 * libm::pow(reynolds, 0.6) * conductivity * warmer]
}

/// Long-wave loss.
#[must_use]
pub fn radiation_w_m(skin: Skin, air: AirAround, skin_c: f64) -> f64 {
    let fourth = |c: f64| ((c + ICE_POINT_K) / 100.0).powi(4);
    17.8 * skin.diameter_m * skin.emissivity * (fourth(skin_c) - fourth(air.temperature_c))
}

/// What a skin gives to the air: the largest convection in size.
#[must_use]
pub fn convected_w_m(skin: Skin, air: AirAround, skin_c: f64) -> f64 {
    convection_w_m(skin, air, skin_c).into_iter().fold(0.0f64, |most, q| if q.abs() > most.abs() { q } else { most })
}

/// All that a skin loses, to the air and by radiation.
#[must_use]
pub fn loss_w_m(skin: Skin, air: AirAround, skin_c: f64) -> f64 {
    convected_w_m(skin, air, skin_c) + radiation_w_m(skin, air, skin_c)
}

/// Sun on a surface that faces it, W m⁻², clear sky, at an altitude in degrees; 0 below the horizon.
#[must_use]
pub fn sunlight_w_m2(altitude_deg: f64, elevation_m: f64) -> f64 {
    if altitude_deg <= 0.0 {
        return 0.0;
    }
    let at_sea_level = CLEAR_SKY.iter().rev().fold(0.0, |sum, factor| sum * altitude_deg + factor);
    (at_sea_level * (1.0 + 1.148e-4 * elevation_m - 1.108e-8 * elevation_m * elevation_m)).max(0.0)
}

/// What a metre takes up of the sun; azimuths clockwise from north.
#[must_use]
pub fn sun_w_m(skin: Skin, (altitude_deg, azimuth_deg): (f64, f64), line_azimuth_deg: f64, elevation_m: f64) -> f64 {
    let cosine = libm::cos(altitude_deg * PI / 180.0) * libm::cos((azimuth_deg - line_azimuth_deg) * PI / 180.0);
    let sine = (1.0 - cosine * cosine).max(0.0).sqrt();
    skin.absorptivity * sunlight_w_m2(altitude_deg, elevation_m) * sine * skin.diameter_m
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKIN: Skin = Skin { diameter_m: 0.028_14, emissivity: 0.8, absorptivity: 0.8 };
    const AIR: AirAround = AirAround { temperature_c: 40.0, wind_m_s: 0.61, along: 0.0, elevation_m: 0.0 };

    fn near(got: f64, expected: f64, part: f64) {
        assert!((got / expected - 1.0).abs() < part, "{got} for {expected}");
    }

    #[test]
    fn the_worked_example_of_the_standard_comes_out() {
        // Drake, 100 °C in 40 °C, 0.61 m/s across, 10 June 11:00 at 30° N, east-west
        let [density, viscosity, conductivity] = air_properties(70.0, 0.0);
        near(density, 1.028_72, 1e-5);
        near(viscosity, 2.042_76e-5, 1e-5);
        near(conductivity, 0.029_452_3, 1e-5);
        let [natural, low, high] = convection_w_m(SKIN, AIR, 100.0);
        near(natural, 42.415_9, 1e-5);
        near(low, 82.083_1, 1e-5);
        near(high, 77.034_0, 1e-5);
        near(radiation_w_m(SKIN, AIR, 100.0), 39.105_5, 1e-5);
        near(sunlight_w_m2(74.891_2, 0.0), 1027.27, 1e-5);
        near(sun_w_m(SKIN, (74.891_2, 113.952), 90.0, 0.0), 22.460_3, 1e-4);
        // ampacity: the current whose Joule heat makes up the balance
        let balance = loss_w_m(SKIN, AIR, 100.0) - sun_w_m(SKIN, (74.891_2, 113.952), 90.0, 0.0);
        assert!(((balance / 9.390_5e-5).sqrt() - 1025.36).abs() < 0.1);
        assert_eq!(sunlight_w_m2(-1.0, 0.0), 0.0);
    }

    #[test]
    fn a_skin_as_warm_as_the_air_loses_nothing_and_a_colder_one_gains() {
        assert_eq!(loss_w_m(SKIN, AIR, 40.0), 0.0);
        assert!(loss_w_m(SKIN, AIR, 30.0) < 0.0);
        // wind along the conductor cools it least
        let along = AirAround { along: 1.0, wind_m_s: 3.0, ..AIR };
        assert!(loss_w_m(SKIN, along, 80.0) < loss_w_m(SKIN, AirAround { along: 0.0, ..along }, 80.0));
    }
}
