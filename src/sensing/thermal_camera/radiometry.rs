//! Radiance that reaches a camera, pixel by pixel.
//!
//! `L = Σ share · [τ (ε L(T) + (1 − ε) L_reflected) + (1 − τ) L(T_air)]`: a surface reflects as a mirror what comes from the sky
//! or from the ground; a shiny one also the sun, in a lobe of a brushed metal. The sky is a grey body by its elevation
//! (`world::sky`). Smoke and hot air on the way: `haze`. Left out: reflections of one body in another, emissivity by angle, smoke before what a surface mirrors, shade on a
//! mirrored sun. Source: section 11 of the sensor reference; Modest, *Radiative Heat Transfer*, 2013.

use std::sync::Arc;

use glam::DVec3;

use crate::sensing::thermal_camera::band::{radiance, transmission};
use crate::sensing::thermal_camera::haze::{Stretch, seen_through};
use crate::sensing::thermal_camera::optics::Blur;
use crate::sensing::thermal_camera::view::{Part, View};
use crate::world::scene::{GROUND, Heaters, Scene, Surface};
use crate::world::sky::Sky;
use crate::world::sun::Sun;

/// Width of the lobe in which brushed metal reflects the sun, one standard deviation in rad: 5°, chosen.
const LOBE_RAD: f64 = 0.087;
/// Effective temperature of the sun, K, and the solid angle it fills, sr: IAU 2015 nominal values at one astronomical unit.
const SUN: (f64, f64) = (5772.0, 6.794e-5);
/// Steps of the tables by sine of elevation and by square root of range.
const STEPS: usize = 256;
/// Square root of the longest way in the table, m^½: 5 km.
const LONGEST_ROOT: f64 = 71.0;

/// What lies between a camera and what it sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between {
    /// Temperature of the air, K.
    pub air_k: f64,
    /// Its relative humidity, 0 to 1.
    pub humidity_frac: f64,
}

/// Radiances of a moment, looked up instead of worked out for every pixel.
#[derive(Clone, Debug)]
pub struct Shades {
    /// Of each surface: what it emits, and the share it reflects.
    surfaces: Vec<(f64, f64)>,
    sky: Vec<f64>,
    through: Vec<f64>,
    air: f64,
    ground: f64,
    /// Towards the sun, and its irradiance in the band.
    sun: Option<(DVec3, f64)>,
    /// What is not clear on the way to each pixel; empty where all is.
    ways: Arc<Vec<Vec<Stretch>>>,
}

impl Shades {
    /// The radiances of `surfaces` under a sky.
    #[must_use]
    pub fn new(surfaces: &[Surface], sky: &Sky, sun: &Sun, between: Between) -> Self {
        let above = radiance(sky.air_k).0;
        let table: Vec<f64> = (0..=STEPS).map(|n| above * sky.window_emissivity(n as f64 / STEPS as f64)).collect();
        let emitted = |surface: &Surface| (surface.emissivity * radiance(surface.temperature_k).0, 1.0 - surface.emissivity);
        let surfaces: Vec<(f64, f64)> = surfaces.iter().map(emitted).collect();
        // the ground reflects the whole sky: at its mean sine of elevation
        let ground = surfaces.get(GROUND).map_or(above, |(emitted, reflects)| emitted + reflects * table[STEPS / 2]);
        let root = |n: usize| LONGEST_ROOT * n as f64 / STEPS as f64;
        let clear = (1.0 - sky.cloud) * (1.0 - sky.window_emissivity(sun.sine));
        Self {
            surfaces,
            sky: table,
            through: (0..=STEPS).map(|n| transmission(root(n) * root(n), between.air_k, between.humidity_frac)).collect(),
            air: radiance(between.air_k).0,
            ground,
            sun: (sun.sine > 0.0).then(|| (sun.towards, clear * SUN.1 * radiance(SUN.0).0)),
            ways: Arc::default(),
        }
    }

    /// The same through these stretches on the way to each pixel; an empty list is clear air.
    #[must_use]
    pub fn behind(mut self, ways: Vec<Vec<Stretch>>) -> Self {
        self.ways = Arc::new(ways);
        self
    }

    /// Whether anything on the way is not clear.
    #[must_use]
    pub fn hazy(&self) -> bool {
        !self.ways.is_empty()
    }

    /// The radiance of every pixel, W m⁻² sr⁻¹.
    #[must_use]
    pub fn image(&self, view: &View) -> Vec<f64> {
        let of = |(pixel, parts): (usize, &Vec<Part>)| parts.iter().map(|part| part.share * self.part(pixel, part)).sum();
        view.pixels.iter().enumerate().map(of).collect()
    }

    /// An image of [`Self::image`] as the optics blur it, before the pixels gather it.
    #[must_use]
    pub fn blurred(&self, view: &View, mut image: Vec<f64>, size: [usize; 2], blur: Blur) -> Vec<f64> {
        if blur.sigma_px <= 0.0 {
            return image;
        }
        blur.smooth(&mut image, size);
        for (n, parts) in view.pixels.iter().enumerate().filter(|(_, parts)| parts.len() > 1) {
            for part in parts {
                let bright = self.part(n, part);
                for (pixel, share) in Blur::neighbours(size, (n % size[0], n / size[0])).zip(&part.off_centre) {
                    if let Some(pixel) = pixel {
                        image[pixel] += bright * share;
                    }
                }
            }
        }
        image
    }

    fn part(&self, pixel: usize, part: &Part) -> f64 {
        let clear = self.in_clear_air(part);
        let Some(stretches) = self.ways.get(pixel).filter(|stretches| !stretches.is_empty()) else {
            return clear;
        };
        let range_m = if part.surface.is_some() { part.range_m } else { f64::INFINITY };
        self.air + seen_through(clear - self.air, range_m, stretches, |range_m| self.through(range_m))
    }

    fn through(&self, range_m: f64) -> f64 {
        looked_up(&self.through, range_m.sqrt() / LONGEST_ROOT)
    }

    fn in_clear_air(&self, part: &Part) -> f64 {
        let Some(surface) = part.surface else {
            return looked_up(&self.sky, part.sine);
        };
        let (emitted, reflects) = self.surfaces[surface];
        let mut around = part.up * looked_up(&self.sky, part.sine) + (1.0 - part.up) * self.ground;
        if let Some((towards, irradiance)) = self.sun.filter(|_| !part.mirrored.is_empty()) {
            around += irradiance * part.mirrored.iter().map(|mirror| lobe(mirror.dot(towards))).sum::<f64>() / part.mirrored.len() as f64;
        }
        let through = self.through(part.range_m);
        through * (emitted + reflects * around) + (1.0 - through) * self.air
    }

    /// The same without the heat of some things.
    #[must_use]
    pub fn without(&self, scene: &Scene, heaters: &Heaters) -> Self {
        let mut shades = self.clone();
        for (value, surface) in shades.surfaces.iter_mut().zip(&scene.surfaces) {
            if let Some(unheated_k) = heaters.without_k(surface) {
                value.0 = surface.emissivity * radiance(unheated_k).0;
            }
        }
        shades
    }
}

/// What a table over 0 to 1 says between its entries.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a table, clamped")]
fn looked_up(table: &[f64], place: f64) -> f64 {
    let at = (place * STEPS as f64).clamp(0.0, STEPS as f64);
    let low = (at as usize).min(STEPS - 1);
    table[low] + (table[low + 1] - table[low]) * (at - low as f64)
}

/// Share of the sun's irradiance that a mirrored ray meets, sr⁻¹, by the cosine of its angle from the sun.
fn lobe(cosine: f64) -> f64 {
    // small angles: the square of the angle is 2 (1 − cos)
    let squared = 2.0 * (1.0 - cosine);
    libm::exp(-0.5 * squared / (LOBE_RAD * LOBE_RAD)) / (std::f64::consts::TAU * LOBE_RAD * LOBE_RAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensing::thermal_camera::band::temperature_k;
    use crate::units::{celsius, kelvin};

    /// What a pixel full of one surface before a uniform surrounding shows, with a given transmission.
    fn apparent_c(object: f64, emissivity: f64, reflected: f64, through: f64, air: f64) -> f64 {
        let l = |t_c: f64| radiance(kelvin(t_c)).0;
        let shades = Shades {
            ways: Arc::default(),
            surfaces: vec![(emissivity * l(object), 1.0 - emissivity)],
            sky: vec![l(reflected); STEPS + 1],
            through: vec![through; STEPS + 1],
            air: l(air),
            ground: l(reflected),
            sun: None,
        };
        let part = Part { surface: Some(0), share: 1.0, range_m: 10.0, up: 1.0, sine: 0.5, mirrored: Vec::new(), off_centre: Vec::new() };
        let mut view = View::default();
        view.pixels = vec![vec![part]];
        celsius(temperature_k(shades.image(&view)[0]))
    }

    #[test]
    fn the_chain_shows_the_temperatures_of_the_reference() {
        for ([object, emissivity, reflected, through, air], expected) in [
            ([80.0, 0.95, -20.0, 0.98, 25.0], 75.63),
            ([80.0, 0.60, -20.0, 0.98, 25.0], 48.91),
            ([80.0, 0.25, -20.0, 0.98, 25.0], 15.10),
            ([25.0, 0.95, -40.0, 0.95, 25.0], 22.77),
            ([200.0, 0.9, 20.0, 0.9, 20.0], 175.04),
            ([100.0, 0.6, 20.0, 1.0, 20.0], 73.0185),
        ] {
            let measured = apparent_c(object, emissivity, reflected, through, air);
            assert!((measured - expected).abs() < 0.05, "{object} {emissivity}: {measured}");
        }
    }

    #[test]
    fn a_clear_sky_is_20_to_60_k_colder_than_the_air_and_no_colder_at_the_horizon() {
        for (t_c, vapour) in [(0.0, 5.0), (15.0, 10.0), (25.0, 15.0)] {
            let sky = Sky::new(0.0, kelvin(t_c), vapour);
            let colder = |sine: f64| t_c - celsius(temperature_k(sky.window_emissivity(sine) * radiance(sky.air_k).0));
            assert!((20.0..65.0).contains(&colder(1.0)) && colder(0.0) < 1.0, "{t_c}: {} {}", colder(1.0), colder(0.0));
        }
        assert!((Sky::new(1.0, 288.15, 10.0).window_emissivity(1.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_lobe_of_the_sun_holds_all_of_it() {
        let step = 1e-3;
        let whole: f64 =
            (0..600).map(|n| f64::from(n) * step).map(|angle| lobe(angle.cos()) * std::f64::consts::TAU * angle.sin() * step).sum();
        assert!((whole - 1.0).abs() < 0.01, "{whole}");
    }
}
