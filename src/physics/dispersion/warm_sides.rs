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

    /// The share of a difference that flows in a second, where most does.
    pub(super) fn conducted_per_s(&self) -> f64 {
        let [nx, ny, nz] = self.grid.shape;
        let most = |axis: usize| -> f64 {
            (0..nx * ny * nz).flat_map(|cell| [0, 1].map(|high| self.spreads_m2_s(axis, high, cell))).fold(0.0, f64::max)
        };
        let across = |axis: usize| 2.0 * most(axis) / (self.grid.cell_m[axis] * self.grid.cell_m[axis]);
        (0..3).filter(|axis| self.heat[*axis].iter().any(Option::is_some)).map(across).fold(0.0, f64::max)
    }

    /// Diffusivity between a cell and the side it lies at: at the ground and the top at least that of the nearest face between cells.
    fn spreads_m2_s(&self, axis: usize, high: usize, cell: usize) -> f64 {
        let Diffusivity { x, y, z_faces, cells, .. } = self.diffusivity;
        let level = cell / (self.grid.shape[0] * self.grid.shape[1]);
        let by_level = match (axis, high) {
            (0, _) => x[level],
            (1, _) => y[level],
            (_, 0) => z_faces[1],
            _ => z_faces[z_faces.len() - 2],
        };
        cells.get(cell).map_or(by_level, |own| by_level.max(f64::from(*own)))
    }

    /// What flows into cells in a step, kg K m⁻³; heat that is not the sides' own only leaves.
    pub(super) fn gains(&self, own: bool, column: &[f32], dt_s: f64) -> Vec<(usize, f64)> {
        let [nx, ny, nz] = self.grid.shape;
        let mut gains = Vec::new();
        for (axis, pair) in self.heat.iter().enumerate() {
            let (step, n, across) = ([1, nx, nx * ny][axis], self.grid.shape[axis], self.grid.cell_m[axis]);
            for (high, heat) in pair.iter().enumerate().filter_map(|(high, heat)| heat.map(|heat| (high, heat))) {
                let at = if high == 1 { n - 1 } else { 0 };
                let cells = (0..nx * ny * nz).filter(|cell| cell / step % n == at && !self.solids.is_solid(*cell));
                gains.extend(cells.map(|cell| {
                    let share = 2.0 * self.spreads_m2_s(axis, high, cell) / (across * across) * dt_s;
                    (cell, (if own { heat } else { 0.0 } - f64::from(column[cell])) * share)
                }));
            }
        }
        gains
    }
}
