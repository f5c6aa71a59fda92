//! What a puff is on the cells.

use glam::DVec3;

use crate::world::Grid;
use crate::world::puffs::Puffs;
use crate::world::solid::Solids;

/// The share of a puff that each cell gets; all shares add up to one.
pub(crate) enum CellShares {
    /// As wide as it is, times as deep as it is: cells along x, y and z, the shares of columns (x fastest) and of levels.
    Wide([std::ops::Range<usize>; 3], Vec<f64>, Vec<f64>),
    /// Cell by cell, where walls are near or the puff is thinner than the cells.
    Cells(Vec<(usize, f64)>),
}

impl CellShares {
    /// That of a puff; solid cells get nothing.
    pub(crate) fn of(puffs: &Puffs, puff: usize, grid: &Grid, solids: &Solids) -> Self {
        let (low, high) = puffs.bounds_m(puff);
        let (across, up) = puffs.sigma_m(puff);
        let ranges = grid.ranges_between(low, high);
        let [x, y, z] = ranges.clone();
        let level = |k: usize| puffs.law.density(puffs.z_m[puff], puffs.depth[puff], grid.centre(0, 0, k).z);
        let mut levels: Vec<f64> = z.map(level).collect();
        let column = |(i, j): (usize, usize)| {
            let centre = grid.centre(i, j, 0);
            puffs.across_per_m2(puff, centre.x, centre.y)
        };
        let columns: Vec<f64> = y.flat_map(|j| x.clone().map(move |i| (i, j))).map(column).collect();
        let whole = columns.iter().sum::<f64>() * levels.iter().sum::<f64>();
        // a puff that is thinner than the cells is where its centre is
        let height = puffs.law.mean_height(puffs.z_m[puff], puffs.depth[puff]);
        let centre = DVec3::new(puffs.x_m[puff], puffs.y_m[puff], height).clamp(DVec3::ZERO, grid.size_m());
        if whole <= 0.0 || across < grid.cell_m[0].max(grid.cell_m[1]) || up < grid.cell_m[2] {
            return Self::Cells(solids.weights_nearby(grid, centre));
        }
        for level in &mut levels {
            *level /= whole;
        }
        let wide = Self::Wide(ranges, columns, levels);
        if !solids.any() {
            return wide;
        }
        let mut cells = Vec::new();
        wide.each_row(grid, |row, share, weights| {
            cells.extend(row.zip(weights).filter(|(cell, _)| !solids.is_solid(*cell)).map(|(cell, weight)| (cell, weight * share)));
        });
        let air: f64 = cells.iter().map(|(_, share)| share).sum();
        if air <= 0.0 {
            return Self::Cells(solids.weights_nearby(grid, centre));
        }
        cells.retain(|(_, share)| *share > 0.0);
        for (_, share) in &mut cells {
            *share /= air;
        }
        Self::Cells(cells)
    }

    /// Calls `each` with the cells of every row, the share of its level, and the shares within it.
    pub(crate) fn each_row(&self, grid: &Grid, mut each: impl FnMut(std::ops::Range<usize>, f64, &[f64])) {
        match self {
            Self::Wide([x, y, z], columns, levels) => {
                for (k, level) in z.clone().zip(levels) {
                    for (j, row) in y.clone().zip(columns.chunks(x.len().max(1))) {
                        let from = grid.index(x.start, j, k);
                        each(from..from + x.len(), *level, row);
                    }
                }
            }
            Self::Cells(cells) => cells.iter().for_each(|(cell, share)| each(*cell..*cell + 1, 1.0, &[*share])),
        }
    }
}
