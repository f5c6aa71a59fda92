//! The wind around obstacles: the nearest field to the given one that neither vanishes nor piles up anywhere.
//!
//! Minimises `∫ (u − u₀)² + (v − v₀)² + (w − w₀)²` under `∇·u = 0` and no flow through closed faces. With a multiplier λ
//! that gives `u = u₀ − ∇λ`, `∇²λ = ∇·u₀`, λ = 0 on open sides and no gradient at walls: Sasaki, *J. Meteorol. Soc.
//! Japan* 36, 1958; Sherman, *J. Appl. Meteorol.* 17, 1978. Solved on the faces in double precision.
//!
//! It knows no wake: behind a building the wind closes up smoothly, and a hemisphere has the flow of a potential.
//! Air that has no way to an open side stands still. Left out: stability in the weights, recirculation, friction.

use crate::numerics::Workers;
use crate::numerics::elliptic::{Multigrid, Network};
use crate::world::Grid;
use crate::world::solid::Solids;

/// Largest divergence the engine leaves, times the cell size over the largest speed: a twentieth of what
/// single-precision faces can hold.
pub const DIVERGENCE: f64 = 1e-8;

/// Velocities on all faces in double precision, m s⁻¹.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceWind {
    /// Low faces along x, y, z: one number for each cell.
    pub low: [Vec<f64>; 3],
    /// High planes: `ny·nz`, `nx·nz`, `nx·ny` numbers.
    pub high: [Vec<f64>; 3],
}

impl FaceWind {
    /// Still air on a grid.
    #[must_use]
    pub fn still(grid: &Grid) -> Self {
        let [nx, ny, nz] = grid.shape;
        Self { low: std::array::from_fn(|_| vec![0.0; grid.len()]), high: [ny * nz, nx * nz, nx * ny].map(|n| vec![0.0; n]) }
    }
}

/// Obstacles and sides as the solver sees them; made once for a run.
#[derive(Clone, Debug)]
pub struct Around {
    grid: Grid,
    periodic: bool,
    /// Cells from which air has a way to an open side.
    reached: Vec<bool>,
    solver: Multigrid,
}

/// What a side is to the air: the ground is closed, the top and the sides are open unless they are periodic.
fn side_is_open(axis: usize, high: bool, periodic: bool) -> bool {
    match axis {
        2 => high,
        _ => !periodic,
    }
}

impl Around {
    /// Prepares the solver for the obstacles on a grid.
    #[must_use]
    pub fn new(grid: Grid, solids: &Solids, periodic: bool) -> Self {
        let open = |axis: usize, high: bool| side_is_open(axis, high, periodic);
        let round = [periodic, periodic, false];
        let reached = reached(&grid, solids, open, round);
        let solver = Multigrid::new(network(&grid, &reached, open, round));
        Self { grid, periodic, reached, solver }
    }

    /// Turns a wind into one that goes around the obstacles and leaves no more than `divergence` (times the cell size
    /// over the largest speed) in any cell. `potential` is where the solver starts and ends: hand the last one back and a
    /// small change of the wind costs few cycles.
    ///
    /// # Panics
    /// If `wind` or `potential` are not of the grid: a bug in the caller.
    pub fn adjust(&self, wind: &mut FaceWind, potential: &mut [f64], divergence: f64, workers: &Workers) {
        let [nx, ny, _] = self.grid.shape;
        self.close(wind);
        let area = [1, 2, 0].map(|a| self.grid.cell_m[a]).into_iter().zip([2, 0, 1].map(|a| self.grid.cell_m[a])).map(|(a, b)| a * b);
        let area: Vec<f64> = area.collect();
        let sources: Vec<f64> = (0..self.grid.len())
            .map(|cell| {
                if !self.reached[cell] {
                    return 0.0;
                }
                (0..3).map(|axis| area[axis] * (wind.low[axis][cell] - self.high_face(wind, axis, cell))).sum()
            })
            .collect();
        let largest = sources.iter().fold(0.0f64, |most, source| most.max(source.abs()));
        let speed = wind.low.iter().flatten().fold(0.0f64, |most, u| most.max(u.abs()));
        let smallest = area.iter().copied().fold(f64::MAX, f64::min);
        if largest <= divergence * smallest * speed {
            return;
        }
        self.solver.solve(&sources, potential, divergence * smallest * speed / largest, workers);
        let net = self.solver.network();
        for axis in 0..3 {
            let (stride, n) = ([1, nx, nx * ny][axis], self.grid.shape[axis]);
            let side = 2.0 * f64::from(conductance(&self.grid, axis)) / area[axis];
            for cell in 0..self.grid.len() {
                let at = cell / stride % n;
                if at > 0 || (self.periodic && axis < 2) {
                    let below = if at > 0 { cell - stride } else { cell + (n - 1) * stride };
                    let g = f64::from(net.links[axis][cell]) / area[axis];
                    wind.low[axis][cell] += g * (potential[below] - potential[cell]);
                } else if self.reached[cell] && side_is_open(axis, false, self.periodic) {
                    wind.low[axis][cell] -= side * potential[cell];
                }
                if at + 1 == n && self.reached[cell] && side_is_open(axis, true, self.periodic) {
                    wind.high[axis][self.plane_index(axis, cell)] += side * potential[cell];
                }
            }
        }
        if self.periodic {
            self.join_sides(wind);
        }
    }

    /// Stops the air at closed faces and in air that has no way out.
    fn close(&self, wind: &mut FaceWind) {
        let [nx, ny, _] = self.grid.shape;
        for axis in 0..3 {
            let (stride, n) = ([1, nx, nx * ny][axis], self.grid.shape[axis]);
            for cell in 0..self.grid.len() {
                let at = cell / stride % n;
                let below = match (at, self.periodic && axis < 2) {
                    (0, true) => Some(cell + (n - 1) * stride),
                    (0, false) => None,
                    _ => Some(cell - stride),
                };
                if !self.reached[cell] || below.is_some_and(|below| !self.reached[below]) {
                    wind.low[axis][cell] = 0.0;
                }
                if at + 1 == n && !self.reached[cell] {
                    wind.high[axis][self.plane_index(axis, cell)] = 0.0;
                }
            }
        }
        if self.periodic {
            self.join_sides(wind);
        }
    }

    /// The high sides of a periodic box are its low sides.
    fn join_sides(&self, wind: &mut FaceWind) {
        let [nx, ny, nz] = self.grid.shape;
        for k in 0..nz {
            for j in 0..ny {
                wind.high[0][j + ny * k] = wind.low[0][self.grid.index(0, j, k)];
            }
            for i in 0..nx {
                wind.high[1][i + nx * k] = wind.low[1][self.grid.index(i, 0, k)];
            }
        }
    }

    fn high_face(&self, wind: &FaceWind, axis: usize, cell: usize) -> f64 {
        let [nx, ny, _] = self.grid.shape;
        let stride = [1, nx, nx * ny][axis];
        if cell / stride % self.grid.shape[axis] + 1 < self.grid.shape[axis] {
            wind.low[axis][cell + stride]
        } else {
            wind.high[axis][self.plane_index(axis, cell)]
        }
    }

    /// Where a cell stands in the high plane of an axis.
    fn plane_index(&self, axis: usize, cell: usize) -> usize {
        let [nx, ny, _] = self.grid.shape;
        let (i, j, k) = (cell % nx, cell / nx % ny, cell / (nx * ny));
        [j + ny * k, i + nx * k, i + nx * j][axis]
    }

    /// Largest divergence of any cell, times the cell size over the largest speed.
    #[must_use]
    pub fn divergence(&self, wind: &FaceWind) -> f64 {
        let speed = wind.low.iter().flatten().fold(0.0f64, |most, u| most.max(u.abs()));
        let smallest = self.grid.cell_m.into_iter().fold(f64::MAX, f64::min);
        let of = |cell: usize| -> f64 {
            (0..3).map(|axis| (self.high_face(wind, axis, cell) - wind.low[axis][cell]) / self.grid.cell_m[axis]).sum()
        };
        (0..self.grid.len()).map(|cell| of(cell).abs()).fold(0.0, f64::max) * smallest / speed.max(f64::MIN_POSITIVE)
    }
}

/// Area of a face over the distance between the cells it parts, in metres.
#[expect(clippy::cast_possible_truncation, reason = "conductances are single precision")]
fn conductance(grid: &Grid, axis: usize) -> f32 {
    (grid.cell_volume_m3() / (grid.cell_m[axis] * grid.cell_m[axis])) as f32
}

/// The cells of moving air and how they are coupled; the side (axis, high) is `open`, else closed or `periodic`.
#[must_use]
pub fn network(grid: &Grid, reached: &[bool], open: impl Fn(usize, bool) -> bool, periodic: [bool; 3]) -> Network {
    let [nx, ny, _] = grid.shape;
    let mut net = Network::new(grid.shape, periodic);
    for (cell, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
        for axis in 0..3 {
            let (stride, n) = ([1, nx, nx * ny][axis], grid.shape[axis]);
            let at = cell / stride % n;
            let conductance = conductance(grid, axis);
            let below = match (at, periodic[axis]) {
                (0, true) => Some(cell + (n - 1) * stride),
                (0, false) => None,
                _ => Some(cell - stride),
            };
            match below {
                Some(below) => net.links[axis][cell] = if reached[below] { conductance } else { 0.0 },
                None if open(axis, false) => net.anchors[cell] += 2.0 * conductance,
                None => {}
            }
            if at + 1 == n && !periodic[axis] && open(axis, true) {
                net.anchors[cell] += 2.0 * conductance;
            }
        }
    }
    net
}

/// Cells from which air has a way to an open side; where no side is open, the cells of the largest pocket of air.
#[must_use]
pub fn reached(grid: &Grid, solids: &Solids, open: impl Fn(usize, bool) -> bool, periodic: [bool; 3]) -> Vec<bool> {
    let [nx, ny, nz] = grid.shape;
    let at_side = |cell: usize| {
        let at = [cell % nx, cell / nx % ny, cell / (nx * ny)];
        (0..3).any(|axis| {
            !periodic[axis] && ((at[axis] == 0 && open(axis, false)) || (at[axis] + 1 == [nx, ny, nz][axis] && open(axis, true)))
        })
    };
    let mut reached = vec![false; grid.len()];
    let seeds: Vec<usize> = (0..grid.len()).filter(|cell| at_side(*cell) && !solids.is_solid(*cell)).collect();
    if !seeds.is_empty() {
        flood(grid, solids, periodic, seeds, &mut reached);
        return reached;
    }
    let mut seen = vec![false; grid.len()];
    let mut largest = Vec::new();
    for cell in 0..grid.len() {
        if !seen[cell] && !solids.is_solid(cell) {
            let pocket = flood(grid, solids, periodic, vec![cell], &mut seen);
            if pocket.len() > largest.len() {
                largest = pocket;
            }
        }
    }
    for cell in largest {
        reached[cell] = true;
    }
    reached
}

/// Marks all air that the cells of `edge` have a way to, and lists it.
fn flood(grid: &Grid, solids: &Solids, periodic: [bool; 3], mut edge: Vec<usize>, reached: &mut [bool]) -> Vec<usize> {
    let [nx, ny, nz] = grid.shape;
    let mut pocket = edge.clone();
    for cell in &edge {
        reached[*cell] = true;
    }
    while let Some(cell) = edge.pop() {
        let at = [cell % nx, cell / nx % ny, cell / (nx * ny)];
        for axis in 0..3 {
            let (stride, n) = ([1, nx, nx * ny][axis], [nx, ny, nz][axis]);
            let below = if at[axis] > 0 { Some(cell - stride) } else { periodic[axis].then(|| cell + (n - 1) * stride) };
            let above = if at[axis] + 1 < n { Some(cell + stride) } else { periodic[axis].then(|| cell - (n - 1) * stride) };
            for next in [below, above].into_iter().flatten() {
                if !reached[next] && !solids.is_solid(next) {
                    reached[next] = true;
                    edge.push(next);
                    pocket.push(next);
                }
            }
        }
    }
    pocket
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numerics::SimdLevel;
    use crate::world::shape::tests::shapes;

    fn uniform(grid: &Grid, wind: [f64; 3]) -> FaceWind {
        let [nx, ny, nz] = grid.shape;
        let plane = [ny * nz, nx * nz, nx * ny];
        FaceWind {
            low: std::array::from_fn(|axis| vec![wind[axis]; grid.len()]),
            high: std::array::from_fn(|axis| vec![wind[axis]; plane[axis]]),
        }
    }

    #[test]
    fn no_air_piles_up_and_none_passes_a_wall_on_any_kind_of_side() {
        let grid = Grid { shape: [40, 30, 20], cell_m: [1.0, 1.0, 0.5] };
        let house =
            shapes(&["Box(min_m: (15.0, 10.0, 0.0), max_m: (22.0, 20.0, 5.0))", "Sphere(centre_m: (30.0, 8.0, 3.0), radius_m: 2.5)"]);
        for periodic in [false, true] {
            let solids = Solids::new(&house, &grid, periodic);
            let around = Around::new(grid, &solids, periodic);
            let mut wind = uniform(&grid, [4.0, 1.5, 0.0]);
            let mut potential = vec![0.0; grid.len()];
            around.adjust(&mut wind, &mut potential, DIVERGENCE, &Workers::new(1, SimdLevel::Auto).unwrap());
            assert!(around.divergence(&wind) < 1e-8 * 1.01, "{}", around.divergence(&wind));
            let open = solids.open_faces().unwrap();
            for axis in 0..3 {
                assert!(wind.low[axis].iter().zip(open[axis]).all(|(u, open)| *open > 0.0 || *u == 0.0));
            }
            // over the roof it blows faster than it came
            assert!(wind.low[0][grid.index(18, 15, 10)] > 4.5);
        }
    }

    #[test]
    fn the_field_does_not_depend_on_where_the_solver_starts() {
        let grid = Grid { shape: [24, 20, 16], cell_m: [1.0; 3] };
        let solids = Solids::new(&shapes(&["Box(min_m: (8.0, 6.0, 0.0), max_m: (14.0, 13.0, 7.0))"]), &grid, false);
        let around = Around::new(grid, &solids, false);
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        let winds = [0.0, 30.0].map(|start| {
            let mut wind = uniform(&grid, [5.0, 0.0, 0.0]);
            let mut potential: Vec<f64> = (0..grid.len()).map(|cell| start * (cell % 7) as f64).collect();
            around.adjust(&mut wind, &mut potential, DIVERGENCE, &workers);
            wind
        });
        let apart = winds[0].low.iter().flatten().zip(winds[1].low.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-6 * 5.0, "{apart}");
    }

    #[test]
    fn air_without_a_way_out_stands_still() {
        let grid = Grid { shape: [20, 20, 12], cell_m: [1.0; 3] };
        let walls = shapes(&[
            "Box(min_m: (5.0, 5.0, 0.0), max_m: (15.0, 6.0, 8.0))",
            "Box(min_m: (5.0, 14.0, 0.0), max_m: (15.0, 15.0, 8.0))",
            "Box(min_m: (5.0, 5.0, 0.0), max_m: (6.0, 15.0, 8.0))",
            "Box(min_m: (14.0, 5.0, 0.0), max_m: (15.0, 15.0, 8.0))",
            "Box(min_m: (5.0, 5.0, 7.0), max_m: (15.0, 15.0, 8.0))",
        ]);
        let solids = Solids::new(&walls, &grid, false);
        let around = Around::new(grid, &solids, false);
        let mut wind = uniform(&grid, [3.0, 2.0, 0.0]);
        around.adjust(&mut wind, &mut vec![0.0; grid.len()], DIVERGENCE, &Workers::new(1, SimdLevel::Auto).unwrap());
        let room = grid.index(10, 10, 3);
        assert!(!solids.is_solid(room) && (0..3).all(|axis| wind.low[axis][room] == 0.0));
        assert!(around.divergence(&wind) < 1.1e-8);
    }
}
