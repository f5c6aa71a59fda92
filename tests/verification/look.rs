//! What a perfect instrument of no size would meet in a running world.

use bevy_ecs::system::SystemState;
use envirosense::prelude::Grid;
use envirosense::simulation::Simulation;
use envirosense::world::environment::{Environment, Footprint, SourceFactors, Surroundings};
use envirosense::world::solid::Solids;
use glam::DVec3;

/// The density of tracer 0 at each place, puffs and cells together, kg/m3.
pub(crate) fn densities(simulation: &mut Simulation, places: &[DVec3]) -> Vec<f64> {
    let world = simulation.app.world_mut();
    let grid = *world.resource::<Grid>();
    let mut state: SystemState<Environment> = SystemState::new(world);
    let environment = state.get(world).unwrap();
    let view = environment.view();
    let mut air = Surroundings::default();
    let density = |place: &DVec3| {
        let extent = ron::from_str(&format!("Point(({:?}, {:?}, {:?}))", place.x, place.y, place.z)).unwrap();
        view.look(&Footprint::new(&extent, &grid, &Solids::default()), &SourceFactors::default(), &mut air);
        air.tracers[0]
    };
    places.iter().map(density).collect()
}
