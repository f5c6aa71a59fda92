//! Devices: the units of a scenario, their sensors as child entities, their modes and clocks, their label.

use std::path::Path;
use std::sync::Arc;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use glam::DVec3;

use crate::compensation::{CompensationOrder, order};
use crate::files::product::{Class, Product};
use crate::files::scenario::{DeviceClock, DeviceEntry, Extent, FaultEntry, Position, Spot};
use crate::files::species::SpeciesTable;
use crate::sensing::SensorKinds;
use crate::sensing::faults::Fault;
use crate::sensing::pipeline::{Chain, Firmware, Instrument, Window, unit_draws};
use crate::sensing::result::{Reading, ReadingTruth};
use crate::units::{Finite, NonNegative};
use crate::world::enclosure::{Enclosure, EnclosureState};
use crate::world::environment::{Footprint, SourceFactors, vector};
use crate::world::event::EventNode;
use crate::world::solid::Solids;
use crate::world::spawn::RunSeed;
use crate::world::truth::{SensorSight, UnitEvent, UnitTruth};
use crate::world::{AppStateExt, Clock, Grid, Tick, TickSystems};

/// Derives the truth of each unit.
#[derive(Clone, Copy, Debug, Default)]
pub struct DevicePlugin;

impl Plugin for DevicePlugin {
    fn build(&self, app: &mut App) {
        app.add_state::<UnitTruth>().add_systems(Tick, label_units.in_set(TickSystems::Label));
    }
}

/// A unit in the world; its sensors are its children.
#[derive(Component, Clone, Debug)]
pub struct Device {
    /// Name in the scenario.
    pub id: String,
    /// Place in the scenario: the order of everything that lists devices.
    pub index: usize,
    /// Its product.
    pub product: String,
    /// Its classes, for the label.
    pub classes: Vec<Class>,
    /// The unit's origin in metres.
    pub at_m: DVec3,
    /// Where its own y axis points.
    pub heading_deg: f64,
    /// The mode it runs in.
    pub mode: String,
    /// Its own clock.
    pub clock: DeviceClock,
    /// Sensor entities in the order of the product file.
    pub sensors: Vec<Entity>,
}

/// Power of a unit whose product names none, W: an idle controller, section 15 of the sensor reference.
const IDLE_W: f64 = 0.35;

/// Spawns one unit with its sensors.
pub fn spawn_device(world: &mut World, entry: &DeviceEntry, product: &Arc<Product>, faults: &[FaultEntry], index: usize) {
    let (grid, seed, species) = (*world.resource::<Grid>(), world.resource::<RunSeed>().0, world.resource::<SpeciesTable>().clone());
    let kinds = world.resource::<SensorKinds>().clone();
    let clock = world.resource::<Clock>().clone();
    let mode = product.modes.iter().find(|mode| entry.mode.as_ref().is_none_or(|name| *name == mode.name));
    let at_m = vector(entry.at_m) + DVec3::Z * product.mount.height_m.get();
    let heading_deg = entry.heading_deg.get();
    let enclosure = Enclosure { parts: product.enclosure.clone(), at_m, power_w: product.power_w.map_or(IDLE_W, NonNegative::get) };
    let device = world.spawn((UnitTruth::default(), enclosure, EnclosureState::default())).id();
    // the same serial has the same spread in every scenario with this seed; without one the id stands in
    let unit = entry.serial.map_or_else(|| entry.id.clone(), |serial| format!("{}#{serial}", product.name));
    let mut sensors = Vec::new();
    for mounted in &product.sensors {
        let (Some(kind), Some(parts)) = (kinds.get(&mounted.kind.name).copied(), kinds.parts(&mounted.kind)) else {
            continue;
        };
        let point = at_m + turned(vector(mounted.at_m), heading_deg);
        let extent = parts.extent.clone().unwrap_or_else(|| Extent::Point(Spot(position(point))));
        let mut instrument = Instrument::new(&Path::new(&entry.id).join(&mounted.id), device, &mounted.kind.name, parts, seed);
        instrument.compensated_by.clone_from(&mounted.compensated_by);
        instrument.unit = format!("{unit}/{}", mounted.id);
        instrument.heading_deg = heading_deg;
        instrument.age_days = entry.age_days.get();
        instrument.period_us = mode.and_then(|mode| mode.periods_s.get(&mounted.id)).map(|period| crate::units::whole_micros(period.get()));
        instrument.faults = faults
            .iter()
            .filter(|fault| fault.device == entry.id && fault.sensor == mounted.id)
            .map(|fault| Fault {
                kind: fault.kind.clone(),
                from_us: clock.elapsed_of(fault.from_s.get()),
                until_us: fault.until_s.map_or(u64::MAX, |until| clock.elapsed_of(until.get())),
            })
            .collect();
        let footprint = Footprint::new(&extent, &grid, world.resource::<Solids>());
        let mut entity = world.spawn((
            footprint,
            SourceFactors::default(),
            Chain::default(),
            Window::default(),
            Reading::default(),
            ReadingTruth::default(),
            SensorSight::default(),
            ChildOf(device),
        ));
        let mut draws = unit_draws(seed, &unit, &mounted.id);
        instrument.drawn = (kind.insert)(&mounted.kind, &species, &mut draws, heading_deg, &mut entity);
        sensors.push(entity.insert((instrument, Firmware(kind.firmware))).id());
    }
    let ordered: Vec<Entity> = order(product).unwrap_or_default().into_iter().filter_map(|n| sensors.get(n).copied()).collect();
    world.resource_mut::<CompensationOrder>().0.extend(ordered);
    world.entity_mut(device).insert(Device {
        id: entry.id.clone(),
        index,
        product: product.name.clone(),
        classes: product.classes.clone(),
        at_m,
        heading_deg,
        mode: mode.map_or_else(String::new, |mode| mode.name.clone()),
        clock: entry.clock,
        sensors,
    });
}

/// From a unit's own frame (x right, y ahead, z up) to east, north, up.
#[must_use]
pub fn turned(own: DVec3, heading_deg: f64) -> DVec3 {
    let (sin, cos) = libm::sincos(heading_deg.to_radians());
    DVec3::new(own.x * cos + own.y * sin, own.y * cos - own.x * sin, own.z)
}

fn position(point: DVec3) -> Position {
    let finite = |value: f64| Finite::try_from(value).unwrap_or_else(|_| unreachable!("sums of finite numbers"));
    (finite(point.x), finite(point.y), finite(point.z))
}

fn label_units(clock: Res<Clock>, events: Query<&EventNode>, mut units: Query<(&Device, &mut UnitTruth)>, sights: Query<&SensorSight>) {
    let count = events.iter().count();
    for (device, mut truth) in &mut units {
        truth.events.resize_with(count, UnitEvent::default);
        for (index, event) in truth.events.iter_mut().enumerate() {
            event.update(sights.iter_many(&device.sensors).flatten().filter_map(|sight| sight.events.get(index)), |us| clock.utc_us(us));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ahead_of_a_unit_that_faces_east_is_east() {
        let ahead = turned(DVec3::new(0.0, 1.0, 0.5), 90.0);
        assert!((ahead - DVec3::new(1.0, 0.0, 0.5)).length() < 1e-12);
    }
}
