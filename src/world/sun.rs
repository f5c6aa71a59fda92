//! Where the sun stands, how strong it is, and how bright a clear sky is.
//!
//! Declination and equation of time by Spencer's series, good to 0.5° of elevation; global horizontal irradiance of a clear
//! sky by Haurwitz, `1098 cos θ exp(−0.059/cos θ)` W m⁻²; distance of the
//! sun by Spencer's series. Sources: Spencer, *Search* 2, 1971; Haurwitz, *J. Meteorol.* 2, 1945.
//! Left out: refraction, slope. Cloud and the split into direct and diffuse light: `world::sky`.

use std::f64::consts::{PI, TAU};

use glam::DVec3;

/// Irradiance of the sun at its mean distance, W m⁻²: Gueymard, *Solar Energy* 76, 2004.
const SOLAR_CONSTANT_W_M2: f64 = 1366.1;

/// The sun of a moment, seen from a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sun {
    /// Sine of its elevation.
    pub sine: f64,
    /// Unit vector to it: east, north, up.
    pub towards: DVec3,
    /// Its irradiance above the air, on a surface that faces it, W m⁻².
    pub above_w_m2: f64,
}

impl Sun {
    /// At a moment, UTC in microseconds since 1970, and a place in degrees, north and east positive.
    #[must_use]
    pub fn at(utc_us: i64, latitude_deg: f64, longitude_deg: f64) -> Self {
        let (declination, hour_angle) = declination_and_hour(utc_us, longitude_deg);
        let (sine, cosine) = libm::sincos(latitude_deg.to_radians());
        let east = -libm::cos(declination) * libm::sin(hour_angle);
        let north = libm::sin(declination) * cosine - libm::cos(declination) * sine * libm::cos(hour_angle);
        let up = sun_sine(utc_us, latitude_deg, longitude_deg);
        let (s1, c1) = libm::sincos(year_angle(utc_us));
        let (s2, c2) = libm::sincos(2.0 * year_angle(utc_us));
        let nearer = 1.000_11 + 0.034_221 * c1 + 0.001_28 * s1 + 0.000_719 * c2 + 0.000_077 * s2;
        Self { sine: up, towards: DVec3::new(east, north, up), above_w_m2: SOLAR_CONSTANT_W_M2 * nearer }
    }

    /// Its elevation, and its azimuth clockwise from north, in degrees.
    #[must_use]
    pub fn place_deg(&self) -> (f64, f64) {
        let azimuth = libm::atan2(self.towards.x, self.towards.y).to_degrees().rem_euclid(360.0);
        (libm::asin(self.sine.clamp(-1.0, 1.0)).to_degrees(), azimuth)
    }
}

/// Angle of the year, radians. The series begins with 1 January; years of 365.2425 days keep it within half a day.
fn year_angle(utc_us: i64) -> f64 {
    TAU * (utc_us as f64 * 1e-6 / 86_400.0 / 365.2425).rem_euclid(1.0)
}

/// Declination and hour angle of the sun at a moment, UTC in microseconds since 1970, and a longitude, east positive; radians.
fn declination_and_hour(utc_us: i64, longitude_deg: f64) -> (f64, f64) {
    let days = utc_us as f64 * 1e-6 / 86_400.0;
    let angle = year_angle(utc_us);
    let (s1, c1) = libm::sincos(angle);
    let (s2, c2) = libm::sincos(2.0 * angle);
    let (s3, c3) = libm::sincos(3.0 * angle);
    let declination = 0.006_918 - 0.399_912 * c1 + 0.070_257 * s1 - 0.006_758 * c2 + 0.000_907 * s2 - 0.002_697 * c3 + 0.001_48 * s3;
    let equation_h = (0.000_075 + 0.001_868 * c1 - 0.032_077 * s1 - 0.014_615 * c2 - 0.040_849 * s2) * 12.0 / PI;
    let solar_h = 24.0 * days.rem_euclid(1.0) + longitude_deg / 15.0 + equation_h;
    (declination, (solar_h - 12.0) * PI / 12.0)
}

/// Sine of the sun's elevation at a moment, UTC in microseconds since 1970, and a place in degrees, north and east positive.
#[must_use]
pub fn sun_sine(utc_us: i64, latitude_deg: f64, longitude_deg: f64) -> f64 {
    let (declination, hour_angle) = declination_and_hour(utc_us, longitude_deg);
    let latitude = latitude_deg.to_radians();
    libm::sin(latitude) * libm::sin(declination) + libm::cos(latitude) * libm::cos(declination) * libm::cos(hour_angle)
}

/// Global horizontal irradiance of a clear sky in W m⁻² at this sine of the sun's elevation; 0 below the horizon.
#[must_use]
pub fn clear_sky_w_m2(sun_sine: f64) -> f64 {
    if sun_sine <= 0.0 { 0.0 } else { 1098.0 * sun_sine * libm::exp(-0.059 / sun_sine) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Timestamp;

    fn elevation_deg(utc: &str, latitude: f64, longitude: f64) -> f64 {
        let at = Timestamp::try_from(utc.to_owned()).unwrap().micros();
        sun_sine(at, latitude, longitude).asin().to_degrees()
    }

    #[test]
    fn the_sun_stands_where_the_worked_case_has_it() {
        // NREL SPA, 2003-10-17 12:30:30 UTC-7: zenith 50.11162°; a simple formula must reach 0.5°
        let spa = elevation_deg("2003-10-17T19:30:30Z", 39.742_476, -105.178_6);
        assert!((90.0 - spa - 50.111_62).abs() < 0.5, "{spa}");
        let at = Timestamp::try_from("2003-10-17T19:30:30Z".to_owned()).unwrap().micros();
        let (elevation, azimuth) = Sun::at(at, 39.742_476, -105.178_6).place_deg();
        assert!((elevation - spa).abs() < 1e-9 && (azimuth - 194.340_24).abs() < 0.5, "{azimuth}");
        let june = elevation_deg("2024-06-21T19:00:00Z", 34.05, -118.25);
        assert!((june - 73.973).abs() < 0.5, "{june}");
        assert!(elevation_deg("2024-06-21T08:00:00Z", 34.05, -118.25) < 0.0);
    }

    #[test]
    fn a_clear_sky_is_as_bright_as_haurwitz_has_it() {
        assert!((clear_sky_w_m2(73.973_3f64.to_radians().sin()) - 992.49).abs() < 0.05);
        assert_eq!(clear_sky_w_m2(-0.1), 0.0);
    }
}
