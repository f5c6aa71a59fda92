//! What a perfect instrument of no size would meet in a running world.

use bevy_ecs::system::SystemState;
use envirosense::prelude::Grid;
use envirosense::simulation::Simulation;
use envirosense::world::environment::{Environment, Footprint, SourceFactors, Surroundings};
use envirosense::world::solid::Solids;
use glam::DVec3;

/// The air at a place as sensors would meet it.
pub(crate) fn air(simulation: &mut Simulation, place: DVec3) -> Surroundings {
    let mut seen = Surroundings::default();
    looks(simulation, &[place], |air| seen = air.clone());
    seen
}

/// The density of tracer 0 at each place, puffs and cells together, kg/m3.
pub(crate) fn densities(simulation: &mut Simulation, places: &[DVec3]) -> Vec<f64> {
    let mut list = Vec::new();
    looks(simulation, places, |air| list.push(air.tracers[0]));
    list
}

fn looks(simulation: &mut Simulation, places: &[DVec3], mut see: impl FnMut(&Surroundings)) {
    let world = simulation.app.world_mut();
    let grid = *world.resource::<Grid>();
    let mut state: SystemState<Environment> = SystemState::new(world);
    let environment = state.get(world).unwrap();
    let view = environment.view();
    let mut air = Surroundings::default();
    for place in places {
        let extent = ron::from_str(&format!("Point(({:?}, {:?}, {:?}))", place.x, place.y, place.z)).unwrap();
        view.look(&Footprint::new(&extent, &grid, &Solids::default()), &SourceFactors::default(), &mut air);
        see(&air);
    }
}
