//! What happens around the units: a scenario file.

use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::body::BodyEntry;
use crate::files::kinds::{EmitterRole, EventRole, KindSpec};
use crate::files::line::LineEntry;
use crate::files::obstacle::Obstacle;
use crate::files::product::FormatVersion;
use crate::units::{
    AirTemperature, Bearing, BodyTemperature, Duration, Elevation, Finite, Fraction, Hour, Latitude, Length, Longitude, NonNegative,
    Obukhov, Positive, Pressure, PuffRate, RelativeHumidity, Roughness, Span, TickLength, Timestamp, WindSpeed,
};

/// A position in metres: x east, y north, z above ground, from the south-west ground corner.
pub type Position = (Finite, Finite, Finite);

/// A scenario as written in `scenarios/*.ron`, open numbers already drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// File format version.
    pub format: FormatVersion,
    /// Its name.
    pub name: String,
    /// Time of the first recorded tick, UTC.
    pub start: Timestamp,
    /// Where on earth.
    pub site: Site,
    /// The engine's step in seconds.
    pub tick_s: TickLength,
    /// Simulated before `start` and not recorded.
    #[serde(default = "no_time")]
    pub warm_up_s: Span,
    /// How long it runs after `start`.
    pub duration_s: Duration,
    /// When a unit's sample is written.
    #[serde(default)]
    pub record: RecordRule,
    /// How gases are carried.
    #[serde(default)]
    pub fidelity: Fidelity,
    /// How finely releases are cut into puffs.
    #[serde(default)]
    pub puffs: PuffRule,
    /// The box of air that is simulated.
    pub domain: Domain,
    /// Air temperature, humidity, pressure.
    pub weather: Weather,
    /// Mean wind.
    pub wind: Wind,
    /// What spreads a plume.
    #[serde(default)]
    pub turbulence: Turbulence,
    /// Which gases react with each other.
    #[serde(default)]
    pub chemistry: Chemistry,
    /// Whose heat warms the air.
    #[serde(default)]
    pub air_heat: AirHeat,
    /// What stands in the wind.
    #[serde(default)]
    pub obstacles: Vec<Obstacle>,
    /// Overhead lines.
    #[serde(default)]
    pub lines: Vec<LineEntry>,
    /// Bodies that warm.
    #[serde(default)]
    pub bodies: Vec<BodyEntry>,
    /// Gases that come in with the wind.
    #[serde(default)]
    pub background: Vec<Background>,
    /// Gas that is in the air at the start of the warm-up.
    #[serde(default)]
    pub initial: Vec<InitialGas>,
    /// Sources.
    #[serde(default)]
    pub emitters: Vec<EmitterEntry>,
    /// What should be noticed.
    #[serde(default)]
    pub events: Vec<EventEntry>,
    /// Changes while it runs.
    #[serde(default)]
    pub timeline: Vec<TimelineEntry>,
    /// Sensor faults to inject.
    #[serde(default)]
    pub faults: Vec<FaultEntry>,
    /// The units.
    #[serde(default)]
    pub devices: Vec<DeviceEntry>,
    /// Perfect instruments, to verify the engine from outside.
    #[serde(default)]
    pub probes: Vec<ProbeEntry>,
    /// Fields to write as `.vti`.
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    /// Open numbers; drawn before this struct is read, see [`crate::files::template`].
    #[serde(default)]
    pub parameters: Vec<ParameterEntry>,
}

fn no_time() -> Span {
    Span::try_from(0.0).unwrap_or_else(|_| unreachable!("0 s is a span of time"))
}

/// One declared parameter; its meaning is in [`crate::files::template`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterEntry {
    /// Its name.
    pub name: String,
    /// How it is drawn.
    pub distribution: Distribution,
}

/// How a parameter is drawn.
#[derive(Clone, Copy, Debug, Deserialize)]
pub enum Distribution {
    /// Between two numbers.
    Uniform(f64, f64),
    /// Between two numbers, even in the logarithm.
    LogUniform(f64, f64),
    /// Mean and standard deviation.
    Normal(f64, f64),
    /// Always the same.
    Constant(f64),
}

/// Where on earth.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// North positive.
    pub latitude_deg: Latitude,
    /// East positive.
    pub longitude_deg: Longitude,
    /// Above mean sea level.
    pub elevation_m: Elevation,
    /// A ground cover of `assets/materials.ron`; gives the roughness a wind does not state itself.
    #[serde(default)]
    pub ground: Option<String>,
}

/// When a unit's sample is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum RecordRule {
    /// In ticks in which it delivered a result.
    #[default]
    OnResult,
    /// In every tick.
    EveryTick,
}

/// How gases are carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Fidelity {
    /// By puffs near the source, then on the voxels.
    #[default]
    Field,
    /// By puffs on the mean wind alone, for long quiet times.
    Plume,
}

/// How finely releases are cut into puffs.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PuffRule {
    /// Puffs a second from each part of a source; between 0.1 and 1000.
    pub per_s: PuffRate,
}

impl PuffRule {
    /// Microseconds between two puffs.
    #[must_use]
    pub fn slot_us(&self) -> u64 {
        crate::units::whole_micros(1.0 / self.per_s.get()).max(1)
    }
}

impl Default for PuffRule {
    /// Five a second: a stretch of plume is then shorter than a cell of a metre in most winds.
    fn default() -> Self {
        Self { per_s: PuffRate::new(5.0).unwrap_or_else(|_| unreachable!("within the interval")) }
    }
}

/// The box of air that is simulated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// East, north, up in metres.
    pub size_m: (Length, Length, Length),
    /// Cell size in metres: one number, or one for each axis.
    pub cell_m: CellSize,
    /// What the sides are.
    #[serde(default)]
    pub boundary: Boundary,
    /// Sides of a closed box that have temperatures of their own; the others let no heat through.
    #[serde(default)]
    pub sides_c: SideTemperatures,
}

/// Temperatures of the sides of a closed box.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SideTemperatures {
    /// Low x.
    pub west: Option<AirTemperature>,
    /// High x.
    pub east: Option<AirTemperature>,
    /// Low y.
    pub south: Option<AirTemperature>,
    /// High y.
    pub north: Option<AirTemperature>,
    /// Low z.
    pub bottom: Option<AirTemperature>,
    /// High z.
    pub top: Option<AirTemperature>,
}

impl SideTemperatures {
    /// Low and high side along x, y, z, °C.
    #[must_use]
    pub fn list(&self) -> [[Option<f64>; 2]; 3] {
        [[self.west, self.east], [self.south, self.north], [self.bottom, self.top]]
            .map(|pair| pair.map(|side| side.map(AirTemperature::get)))
    }

    /// Whether any side has one.
    #[must_use]
    pub fn any(&self) -> bool {
        self.list().iter().flatten().any(Option::is_some)
    }
}

/// Whose heat warms the air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum AirHeat {
    /// That of emitters, fires above all.
    #[default]
    Emitters,
    /// That of bodies, lines, walls and roofs too.
    All,
    /// Of nothing.
    None,
}

/// Cell size: one number, or one for each axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellSize(pub [f64; 3]);

impl<'de> Deserialize<'de> for CellSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = CellSize;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a cell size in metres, or (x, y, z)")
            }
            fn visit_f64<E: serde::de::Error>(self, size: f64) -> Result<CellSize, E> {
                Length::new(size).map(|s| CellSize([s.get(); 3])).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, size: u64) -> Result<CellSize, E> {
                self.visit_f64(size as f64)
            }
            fn visit_i64<E: serde::de::Error>(self, size: i64) -> Result<CellSize, E> {
                self.visit_f64(size as f64)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<CellSize, A::Error> {
                let mut sizes = [0.0; 3];
                for (axis, size) in sizes.iter_mut().enumerate() {
                    let length: Option<Length> = seq.next_element()?;
                    *size = length.ok_or_else(|| serde::de::Error::invalid_length(axis, &"three cell sizes (x, y, z)"))?.get();
                }
                Ok(CellSize(sizes))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// What the sides of the domain are; the ground is always closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Boundary {
    /// Wind comes in with background air and leaves with what it carries.
    #[default]
    Open,
    /// A sealed box: the wind does not cross the sides.
    Closed,
    /// What leaves on one side comes in on the other.
    Periodic,
}

/// Air temperature, humidity, pressure at ground level.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Weather {
    /// Constant.
    Given {
        /// Air temperature.
        temperature_c: AirTemperature,
        /// Relative humidity over water.
        humidity_pct: RelativeHumidity,
        /// Air pressure at the ground of the site.
        pressure_hpa: Pressure,
        /// Share of the sky that cloud covers; without it none.
        #[serde(default)]
        cloud: Option<Fraction>,
    },
    /// A daily sine of temperature at constant dew point.
    Diurnal {
        /// Daily mean air temperature.
        mean_c: AirTemperature,
        /// Half the difference between the warmest and the coldest hour.
        swing_k: NonNegative,
        /// Local solar hour of the maximum.
        #[serde(default = "afternoon")]
        peak_h: Hour,
        /// Dew point; humidity follows from it and never exceeds 100 %.
        dew_point_c: AirTemperature,
        /// Air pressure at the ground of the site.
        pressure_hpa: Pressure,
        /// Share of the sky that cloud covers; without it none.
        #[serde(default)]
        cloud: Option<Fraction>,
    },
    /// From a CSV file.
    Recorded {
        /// Path from this file, or the name of a shipped asset.
        file: String,
        /// Which column is what.
        columns: WeatherColumns,
        /// For a quantity the file lacks.
        #[serde(default)]
        humidity_pct: Option<RelativeHumidity>,
        /// For a quantity the file lacks.
        #[serde(default)]
        pressure_hpa: Option<Pressure>,
        /// For a quantity the file may lack; without it none.
        #[serde(default)]
        cloud: Option<Fraction>,
    },
}

/// Warmest about three hours after noon: Stull, *Meteorology for Scientists and Engineers*, ch. 3.
fn afternoon() -> Hour {
    Hour::try_from(15.0).unwrap_or_else(|_| unreachable!("15 is an hour"))
}

/// Which column of a weather file is what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeatherColumns {
    /// RFC 3339 times, or seconds from `start`.
    pub time: String,
    /// Air temperature in °C.
    pub temperature_c: String,
    /// Relative humidity in percent.
    #[serde(default)]
    pub humidity_pct: Option<String>,
    /// Air pressure in hPa.
    #[serde(default)]
    pub pressure_hpa: Option<String>,
    /// Share of the sky that cloud covers, 0 to 1.
    #[serde(default)]
    pub cloud: Option<String>,
}

/// Mean wind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Wind {
    /// No air moves.
    Calm,
    /// The same at every height.
    Uniform {
        /// Speed.
        speed_m_s: WindSpeed,
        /// Where it comes from.
        from_deg: Bearing,
    },
    /// Monin–Obukhov similarity.
    Profile {
        /// Speed at `at_m`.
        speed_m_s: WindSpeed,
        /// Height of the speed in metres.
        at_m: Length,
        /// Where it comes from.
        from_deg: Bearing,
        /// Roughness length; without it that of `site.ground`.
        #[serde(default)]
        roughness_m: Option<Roughness>,
        /// Obukhov length; without it neutral.
        #[serde(default)]
        obukhov_m: Option<Obukhov>,
        /// Depth of the mixed layer in metres, for the lateral spread in convection.
        #[serde(default = "mixed_layer")]
        mixing_height_m: Length,
    },
    /// A similarity profile that follows a CSV file.
    Recorded {
        /// Path from this file, or the name of a shipped asset.
        file: String,
        /// Which column is what.
        columns: WindColumns,
        /// Height of the recorded speed in metres.
        at_m: Length,
        /// Roughness length; without it that of `site.ground`.
        #[serde(default)]
        roughness_m: Option<Roughness>,
        /// Depth of the mixed layer in metres.
        #[serde(default = "mixed_layer")]
        mixing_height_m: Length,
        /// Added to every recorded direction, for controls.
        #[serde(default)]
        turn_deg: Option<Finite>,
    },
}

/// A common daytime depth: Stull, *An Introduction to Boundary Layer Meteorology*, 1988, ch. 1.
fn mixed_layer() -> Length {
    Length::try_from(1000.0).unwrap_or_else(|_| unreachable!("1000 m is a length"))
}

/// Which column of a wind file is what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindColumns {
    /// RFC 3339 times, or seconds from `start`.
    pub time: String,
    /// Speed in m s⁻¹.
    pub speed_m_s: String,
    /// Direction it comes from in degrees.
    pub from_deg: String,
    /// Obukhov length in metres; without it neutral.
    #[serde(default)]
    pub obukhov_m: Option<String>,
}

/// What spreads a plume around the mean wind.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Turbulence {
    /// The ensemble mean: full anisotropic similarity diffusivity, no fluctuations.
    #[default]
    Mean,
    /// The same mean, and at each sensor the fluctuations that go with it.
    Ensemble,
    /// Constant diffusivities.
    Given {
        /// East, north, up in m² s⁻¹.
        k_m2_s: (NonNegative, NonNegative, NonNegative),
    },
    /// Nothing spreads.
    Laminar,
    /// A random wind of the same variances in time and space; no flow is solved.
    Resolved,
    /// Eddies larger than the cells are resolved in time.
    Les {
        /// What stands for the smaller ones.
        #[serde(default)]
        subgrid: Subgrid,
        /// Kinematic viscosity; without it that of air.
        #[serde(default)]
        viscosity_m2_s: Option<NonNegative>,
    },
}

/// Which gases react with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Chemistry {
    /// Nitric oxide with ozone, and nitrogen dioxide with light.
    #[default]
    NitrogenOxides,
    /// None do.
    None,
}

/// What stands for eddies smaller than the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Subgrid {
    /// The eddy viscosity of Vreman, 2004, with rough walls.
    #[default]
    Vreman,
    /// Nothing: laminar flow between smooth walls.
    None,
}

/// A gas that comes in with the wind: a daily cosine and an Ornstein–Uhlenbeck process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Background {
    /// Which gas.
    pub species: String,
    /// Daily mean mole fraction in ppb.
    pub mean_ppb: NonNegative,
    /// Amplitude of the daily cosine in ppb.
    #[serde(default)]
    pub swing_ppb: Option<NonNegative>,
    /// Local solar hour of its maximum.
    #[serde(default = "afternoon")]
    pub peak_h: Hour,
    /// Standard deviation of the random part in ppb.
    #[serde(default)]
    pub sigma_ppb: Option<NonNegative>,
    /// Correlation time of the random part.
    #[serde(default = "quarter_hour")]
    pub tau_s: Duration,
}

/// A design choice of ours, as in the example of the file format page.
fn quarter_hour() -> Duration {
    Duration::try_from(900.0).unwrap_or_else(|_| unreachable!("900 s is a duration"))
}

/// Gas that is in the air at the start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum InitialGas {
    /// A Gaussian cloud.
    GaussianPuff {
        /// Unique among emitters and initial gases.
        id: String,
        /// Which gas.
        species: String,
        /// Total mass.
        mass_kg: Positive,
        /// Its centre.
        at_m: Position,
        /// Standard deviations along x, y, z in metres.
        sigma_m: (Length, Length, Length),
        /// Whether the ground mirrors it.
        #[serde(default)]
        ground_image: bool,
        /// First-order loss rate in s⁻¹.
        #[serde(default)]
        decay_per_s: Option<NonNegative>,
    },
    /// The same density everywhere, also in the air that comes in.
    Uniform {
        /// Unique among emitters and initial gases.
        id: String,
        /// Which gas.
        species: String,
        /// Mass density.
        density_kg_m3: Positive,
        /// Deposition velocity on the ground and on obstacles.
        #[serde(default)]
        deposition_m_s: Option<NonNegative>,
        /// How fast it sinks.
        #[serde(default)]
        settling_m_s: Option<NonNegative>,
    },
}

impl InitialGas {
    /// Its name and gas.
    #[must_use]
    pub fn id_and_species(&self) -> (&str, &str) {
        match self {
            Self::GaussianPuff { id, species, .. } | Self::Uniform { id, species, .. } => (id, species),
        }
    }
}

/// A source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmitterEntry {
    /// Unique in the scenario.
    pub id: String,
    /// Where.
    pub at_m: Position,
    /// What it is.
    pub kind: KindSpec<EmitterRole>,
    /// What it covers; without it, a point.
    #[serde(default)]
    pub shape: SourceShape,
    /// Where it goes: it leaves `at_m` at `start`, is at each of these at its time, and stays at the last.
    #[serde(default)]
    pub path: Vec<Waypoint>,
    /// Heat that it gives to the air while it releases something, in watts; without it what follows from what it burns.
    #[serde(default)]
    pub heat_w: Option<NonNegative>,
    /// Whether its yields are drawn for the run, or are the medians of their tables.
    #[serde(default)]
    pub yields: Yields,
    /// Part of the surroundings, not of an event.
    #[serde(default)]
    pub background: bool,
    /// First-order loss of what it releases in s⁻¹.
    #[serde(default)]
    pub decay_per_s: Option<NonNegative>,
    /// What that loss makes; without it, nothing that is tracked.
    #[serde(default)]
    pub decay_to: Option<DecayProduct>,
    /// Deposition velocity of what it releases on the ground and on obstacles.
    #[serde(default)]
    pub deposition_m_s: Option<NonNegative>,
    /// How fast what it releases sinks.
    #[serde(default)]
    pub settling_m_s: Option<NonNegative>,
}

/// Where the yields of an emitter come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Yields {
    /// Drawn once a run around their medians, as far as the kind says they differ; the manifest lists them.
    #[default]
    Drawn,
    /// The medians.
    Median,
}

/// The product of a first-order loss.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecayProduct {
    /// Which gas.
    pub species: String,
    /// Kilograms of it from a kilogram that is lost.
    #[serde(default = "all_of_it")]
    pub mass_yield: NonNegative,
    /// Its own first-order loss in s⁻¹.
    #[serde(default)]
    pub decay_per_s: Option<NonNegative>,
}

fn all_of_it() -> NonNegative {
    NonNegative::try_from(1.0).unwrap_or_else(|_| unreachable!("not negative"))
}

/// What a source covers.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SourceShape {
    /// Nothing: it is at `at_m`.
    #[default]
    Point,
    /// The line from `at_m` to here.
    Line {
        /// Its other end.
        to_m: Position,
    },
    /// A level rectangle around `at_m`.
    Area {
        /// East and north, in metres.
        size_m: (Length, Length),
    },
    /// A box around `at_m`.
    Volume {
        /// East, north and up, in metres.
        size_m: (Length, Length, Length),
    },
}

/// Where a moving source is at a time.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waypoint {
    /// Seconds from `start`.
    pub at_s: Finite,
    /// Where.
    pub to_m: Position,
}

/// What should be noticed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventEntry {
    /// Unique in the scenario.
    pub id: String,
    /// The label, a class of the products that should notice it.
    pub class: String,
    /// The emitters, bodies and lines that make it.
    pub members: Vec<String>,
    /// How onset, end and phase follow from its members.
    #[serde(default = "by_emission")]
    pub kind: KindSpec<EventRole>,
}

fn by_emission() -> KindSpec<EventRole> {
    KindSpec::of("emission", Emission::default())
}

/// The built-in event kind: it lasts while its members emit.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Emission {
    /// How much they must release together, g/s: wood smells a little on any warm day.
    pub above_g_s: NonNegative,
}

impl crate::files::kinds::Spec for Emission {}

impl Default for Emission {
    fn default() -> Self {
        Self { above_g_s: NonNegative::new(0.0).unwrap_or_else(|text| unreachable!("{text}")) }
    }
}

/// It lasts while any of its bodies or lines is too warm.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overheating {
    /// How much warmer than without its fault a body must be: without it 4 K, from which ANSI/NETA MTS (thermography, differences between
    /// like parts under like load) calls a fault probable.
    pub above_k: NonNegative,
    /// How warm a line may be: without it 75 °C, up to which aluminium strands keep their strength (Aluminum Association, *Aluminum
    /// Electrical Conductor Handbook*, 1989, ch. 3).
    pub limit_c: BodyTemperature,
}

impl crate::files::kinds::Spec for Overheating {}

impl Default for Overheating {
    fn default() -> Self {
        Self {
            above_k: NonNegative::new(4.0).unwrap_or_else(|text| unreachable!("{text}")),
            limit_c: BodyTemperature::new(75.0).unwrap_or_else(|text| unreachable!("{text}")),
        }
    }
}

/// A change while the scenario runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    /// When it begins, seconds from `start`.
    pub at_s: Finite,
    /// What changes: one of [`SETTABLE`], or the `lines.ID.load_a` of a line.
    pub set: String,
    /// The new value.
    pub to: Finite,
    /// How long the change takes, linear; directions take the short way round.
    #[serde(default = "no_time")]
    pub over_s: Span,
}

/// What a timeline can change, but for loads of lines.
pub const SETTABLE: &[&str] =
    &["weather.cloud", "weather.humidity_pct", "weather.pressure_hpa", "weather.temperature_c", "wind.from_deg", "wind.speed_m_s"];

/// A fault to inject into a sensor.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultEntry {
    /// Which unit.
    pub device: String,
    /// Which of its sensors.
    pub sensor: String,
    /// What happens.
    pub kind: FaultKind,
    /// Seconds from `start`.
    pub from_s: Finite,
    /// Seconds from `start`; without it, to the end.
    #[serde(default)]
    pub until_s: Option<Finite>,
}

/// What happens to a faulty sensor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum FaultKind {
    /// Every signal keeps its last value.
    Stuck,
    /// One signal shows one value, in its raw unit.
    StuckAt {
        /// The raw channel.
        signal: String,
        /// What it shows.
        value: Finite,
    },
    /// No result.
    Dropout,
    /// A constant is added to one signal, in its raw unit.
    Offset {
        /// The raw channel.
        signal: String,
        /// What is added.
        by: Finite,
    },
    /// The random error of every signal is multiplied.
    Noise {
        /// By how much.
        times: Positive,
    },
}

/// A unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// Unique in the scenario.
    pub id: String,
    /// Which product.
    pub product: String,
    /// Foot of its mount.
    pub at_m: Position,
    /// Where its own y axis points, clockwise from north.
    #[serde(default = "north")]
    pub heading_deg: Bearing,
    /// Serial number: units with the same serial have the same manufacturing spread.
    #[serde(default)]
    pub serial: Option<u64>,
    /// Time since calibration, for drift.
    #[serde(default = "new_unit")]
    pub age_days: NonNegative,
    /// The product's mode it runs in; without it the first.
    #[serde(default)]
    pub mode: Option<String>,
    /// Its own clock.
    #[serde(default)]
    pub clock: DeviceClock,
}

impl DeviceEntry {
    /// A new unit at a place, in its product's first mode.
    #[must_use]
    pub fn at(id: &str, product: &str, at_m: Position) -> Self {
        Self {
            id: id.to_owned(),
            product: product.to_owned(),
            at_m,
            heading_deg: north(),
            serial: None,
            age_days: new_unit(),
            mode: None,
            clock: DeviceClock::default(),
        }
    }
}

fn north() -> Bearing {
    Bearing::try_from(0.0).unwrap_or_else(|_| unreachable!("0° is a direction"))
}

fn new_unit() -> NonNegative {
    NonNegative::try_from(0.0).unwrap_or_else(|_| unreachable!("0 is not negative"))
}

/// A unit's own clock against true time.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceClock {
    /// How far it is ahead at `start`.
    #[serde(default)]
    pub offset_s: Option<Finite>,
    /// How fast it gains, in parts per million.
    #[serde(default)]
    pub drift_ppm: Option<Finite>,
}

/// A perfect instrument.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeEntry {
    /// Unique among devices and probes.
    pub id: String,
    /// Where it looks.
    pub over: Extent,
    /// Seconds between results.
    pub every_s: Duration,
    /// `gas/SPECIES`, `particles/CLASS`, `body/ID`, `air/temperature`, `air/humidity`, `air/pressure`, `wind/speed` or `wind/from_direction`.
    pub quantity: String,
    /// Averaging time before each result; 0 is the instant.
    #[serde(default = "no_time")]
    pub average_s: Span,
}

/// A point that may be written `Point((x, y, z))` or `Point(x, y, z)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot(pub Position);

impl<'de> Deserialize<'de> for Spot {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(3, SpotVisitor)
    }
}

struct SpotVisitor;

/// A number, or all three of them in a bracket of their own.
enum Part {
    Number(Finite),
    All(Position),
}

impl<'de> serde::de::Visitor<'de> for SpotVisitor {
    type Value = Spot;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a point (x, y, z) in metres")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Spot, A::Error> {
        let short = |n: usize| serde::de::Error::invalid_length(n, &"a point (x, y, z) in metres");
        match seq.next_element::<Part>()?.ok_or_else(|| short(0))? {
            Part::All(at) => Ok(Spot(at)),
            Part::Number(x) => {
                let y = seq.next_element()?.ok_or_else(|| short(1))?;
                Ok(Spot((x, y, seq.next_element()?.ok_or_else(|| short(2))?)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = Part;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number in metres, or (x, y, z)")
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Part, E> {
                Finite::new(value).map(Part::Number).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Part, E> {
                self.visit_f64(value as f64)
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Part, E> {
                self.visit_f64(value as f64)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Part, A::Error> {
                Position::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(Part::All)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The region a sampling operator looks at, in scenario coordinates.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Extent {
    /// One point.
    Point(Spot),
    /// The mean along straight lines between these points.
    Path(Vec<Position>),
    /// The mean over a box.
    Volume {
        /// South-west lower corner.
        min_m: Position,
        /// North-east upper corner.
        max_m: Position,
    },
}

/// Fields to write as a picture of the air at one moment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Seconds from `start`.
    pub at_s: Finite,
    /// `gas/SPECIES`, `air/temperature`, `air/humidity`, `wind`, `wind/east`, `wind/north`, `wind/up`.
    pub quantities: Vec<String>,
}
