//! Which cells are filled, and through which faces air can pass.
//!
//! A cell is solid if its centre lies inside an obstacle; a face is open if the cells on both sides are air. Two cells
//! that touch at an edge or a corner share no face: nothing passes between them.

use bevy_ecs::resource::Resource;
use glam::DVec3;

use crate::world::Grid;
use crate::world::shape::Shape;

/// The obstacles of the run on the grid; made once.
#[derive(Resource, Clone, Debug, Default)]
pub struct Solids {
    /// Solid cells; empty without any.
    cells: Vec<bool>,
    /// Low faces along x, y, z: 1 where air can pass, 0 where not; empty without any solid cell.
    open: [Vec<f32>; 3],
}

impl Solids {
    /// The cells that obstacles fill.
    #[must_use]
    pub fn new(shapes: &[Shape], grid: &Grid, periodic: bool) -> Self {
        let mut cells = vec![false; grid.len()];
        for shape in shapes {
            for index in shape.cells(grid) {
                cells[index] = true;
            }
        }
        if !cells.contains(&true) {
            return Self::default();
        }
        let [nx, ny, _] = grid.shape;
        let open = std::array::from_fn(|axis| {
            let stride = [1, nx, nx * ny][axis];
            let n = grid.shape[axis];
            let below = |cell: usize| {
                let at = cell / stride % n;
                match (at, periodic && axis < 2) {
                    (0, true) => Some(cell + (n - 1) * stride),
                    (0, false) => None,
                    _ => Some(cell - stride),
                }
            };
            (0..grid.len()).map(|cell| f32::from(u8::from(!cells[cell] && below(cell).is_none_or(|below| !cells[below])))).collect()
        });
        Self { cells, open }
    }

    /// Whether there is any solid cell.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.cells.is_empty()
    }

    /// Whether a cell is solid.
    #[must_use]
    pub fn is_solid(&self, cell: usize) -> bool {
        self.cells.get(cell).copied().unwrap_or(false)
    }

    /// Whether a solid cell reaches into the box between two corners.
    #[must_use]
    pub fn any_between(&self, grid: &Grid, low: DVec3, high: DVec3) -> bool {
        let half = 0.5 * grid.cell();
        self.any() && grid.cells_between(low - half, high + half).any(|(cell, _)| self.cells[cell])
    }

    /// The same, or where there is no air at the point, the nearest cell within a few that holds any; none if there is none.
    #[must_use]
    pub fn weights_nearby(&self, grid: &Grid, point: DVec3) -> Vec<(usize, f64)> {
        /// So many cells away is still nearby.
        const NEARBY: f64 = 8.0;
        let weights = self.weights(grid, point);
        if !weights.is_empty() {
            return weights;
        }
        let reach = NEARBY * grid.cell();
        let air = grid.cells_between(point - reach, point + reach).filter(|(cell, _)| !self.cells[*cell]);
        let nearest = air.min_by(|a, b| a.1.distance_squared(point).total_cmp(&b.1.distance_squared(point)).then(a.0.cmp(&b.0)));
        nearest.map(|(cell, _)| vec![(cell, 1.0)]).unwrap_or_default()
    }

    /// Low faces along x, y, z, 1 where air can pass and 0 where not; none without any solid cell.
    #[must_use]
    pub fn open_faces(&self) -> Option<[&[f32]; 3]> {
        self.any().then(|| self.open.each_ref().map(Vec::as_slice))
    }

    /// Trilinear weights at a point over the cells that share its air: those of the eight that can be reached from the cell
    /// that holds the point through open faces. They add up to one; none if the point lies in a solid cell.
    #[must_use]
    pub fn weights(&self, grid: &Grid, point: DVec3) -> Vec<(usize, f64)> {
        let corners = grid.weights(point).0;
        if !self.any() {
            return corners.into_iter().filter(|(_, weight)| *weight > 0.0).collect();
        }
        // the corner of the largest weight is the centre nearest to the point: that of the cell that holds it
        let home = (0..8).fold(0, |best, corner| if corners[corner].1 > corners[best].1 { corner } else { best });
        if self.is_solid(corners[home].0) {
            return Vec::new();
        }
        let mut reached = [false; 8];
        reached[home] = true;
        // three rounds lead from a corner to the opposite one
        for _ in 0..3 {
            for corner in 0..8 {
                let beside = (0..3).any(|axis| reached[corner ^ (1 << axis)]);
                reached[corner] |= beside && !self.is_solid(corners[corner].0);
            }
        }
        let mut list: Vec<(usize, f64)> =
            (0..8).filter(|corner| reached[*corner] && corners[*corner].1 > 0.0).map(|corner| corners[corner]).collect();
        let sum: f64 = list.iter().map(|(_, weight)| weight).sum();
        for (_, weight) in &mut list {
            *weight /= sum;
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_touch_at_an_edge_share_no_open_face() {
        let boxes = ["Box(min_m: (0.0, 0.0, 0.0), max_m: (1.0, 1.0, 1.0))", "Box(min_m: (1.0, 1.0, 0.0), max_m: (2.0, 2.0, 1.0))"];
        let boxes = crate::world::shape::tests::shapes(&boxes);
        let grid = Grid { shape: [2, 2, 1], cell_m: [1.0; 3] };
        let solids = Solids::new(&boxes, &grid, false);
        assert_eq!([0, 1, 2, 3].map(|cell| solids.is_solid(cell)), [true, false, false, true]);
        // a point in one of two air cells that touch at an edge belongs to that cell alone
        for (x, y, cell) in [(1.05, 0.95, 1), (0.95, 1.05, 2)] {
            assert_eq!(solids.weights(&grid, DVec3::new(x, y, 0.5)), [(cell, 1.0)]);
        }
        assert!(solids.weights(&grid, DVec3::new(0.9, 0.9, 0.5)).is_empty());
        let [x, y, _] = solids.open_faces().unwrap();
        assert_eq!((x, y), ([0.0, 0.0, 1.0, 0.0].as_slice(), [0.0, 1.0, 0.0, 0.0].as_slice()));
    }
}
