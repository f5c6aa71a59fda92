//! Checked quantities as people write them, and the constants of nature.
//!
//! A quantity is a newtype over `f64` that refuses a bad value while the file is being
//! read, when the parser still knows the place of the number. Inside the engine
//! everything is SI and plain `f64`/`f32`; the conversions stand here and nowhere else.

use serde::{Deserialize, Serialize};

/// Standard acceleration of gravity, m s⁻². Source: 3rd CGPM (1901), BIPM SI brochure.
pub const GRAVITY_M_S2: f64 = 9.806_65;
/// Molar gas constant, J mol⁻¹ K⁻¹. Source: CODATA 2018 (exact product of SI constants).
pub const GAS_CONSTANT_J_MOL_K: f64 = 8.314_462_618;
/// Specific gas constant of dry air, J kg⁻¹ K⁻¹. Source: WMO-No. 8, annex 4.B.
pub const DRY_AIR_GAS_CONSTANT_J_KG_K: f64 = 287.05;
/// Specific heat of dry air at constant pressure, J kg⁻¹ K⁻¹: WMO-No. 8, annex 4.B.
pub const AIR_HEAT_J_KG_K: f64 = 1005.0;
/// Von Kármán constant. Source: Högström, *Boundary-Layer Meteorology* 78, 1996.
pub const VON_KARMAN: f64 = 0.40;
/// 0 °C in kelvin. Source: BIPM SI brochure (exact).
pub const ZERO_CELSIUS_K: f64 = 273.15;

/// Stefan-Boltzmann constant in W m⁻² K⁻⁴, CODATA 2018.
pub const STEFAN_BOLTZMANN_W_M2_K4: f64 = 5.670_374_419e-8;

/// The longest time a file can speak of, 31 years in seconds: chosen, so that microseconds fit every counter.
const LONGEST_S: f64 = 1e9;

/// Defines checked `f64` newtypes: name, what it is called, unit, interval test and its text.
macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident: $noun:literal, $unit:literal, |$v:ident| $ok:expr, $must:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Checks `value` and wraps it.
            ///
            /// # Errors
            /// A message with the offending value and the allowed interval.
            pub fn new(value: f64) -> Result<Self, String> {
                let $v = value;
                if value.is_finite() && $ok {
                    Ok(Self(value))
                } else {
                    Err(format!(concat!($noun, " must be ", $must, ", got {}"), Shown(value, $unit)))
                }
            }

            /// The number, in the unit of the name.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;
            fn try_from(value: f64) -> Result<Self, String> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(quantity: $name) -> Self {
                quantity.0
            }
        }
    )*};
}

/// A number with its unit, as an error message shows it.
struct Shown(f64, &'static str);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.1.is_empty() { write!(f, "{}", self.0) } else { write!(f, "{} {}", self.0, self.1) }
    }
}

quantities! {
    /// Any finite number.
    Finite: "a number", "", |v| v.is_finite(), "finite";
    /// A finite number above zero.
    Positive: "this number", "", |v| v > 0.0, "above 0";
    /// A finite number of zero or more.
    NonNegative: "this number", "", |v| v >= 0.0, "0 or more";
    /// A share of one.
    Fraction: "a fraction", "", |v| (0.0..=1.0).contains(&v), "between 0 and 1";
    /// A share of a hundred.
    Percent: "a percentage", "%", |v| (0.0..=100.0).contains(&v), "between 0 % and 100 %";
    /// A length in metres.
    Length: "a length", "m", |v| v > 0.0, "above 0 m";
    /// A duration in seconds.
    Duration: "a duration", "s", |v| v > 0.0 && v <= LONGEST_S, "above 0 s and at most 1e9 s";
    /// A duration in seconds that may be none.
    Span: "a span of time", "s", |v| (0.0..=LONGEST_S).contains(&v), "between 0 s and 1e9 s";
    /// Temperature of a body in degrees Celsius: what a thermal camera's tables hold.
    BodyTemperature: "a temperature of a body", "°C", |v| (-100.0..=1500.0).contains(&v), "between -100 and 1500 °C";
    /// Air temperature in degrees Celsius; the interval of surface records with a margin (WMO).
    AirTemperature: "an air temperature", "°C", |v| (-95.0..=70.0).contains(&v), "between -95 °C and 70 °C";
    /// Relative humidity over water in percent.
    RelativeHumidity: "a relative humidity", "%", |v| (0.0..=100.0).contains(&v), "between 0 % and 100 %";
    /// Air pressure in hectopascal.
    Pressure: "an air pressure", "hPa", |v| (300.0..=1100.0).contains(&v), "between 300 hPa and 1100 hPa";
    /// Wind speed in m s⁻¹; the highest surface gust on record is 113 m s⁻¹ (WMO, Barrow Island 1996).
    WindSpeed: "a wind speed", "m/s", |v| (0.0..=113.0).contains(&v), "between 0 m/s and 113 m/s";
    /// A direction clockwise from north in degrees.
    Bearing: "a direction", "°", |v| (0.0..=360.0).contains(&v), "between 0° and 360°";
    /// Geographic latitude in degrees, north positive.
    Latitude: "a latitude", "°", |v| (-90.0..=90.0).contains(&v), "between -90° and 90°";
    /// Geographic longitude in degrees, east positive.
    Longitude: "a longitude", "°", |v| (-180.0..=180.0).contains(&v), "between -180° and 180°";
    /// Height above mean sea level in metres.
    Elevation: "an elevation", "m", |v| (-450.0..=9000.0).contains(&v), "between -450 m and 9000 m";
    /// Roughness length in metres (Stull 1988, fig. 9.6: 1e-5 m ice … 10 m mountains).
    Roughness: "a roughness length", "m", |v| (1e-6..=10.0).contains(&v), "between 1e-6 m and 10 m";
    /// Obukhov length in metres; negative is unstable. Zero is no stability at all.
    Obukhov: "an Obukhov length", "m", |v| v.abs() >= 0.1, "at least 0.1 m from 0 (negative is unstable, ±1e6 is neutral)";
    /// Puffs a second.
    PuffRate: "a rate of puffs", "1/s", |v| (0.1..=1000.0).contains(&v), "between 0.1 /s and 1000 /s";
    /// Hour of the day, local solar time.
    Hour: "an hour", "h", |v| (0.0..=24.0).contains(&v), "between 0 h and 24 h";
}

/// The engine's step in whole microseconds, written in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct TickLength(u64);

impl TickLength {
    /// The length in microseconds, above zero.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The length in seconds.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.0 as f64 * 1e-6
    }
}

impl TryFrom<f64> for TickLength {
    type Error = String;
    fn try_from(seconds: f64) -> Result<Self, String> {
        let micros = seconds * 1e6;
        if !(seconds.is_finite() && (1e-6..=3600.0).contains(&seconds)) {
            return Err(format!("a tick must be between 1e-6 s and 3600 s, got {seconds} s"));
        }
        if (micros - micros.round()).abs() > 1e-3 {
            return Err(format!("a tick must be a whole number of microseconds, got {seconds} s"));
        }
        Ok(Self(whole_micros(seconds)))
    }
}

impl From<TickLength> for f64 {
    fn from(tick: TickLength) -> Self {
        tick.secs()
    }
}

/// Seconds as the nearest whole number of microseconds; negative times count as zero.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and not negative")]
pub fn whole_micros(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e6).round() as u64
}

/// A point in time as written in a file: RFC 3339, UTC, such as `2026-07-15T21:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl TryFrom<String> for Timestamp {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let refused = || format!("a time must look like \"2026-07-15T21:00:00Z\", got {text:?}");
        let time = humantime::parse_rfc3339(&text).map_err(|_| refused())?;
        let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| refused())?;
        i64::try_from(since.as_micros()).map(Self).map_err(|_| refused())
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        rfc3339(time.0)
    }
}

/// Writes microseconds since the epoch as RFC 3339 UTC with the digits it needs; times before 1970 show as 1970.
///
/// ```
/// assert_eq!(envirosense::units::rfc3339(1_500_000), "1970-01-01T00:00:01.5Z");
/// ```
#[must_use]
pub fn rfc3339(micros: i64) -> String {
    let since = std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    let text = humantime::format_rfc3339(std::time::UNIX_EPOCH + since).to_string();
    match text.trim_end_matches('Z').split_once('.') {
        Some((whole, part)) => format!("{whole}.{}Z", part.trim_end_matches('0')),
        None => text,
    }
}

/// Degrees Celsius to kelvin.
#[must_use]
pub const fn kelvin(celsius: f64) -> f64 {
    celsius + ZERO_CELSIUS_K
}

/// Kelvin to degrees Celsius.
#[must_use]
pub const fn celsius(kelvin: f64) -> f64 {
    kelvin - ZERO_CELSIUS_K
}

/// The wind vector (east, north) in m s⁻¹ of a speed and the direction it comes *from*.
#[must_use]
pub fn wind_vector(speed_m_s: f64, from_deg: f64) -> (f64, f64) {
    let angle = from_deg.to_radians();
    (-speed_m_s * libm::sin(angle), -speed_m_s * libm::cos(angle))
}

/// The direction in degrees, 0 ≤ d < 360, that a wind of (east, north) components comes from.
#[must_use]
pub fn wind_from_deg(east: f64, north: f64) -> f64 {
    let degrees = libm::atan2(-east, -north).to_degrees();
    if degrees < 0.0 { degrees + 360.0 } else { degrees }
}

/// Saturation vapour pressure over water in hPa at `celsius`.
///
/// Magnus form with the WMO/Sonntag coefficients, WMO-No. 8 annex 4.B; −45 °C to 60 °C.
#[must_use]
pub fn saturation_vapour_hpa(celsius: f64) -> f64 {
    6.112 * libm::exp(17.62 * celsius / (243.12 + celsius))
}

/// Vapour pressure in hPa of air at `temperature_k` and relative humidity `humidity_frac`.
#[must_use]
pub fn vapour_hpa(temperature_k: f64, humidity_frac: f64) -> f64 {
    humidity_frac * saturation_vapour_hpa(celsius(temperature_k))
}

/// Mole fraction of a gas from its mass density, by the ideal gas law at local T and p.
///
/// `density_kg_m3` in kg m⁻³, `molar_kg_mol` in kg mol⁻¹; the result is mol per mol.
#[must_use]
pub fn mole_fraction(density_kg_m3: f64, molar_kg_mol: f64, temperature_k: f64, pressure_pa: f64) -> f64 {
    density_kg_m3 / molar_kg_mol * GAS_CONSTANT_J_MOL_K * temperature_k / pressure_pa
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_is_named_with_its_interval() {
        assert_eq!(Length::new(-3.0).unwrap_err(), "a length must be above 0 m, got -3 m");
        assert!(Finite::new(f64::NAN).is_err() && Finite::new(f64::INFINITY).is_err());
    }

    #[test]
    fn saturation_pressure_matches_the_wmo_table() {
        for (t, e) in [(-20.0, 1.260), (0.0, 6.112), (20.0, 23.33), (30.0, 42.34), (40.0, 73.68)] {
            // the published table is over water above 0 °C and printed to four figures
            if t >= 0.0 {
                assert!((saturation_vapour_hpa(t) / e - 1.0).abs() < 5e-4, "{t}");
            }
        }
    }

    #[test]
    fn one_microgram_of_formaldehyde_is_0_8148_ppb_at_25_degrees() {
        let x = mole_fraction(1e-9, 0.030_026, 298.15, 101_325.0) * 1e9;
        assert!((x - 0.814_807).abs() < 1e-5, "{x}");
    }

    #[test]
    fn a_west_wind_blows_to_the_east_and_back() {
        let (east, north) = wind_vector(3.0, 270.0);
        assert!((east - 3.0).abs() < 1e-12 && north.abs() < 1e-12);
        assert!((wind_from_deg(east, north) - 270.0).abs() < 1e-9);
    }

    #[test]
    fn times_survive_a_round_trip() {
        let time = Timestamp::try_from("2026-07-15T21:00:00Z".to_owned()).unwrap();
        assert_eq!(String::from(time), "2026-07-15T21:00:00Z");
    }
}
