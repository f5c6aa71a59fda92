//! Conduction between the sides of a closed box that have temperatures of their own and the air at them.
//!
//! `ρ c_p V dT/dt = A k (T_side − T)/(h/2)` in the cells at a side, h across it. What flows in a step follows from the state before it, as the fluxes of
//! transport do, and is added after it: once nothing changes any more, both are those of one state.

use crate::files::scenario::SideTemperatures;
use crate::units::kelvin;
use crate::world::Grid;
use crate::world::air::Diffusivity;
use crate::world::solid::Solids;

/// In one step no more than this share of the difference between a side and the cells at it may flow: the cells' own diffusion needs half as
/// much again, and the sum is stable up to 1.
pub(super) const MOST_CONDUCTED: f64 = 0.125;

/// The sides as heat sees them.
pub(super) struct WarmSides<'a> {
    grid: &'a Grid,
    solids: &'a Solids,
    diffusivity: &'a Diffusivity,
    /// Heat in air as warm as the side, kg K m⁻³.
    heat: [[Option<f64>; 2]; 3],
}

impl<'a> WarmSides<'a> {
    /// The sides of a box in weather of this temperature and density.
    pub(super) fn new(
        sides: &SideTemperatures,
        (grid, solids, diffusivity): (&'a Grid, &'a Solids, &'a Diffusivity),
        weather_k: f64,
        air_kg_m3: f64,
    ) -> Self {
        let heat = sides.list().map(|pair| pair.map(|side| side.map(|c| (kelvin(c) - weather_k) * air_kg_m3)));
        Self { grid, solids, diffusivity, heat }
    }

    /// Every cell of air at a side with a temperature: the cell, the heat of that side, and the share of a difference that flows in a second.
    fn cells(&self) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
        let [nx, ny, nz] = self.grid.shape;
        let sides =
            self.heat.iter().enumerate().flat_map(|(axis, pair)| pair.iter().enumerate().map(move |(high, heat)| (axis, high, heat)));
        sides.filter_map(|(axis, high, heat)| heat.map(|heat| (axis, high, heat))).flat_map(move |(axis, high, heat)| {
            let (step, n, across) = ([1, nx, nx * ny][axis], self.grid.shape[axis], self.grid.cell_m[axis]);
            let at = if high == 1 { n - 1 } else { 0 };
            let cells = (0..nx * ny * nz).filter(move |cell| cell / step % n == at && !self.solids.is_solid(*cell));
            cells.map(move |cell| (cell, heat, 2.0 * self.spreads_m2_s(axis, high, cell) / (across * across)))
        })
    }

    /// The share of a difference that flows in a second, where most does.
    pub(super) fn conducted_per_s(&self) -> f64 {
        self.cells().map(|(_, _, share)| share).fold(0.0, f64::max)
    }

    /// Diffusivity between a cell and the side it lies at: at the ground and the top at least that of the nearest face between cells, where there is one.
    fn spreads_m2_s(&self, axis: usize, high: usize, cell: usize) -> f64 {
        let Diffusivity { x, y, z_faces, cells, .. } = self.diffusivity;
        let level = cell / (self.grid.shape[0] * self.grid.shape[1]);
        let by_level = match (axis, high) {
            (0, _) => x[level],
            (1, _) => y[level],
            _ if x.len() == 1 => x[0],
            (_, 0) => z_faces[1],
            _ => z_faces[z_faces.len() - 2],
        };
        cells.get(cell).map_or(by_level, |own| by_level.max(f64::from(*own)))
    }

    /// What flows into cells in a step, kg K m⁻³; heat that is not the sides' own only leaves.
    pub(super) fn gains(&self, own: bool, column: &[f32], dt_s: f64) -> Vec<(usize, f64)> {
        let gain = |(cell, heat, share): (usize, f64, f64)| (cell, (if own { heat } else { 0.0 } - f64::from(column[cell])) * share * dt_s);
        self.cells().map(gain).collect()
    }
}
