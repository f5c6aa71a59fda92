//! Cells and positions. Cells are counted x fastest, then y, then z.

use bevy_ecs::resource::Resource;
use glam::DVec3;

/// A uniform grid of box cells; its low corner is the origin.
#[derive(Resource, Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Cells along x, y, z.
    pub shape: [usize; 3],
    /// Cell size along x, y, z in metres.
    pub cell_m: [f64; 3],
}

/// Eight cells around a point and their trilinear weights, which add up to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights(pub [(usize, f64); 8]);

impl Grid {
    /// The grid that fills `size_m` with cells of about `cell_m`, stretched to fit a whole number.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded, at least 1, and refused beyond u32 before use")]
    pub fn fitting(size_m: [f64; 3], cell_m: [f64; 3]) -> Self {
        let shape = std::array::from_fn(|axis| (size_m[axis] / cell_m[axis]).round().max(1.0) as usize);
        Self { shape, cell_m: std::array::from_fn(|axis| size_m[axis] / shape[axis] as f64) }
    }

    /// How many cells there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.shape[0] * self.shape[1] * self.shape[2]
    }

    /// Whether there is no cell at all; never true for a spawned grid.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of a cell in every column.
    #[must_use]
    pub const fn index(&self, i: usize, j: usize, k: usize) -> usize {
        i + self.shape[0] * (j + self.shape[1] * k)
    }

    /// Volume of a cell in m³.
    #[must_use]
    pub const fn cell_volume_m3(&self) -> f64 {
        self.cell_m[0] * self.cell_m[1] * self.cell_m[2]
    }

    /// Size of the domain in metres.
    #[must_use]
    pub fn size_m(&self) -> DVec3 {
        DVec3::from_array(std::array::from_fn(|axis| self.shape[axis] as f64 * self.cell_m[axis]))
    }

    /// Centre of a cell in metres.
    #[must_use]
    pub fn centre(&self, i: usize, j: usize, k: usize) -> DVec3 {
        let at = [i, j, k];
        DVec3::from_array(std::array::from_fn(|axis| (at[axis] as f64 + 0.5) * self.cell_m[axis]))
    }

    /// Size of a cell in metres.
    #[must_use]
    pub const fn cell(&self) -> DVec3 {
        DVec3::from_array(self.cell_m)
    }

    /// The cell a point lies in, the nearest for one outside.
    #[must_use]
    pub fn cell_near(&self, point: DVec3) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
        let [i, j, k] = std::array::from_fn(|axis| (point[axis] / self.cell_m[axis]).clamp(0.0, (self.shape[axis] - 1) as f64) as usize);
        self.index(i, j, k)
    }

    /// The cells along each axis whose centres lie between two corners.
    #[must_use]
    pub fn ranges_between(&self, low: DVec3, high: DVec3) -> [std::ops::Range<usize>; 3] {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
        let range = |axis: usize| {
            let n = self.shape[axis] as f64;
            let from = (low[axis] / self.cell_m[axis] - 0.5).ceil().clamp(0.0, n) as usize;
            let to = ((high[axis] / self.cell_m[axis] - 0.5).floor() + 1.0).clamp(0.0, n) as usize;
            from..to.max(from)
        };
        std::array::from_fn(range)
    }

    /// The cells whose centres lie between two corners, with those centres; x fastest.
    pub fn cells_between(&self, low: DVec3, high: DVec3) -> impl Iterator<Item = (usize, DVec3)> + use<> {
        let ([x, y, z], grid) = (self.ranges_between(low, high), *self);
        z.flat_map(move |k| {
            let x = x.clone();
            y.clone().flat_map(move |j| x.clone().map(move |i| (grid.index(i, j, k), grid.centre(i, j, k))))
        })
    }

    /// Whether a point lies inside, boundary included.
    #[must_use]
    pub fn contains(&self, point: DVec3) -> bool {
        point.cmpge(DVec3::ZERO).all() && point.cmple(self.size_m()).all()
    }

    /// Trilinear weights between cell centres; beyond the outermost centres the edge value holds.
    #[must_use]
    pub fn weights(&self, point: DVec3) -> Weights {
        self.weights_on(point, [0.5; 3], self.shape)
    }

    /// Trilinear weights on a lattice that is `offset` cells from the low corner, `shape` points wide.
    ///
    /// Faces normal to x have offset 0 along x and 0.5 along y and z.
    #[must_use]
    pub fn weights_on(&self, point: DVec3, offset: [f64; 3], shape: [usize; 3]) -> Weights {
        let mut low = [0; 3];
        let mut share = [0.0; 3];
        for axis in 0..3 {
            let at = (point[axis] / self.cell_m[axis] - offset[axis]).clamp(0.0, (shape[axis] - 1) as f64);
            let cell = floor(at).min(shape[axis].saturating_sub(2));
            low[axis] = cell;
            share[axis] = if shape[axis] > 1 { at - cell as f64 } else { 0.0 };
        }
        Weights(std::array::from_fn(|corner| {
            let (mut index, mut weight, mut stride) = (0, 1.0, 1);
            for axis in 0..3 {
                let high = (corner >> axis) & 1;
                index += stride * (low[axis] + high).min(shape[axis] - 1);
                stride *= shape[axis];
                weight *= if high == 1 { share[axis] } else { 1.0 - share[axis] };
            }
            (index, weight)
        }))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and below a shape")]
fn floor(at: f64) -> usize {
    at as usize
}

impl Weights {
    /// The weighted mean of a column.
    ///
    /// # Panics
    /// If the column is not of the lattice the weights were made for.
    #[must_use]
    pub fn mean(&self, column: &[f32]) -> f64 {
        self.0.iter().map(|(index, weight)| f64::from(column[*index]) * weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "a column in single precision")]
    fn trilinear_interpolation_is_exact_for_a_linear_field() {
        let grid = Grid { shape: [5, 4, 3], cell_m: [1.0, 2.0, 0.5] };
        let linear = |p: DVec3| 3.0 * p.x - 2.0 * p.y + 5.0 * p.z;
        let mut column = vec![0.0f32; grid.len()];
        for k in 0..3 {
            for j in 0..4 {
                for i in 0..5 {
                    column[grid.index(i, j, k)] = linear(grid.centre(i, j, k)) as f32;
                }
            }
        }
        let point = DVec3::new(2.2, 3.1, 0.8);
        assert!((grid.weights(point).mean(&column) - linear(point)).abs() < 1e-5);
        let sum: f64 = grid.weights(DVec3::new(-9.0, 99.0, 0.1)).0.iter().map(|(_, w)| w).sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_domain_is_filled_by_a_whole_number_of_cells() {
        let grid = Grid::fitting([10.0, 10.0, 3.0], [3.0, 1.0, 1.0]);
        assert_eq!(grid.shape, [3, 10, 3]);
        assert!((grid.size_m() - DVec3::new(10.0, 10.0, 3.0)).length() < 1e-12);
    }
}
