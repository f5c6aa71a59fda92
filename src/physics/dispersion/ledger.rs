//! Where the mass of every source is: airborne + left + deposited + reacted = emitted.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemState;
use serde::Serialize;

use super::TransportState;
use crate::world::Grid;
use crate::world::emitter::EmitterNode;
use crate::world::puffs::Puffs;
use crate::world::tracers::{Releases, Sources, Tracers};

/// The mass of one source, in kg.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Balance {
    /// Id of the emitter or the initial gas.
    pub source: String,
    /// Released since the start of the warm-up, or in the air then.
    pub emitted_kg: f64,
    /// In the air of the domain.
    pub airborne_kg: f64,
    /// Left through the sides and the top, less what came in.
    pub left_kg: f64,
    /// On the ground and on obstacles.
    pub deposited_kg: f64,
    /// Lost at first order.
    pub reacted_kg: f64,
}

impl Balance {
    /// What is missing or too much, over all that was ever there.
    #[must_use]
    pub fn closure(&self) -> f64 {
        let found = self.airborne_kg + self.left_kg + self.deposited_kg + self.reacted_kg;
        let scale = self.emitted_kg.max(self.airborne_kg).max(self.left_kg.abs());
        if scale > 0.0 { (found - self.emitted_kg) / scale } else { 0.0 }
    }
}

/// All that holds gas or knows what became of it.
type Everything<'w, 's> = (
    Res<'w, Grid>,
    Res<'w, Sources>,
    Res<'w, Releases>,
    Option<Res<'w, TransportState>>,
    Tracers<'w, 's>,
    Query<'w, 's, (&'static EmitterNode, Option<&'static Puffs>)>,
);

/// The balance of every source, in file order.
pub fn ledger(world: &mut World) -> Vec<Balance> {
    let mut state: SystemState<Everything<'_, '_>> = SystemState::new(world);
    let Ok((grid, sources, releases, Some(transport), tracers, emitters)) = state.get(world) else {
        return Vec::new();
    };
    let mut list: Vec<Balance> = sources.ids.iter().map(|id| Balance { source: id.clone(), ..Balance::default() }).collect();
    let columns = tracers.columns();
    for slot in 0..releases.list.len() {
        let Some(balance) = releases.list[slot].substance_of().and_then(|source| list.get_mut(source)) else { continue };
        let cells = columns.get(slot).map_or(0.0, |column| column.iter().copied().map(f64::from).sum());
        balance.airborne_kg += cells * grid.cell_volume_m3();
        balance.emitted_kg += transport.initial_kg.get(slot).copied().unwrap_or(0.0);
        let fate = transport.fates.get(slot).copied().unwrap_or_default();
        balance.left_kg += fate.left_kg;
        balance.deposited_kg += fate.deposited_kg;
        balance.reacted_kg += fate.reacted_kg;
    }
    for (emitter, puffs) in &emitters {
        let balance = &mut list[emitter.source];
        balance.emitted_kg += emitter.released_kg;
        balance.airborne_kg += puffs.map_or(0.0, |puffs| {
            let substances = emitter.slots.iter().enumerate().filter(|(_, slot)| !releases.list[**slot].is_heat());
            substances.map(|(n, _)| puffs.airborne_kg(n)).sum()
        });
    }
    list
}
