//! Puffs: released gas that is still smaller than the cells, as clouds with a centre, a spread and a mass.
//!
//! Across, a puff is a Gaussian of any covariance. Up, it has one of two shapes, both with nothing through the ground:
//! a Gaussian with its mirror image, exact for a constant diffusivity, or, for one that grows in proportion to height,
//! `f(z) = 1/b exp(−(z + z₀)/b) I₀(2 √(z z₀)/b)`, the exact solution of `∂c/∂t = ∂/∂z (a z ∂c/∂z)` for a release at z₀
//! with b = a t; its mean height is z₀ + b, its variance 2 z₀ b + b², its mean of ln z is ln z₀ + E₁(z₀/b).
//!
//! Sources: Feller, *Annals of Mathematics* 54, 1951 (that solution); Sullivan, *J. Fluid Mech.* 49, 1971 (its use
//! for dispersion near the ground). Left out: walls (a puff must not reach one), the top of the domain.
//! Checked by: the tests below, `tests/verification/puffs.rs`.

use bevy_ecs::component::Component;
use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::numerics::special::{bessel_i0_scaled, x_exp_e1};
use crate::world::Grid;

/// A puff is cut off so many standard deviations from its centre.
pub const REACH: f64 = 4.0;
/// Standard deviation of the blur of a cell over its size: Gaussians no thinner, summed over cells, are even to 0.2 %.
const CELL_BLUR: f64 = 0.6;
/// What of its reach a puff shows on cells: 3.4 standard deviations along each axis, all but a hundredth.
const SHOWN: f64 = 0.85;
/// With fewer puffs than this a sensor looks at all of them.
const FEW: usize = 64;
/// Bins are counted from here, so that their numbers are never negative.
const BIN_ORIGIN: i64 = 1 << 27;

/// The shape of a puff along the vertical.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VerticalLaw {
    /// Gaussian with its mirror image; the depth is its variance in m².
    #[default]
    Gaussian,
    /// That of a diffusivity in proportion to height; the depth is b in m.
    Proportional,
}

impl VerticalLaw {
    /// The depth of a puff at height `z_m` of this standard deviation.
    #[must_use]
    pub fn depth(self, z_m: f64, sigma_m: f64) -> f64 {
        match self {
            Self::Gaussian => sigma_m * sigma_m,
            Self::Proportional => (z_m * z_m + sigma_m * sigma_m).sqrt() - z_m,
        }
    }

    /// Standard deviation of the height of its gas, the mirror image left out, m.
    #[must_use]
    pub fn sigma(self, z_m: f64, depth: f64) -> f64 {
        match self {
            Self::Gaussian => depth.sqrt(),
            Self::Proportional => (2.0 * z_m * depth + depth * depth).sqrt(),
        }
    }

    /// Mean height of its gas, m.
    #[must_use]
    pub fn mean_height(self, z_m: f64, depth: f64) -> f64 {
        match self {
            Self::Proportional => z_m + depth,
            Self::Gaussian if z_m * z_m > REACH * REACH * depth => z_m,
            Self::Gaussian => {
                let sigma = depth.sqrt();
                let folded = sigma * (2.0 / std::f64::consts::PI).sqrt() * libm::exp(-0.5 * z_m * z_m / depth);
                folded + z_m * libm::erf(z_m / (sigma * std::f64::consts::SQRT_2))
            }
        }
    }

    /// The height whose wind carries the puff: where a logarithmic wind has the mean speed of its gas, m. Mean of ln z, so
    /// `z₀ e^{E₁(z₀/b)}`.
    #[expect(clippy::inline_always, reason = "compiled for the SIMD level of its caller")]
    #[inline(always)]
    #[must_use]
    pub fn carried_at(self, z_m: f64, depth: f64) -> f64 {
        match self {
            Self::Gaussian => self.mean_height(z_m, depth),
            Self::Proportional => {
                // beyond this ratio E₁ is below 4e-5
                let near = depth * x_exp_e1((z_m / depth.max(f64::MIN_POSITIVE)).min(8.0));
                if z_m > 8.0 * depth { z_m } else { near }
            }
        }
    }

    /// Share of the gas in a metre of height at `at_m`, 1/m.
    #[must_use]
    pub fn density(self, z_m: f64, depth: f64, at_m: f64) -> f64 {
        let (factor, exponent) = self.shape(z_m, depth, at_m);
        factor * libm::exp(exponent)
    }

    /// The same as a factor and the exponent of another.
    fn shape(self, z_m: f64, depth: f64, at_m: f64) -> (f64, f64) {
        let at = at_m.max(0.0);
        match self {
            Self::Gaussian => {
                let (apart, image) = (at - z_m, libm::exp(-2.0 * at * z_m / depth));
                ((1.0 + image) / (std::f64::consts::TAU * depth).sqrt(), -0.5 * apart * apart / depth)
            }
            Self::Proportional => {
                let (root, root_0) = (at.sqrt(), z_m.sqrt());
                let apart = root - root_0;
                let (factor, exponent) = bessel_i0_scaled(2.0 * root * root_0 / depth);
                (factor / depth, exponent - apart * apart / depth)
            }
        }
    }
}

/// All puffs of one emitter, oldest first: one list a property.
#[derive(Component, Clone, Debug, Default, Serialize, Deserialize)]
pub struct Puffs {
    /// Shape along the vertical.
    pub law: VerticalLaw,
    /// Centre, m.
    pub x_m: Vec<f64>,
    /// Centre, m.
    pub y_m: Vec<f64>,
    /// Height of release, with what it has risen or sunk, m.
    pub z_m: Vec<f64>,
    /// How deep it is: see [`VerticalLaw`].
    pub depth: Vec<f64>,
    /// Variance along x, m².
    pub xx_m2: Vec<f64>,
    /// Covariance of x and y, m².
    pub xy_m2: Vec<f64>,
    /// Variance along y, m².
    pub yy_m2: Vec<f64>,
    /// Time since release, s.
    pub age_s: Vec<f64>,
    /// How much it remembers of the velocity it was released with: 1 at first, falling by e in each Lagrangian time.
    pub memory: Vec<f64>,
    /// Way since release of a buoyant puff, m.
    pub travelled_m: Vec<f64>,
    /// Buoyancy flux of the release, m⁴ s⁻³.
    pub buoyancy_m4_s3: Vec<f64>,
    /// Mass of each component of the emitter: `[component][puff]`, kg.
    pub mass_kg: Vec<Vec<f64>>,
    /// Released, but not yet a puff, by component, kg.
    pub pending_kg: Vec<f64>,
    /// What single precision rounded off when gas went into the cells, by component, kg: it goes along with the next.
    pub remainder_kg: Vec<f64>,
    /// True while the emitter releases into the cells: a wall is too close for puffs.
    pub into_cells: bool,
    #[serde(skip)]
    index: Index,
}

/// One puff to be, just released.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NewPuff {
    /// Where.
    pub at_m: DVec3,
    /// Variances along x and y, and the covariance, m².
    pub across_m2: [f64; 3],
    /// Standard deviation along z, m.
    pub sigma_z_m: f64,
    /// Buoyancy flux, m⁴ s⁻³.
    pub buoyancy_m4_s3: f64,
}

/// A puff in its bin, with as much of it as tells whether it can reach a point.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    /// Level, row and column of the bin.
    bin: u64,
    puff: u32,
    x_m: f32,
    y_m: f32,
    reach_m: f32,
}

/// Where puffs are: bins as wide as the puffs in them reach, sorted.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Sorted by bin.
    entries: Vec<Entry>,
    /// Bit n is set if a puff reaches 2ⁿ m.
    levels: u32,
}

impl Puffs {
    /// No puffs yet of an emitter of so many components.
    #[must_use]
    pub fn new(law: VerticalLaw, components: usize) -> Self {
        let nothing = vec![0.0; components];
        Self { law, mass_kg: vec![Vec::new(); components], pending_kg: nothing.clone(), remainder_kg: nothing, ..Self::default() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x_m.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x_m.is_empty()
    }

    /// Adds a puff with the mass of each component.
    pub fn push(&mut self, puff: &NewPuff, mass_kg: impl Iterator<Item = f64>) {
        let depth = self.law.depth(puff.at_m.z, puff.sigma_z_m);
        let numbers = [
            (&mut self.x_m, puff.at_m.x),
            (&mut self.y_m, puff.at_m.y),
            (&mut self.z_m, puff.at_m.z),
            (&mut self.depth, depth),
            (&mut self.xx_m2, puff.across_m2[0]),
            (&mut self.yy_m2, puff.across_m2[1]),
            (&mut self.xy_m2, puff.across_m2[2]),
            (&mut self.age_s, 0.0),
            (&mut self.memory, 1.0),
            (&mut self.travelled_m, 0.0),
            (&mut self.buoyancy_m4_s3, puff.buoyancy_m4_s3),
        ];
        for (list, number) in numbers {
            list.push(number);
        }
        for (list, mass) in self.mass_kg.iter_mut().zip(mass_kg) {
            list.push(mass);
        }
    }

    /// Adds the puffs of another list of the same emitter.
    pub fn append(&mut self, mut other: Self) {
        let own = self.lists();
        for (list, more) in own.into_iter().zip(other.lists()) {
            list.append(more);
        }
    }

    /// Every list, in one order.
    fn lists(&mut self) -> Vec<&mut Vec<f64>> {
        let Self { x_m, y_m, z_m, depth, xx_m2, xy_m2, yy_m2, age_s, memory, travelled_m, buoyancy_m4_s3, mass_kg, .. } = self;
        let geometry = [x_m, y_m, z_m, depth, xx_m2, xy_m2, yy_m2, age_s, memory, travelled_m, buoyancy_m4_s3];
        geometry.into_iter().chain(mass_kg).collect()
    }

    /// Keeps the puffs for which `keep` holds, in order.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let kept: Vec<bool> = (0..self.len()).map(keep).collect();
        for list in self.lists() {
            let mut puff = 0..;
            list.retain(|_| puff.next().is_some_and(|n: usize| kept[n]));
        }
    }

    /// Standard deviations of a puff: the smaller one across, and along z, m.
    #[must_use]
    pub fn sigma_m(&self, puff: usize) -> (f64, f64) {
        let (xx, yy, xy) = (self.xx_m2[puff], self.yy_m2[puff], self.xy_m2[puff]);
        let smaller = 0.5 * (xx + yy - ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt());
        ((smaller.max(0.0)).sqrt(), self.law.sigma(self.z_m[puff], self.depth[puff]))
    }

    /// The box a puff reaches into: lower and upper corner, m.
    #[must_use]
    pub fn bounds_m(&self, puff: usize) -> (DVec3, DVec3) {
        let up = self.law.sigma(self.z_m[puff], self.depth[puff]);
        let reach = REACH * DVec3::new(self.xx_m2[puff].sqrt(), self.yy_m2[puff].sqrt(), up);
        let height = self.law.mean_height(self.z_m[puff], self.depth[puff]);
        let centre = DVec3::new(self.x_m[puff], self.y_m[puff], height);
        let (low, high) = (centre - reach, centre + reach);
        (low.max(DVec3::new(f64::MIN, f64::MIN, 0.0)), high)
    }

    /// The density of a kilogram across a puff at a place, 1/m²; 0 where it does not reach.
    #[must_use]
    pub fn across_per_m2(&self, puff: usize, x_m: f64, y_m: f64) -> f64 {
        let Some((distance, determinant)) = self.distance(puff, x_m, y_m) else {
            return 0.0;
        };
        libm::exp(-0.5 * distance) / (std::f64::consts::TAU * determinant.sqrt())
    }

    /// Squared distance of a place from the centre in standard deviations, and the determinant of the covariance; none beyond
    /// the reach.
    fn distance(&self, puff: usize, x_m: f64, y_m: f64) -> Option<(f64, f64)> {
        let (dx, dy) = (x_m - self.x_m[puff], y_m - self.y_m[puff]);
        let (xx, yy, xy) = (self.xx_m2[puff], self.yy_m2[puff], self.xy_m2[puff]);
        // no variance is larger than their sum
        if dx * dx + dy * dy > REACH * REACH * (xx + yy) {
            return None;
        }
        let determinant = xx * yy - xy * xy;
        let distance = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / determinant;
        (distance <= REACH * REACH).then_some((distance, determinant))
    }

    /// Mass of a component in the air, kg.
    #[must_use]
    pub fn airborne_kg(&self, component: usize) -> f64 {
        self.mass_kg[component].iter().sum::<f64>() + self.pending_kg[component] + self.remainder_kg[component]
    }

    /// The density of a puff of one kilogram at a point, kg m⁻³; 0 where it does not reach.
    #[must_use]
    pub fn density(&self, puff: usize, at_m: DVec3) -> f64 {
        let Some((distance, determinant)) = self.distance(puff, at_m.x, at_m.y) else {
            return 0.0;
        };
        let (factor, exponent) = self.law.shape(self.z_m[puff], self.depth[puff], at_m.z);
        factor * libm::exp(exponent - 0.5 * distance) / (std::f64::consts::TAU * determinant.sqrt())
    }

    /// Calls `each` with every cell a puff of one kilogram reaches into and its density there, kg m⁻³, as if cells blurred it: so that the sum over cells is its mass
    /// where all of it lies in the grid, however thin it is.
    pub fn on_cells(&self, puff: usize, grid: &Grid, mut each: impl FnMut(usize, f64)) {
        let blur_m2 = (CELL_BLUR * grid.cell()).powf(2.0);
        let sigma_z = self.law.sigma(self.z_m[puff], self.depth[puff]);
        let mut blurred = Self { law: self.law, ..Self::default() };
        blurred.push(
            &NewPuff {
                at_m: DVec3::new(self.x_m[puff], self.y_m[puff], self.z_m[puff]),
                across_m2: [self.xx_m2[puff] + blur_m2.x, self.yy_m2[puff] + blur_m2.y, self.xy_m2[puff]],
                sigma_z_m: (sigma_z * sigma_z + blur_m2.z).sqrt(),
                buoyancy_m4_s3: 0.0,
            },
            std::iter::empty(),
        );
        let (low, high) = blurred.bounds_m(0);
        let middle = DVec3::new(self.x_m[puff], self.y_m[puff], blurred.law.mean_height(blurred.z_m[0], blurred.depth[0]));
        let [x, y, z] = grid.ranges_between(middle + SHOWN * (low - middle), middle + SHOWN * (high - middle));
        let level = |k: usize| blurred.law.density(blurred.z_m[0], blurred.depth[0], grid.centre(0, 0, k).z);
        let levels: Vec<f64> = z.clone().map(level).collect();
        let place = |(j, i): (usize, usize)| blurred.across_per_m2(0, grid.centre(i, j, 0).x, grid.centre(i, j, 0).y);
        let across: Vec<f64> = y.clone().flat_map(|j| x.clone().map(move |i| (j, i))).map(place).collect();
        // level by level, as the cells lie
        for (k, level) in z.zip(&levels) {
            for (j, row) in y.clone().zip(across.chunks(x.len().max(1))) {
                let from = grid.index(x.start, j, k);
                row.iter().enumerate().filter(|(_, across)| **across > 0.0).for_each(|(i, across)| each(from + i, across * level));
            }
        }
    }

    /// Sorts the puffs into bins; to be called after they have moved.
    #[expect(clippy::cast_possible_truncation, reason = "fewer puffs than 2^32; places to a part in a million")]
    pub fn sort_into_bins(&mut self) {
        self.index = Index::default();
        if self.len() < FEW {
            return;
        }
        let mut entries = Vec::with_capacity(self.len());
        let mut levels = 0;
        for puff in 0..self.len() {
            let (xx, yy, xy) = (self.xx_m2[puff], self.yy_m2[puff], self.xy_m2[puff]);
            let larger = 0.5 * (xx + yy + ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt());
            let reach = REACH * larger.sqrt();
            let level = level_of(reach);
            levels |= 1 << level;
            let (x, y) = (self.x_m[puff], self.y_m[puff]);
            // single precision is wrong by less than a part in a million of the place
            let reach_m = (reach + 1e-6 * (x.abs() + y.abs()) + 1e-6) as f32;
            entries.push(Entry { bin: bin(level, x, y, [0, 0]), puff: puff as u32, x_m: x as f32, y_m: y as f32, reach_m });
        }
        entries.sort_unstable_by_key(|entry| (entry.bin, entry.puff));
        self.index = Index { entries, levels };
    }

    /// Calls `each` with every puff that may reach a point and the density there of a kilogram of it.
    pub fn visit(&self, at_m: DVec3, mut each: impl FnMut(usize, f64)) {
        let mut look = |puff: usize| {
            let density = self.density(puff, at_m);
            if density > 0.0 {
                each(puff, density);
            }
        };
        if self.index.entries.len() != self.len() || self.is_empty() {
            (0..self.len()).for_each(look);
            return;
        }
        let entries = &self.index.entries;
        #[expect(clippy::cast_possible_truncation, reason = "a first look only")]
        let (x, y) = (at_m.x as f32, at_m.y as f32);
        for level in (0..32).filter(|level| self.index.levels & (1 << level) != 0) {
            for row in -1..=1 {
                // three bins side by side are one stretch of the list
                let (first, last) = (bin(level, at_m.x, at_m.y, [-1, row]), bin(level, at_m.x, at_m.y, [1, row]));
                let from = entries.partition_point(|entry| entry.bin < first);
                for entry in entries[from..].iter().take_while(|entry| entry.bin <= last) {
                    let (dx, dy) = (x - entry.x_m, y - entry.y_m);
                    if dx * dx + dy * dy <= entry.reach_m * entry.reach_m {
                        look(entry.puff as usize);
                    }
                }
            }
        }
    }
}

/// The level of bins for puffs that reach this far: bins of 2ⁿ m.
fn level_of(reach_m: f64) -> u32 {
    (0..24).find(|level| f64::from(1u32 << level) >= reach_m).unwrap_or(24)
}

/// The number of the bin so many columns and rows from that of a point.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positions within 2^27 m")]
fn bin(level: u32, x_m: f64, y_m: f64, [columns, rows]: [i64; 2]) -> u64 {
    let width = f64::from(1u32 << level);
    let number = |at: f64, away: i64| ((at / width).floor() as i64 + away + BIN_ORIGIN).clamp(0, 2 * BIN_ORIGIN - 1) as u64;
    u64::from(level) << 56 | number(y_m, rows) << 28 | number(x_m, columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_law_of_a_growing_diffusivity_keeps_its_mass_and_has_its_moments() {
        let law = VerticalLaw::Proportional;
        for (z, depth) in [(8.0, 0.3), (2.0, 1.0), (0.5, 4.0), (0.0, 2.0)] {
            let step = 0.002;
            let sums = (0..80_000).fold([0.0; 3], |sums: [f64; 3], n| {
                let at = (f64::from(n) + 0.5) * step;
                let share = law.density(z, depth, at) * step;
                [sums[0] + share, sums[1] + share * at, sums[2] + share * at.ln()]
            });
            assert!((sums[0] - 1.0).abs() < 1e-5, "{z} {depth}: {sums:?}");
            assert!((sums[1] / law.mean_height(z, depth) - 1.0).abs() < 1e-5, "{z} {depth}: {sums:?}");
            assert!((sums[2].exp() / law.carried_at(z, depth) - 1.0).abs() < 1e-3, "{z} {depth}: {sums:?}");
        }
    }

    #[test]
    fn the_law_of_a_growing_diffusivity_solves_its_equation() {
        // ∂f/∂b = ∂/∂z (z ∂f/∂z) by central differences
        let law = VerticalLaw::Proportional;
        let (z, depth, e) = (2.0, 0.8, 1e-3);
        for at in [0.3, 1.0, 2.0, 5.0] {
            let f = |at: f64| law.density(z, depth, at);
            let flux = |at: f64| at * (f(at + e) - f(at - e)) / (2.0 * e);
            let right = (flux(at + e) - flux(at - e)) / (2.0 * e);
            let left = (law.density(z, depth + e, at) - law.density(z, depth - e, at)) / (2.0 * e);
            assert!((left - right).abs() < 3e-3 * (f(at) + right.abs()), "{at}: {left} {right}");
        }
    }

    #[test]
    fn a_depth_gives_back_its_spread() {
        for law in [VerticalLaw::Gaussian, VerticalLaw::Proportional] {
            for (z, sigma) in [(8.0, 0.1), (0.3, 0.1), (0.0, 2.0)] {
                assert!((law.sigma(z, law.depth(z, sigma)) / sigma - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_puff_on_cells_has_its_mass_and_its_place_however_thin_it_is() {
        let grid = Grid { shape: [30, 20, 12], cell_m: [4.0, 2.0, 3.0] };
        let at_m = DVec3::new(61.3, 19.2, 17.0);
        for law in [VerticalLaw::Gaussian, VerticalLaw::Proportional] {
            for (across_m2, sigma_z_m) in [([1e-4, 1e-4, 0.0], 0.01), ([90.0, 4.0, 15.0], 0.2), ([0.5, 16.0, 0.0], 4.0)] {
                let mut puffs = Puffs::new(law, 1);
                puffs.push(&NewPuff { at_m, across_m2, sigma_z_m, buoyancy_m4_s3: 0.0 }, std::iter::once(1.0));
                let (mut mass, mut middle) = (0.0, DVec3::ZERO);
                puffs.on_cells(0, &grid, |cell, density| {
                    let share = density * grid.cell_volume_m3();
                    mass += share;
                    middle += share * grid.centre(cell % 30, cell / 30 % 20, cell / 600);
                });
                let height = puffs.law.mean_height(puffs.z_m[0], puffs.depth[0]);
                let away = middle / mass - DVec3::new(at_m.x, at_m.y, height);
                assert!((mass - 1.0).abs() < 0.02 && away.length() < 0.3, "{law:?} {across_m2:?}: {mass} {away}");
            }
        }
        // of one that has left nothing is shown
        let mut gone = Puffs::new(VerticalLaw::Gaussian, 1);
        gone.push(
            &NewPuff { at_m: at_m + DVec3::X * 200.0, across_m2: [9.0, 9.0, 0.0], sigma_z_m: 3.0, buoyancy_m4_s3: 0.0 },
            std::iter::once(1.0),
        );
        gone.on_cells(0, &grid, |cell, density| panic!("{cell}: {density}"));
    }

    #[test]
    fn bins_find_the_puffs_a_look_at_all_of_them_finds() {
        let mut puffs = Puffs::new(VerticalLaw::Gaussian, 1);
        let mut draws = crate::streams::Stream::new(3, "puffs", "test").at(0);
        for _ in 0..2000 {
            let at_m = DVec3::new(draws.between(-50.0, 250.0), draws.between(0.0, 200.0), draws.between(0.0, 20.0));
            let (a, b) = (draws.between(0.1, 8.0), draws.between(0.1, 8.0));
            let puff = NewPuff { at_m, across_m2: [a * a, b * b, 0.3 * a * b], sigma_z_m: draws.between(0.1, 5.0), ..NewPuff::default() };
            puffs.push(&puff, std::iter::once(1.0));
        }
        let place = DVec3::new(100.0, 90.0, 5.0);
        let sum = |puffs: &Puffs| {
            let (mut sum, mut found) = (0.0, 0);
            puffs.visit(place, |puff, density| {
                sum += density * puffs.mass_kg[0][puff];
                found += 1;
            });
            (sum, found)
        };
        let all = sum(&puffs);
        puffs.sort_into_bins();
        let binned = sum(&puffs);
        assert!(all.1 > 10 && all.1 == binned.1 && (all.0 / binned.0 - 1.0).abs() < 1e-12, "{all:?} {binned:?}");
        puffs.retain(|puff| puff % 2 == 0);
        assert_eq!((puffs.len(), puffs.mass_kg[0].len(), puffs.depth.len()), (1000, 1000, 1000));
    }
}
