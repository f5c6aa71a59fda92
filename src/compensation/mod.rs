//! Compensation: firmware corrects readings with what other sensors *reported*, in an order without cycles.
//!
//! The graph comes from the product file. A partner whose latest report is stale, failed or missing is not handed
//! over, and the result that relied on it is at best SUSPECT.

use std::collections::BTreeMap;

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;

use crate::files::product::Product;
use crate::sensing::pipeline::{Firmware, Instrument};
use crate::sensing::quality::Quality;
use crate::sensing::result::Reading;
use crate::sensing::{Partners, fresh};
use crate::world::{Clock, Tick, TickSystems};

/// Runs firmware in the order of the products' graphs.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompensationPlugin;

impl Plugin for CompensationPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<CompensationOrder>().add_systems(Tick, compensate.in_set(TickSystems::Compensate));
    }
}

/// All sensors, partners before those they correct.
#[derive(Resource, Clone, Debug, Default)]
pub struct CompensationOrder(pub Vec<Entity>);

/// The sensors of a product with partners first, file order otherwise; `Err` names the sensors of a cycle.
///
/// # Errors
/// The ids that wait for each other.
pub fn order(product: &Product) -> Result<Vec<usize>, Vec<String>> {
    let mut done: Vec<usize> = Vec::new();
    let index: BTreeMap<&str, usize> = product.sensors.iter().enumerate().map(|(n, s)| (s.id.as_str(), n)).collect();
    while done.len() < product.sensors.len() {
        let ready = (0..product.sensors.len()).filter(|n| !done.contains(n)).find(|n| {
            product.sensors[*n].compensated_by.iter().all(|id| index.get(id.as_str()).is_none_or(|partner| done.contains(partner)))
        });
        match ready {
            Some(n) => done.push(n),
            None => {
                return Err(product.sensors.iter().enumerate().filter(|(n, _)| !done.contains(n)).map(|(_, s)| s.id.clone()).collect());
            }
        }
    }
    Ok(done)
}

fn compensate(world: &mut World) {
    let now_us = world.resource::<Clock>().elapsed_us();
    let order = std::mem::take(&mut world.resource_mut::<CompensationOrder>().0);
    for sensor in &order {
        let Some((instrument, reading, firmware)) = world.entity(*sensor).get_components::<(&Instrument, &Reading, &Firmware)>().ok()
        else {
            continue;
        };
        if !reading.raw_ready {
            continue;
        }
        let run = firmware.0;
        let (partners, lost) = gather(world, &order, instrument, now_us);
        run(world, *sensor, &partners, lost);
    }
    world.resource_mut::<CompensationOrder>().0 = order;
}

/// What the partners of a sensor last reported, and whether one of them has nothing usable.
fn gather(world: &World, order: &[Entity], sensor: &Instrument, now_us: u64) -> (Partners, bool) {
    let mut partners = Partners::default();
    let mut lost = false;
    for id in &sensor.compensated_by {
        let partner = order.iter().find_map(|entity| {
            let (instrument, reading) = world.entity(*entity).get_components::<(&Instrument, &Reading)>().ok()?;
            (instrument.device == sensor.device && instrument.id == *id).then_some((instrument, reading))
        });
        let Some((instrument, reading)) = partner.filter(|(instrument, reading)| fresh(instrument, reading, now_us)) else {
            lost = true;
            continue;
        };
        let mut values = instrument.parts.channels().zip(&reading.values);
        let mut any = false;
        for (quantity, verdict) in instrument.parts.quantities.iter().zip(&reading.verdicts) {
            let usable = verdict.quality.usable();
            // a quantity that has no value for a reason of its own (the direction of a calm) is not a lost partner
            lost |= verdict.quality == Quality::Fail;
            for (channel, value) in values.by_ref().take(quantity.channels.len()) {
                if let Some(value) = value.filter(|_| usable) {
                    partners.add(&channel.name, id, value);
                    any = true;
                }
            }
        }
        lost |= !any;
    }
    (partners, lost)
}
