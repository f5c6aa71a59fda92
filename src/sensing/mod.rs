//! Sensors look at the world, never at physics. A kind says what is its own; the engine runs the ten stages.
//!
//! | stage | where |
//! |---|---|
//! | 1 sampling operator | `Sensor::extent`, `Sensor::average_s`; the engine looks through `world::environment` |
//! | 2 transport to the element | part of the lag of stage 4 for the kinds so far |
//! | 3 transduction | `Sensor::transduce` |
//! | 4 element dynamics | `Signal::lag` |
//! | 5 bias, 6 noise, 7 front end | `Signal::bias`, `Signal::noise`, `Signal::converter` |
//! | 8 firmware | `Sensor::firmware`, run by `compensation` |
//! | 9 faults, 10 quality | `faults`, `quality` |

/// Element dynamics.
pub mod response;

/// Random error.
pub mod noise;

/// Injected faults.
pub mod faults;

/// Quality flags.
pub mod quality;

/// Readings, reports and what is true of them.
pub mod result;

/// Clean residual noise.
pub mod floor;

/// The engine of the stages.
pub mod pipeline;

/// Air temperature and humidity.
pub mod climate;

/// Temperature of the electronics.
pub mod board_temperature;

/// Sunlight.
pub mod pyranometer;

/// Wind.
pub mod anemometer;

/// Eight metal-oxide elements.
pub mod voc_array;

/// Images of apparent temperature.
pub mod thermal_camera;

/// A perfect instrument.
pub mod probe;

use std::collections::BTreeMap;

use bevy_app::{App, Plugin, PluginGroup, PluginGroupBuilder};
use bevy_ecs::component::Mutable;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityWorldMut;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::files::kinds::{KindSpec, Kinds, SensorRole, Spec};
use crate::files::scenario::Extent;
use crate::files::species::SpeciesTable;
use crate::sensing::noise::Noise;
use crate::sensing::pipeline::{Instrument, SensorParts};
use crate::sensing::response::Lag;
use crate::sensing::result::{Reading, ReadingTruth, Report};
use crate::streams::Draws;
use crate::world::environment::Surroundings;
use crate::world::{AppStateExt, Tick, TickSystems};

/// In which domain a signal's lag, bias, noise and converter act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// On the number itself.
    #[default]
    Linear,
    /// On its natural logarithm.
    Logarithmic,
}

impl Scale {
    /// From the raw unit into the domain of the scale.
    #[must_use]
    pub fn enter(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => libm::log(value),
        }
    }

    /// From the domain of the scale back to the raw unit.
    #[must_use]
    pub fn undo(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => libm::exp(value),
        }
    }
}

/// Systematic error of a signal, drawn once for a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bias {
    /// Standard deviation of the gain error; on a logarithmic scale it multiplies the logarithm.
    pub gain: f64,
    /// Standard deviation of the offset, in the domain of the scale.
    pub offset: f64,
    /// Standard deviation of the offset gained in the square root of a day of age.
    pub drift_per_sqrt_day: f64,
}

/// The analogue front end: clips and rounds, in the domain of the scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Converter {
    /// Lowest value.
    pub min: f64,
    /// Highest value.
    pub max: f64,
    /// One count; 0 does not round.
    pub step: f64,
}

impl Converter {
    /// Neither clips nor rounds.
    pub const IDEAL: Self = Self { min: f64::MIN, max: f64::MAX, step: 0.0 };

    /// The converted value and whether it was clipped.
    #[must_use]
    pub fn convert(&self, value: f64) -> (f64, bool) {
        let clipped = value.clamp(self.min, self.max);
        let rounded = if self.step > 0.0 { self.min + ((clipped - self.min) / self.step).round() * self.step } else { clipped };
        (rounded, value < self.min || value > self.max)
    }
}

/// One raw channel: what the electronics deliver before firmware.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Unique in the sensor.
    pub name: String,
    /// Domain of all that follows.
    pub scale: Scale,
    /// Element dynamics.
    pub lag: Lag,
    /// Systematic error.
    pub bias: Bias,
    /// Random error.
    pub noise: Noise,
    /// Front end.
    pub converter: Converter,
}

impl Signal {
    /// A perfect channel on a linear scale.
    pub fn ideal(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scale: Scale::Linear,
            lag: Lag::NONE,
            bias: Bias::default(),
            noise: Noise::default(),
            converter: Converter::IDEAL,
        }
    }
}

/// One reported channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Unique in the sensor.
    pub name: String,
    /// Dynamics of the reported value, for the signal of an event.
    pub lag: Lag,
    /// The sensor's span: a value outside is flagged FAIL.
    pub span: (f64, f64),
    /// Standard uncertainty of what does not average out, in the reported unit.
    pub systematic: f64,
}

/// One quantity a sensor reports: one reading in a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// What it is: a CF standard name where one exists.
    pub capability: &'static str,
    /// UCUM code of the reported values.
    pub unit: &'static str,
    /// Its channels.
    pub channels: Vec<Channel>,
    /// UCUM code of the raw values.
    pub raw_unit: &'static str,
    /// Names of the signals it is made from.
    pub raw: Vec<String>,
}

/// What other sensors of the unit reported, as far as firmware may use it.
#[derive(Clone, Debug, Default)]
pub struct Partners {
    values: BTreeMap<String, (String, f64)>,
}

impl Partners {
    /// Adds a usable report.
    pub fn add(&mut self, channel: &str, sensor: &str, value: f64) {
        self.values.insert(channel.to_owned(), (sensor.to_owned(), value));
    }

    /// Names of the usable channels, in order.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.values.keys()
    }

    /// The latest usable value of a partner's channel.
    #[must_use]
    pub fn get(&self, channel: &str) -> Option<f64> {
        self.values.get(channel).map(|(_, value)| *value)
    }

    /// The sensor a channel comes from.
    #[must_use]
    pub fn sensor(&self, channel: &str) -> Option<&str> {
        self.values.get(channel).map(|(sensor, _)| sensor.as_str())
    }
}

/// A state of a sensor kind that has none.
#[derive(Component, Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct NoState;

/// A kind of sensor.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a kind of sensor",
    note = "derive `Component, Clone, Deserialize`, implement `Spec` and then `Sensor`; see docs/plugin-guide.md"
)]
pub trait Sensor: Component + Clone + Spec {
    /// What stands in a product file, `snake_case`.
    const KIND: &'static str;
    /// One sentence for `envirosense list sensors`.
    const ABOUT: &'static str;
    /// What changes while it runs, and what was drawn for the unit. Use [`NoState`] for none. It must not be the
    /// same type for two kinds that need different state.
    type State: Component<Mutability = Mutable> + Clone + Default + Serialize + DeserializeOwned;

    /// What it reports.
    fn quantities(&self) -> Vec<Quantity>;

    /// Its raw channels; without a list of its own one perfect signal for each reported channel.
    fn signals(&self) -> Vec<Signal> {
        self.quantities().iter().flat_map(|q| &q.channels).map(|channel| Signal::ideal(channel.name.clone())).collect()
    }

    /// Looks up what it needs by name, once.
    fn resolve(&mut self, _species: &SpeciesTable) {}

    /// Whether it would answer to this gas and has no coefficient for it: reported as a warning at load.
    fn lacks(&self, _species: &str) -> bool {
        false
    }

    /// The region it looks at in scenario coordinates; without one, the point where it is mounted.
    fn extent(&self) -> Option<Extent> {
        None
    }

    /// Seconds over which a result is averaged; 0 is the instant.
    fn average_s(&self) -> f64 {
        0.0
    }

    /// No result comes sooner after another than this, s.
    fn shortest_period_s(&self) -> f64 {
        0.0
    }

    /// Draws what is this unit's own.
    fn manufacture(&self, _draws: &mut Draws, _state: &mut Self::State) {}

    /// Tells the firmware how the unit is turned.
    fn install(&self, _heading_deg: f64, _state: &mut Self::State) {}

    /// Stage 1: what a perfect instrument would report, in the order of the reported channels.
    fn measurand(&self, air: &Surroundings, out: &mut [f64]);

    /// Stage 3: from the air to the raw channels, with this unit's own parameters. Pure.
    fn transduce(&self, _state: &Self::State, air: &Surroundings, out: &mut [f64]) {
        self.measurand(air, out);
    }

    /// Stage 8: from raw to reported, using nothing but raw values and what partners reported.
    fn firmware(&self, raw: &[f64], _partners: &Partners, _state: &mut Self::State, report: &mut Report) {
        for (value, raw) in report.values.iter_mut().zip(raw) {
            *value = Some(*raw);
        }
    }
}

/// How to spawn and run each kind of sensor.
#[derive(Resource, Clone, Debug, Default)]
pub struct SensorKinds {
    by_name: BTreeMap<&'static str, SensorKind>,
}

/// The functions of one kind, with its type forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SensorKind {
    pub(crate) parts: fn(&KindSpec<SensorRole>) -> Option<SensorParts>,
    pub(crate) insert: fn(&KindSpec<SensorRole>, &SpeciesTable, &mut Draws, f64, &mut EntityWorldMut<'_>) -> serde_json::Value,
    pub(crate) firmware: fn(&mut World, Entity, &Partners, bool),
    pub(crate) lacks: fn(&KindSpec<SensorRole>, &str) -> bool,
}

impl SensorKinds {
    pub(crate) fn get(&self, name: &str) -> Option<&SensorKind> {
        self.by_name.get(name)
    }

    /// What a sensor of a product file reports and is made of.
    #[must_use]
    pub fn parts(&self, spec: &KindSpec<SensorRole>) -> Option<SensorParts> {
        (self.get(&spec.name)?.parts)(spec)
    }

    /// Whether a sensor would answer to a gas it has no coefficient for.
    #[must_use]
    pub fn lacks(&self, spec: &KindSpec<SensorRole>, species: &str) -> bool {
        self.get(&spec.name).is_some_and(|kind| (kind.lacks)(spec, species))
    }
}

/// Systems of stages 1 to 7; each kind touches only its own entities.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SenseSystems;

/// Registers kinds of sensors.
pub trait AppSensorExt {
    /// Lets products mount an `S`.
    fn add_sensor<S: Sensor>(&mut self) -> &mut Self;
}

impl AppSensorExt for App {
    fn add_sensor<S: Sensor>(&mut self) -> &mut Self {
        register::<S>(self, pipeline::run_firmware::<S>);
        self.add_systems(Tick, pipeline::sense::<S>.in_set(SenseSystems).ambiguous_with(SenseSystems))
    }
}

/// Makes a kind known, and how its stage 8 is run; stages 1 to 7 are the business of the caller.
fn register<S: Sensor>(app: &mut App, firmware: fn(&mut World, Entity, &Partners, bool)) {
    app.init_resource::<Kinds>().init_resource::<SensorKinds>().add_state::<S::State>();
    app.world_mut().resource_mut::<Kinds>().register::<SensorRole, S>(S::KIND, S::ABOUT);
    let kind = SensorKind {
        parts: |spec| spec.get::<S>().map(SensorParts::of),
        insert: |spec, species, draws, heading_deg, entity| {
            let Some(mut sensor) = spec.get::<S>().cloned() else {
                return serde_json::Value::Null;
            };
            sensor.resolve(species);
            let mut state = S::State::default();
            sensor.manufacture(draws, &mut state);
            sensor.install(heading_deg, &mut state);
            let drawn = serde_json::to_value(&state).unwrap_or_default();
            entity.insert((sensor, state));
            drawn
        },
        firmware,
        lacks: |spec, species| spec.get::<S>().is_some_and(|sensor| sensor.lacks(species)),
    };
    app.world_mut().resource_mut::<SensorKinds>().by_name.insert(S::KIND, kind);
}

struct SensingPlugin;

impl Plugin for SensingPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<SensorKinds>()
            .add_state::<pipeline::Chain>()
            .add_state::<Reading>()
            .add_state::<ReadingTruth>()
            .add_state::<crate::world::truth::SensorSight>()
            .configure_sets(Tick, SenseSystems.in_set(TickSystems::Sense));
    }
}

/// The engine of sensing and the kinds that ship with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SensingPlugins;

impl PluginGroup for SensingPlugins {
    fn build(self) -> PluginGroupBuilder {
        PluginGroupBuilder::start::<Self>()
            .add(SensingPlugin)
            .add(climate::ClimatePlugin)
            .add(board_temperature::BoardTemperaturePlugin)
            .add(pyranometer::PyranometerPlugin)
            .add(anemometer::AnemometerPlugin)
            .add(voc_array::VocArrayPlugin)
            .add(thermal_camera::ThermalCameraPlugin)
            .add(probe::ProbePlugin)
    }
}

/// Whether a sensor's latest result is recent enough for other firmware.
#[must_use]
pub fn fresh(instrument: &Instrument, reading: &Reading, now_us: u64) -> bool {
    let period_us = instrument.period_us.unwrap_or(0);
    reading.results > 0 && now_us.saturating_sub(reading.window_end_us) <= STALE_PERIODS * period_us
}

/// A partner's report older than this many of its own periods is stale: one lost result is forgiven.
const STALE_PERIODS: u64 = 2;
