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

    /// Whether a solid cell stands between a point and what is far away in a direction; the point's own cell never does.
    #[must_use]
    pub fn block(&self, grid: &Grid, from_m: DVec3, towards: DVec3) -> bool {
        if !self.any() {
            return false;
        }
        // from cell to cell along the ray: Amanatides and Woo, Eurographics 1987
        let (mut at, mut next, mut stride) = ([0i64; 3], [f64::INFINITY; 3], [f64::INFINITY; 3]);
        for axis in 0..3 {
            let (cell, way) = (grid.cell_m[axis], towards[axis]);
            #[expect(clippy::cast_possible_truncation, reason = "cells of a grid")]
            let here = (from_m[axis] / cell).floor() as i64;
            at[axis] = here;
            if way != 0.0 {
                next[axis] = ((here + i64::from(way > 0.0)) as f64 * cell - from_m[axis]) / way;
                stride[axis] = cell / way.abs();
            }
        }
        loop {
            let axis = (0..3).fold(0, |best, axis| if next[axis] < next[best] { axis } else { best });
            if next[axis].is_infinite() {
                return false;
            }
            at[axis] += if towards[axis] > 0.0 { 1 } else { -1 };
            next[axis] += stride[axis];
            let inside: [Option<usize>; 3] = std::array::from_fn(|axis| usize::try_from(at[axis]).ok().filter(|i| *i < grid.shape[axis]));
            let [Some(i), Some(j), Some(k)] = inside else {
                return false;
            };
            if self.cells[grid.index(i, j, k)] {
                return true;
            }
        }
    }

    /// Weights at a point ([`Self::weights`]), or where there is no air at it, the nearest cell within a few that holds any; none if there is none.
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
    use crate::world::shape::tests::shapes;

    #[test]
    fn a_wall_shades_what_stands_behind_it_and_nothing_else() {
        let grid = Grid { shape: [20, 10, 10], cell_m: [1.0, 2.0, 1.0] };
        let wall = shapes(&["Box(min_m: (10.0, 0.0, 0.0), max_m: (11.0, 20.0, 5.0))"]);
        let solids = Solids::new(&wall, &grid, false);
        let sun = |degrees: f64| DVec3::new(degrees.to_radians().cos(), 0.0, degrees.to_radians().sin());
        // 4 m before a wall whose top is 4 m higher: the sun clears it at 45 degrees
        let place = DVec3::new(6.0, 9.0, 1.0);
        assert!(solids.block(&grid, place, sun(40.0)) && !solids.block(&grid, place, sun(50.0)));
        assert!(!solids.block(&grid, place, DVec3::new(-1.0, 0.0, 0.0)) && !solids.block(&grid, place, DVec3::Z));
        assert!(!solids.block(&grid, DVec3::new(15.0, 9.0, 1.0), sun(10.0)));
        assert!(solids.block(&grid, place, DVec3::new(0.9, 0.3, 0.3).normalize()));
        assert!(!Solids::default().block(&grid, place, sun(10.0)));
    }

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
