//! Thermal: temperature, humidity, pressure and cloud, as given, over a day, or recorded; overhead lines and their joints; free
//! bodies; transformers; ground, walls and roofs; flames; the housings of units; the scene that cameras look at.
//!
//! The weather is uniform in the domain; heat in the air is carried by dispersion. Left out: stratified air.

pub mod bodies;
pub mod enclosure;
pub mod fire;
pub mod ieee738;
mod kernel;
pub mod lines;
mod scene;
pub mod surfaces;
pub mod transformer;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

pub use kernel::diurnal;

use crate::files::scenario::{TimelineEntry, Weather};
use crate::physics::{AppPhysicsExt, FlowSystems};
use crate::units::{Fraction, Pressure, RelativeHumidity, celsius, kelvin, saturation_vapour_hpa, vapour_hpa};
use crate::world::air::{AirTemperature, GroundPressure, SpecificHumidity, specific_humidity};
use crate::world::enclosure::EnclosureState;
use crate::world::event::EventSystems;
use crate::world::field::FieldMut;
use crate::world::lines::PhaseNode;
use crate::world::scene::Scene;
use crate::world::sky::Sky;
use crate::world::spawn::{Conditions, Prepare, SiteInfo};
use crate::world::timeline::scripted;
use crate::world::{AppStateExt, Clock, Tick, TickSystems};

/// Writes air temperature, specific humidity, ground pressure and the sky; warms lines and housings.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThermalPlugin;

impl Plugin for ThermalPlugin {
    fn build(&self, app: &mut App) {
        app.add_physics_module("thermal")
            .add_state_resource::<GroundAir>()
            .add_systems(Prepare, (read_weather, set_air).chain())
            .add_systems(Tick, read_weather.in_set(TickSystems::Script))
            .add_state::<PhaseNode>()
            .add_state::<EnclosureState>()
            .init_resource::<lines::LineTables>()
            .add_systems(Tick, set_air.in_set(FlowSystems::Heat))
            .init_resource::<Scene>()
            .init_resource::<surfaces::FreeFaces>()
            .add_state_resource::<surfaces::SurfaceTemperatures>()
            .add_systems(Tick, enclosure::warm_enclosures.in_set(TickSystems::Surroundings))
            .add_systems(
                Tick,
                (
                    fire::burn,
                    (lines::warm_lines, bodies::warm_bodies).chain().before(EventSystems),
                    (surfaces::warm_surfaces, surfaces::warm_the_air).chain(),
                    scene::show_surfaces,
                )
                    .chain()
                    .in_set(TickSystems::Surroundings),
            );
    }
}

/// Air at the ground, as the weather has it.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroundAir {
    /// Kelvin.
    pub temperature_k: f64,
    /// 0 to 1.
    pub humidity_frac: f64,
    /// Pascal.
    pub pressure_pa: f64,
}

/// The air at the ground and the share of cloud at a time, as the weather has them.
fn weather(conditions: &Conditions, clock: &Clock, longitude_deg: f64, now_s: f64) -> (GroundAir, f64) {
    let timeline = &conditions.scenario.timeline;
    let (temperature_c, humidity_pct, pressure_hpa, cloud) = match &conditions.scenario.weather {
        Weather::Given { temperature_c, humidity_pct, pressure_hpa, cloud } => {
            (temperature_c.get(), humidity_pct.get(), pressure_hpa.get(), *cloud)
        }
        Weather::Diurnal { mean_c, swing_k, peak_h, dew_point_c, pressure_hpa, cloud } => {
            let temperature = diurnal(mean_c.get(), swing_k.get(), peak_h.get(), clock.solar_hour(now_s, longitude_deg));
            let humidity = 100.0 * saturation_vapour_hpa(dew_point_c.get()) / saturation_vapour_hpa(temperature);
            (temperature, humidity.min(100.0), pressure_hpa.get(), *cloud)
        }
        Weather::Recorded { columns, humidity_pct, pressure_hpa, cloud, .. } => {
            let mut next = 0;
            let mut column = |present: bool, fallback: Option<f64>| {
                if present {
                    next += 1;
                    conditions.weather.as_ref().map_or(0.0, |series| series.at(next - 1, now_s))
                } else {
                    fallback.unwrap_or_default()
                }
            };
            let temperature = column(true, None);
            let humidity = column(columns.humidity_pct.is_some(), humidity_pct.map(RelativeHumidity::get));
            let pressure = column(columns.pressure_hpa.is_some(), pressure_hpa.map(Pressure::get));
            let clouds = columns.cloud.is_some().then(|| column(true, None));
            return at_the_ground(
                timeline,
                now_s,
                [temperature, humidity, pressure, clouds.or(cloud.map(Fraction::get)).unwrap_or_default()],
            );
        }
    };
    at_the_ground(timeline, now_s, [temperature_c, humidity_pct, pressure_hpa, cloud.map_or(0.0, Fraction::get)])
}

/// What the timeline makes of temperature (°C), humidity (%), pressure (hPa) and cloud.
fn at_the_ground(timeline: &[TimelineEntry], now_s: f64, [temperature_c, humidity_pct, pressure_hpa, cloud]: [f64; 4]) -> (GroundAir, f64) {
    let ground = GroundAir {
        temperature_k: kelvin(scripted(timeline, "weather.temperature_c", temperature_c, now_s)),
        humidity_frac: scripted(timeline, "weather.humidity_pct", humidity_pct, now_s) / 100.0,
        pressure_pa: scripted(timeline, "weather.pressure_hpa", pressure_hpa, now_s) * 100.0,
    };
    (ground, scripted(timeline, "weather.cloud", cloud, now_s))
}

/// The air at the ground and the sky over it at a time.
fn air_and_sky(conditions: &Conditions, clock: &Clock, longitude_deg: f64, now_s: f64) -> (GroundAir, Sky) {
    let (air, cloud) = weather(conditions, clock, longitude_deg, now_s);
    (air, Sky::new(cloud, air.temperature_k, vapour_hpa(air.temperature_k, air.humidity_frac)))
}

/// Air at the ground and sky of this tick.
fn read_weather(conditions: Res<Conditions>, clock: Res<Clock>, site: Res<SiteInfo>, mut ground: ResMut<GroundAir>, mut sky: ResMut<Sky>) {
    let (now, over) = air_and_sky(&conditions, &clock, site.longitude_deg, clock.now_s());
    *sky = over;
    ground.set_if_neq(now);
}

#[expect(clippy::cast_possible_truncation, reason = "columns are single precision")]
fn set_air(
    now: Res<GroundAir>,
    mut pressure: ResMut<GroundPressure>,
    mut temperature: FieldMut<AirTemperature>,
    mut humidity: FieldMut<SpecificHumidity>,
) {
    if !now.is_changed() {
        return;
    }
    pressure.pa = now.pressure_pa;
    let vapour_pa = 100.0 * now.humidity_frac * saturation_vapour_hpa(celsius(now.temperature_k));
    temperature.as_mut_slice().fill(now.temperature_k as f32);
    humidity.as_mut_slice().fill(specific_humidity(vapour_pa, now.pressure_pa) as f32);
}
