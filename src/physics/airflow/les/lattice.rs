//! Where the numbers of a flow lie: cells with one row of ghosts on every side, each owning its low faces.

use crate::world::Grid;

/// A grid with one row of ghost cells on every side, x fastest. Real cells count from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lattice {
    /// Real cells along x, y, z.
    pub shape: [usize; 3],
    /// Cell size in m.
    pub cell_m: [f64; 3],
}

impl Lattice {
    /// The lattice of a grid.
    #[must_use]
    pub const fn new(grid: &Grid) -> Self {
        Self { shape: grid.shape, cell_m: grid.cell_m }
    }

    /// How many places there are, ghosts included.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.shape[0] + 2) * (self.shape[1] + 2) * (self.shape[2] + 2)
    }

    /// Whether there is no place at all; never true.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Distance between neighbours along x, y, z.
    #[must_use]
    pub const fn strides(&self) -> [usize; 3] {
        [1, self.shape[0] + 2, (self.shape[0] + 2) * (self.shape[1] + 2)]
    }

    /// The place of a cell; 0 and n + 1 are ghosts.
    #[must_use]
    pub const fn at(&self, [i, j, k]: [usize; 3]) -> usize {
        i + (self.shape[0] + 2) * (j + (self.shape[1] + 2) * k)
    }

    /// The places of row (j, k) of real cells.
    #[must_use]
    pub const fn row(&self, j: usize, k: usize) -> std::ops::Range<usize> {
        let from = self.at([1, j, k]);
        from..from + self.shape[0]
    }

    /// The places of one layer across `axis`, ghosts of the other axes included.
    pub fn layer(&self, axis: usize, at: usize) -> impl Iterator<Item = usize> + use<> {
        let strides = self.strides();
        let (b, c) = ((axis + 1) % 3, (axis + 2) % 3);
        let (count_b, count_c) = (self.shape[b] + 2, self.shape[c] + 2);
        (0..count_c).flat_map(move |m| (0..count_b).map(move |l| at * strides[axis] + l * strides[b] + m * strides[c]))
    }

    /// Middle of the low face along `axis` of a place, in metres from the low corner of the domain.
    #[must_use]
    pub fn face_m(&self, axis: usize, place: usize) -> [f64; 3] {
        let [_, px, pxy] = self.strides();
        let index = [place % px, place % pxy / px, place / pxy];
        std::array::from_fn(|along| (index[along] as f64 - if along == axis { 1.0 } else { 0.5 }) * self.cell_m[along])
    }
}
