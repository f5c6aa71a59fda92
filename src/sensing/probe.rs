//! Probe: a perfect instrument at a point, along a path or in a volume, to verify the engine from outside.

use bevy_app::{App, Plugin};
use bevy_ecs::component::Component;
use serde::Deserialize;

use crate::files::body::BodyEntry;
use crate::files::kinds::{Spec, SpecFault};
use crate::files::scenario::Extent;
use crate::files::species::SpeciesTable;
use crate::sensing::response::Lag;
use crate::sensing::{AppSensorExt, Channel, NoState, Quantity, Sensor};
use crate::units::{Span, celsius, wind_from_deg};
use crate::world::environment::Surroundings;

/// As written: `probe(quantity: "gas/CO")`; `over` is in scenario coordinates, without it the point of mounting.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What it reports.
    pub quantity: ProbeQuantity,
    /// Where it looks.
    #[serde(default)]
    pub over: Option<Extent>,
    /// Averaging time before each result.
    #[serde(default)]
    pub average_s: Option<Span>,
    #[serde(skip)]
    /// Place of its gas, class or body in their list.
    index: Option<usize>,
}

/// What a probe can report, as written: `gas/CO`, `body/joint-b`, `air/temperature`, `wind/speed`, …
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ProbeQuantity {
    /// Mole fraction of a gas in ppb.
    Gas(String),
    /// Particles that were released, up to the end of a class of the species table (`PM2.5`), in µg m⁻³.
    Particles(String),
    /// Temperature of a body of the scenario in °C.
    Body(String),
    /// Temperature of the top oil of a transformer in °C.
    TopOil(String),
    /// Temperature of the hot spot of a transformer in °C.
    HotSpot(String),
    /// Air temperature in °C.
    Temperature,
    /// Relative humidity in percent.
    Humidity,
    /// Air pressure in hPa.
    Pressure,
    /// Horizontal wind speed in m s⁻¹.
    WindSpeed,
    /// Direction the wind comes from in degrees.
    WindDirection,
}

impl ProbeQuantity {
    /// What can be written, but for gases, particles and bodies.
    pub const NAMES: [&'static str; 5] = ["air/temperature", "air/humidity", "air/pressure", "wind/speed", "wind/from_direction"];
}

impl TryFrom<String> for ProbeQuantity {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "air/temperature" => Ok(Self::Temperature),
            "air/humidity" => Ok(Self::Humidity),
            "air/pressure" => Ok(Self::Pressure),
            "wind/speed" => Ok(Self::WindSpeed),
            "wind/from_direction" => Ok(Self::WindDirection),
            _ => match name.split_once('/') {
                Some(("gas", gas)) => Ok(Self::Gas(gas.to_owned())),
                Some(("particles", class)) => Ok(Self::Particles(class.to_owned())),
                Some(("body", id)) => Ok(Self::Body(id.to_owned())),
                Some(("top_oil", id)) => Ok(Self::TopOil(id.to_owned())),
                Some(("hot_spot", id)) => Ok(Self::HotSpot(id.to_owned())),
                _ => Err(format!(
                    "unknown quantity `{name}`; known here: gas/SPECIES, particles/CLASS, body/ID, top_oil/ID, hot_spot/ID, {}",
                    Self::NAMES.join(", ")
                )),
            },
        }
    }
}

impl Spec for Probe {
    fn faults(&self, species: &SpeciesTable) -> Vec<SpecFault> {
        match &self.quantity {
            ProbeQuantity::Gas(gas) if species.index(gas).is_none() => vec![SpecFault {
                path: "quantity".to_owned(),
                code: "unknown-species",
                message: format!("no species is called `{gas}`"),
                known: species.names().iter().map(|name| format!("gas/{name}")).collect(),
            }],
            ProbeQuantity::Particles(class) if species.class_up_to(class).is_none() => vec![SpecFault {
                path: "quantity".to_owned(),
                code: "unknown-species",
                message: format!("no class of particles ends at `{class}`"),
                known: species.particles().iter().map(|class| format!("particles/{}", class.below)).collect(),
            }],
            ProbeQuantity::Body(_) | ProbeQuantity::TopOil(_) | ProbeQuantity::HotSpot(_) if self.index.is_none() => vec![SpecFault {
                path: "quantity".to_owned(),
                code: "unknown-quantity",
                message: "a product does not know the bodies of a scenario".to_owned(),
                known: ProbeQuantity::NAMES.map(str::to_owned).to_vec(),
            }],
            _ => Vec::new(),
        }
    }
}

impl Probe {
    /// A probe of a scenario with these bodies.
    #[must_use]
    pub fn new(quantity: ProbeQuantity, over: Extent, average_s: Span, bodies: &[BodyEntry]) -> Self {
        let named = |body: &BodyEntry| matches!(&quantity, ProbeQuantity::Body(id) | ProbeQuantity::TopOil(id) | ProbeQuantity::HotSpot(id) if *id == body.id);
        let index = bodies.iter().position(named);
        Self { quantity, over: Some(over), average_s: Some(average_s), index }
    }
}

impl Sensor for Probe {
    const KIND: &'static str = "probe";
    const ABOUT: &'static str = "a perfect instrument: point, path mean or volume mean of one quantity";
    type State = NoState;

    fn quantities(&self) -> Vec<Quantity> {
        let (capability, name, unit) = match &self.quantity {
            ProbeQuantity::Gas(gas) => ("mole_fraction_of_gases_in_air", gas.as_str(), "[ppb]"),
            ProbeQuantity::Particles(class) => ("mass_concentration_of_particles_in_air", class.as_str(), "ug/m3"),
            ProbeQuantity::Body(id) => ("body_temperature", id.as_str(), "Cel"),
            ProbeQuantity::TopOil(id) => ("top_oil_temperature", id.as_str(), "Cel"),
            ProbeQuantity::HotSpot(id) => ("hot_spot_temperature", id.as_str(), "Cel"),
            ProbeQuantity::Temperature => ("air_temperature", "temperature", "Cel"),
            ProbeQuantity::Humidity => ("relative_humidity", "humidity", "%"),
            ProbeQuantity::Pressure => ("air_pressure", "pressure", "hPa"),
            ProbeQuantity::WindSpeed => ("wind_speed", "speed", "m/s"),
            ProbeQuantity::WindDirection => ("wind_from_direction", "from_direction", "deg"),
        };
        let channel = Channel { name: name.to_owned(), lag: Lag::NONE, span: (f64::MIN, f64::MAX), systematic: 0.0 };
        vec![Quantity { capability, unit, channels: vec![channel], raw_unit: unit, raw: vec![name.to_owned()] }]
    }

    fn resolve(&mut self, species: &SpeciesTable) {
        self.index = match &self.quantity {
            ProbeQuantity::Gas(gas) => species.index(gas),
            ProbeQuantity::Particles(class) => species.class_up_to(class),
            _ => self.index,
        };
    }

    fn extent(&self) -> Option<Extent> {
        self.over.clone()
    }

    fn average_s(&self) -> f64 {
        self.average_s.map_or(0.0, Span::get)
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        let of = |list: &[f64]| self.index.and_then(|index| list.get(index)).copied().unwrap_or(f64::NAN);
        out[0] = match &self.quantity {
            ProbeQuantity::Gas(_) => of(&air.gas) * 1e9,
            ProbeQuantity::Particles(_) => of(&air.particles_kg_m3) * 1e9,
            ProbeQuantity::Body(_) => celsius(of(&air.body_k)),
            ProbeQuantity::TopOil(_) => celsius(of(&air.top_oil_k)),
            ProbeQuantity::HotSpot(_) => celsius(of(&air.hot_spot_k)),
            ProbeQuantity::Temperature => celsius(air.temperature_k),
            ProbeQuantity::Humidity => 100.0 * air.humidity_frac,
            ProbeQuantity::Pressure => 0.01 * air.pressure_pa,
            ProbeQuantity::WindSpeed => libm::hypot(air.wind_m_s.x, air.wind_m_s.y),
            ProbeQuantity::WindDirection => wind_from_deg(air.wind_m_s.x, air.wind_m_s.y),
        };
    }
}

/// Lets products and scenarios use a [`Probe`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbePlugin;

impl Plugin for ProbePlugin {
    fn build(&self, app: &mut App) {
        app.add_sensor::<Probe>();
    }
}
