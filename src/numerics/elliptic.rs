//! Networks of cells and the potential that balances them: `Σ g (λ − λ') + a λ = b` in every cell.
//!
//! `g` is the conductance of the face to each neighbour (zero through a wall), `a` the conductance to a potential of
//! zero outside. That is the finite-volume form of `−∇·(κ∇λ) = s` with Neumann walls and Dirichlet openings.
//!
//! Solved by conjugate gradients in double precision with one multigrid V-cycle in single precision as preconditioner:
//! damped Jacobi sweeps, aggregates of two cells along every axis that is strongly coupled, coarse conductances rescaled
//! so that they are those of a coarse grid. The stopping rule looks at the true residual, not at the recursive one.
//! A network without any opening has a potential up to a constant, which is then chosen with zero mean; its
//! sources must add up to zero. The same bits for any number of threads and any SIMD level.
//!
//! Sources: Trottenberg, Oosterlee and Schüller, *Multigrid*, 2001, ch. 2, 5, 7.8; McAdams, Sifakis and Teran, *A parallel
//! multigrid Poisson solver*, SCA 2010; Braess, *Computing* 55, 1995 (rescaled aggregation).
//! Left out: tensor conductances, pockets that are closed while others are open (their owner leaves them out).

use rayon::prelude::*;

use crate::numerics::{SimdLevel, Workers, at_simd_levels};

/// Damping of the Jacobi sweeps: best for the rough half of the spectrum of the seven-point operator.
const DAMPING: f32 = 6.0 / 7.0;
/// Sweeps before and after each coarser level.
const SWEEPS: usize = 2;
/// Sweeps on the coarsest level, where a sweep costs nothing.
const COARSEST_SWEEPS: usize = 24;
/// A level of so few cells is the coarsest.
const COARSEST_CELLS: usize = 64;
/// Axes whose coupling is at least this part of the strongest are coarsened together.
const STRONG: f64 = 0.4;
/// More cycles than this are not spent.
const MOST_CYCLES: usize = 200;

/// Cells, and how they are coupled.
#[derive(Clone, Debug)]
pub struct Network {
    /// Cells along x, y, z.
    pub shape: [usize; 3],
    /// Whether the first and the last cell along an axis are neighbours.
    pub periodic: [bool; 3],
    /// Conductance through each cell's low face along x, y, z; on a side that is not periodic it must be zero.
    pub links: [Vec<f32>; 3],
    /// Conductance from each cell to a potential of zero outside.
    pub anchors: Vec<f32>,
}

/// How a solution ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solved {
    /// V-cycles spent.
    pub cycles: usize,
    /// Largest true residual over the largest source.
    pub residual: f64,
}

/// A network with its coarser levels, ready to solve many times.
#[derive(Clone, Debug)]
pub struct Multigrid {
    levels: Vec<Level>,
    floating: bool,
}

#[derive(Clone, Debug)]
struct Level {
    net: Network,
    /// Inverse of the sum of a cell's conductances, zero for a cell that has none.
    inverse: Vec<f32>,
    /// Cells of this level in one of the next, along each axis.
    step: [usize; 3],
}

impl Level {
    fn new(net: Network) -> Self {
        let inverse = (0..net.anchors.len())
            .map(|cell| {
                let sum = net.sum(cell);
                if sum > 0.0 { 1.0 / sum } else { 0.0 }
            })
            .collect();
        Self { net, inverse, step: [1; 3] }
    }
}

impl Network {
    /// A network of so many cells without any link.
    #[must_use]
    pub fn new(shape: [usize; 3], periodic: [bool; 3]) -> Self {
        let n = shape.iter().product();
        Self { shape, periodic, links: [vec![0.0; n], vec![0.0; n], vec![0.0; n]], anchors: vec![0.0; n] }
    }

    /// The cell above `cell` along an axis, round the corner where that is periodic.
    fn above(&self, cell: usize, axis: usize) -> Option<usize> {
        let [nx, ny, _] = self.shape;
        let stride = [1, nx, nx * ny][axis];
        let at = cell / stride % self.shape[axis];
        if at + 1 < self.shape[axis] {
            Some(cell + stride)
        } else if self.periodic[axis] {
            Some(cell - at * stride)
        } else {
            None
        }
    }

    /// All conductances of a cell together.
    fn sum(&self, cell: usize) -> f32 {
        let links = (0..3).map(|axis| self.links[axis][cell] + self.above(cell, axis).map_or(0.0, |up| self.links[axis][up]));
        links.sum::<f32>() + self.anchors[cell]
    }

    /// The network of aggregates of `step` cells along each axis.
    fn coarser(&self, step: [usize; 3]) -> Self {
        let shape: [usize; 3] = std::array::from_fn(|axis| self.shape[axis].div_ceil(step[axis]));
        let periodic = std::array::from_fn(|axis| self.periodic[axis] && shape[axis] > 1);
        let mut coarse = Self::new(shape, periodic);
        let [nx, ny, nz] = self.shape;
        // an aggregate is as far from the next as two cells along each axis that was joined
        let scale: [f32; 3] = step.map(|s| 1.0 / s as f32);
        let anchor = scale.iter().copied().fold(1.0, f32::min);
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let cell = i + nx * (j + ny * k);
                    let at = [i, j, k];
                    let into = i / step[0] + shape[0] * (j / step[1] + shape[1] * (k / step[2]));
                    for axis in 0..3 {
                        if at[axis] % step[axis] == 0 {
                            coarse.links[axis][into] += self.links[axis][cell] * scale[axis];
                        }
                    }
                    coarse.anchors[into] += self.anchors[cell] * anchor;
                }
            }
        }
        for axis in (0..3).filter(|axis| !periodic[*axis]) {
            let stride = [1, shape[0], shape[0] * shape[1]][axis];
            for cell in (0..coarse.anchors.len()).filter(|cell| (cell / stride).is_multiple_of(shape[axis])) {
                coarse.links[axis][cell] = 0.0;
            }
        }
        coarse
    }

    /// Mean conductance along each axis, of the links there are.
    fn coupling(&self) -> [f64; 3] {
        std::array::from_fn(|axis| {
            let (mut sum, mut count) = (0.0, 0.0);
            for link in self.links[axis].iter().filter(|link| **link > 0.0) {
                sum += f64::from(*link);
                count += 1.0;
            }
            if count > 0.0 { sum / count } else { 0.0 }
        })
    }
}

impl Multigrid {
    /// Works out the coarser levels of a network.
    #[must_use]
    pub fn new(net: Network) -> Self {
        let floating = net.anchors.iter().all(|anchor| *anchor == 0.0);
        let mut levels = vec![Level::new(net)];
        while let Some(last) = levels.last_mut()
            && last.net.anchors.len() > COARSEST_CELLS
        {
            let coupling = last.net.coupling();
            let strongest = (0..3).filter(|axis| last.net.shape[*axis] > 1).map(|axis| coupling[axis]).fold(0.0, f64::max);
            last.step = std::array::from_fn(|axis| 1 + usize::from(last.net.shape[axis] > 1 && coupling[axis] >= STRONG * strongest));
            if last.step == [1; 3] || strongest <= 0.0 {
                break;
            }
            let coarse = last.net.coarser(last.step);
            levels.push(Level::new(coarse));
        }
        Self { levels, floating }
    }

    /// The network it was made from.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.levels[0].net
    }

    /// Improves `potential` until no residual is larger than `tolerance` times the largest source. A cell without any
    /// conductance gets a potential of zero.
    ///
    /// # Panics
    /// If the lists do not fit the network: a bug in the caller.
    pub fn solve(&self, sources: &[f64], potential: &mut [f64], tolerance: f64, workers: &Workers) -> Solved {
        let n = self.network().anchors.len();
        assert!(sources.len() == n && potential.len() == n, "one source and one potential a cell");
        workers.run(|| self.conjugate_gradients(sources, potential, tolerance, workers.simd))
    }

    fn conjugate_gradients(&self, sources: &[f64], potential: &mut [f64], tolerance: f64, level: SimdLevel) -> Solved {
        let net = self.network();
        let plane = net.shape[0] * net.shape[1];
        let n = sources.len();
        let largest = most(sources, plane);
        let mut solved = Solved { cycles: 0, residual: 0.0 };
        if largest == 0.0 {
            potential.fill(0.0);
            return solved;
        }
        let mut residual = vec![0.0f64; n];
        let mut scratch = Scratch::new(&self.levels);
        let (mut direction, mut image) = (vec![0.0f64; n], vec![0.0f64; n]);
        'restart: loop {
            balance(level, net, sources, potential, &mut residual);
            if self.floating {
                remove_mean(&mut residual, plane);
            }
            solved.residual = most(&residual, plane) / largest;
            if solved.residual <= tolerance || solved.cycles >= MOST_CYCLES {
                break;
            }
            let mut rho = 0.0;
            direction.fill(0.0);
            let start = solved.residual;
            loop {
                self.precondition(&residual, &mut scratch, level);
                solved.cycles += 1;
                let z = &scratch.levels[0].x;
                let rho_new = dot_mixed(&residual, z, plane, scratch.scale);
                let beta = if rho == 0.0 { 0.0 } else { rho_new / rho };
                rho = rho_new;
                let scale = scratch.scale;
                direction.par_chunks_mut(plane).zip(z.par_chunks(plane)).for_each(|(direction, z)| {
                    for (d, z) in direction.iter_mut().zip(z) {
                        *d = f64::from(*z) * scale + beta * *d;
                    }
                });
                // the image of the direction: minus the balance of no sources
                conduct(level, net, &direction, &mut image);
                let curvature = dot(&direction, &image, plane);
                if curvature <= 0.0 {
                    break 'restart;
                }
                let alpha = rho / curvature;
                advance(potential, &direction, alpha, plane);
                advance(&mut residual, &image, -alpha, plane);
                let now = most(&residual, plane) / largest;
                // the recursive residual drifts: trust it for four orders, then look again
                if now <= tolerance || now <= 1e-4 * start || solved.cycles >= MOST_CYCLES {
                    break;
                }
            }
        }
        if self.floating {
            remove_mean(potential, plane);
        }
        for (value, inverse) in potential.iter_mut().zip(&self.levels[0].inverse) {
            *value = if *inverse > 0.0 { *value } else { 0.0 };
        }
        solved
    }

    /// One V-cycle on the residual; the answer stands in `scratch.levels[0].x`, to be multiplied by `scratch.scale`.
    fn precondition(&self, residual: &[f64], scratch: &mut Scratch, level: SimdLevel) {
        let plane = self.network().shape[0] * self.network().shape[1];
        let most = most(residual, plane);
        scratch.scale = if most > 0.0 { most } else { 1.0 };
        let inverse = 1.0 / scratch.scale;
        #[expect(clippy::cast_possible_truncation, reason = "the preconditioner works in single precision")]
        scratch.levels[0].b.par_chunks_mut(plane).zip(residual.par_chunks(plane)).for_each(|(b, r)| {
            for (b, r) in b.iter_mut().zip(r) {
                *b = (r * inverse) as f32;
            }
        });
        self.cycle(0, &mut scratch.levels, level);
    }

    fn cycle(&self, depth: usize, levels: &mut [LevelScratch], level: SimdLevel) {
        let here = &self.levels[depth];
        let plane = here.net.shape[0] * here.net.shape[1];
        let coarsest = depth + 1 == self.levels.len();
        let (mine, coarser) = levels.split_at_mut(depth + 1);
        let mine = &mut mine[depth];
        // the first sweep from zero needs no balance
        mine.x.par_chunks_mut(plane).zip(mine.b.par_chunks(plane)).zip(here.inverse.par_chunks(plane)).for_each(|((x, b), inverse)| {
            for ((x, b), inverse) in x.iter_mut().zip(b).zip(inverse) {
                *x = DAMPING * inverse * b;
            }
        });
        let sweeps = if coarsest { COARSEST_SWEEPS } else { SWEEPS };
        for _ in 1..sweeps {
            sweep(level, here, mine);
        }
        if coarsest {
            return;
        }
        balance_single(level, &here.net, &mine.b, &mine.x, &mut mine.r);
        let next = &mut coarser[0];
        gather(&here.net, here.step, &self.levels[depth + 1].net, &mine.r, &mut next.b);
        self.cycle(depth + 1, levels, level);
        let (mine, coarser) = levels.split_at_mut(depth + 1);
        let mine = &mut mine[depth];
        spread(&here.net, here.step, &self.levels[depth + 1].net, &coarser[0].x, &mut mine.x);
        for _ in 0..sweeps {
            sweep(level, here, mine);
        }
    }
}

struct Scratch {
    levels: Vec<LevelScratch>,
    scale: f64,
}

struct LevelScratch {
    b: Vec<f32>,
    x: Vec<f32>,
    r: Vec<f32>,
}

impl Scratch {
    fn new(levels: &[Level]) -> Self {
        let of = |level: &Level| {
            let zeros = || vec![0.0f32; level.net.anchors.len()];
            LevelScratch { b: zeros(), x: zeros(), r: zeros() }
        };
        Self { levels: levels.iter().map(of).collect(), scale: 1.0 }
    }
}

/// One damped Jacobi sweep.
fn sweep(level: SimdLevel, here: &Level, scratch: &mut LevelScratch) {
    let plane = here.net.shape[0] * here.net.shape[1];
    balance_single(level, &here.net, &scratch.b, &scratch.x, &mut scratch.r);
    let all = scratch.x.par_chunks_mut(plane).zip(scratch.r.par_chunks(plane)).zip(here.inverse.par_chunks(plane));
    all.for_each(|((x, r), inverse)| {
        for ((x, r), inverse) in x.iter_mut().zip(r).zip(inverse) {
            *x += DAMPING * inverse * r;
        }
    });
}

/// Sums of what the cells of each aggregate are short of.
fn gather(fine: &Network, step: [usize; 3], coarse: &Network, from: &[f32], into: &mut [f32]) {
    let [nx, ny, nz] = fine.shape;
    let [cx, cy, _] = coarse.shape;
    into.par_chunks_mut(cx * cy).enumerate().for_each(|(ck, into)| {
        into.fill(0.0);
        for k in ck * step[2]..((ck + 1) * step[2]).min(nz) {
            for j in 0..ny {
                let row = &from[nx * (j + ny * k)..nx * (j + 1 + ny * k)];
                let into = &mut into[cx * (j / step[1])..cx * (j / step[1] + 1)];
                for (into, part) in into.iter_mut().zip(row.chunks(step[0])) {
                    *into += part.iter().sum::<f32>();
                }
            }
        }
    });
}

/// Adds the potential of each aggregate to its cells.
fn spread(fine: &Network, step: [usize; 3], coarse: &Network, from: &[f32], into: &mut [f32]) {
    let [nx, ny, _] = fine.shape;
    let [cx, cy, _] = coarse.shape;
    into.par_chunks_mut(nx * ny).enumerate().for_each(|(k, into)| {
        for (j, row) in into.chunks_mut(nx).enumerate() {
            let at = cx * (j / step[1] + cy * (k / step[2]));
            for (part, from) in row.chunks_mut(step[0]).zip(&from[at..at + cx]) {
                for cell in part {
                    *cell += from;
                }
            }
        }
    });
}

/// What each cell is short of: `b − Σ g (λ − λ') − a λ`.
fn balance(level: SimdLevel, net: &Network, sources: &[f64], potential: &[f64], out: &mut [f64]) {
    let plane = net.shape[0] * net.shape[1];
    out.par_chunks_mut(plane)
        .enumerate()
        .for_each(|(k, out)| balance_f64(level, net, &sources[plane * k..plane * (k + 1)], potential, k, out));
}

/// What flows out of each cell: `Σ g (λ − λ') + a λ`.
fn conduct(level: SimdLevel, net: &Network, potential: &[f64], out: &mut [f64]) {
    let plane = net.shape[0] * net.shape[1];
    let none = vec![0.0f64; plane];
    out.par_chunks_mut(plane).enumerate().for_each(|(k, out)| {
        balance_f64(level, net, &none, potential, k, out);
        for value in out {
            *value = -*value;
        }
    });
}

fn balance_single(level: SimdLevel, net: &Network, sources: &[f32], potential: &[f32], out: &mut [f32]) {
    let plane = net.shape[0] * net.shape[1];
    out.par_chunks_mut(plane)
        .enumerate()
        .for_each(|(k, out)| balance_f32(level, net, &sources[plane * k..plane * (k + 1)], potential, k, out));
}

at_simd_levels!(fn balance_f64(net: &Network, sources: &[f64], potential: &[f64], k: usize, out: &mut [f64]) = balance_body);
at_simd_levels!(fn balance_f32(net: &Network, sources: &[f32], potential: &[f32], k: usize, out: &mut [f32]) = balance_body);

/// One plane of a balance.
#[expect(clippy::inline_always, reason = "compiled once for each SIMD level")]
#[inline(always)]
fn balance_body<T: crate::numerics::Real + From<f32>>(net: &Network, sources: &[T], potential: &[T], k: usize, out: &mut [T]) {
    let [nx, ny, nz] = net.shape;
    let zeros = vec![0.0f32; nx];
    let row = |list: &'_ [T], j: usize, k: usize| -> std::ops::Range<usize> {
        debug_assert!(!list.is_empty());
        nx * (j + ny * k)..nx * (j + 1 + ny * k)
    };
    // the place of the row below and above along y and z; where there is none the link is zero and the row stands in
    let around = |at: usize, n: usize, periodic: bool| {
        let below = if at > 0 {
            at - 1
        } else if periodic {
            n - 1
        } else {
            at
        };
        let above = if at + 1 < n {
            Some(at + 1)
        } else if periodic {
            Some(0)
        } else {
            None
        };
        (below, above)
    };
    let (k_below, k_above) = around(k, nz, net.periodic[2]);
    for j in 0..ny {
        let (j_below, j_above) = around(j, ny, net.periodic[1]);
        let here_at = row(potential, j, k);
        let here = &potential[here_at.clone()];
        let south = &potential[row(potential, j_below, k)];
        let north = &potential[row(potential, j_above.unwrap_or(j), k)];
        let down = &potential[row(potential, j, k_below)];
        let up = &potential[row(potential, j, k_above.unwrap_or(k))];
        let link_x = &net.links[0][here_at.clone()];
        let link_y = &net.links[1][here_at.clone()];
        let link_z = &net.links[2][here_at.clone()];
        let link_north = j_above.map_or(zeros.as_slice(), |j| &net.links[1][nx * (j + ny * k)..nx * (j + 1 + ny * k)]);
        let link_up = k_above.map_or(zeros.as_slice(), |k| &net.links[2][nx * (j + ny * k)..nx * (j + 1 + ny * k)]);
        let anchors = &net.anchors[here_at];
        let (sources, out) = (&sources[nx * j..nx * (j + 1)], &mut out[nx * j..nx * (j + 1)]);
        let across = |i: usize, west: T, east: T, link_east: f32| -> T {
            let value = here[i];
            sources[i]
                + T::from(link_x[i]) * (west - value)
                + T::from(link_east) * (east - value)
                + T::from(link_y[i]) * (south[i] - value)
                + T::from(link_north[i]) * (north[i] - value)
                + T::from(link_z[i]) * (down[i] - value)
                + T::from(link_up[i]) * (up[i] - value)
                - T::from(anchors[i]) * value
        };
        let (corner, corner_link) = if net.periodic[0] { (here[0], link_x[0]) } else { (here[nx - 1], 0.0) };
        let west = if net.periodic[0] { here[nx - 1] } else { here[0] };
        if nx == 1 {
            out[0] = across(0, here[0], here[0], 0.0);
            continue;
        }
        out[0] = across(0, west, here[1], link_x[1]);
        let inner = nx - 2;
        {
            let (s, n, d, u) = (&south[1..=inner], &north[1..=inner], &down[1..=inner], &up[1..=inner]);
            let (w, c, e) = (&here[..inner], &here[1..=inner], &here[2..inner + 2]);
            let (gw, ge) = (&link_x[1..=inner], &link_x[2..inner + 2]);
            let (gs, gn, gd, gu) = (&link_y[1..=inner], &link_north[1..=inner], &link_z[1..=inner], &link_up[1..=inner]);
            let (a, b, out) = (&anchors[1..=inner], &sources[1..=inner], &mut out[1..=inner]);
            for i in 0..inner {
                let value = c[i];
                out[i] = b[i]
                    + T::from(gw[i]) * (w[i] - value)
                    + T::from(ge[i]) * (e[i] - value)
                    + T::from(gs[i]) * (s[i] - value)
                    + T::from(gn[i]) * (n[i] - value)
                    + T::from(gd[i]) * (d[i] - value)
                    + T::from(gu[i]) * (u[i] - value)
                    - T::from(a[i]) * value;
            }
        }
        out[nx - 1] = across(nx - 1, here[nx - 2], corner, corner_link);
    }
}

fn advance(list: &mut [f64], by: &[f64], factor: f64, plane: usize) {
    list.par_chunks_mut(plane).zip(by.par_chunks(plane)).for_each(|(list, by)| {
        for (value, by) in list.iter_mut().zip(by) {
            *value += factor * by;
        }
    });
}

/// Sums plane by plane, then over planes in order: the same for any number of threads.
fn planes(count: usize, of: impl Fn(usize) -> f64 + Sync + Send) -> f64 {
    (0..count).into_par_iter().map(of).collect::<Vec<_>>().into_iter().sum()
}

/// Eight running sums, so that the order of additions is fixed and fills a vector.
fn eight_sums(n: usize, of: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; 8];
    let whole = n / 8 * 8;
    for start in (0..whole).step_by(8) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += of(start + lane);
        }
    }
    (whole..n).map(&of).sum::<f64>() + sums.iter().sum::<f64>()
}

fn dot(a: &[f64], b: &[f64], plane: usize) -> f64 {
    planes(a.len() / plane, |k| {
        let (a, b) = (&a[plane * k..plane * (k + 1)], &b[plane * k..plane * (k + 1)]);
        eight_sums(plane, |i| a[i] * b[i])
    })
}

fn dot_mixed(a: &[f64], b: &[f32], plane: usize, scale: f64) -> f64 {
    scale
        * planes(a.len() / plane, |k| {
            let (a, b) = (&a[plane * k..plane * (k + 1)], &b[plane * k..plane * (k + 1)]);
            eight_sums(plane, |i| a[i] * f64::from(b[i]))
        })
}

fn remove_mean(list: &mut [f64], plane: usize) {
    let mean = planes(list.len() / plane, |k| eight_sums(plane, |i| list[plane * k + i])) / list.len() as f64;
    for value in list {
        *value -= mean;
    }
}

/// Largest magnitude.
fn most(list: &[f64], plane: usize) -> f64 {
    list.par_chunks(plane).map(|part| part.iter().fold(0.0f64, |most, value| most.max(value.abs()))).reduce(|| 0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An open box of unit cubes: links of one, half a cell to the zero outside on five sides.
    fn open_box(shape: [usize; 3], solid: impl Fn([usize; 3]) -> bool) -> Network {
        let [nx, ny, nz] = shape;
        let mut net = Network::new(shape, [false; 3]);
        for k in 0..nz {
            for j in 0..ny {
                for i in 0..nx {
                    let at = [i, j, k];
                    let cell = i + nx * (j + ny * k);
                    if solid(at) {
                        continue;
                    }
                    for axis in 0..3 {
                        let mut below = at;
                        if at[axis] > 0 {
                            below[axis] -= 1;
                            net.links[axis][cell] = if solid(below) { 0.0 } else { 1.0 };
                        } else if axis < 2 {
                            net.anchors[cell] += 2.0;
                        }
                        if at[axis] + 1 == shape[axis] {
                            net.anchors[cell] += 2.0;
                        }
                    }
                }
            }
        }
        net
    }

    #[test]
    fn a_network_around_a_block_is_solved_to_its_tolerance_in_few_cycles() {
        let shape = [64, 48, 32];
        let block = |[i, j, k]: [usize; 3]| (20..30).contains(&i) && (15..40).contains(&j) && k < 12;
        let grid = Multigrid::new(open_box(shape, block));
        let n = 64 * 48 * 32;
        let solid = |cell: usize| block([cell % 64, cell / 64 % 48, cell / (64 * 48)]);
        let sources: Vec<f64> = (0..n).map(|cell| if solid(cell) { 0.0 } else { ((cell * 7919) % 101) as f64 - 50.0 }).collect();
        let mut potential = vec![0.0; n];
        let workers = Workers::new(1, SimdLevel::Auto).unwrap();
        let solved = grid.solve(&sources, &mut potential, 1e-9, &workers);
        assert!(solved.residual <= 1e-9 && solved.cycles < 40, "{solved:?}");
        let mut left = vec![0.0; n];
        balance(SimdLevel::Sse2, grid.network(), &sources, &potential, &mut left);
        assert!(most(&left, 64 * 48) <= 51e-9);
        // another start, other threads and another level end at the same potential
        let mut other: Vec<f64> = (0..n).map(|cell| if solid(cell) { 0.0 } else { (cell % 13) as f64 }).collect();
        grid.solve(&sources, &mut other, 1e-9, &Workers::new(2, SimdLevel::Sse2).unwrap());
        let scale = most(&potential, 64 * 48);
        assert!(potential.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-6 * scale));
    }

    #[test]
    fn threads_and_simd_levels_change_no_bit() {
        let grid = Multigrid::new(open_box([37, 21, 9], |[i, j, k]| i == 11 && j > 4 && k < 6));
        let sources: Vec<f64> = (0..37 * 21 * 9).map(|n| if n % 37 == 11 { 0.0 } else { f64::from((n * 31) % 17) }).collect();
        let bits = [(1, SimdLevel::Auto), (2, SimdLevel::Auto), (3, SimdLevel::Avx2), (1, SimdLevel::Sse2)].map(|(threads, simd)| {
            let mut potential = vec![0.0; sources.len()];
            grid.solve(&sources, &mut potential, 1e-8, &Workers::new(threads, simd).unwrap());
            potential.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        });
        assert!(bits.windows(2).all(|pair| pair[0] == pair[1]));
    }

    #[test]
    fn a_periodic_wave_has_its_discrete_potential_and_zero_mean() {
        let n = 32;
        let mut net = Network::new([n, n, 4], [true; 3]);
        for axis in 0..3 {
            net.links[axis].fill(1.0);
        }
        let wave = |i: usize| (std::f64::consts::TAU * (i as f64 + 0.5) / n as f64).cos();
        let sources: Vec<f64> = (0..n * n * 4).map(|cell| wave(cell % n)).collect();
        let mut potential = vec![3.0; sources.len()];
        let solved = Multigrid::new(net).solve(&sources, &mut potential, 1e-11, &Workers::new(1, SimdLevel::Auto).unwrap());
        let eigenvalue = 2.0 - 2.0 * (std::f64::consts::TAU / n as f64).cos();
        assert!(potential.iter().zip(&sources).all(|(p, s)| (p - s / eigenvalue).abs() < 1e-6), "{solved:?}");
    }
}
