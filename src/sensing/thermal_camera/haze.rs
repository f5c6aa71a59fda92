//! What smoke and hot air do to the light on its way to a camera.
//!
//! Between 8 and 14 µm smoke absorbs and emits, it scatters next to nothing: its particles are much smaller than the wavelength. Air absorbs as the law of `band` has it,
//! warm air at its own temperature. With `D` the radiance over that of the air around, `τ` what air lets through up to a distance and `t` what the smoke of a stretch from
//! a to b lets through, from far to near: `D ← D t + [τ(a) − τ(b) t] [L(T) − L(T_air)]`. For stretches that are even in themselves that is the transfer without
//! scattering, exactly. Both are known on the cells; puffs are blurred by a cell, so what is thinner than one looks as wide as one and as much.
//! Source: Modest, *Radiative Heat Transfer*, 2013, ch. 10. Left out: bands of the gases of a fire beyond those of air, what smoke hides from a flame inside it.

use glam::DVec3;

use crate::files::species::SpeciesTable;
use crate::numerics::Workers;
use crate::sensing::thermal_camera::band::tabled_radiance;
use crate::sensing::thermal_camera::optics::Lens;
use crate::sensing::thermal_camera::view;
use crate::world::Grid;
use crate::world::air::air_kg_m3;
use crate::world::environment::{Surroundings, View};
use crate::world::tracers::{Contents, Release};

/// Cells with less smoke than this, m⁻¹, and less warmth, K, count as clear: over a hundred metres of them both are below a hundredth of a kelvin in the image.
const CLEAR: (f64, f64) = (1e-6, 0.1);

/// Smoke and hot air of a moment.
#[derive(Clone, Debug)]
pub struct Haze {
    grid: Grid,
    /// Of each cell: absorption by smoke in m⁻¹ and how much brighter its air is than the air around, W m⁻² sr⁻¹.
    cells: Vec<(f64, f64)>,
    /// Corners of what is not clear, in cells.
    low: DVec3,
    high: DVec3,
}

/// A part of a way that is even in itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Where it begins, m from the camera.
    pub from_m: f64,
    /// Where it ends.
    pub to_m: f64,
    /// Absorption by smoke, m⁻¹.
    pub smoke_per_m: f64,
    /// Radiance of a black body as warm as its air less that of the air around, W m⁻² sr⁻¹.
    pub glow: f64,
}

impl Haze {
    /// The haze that smoke (m⁻¹) and heat (kg K m⁻³) on the cells make of air like that `around` the camera. None where they make none.
    #[must_use]
    pub fn of(grid: &Grid, [smoke_per_m, heat]: &[Vec<f64>; 2], around: &Surroundings) -> Option<Self> {
        let weather_k = around.weather_temperature_k;
        let per_k = air_kg_m3(around.pressure_pa, weather_k);
        let warmth_k: Vec<f64> = heat.iter().map(|heat| heat / per_k).collect();
        Self::new(grid, smoke_per_m, &warmth_k, weather_k)
    }

    /// Smoke (m⁻¹) and heat (kg K m⁻³) from some slots on every cell; none where there is neither.
    #[must_use]
    pub fn on_cells(air: &View<'_>, species: &SpeciesTable, slots: impl Fn(usize) -> bool) -> Option<[Vec<f64>; 2]> {
        air.sums_on_cells(|slot, release| {
            let warms = f64::from(u8::from(release.is_heat()));
            if slots(slot) { [absorbs_m2_kg(release, species), warms] } else { [0.0; 2] }
        })
    }

    /// Whether something in some slots makes haze.
    #[must_use]
    pub fn hangs(air: &View<'_>, species: &SpeciesTable, slots: impl Fn(usize) -> bool) -> bool {
        air.holds(|slot, release| slots(slot) && (release.is_heat() || absorbs_m2_kg(release, species) > 0.0))
    }

    /// Smoke in m⁻¹ and warmth over `air_k` in K on every cell. None where all is clear.
    #[must_use]
    pub fn new(grid: &Grid, smoke_per_m: &[f64], warmth_k: &[f64], air_k: f64) -> Option<Self> {
        let air = tabled_radiance(air_k);
        let mut cells = vec![(0.0, 0.0); grid.len()];
        let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
        for (n, cell) in cells.iter_mut().enumerate() {
            let [smoke, warmth] = [smoke_per_m[n], warmth_k[n]];
            if smoke <= CLEAR.0 && warmth.abs() <= CLEAR.1 {
                continue;
            }
            *cell = (smoke.max(0.0), tabled_radiance(air_k + warmth) - air);
            let [nx, ny, _] = grid.shape;
            let corner = DVec3::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
            (low, high) = (low.min(corner), high.max(corner + DVec3::ONE));
        }
        (low.x < high.x).then_some(Self { grid: *grid, cells, low, high })
    }

    /// The stretches that are not clear on the way through the middle of every pixel, row by row, as far as a view sees.
    #[must_use]
    pub fn ways(&self, lens: &Lens, view: &view::View, workers: &Workers) -> Vec<Vec<Stretch>> {
        let [width, height] = lens.size;
        let ahead = |x: usize, y: usize| lens.towards(x as f64 + 0.5, y as f64 + 0.5);
        let rows = workers.map(
            (0..height).collect(),
            || (),
            |(), _, y| (0..width).map(|x| self.along(lens.at_m, ahead(x, y), view.farthest_m(x + width * y))).collect::<Vec<_>>(),
        );
        rows.into_iter().flatten().collect()
    }

    /// The stretches that are not clear from a point along a unit vector up to a distance, from near to far: from face to face through the cells.
    ///
    /// Source of the walk: Amanatides and Woo, *Eurographics* 1987.
    #[must_use]
    pub fn along(&self, from: DVec3, towards: DVec3, up_to_m: f64) -> Vec<Stretch> {
        let (from, towards) = (from / self.grid.cell(), towards / self.grid.cell());
        let [one, other] = [self.low, self.high].map(|corner| (corner - from) / towards);
        // along an axis on which it does not move a way is inside always or never
        let still = towards.cmpeq(DVec3::ZERO);
        if (still & (from.cmplt(self.low) | from.cmpgt(self.high))).any() {
            return Vec::new();
        }
        let enters = DVec3::select(still, DVec3::NEG_INFINITY, one.min(other)).max_element().max(0.0);
        let leaves = DVec3::select(still, DVec3::INFINITY, one.max(other)).min_element().min(up_to_m);
        let mut list: Vec<Stretch> = Vec::new();
        let mut at_m = enters;
        if enters >= leaves {
            return list;
        }
        let inside = (from + towards * enters).clamp(self.low, self.high - DVec3::splat(1e-9)).floor();
        let mut index = self.index(inside);
        let next = DVec3::select(towards.cmpgt(DVec3::ZERO), inside + 1.0, inside);
        let mut ends = DVec3::select(still, DVec3::INFINITY, (next - from) / towards).to_array();
        let a_cell = towards.abs().recip().to_array();
        let [nx, ny, _] = self.grid.shape;
        // cells that are left along each axis, this one included
        let ahead = DVec3::select(towards.cmpgt(DVec3::ZERO), self.high - inside, inside - self.low + 1.0);
        let mut left = ahead.to_array();
        loop {
            let axis = if ends[0] <= ends[1].min(ends[2]) { 0 } else { 1 + usize::from(ends[2] < ends[1]) };
            let to_m = ends[axis].min(leaves);
            let (smoke_per_m, glow) = self.cells[index];
            if (smoke_per_m > 0.0 || glow != 0.0) && to_m > at_m {
                match list.last_mut() {
                    Some(last) if last.to_m == at_m && last.smoke_per_m == smoke_per_m && last.glow == glow => last.to_m = to_m,
                    _ => list.push(Stretch { from_m: at_m, to_m, smoke_per_m, glow }),
                }
            }
            at_m = at_m.max(to_m);
            left[axis] -= 1.0;
            if to_m >= leaves || left[axis] <= 0.0 {
                return list;
            }
            ends[axis] += a_cell[axis];
            let step = [1, nx, nx * ny][axis];
            index = if towards[axis] > 0.0 { index + step } else { index - step };
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cell of the grid")]
    fn index(&self, cell: DVec3) -> usize {
        self.grid.index(cell.x as usize, cell.y as usize, cell.z as usize)
    }
}

/// What a kilogram of a release absorbs between 8 and 14 µm, m² kg⁻¹.
fn absorbs_m2_kg(release: &Release, species: &SpeciesTable) -> f64 {
    let Contents::Release { particles, .. } = &release.contents else { return 0.0 };
    particles.iter().map(|(class, part)| part * 1e3 * species.particles()[*class].long_wave_m2_g.get()).sum()
}

/// The radiance over that of the air around that is left of `excess` once it has come from `range_m` through these stretches, of which those beyond do not count;
/// `through` is what air lets through up to a distance.
#[must_use]
pub fn seen_through(excess: f64, range_m: f64, stretches: &[Stretch], through: impl Fn(f64) -> f64) -> f64 {
    let before = stretches.partition_point(|stretch| stretch.from_m < range_m);
    stretches[..before].iter().rev().fold(excess, |excess, stretch| {
        let to_m = stretch.to_m.min(range_m);
        let clear = libm::exp(-stretch.smoke_per_m * (to_m - stretch.from_m));
        excess * clear + (through(stretch.from_m) - through(to_m) * clear) * stretch.glow
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { shape: [10, 8, 4], cell_m: [1.0, 2.0, 0.5] };

    fn even(smoke: f64, warmth: f64) -> Haze {
        Haze::new(&GRID, &vec![smoke; GRID.len()], &vec![warmth; GRID.len()], 293.15).unwrap()
    }

    #[test]
    fn a_way_through_even_haze_is_as_long_as_it_is_from_side_to_side() {
        let haze = even(0.1, 5.0);
        let from = DVec3::new(0.3, 1.1, 0.2);
        for towards in [DVec3::X, DVec3::Y, DVec3::new(0.5, -0.2, 0.1), DVec3::new(-0.1, 0.7, 0.01), DVec3::new(0.6, 0.6, 0.0)] {
            let towards = towards.normalize();
            let ways = haze.along(from, towards, f64::INFINITY);
            let side = DVec3::select(towards.cmpgt(DVec3::ZERO), GRID.size_m(), DVec3::ZERO);
            let out_m = DVec3::select(towards.cmpeq(DVec3::ZERO), DVec3::INFINITY, (side - from) / towards).min_element();
            assert!((ways.iter().map(|s| s.to_m - s.from_m).sum::<f64>() - out_m).abs() < 1e-9 && ways[0].from_m == 0.0, "{towards}");
            assert!(ways.windows(2).all(|pair| (pair[0].to_m - pair[1].from_m).abs() < 1e-9));
        }
        // from outside, and past it
        assert!(
            (haze.along(DVec3::new(-4.0, 1.1, 0.2), DVec3::X, f64::INFINITY).iter().map(|s| s.to_m - s.from_m).sum::<f64>() - 10.0).abs()
                < 1e-9
        );
        assert!(
            haze.along(DVec3::new(-4.0, 1.1, 9.0), DVec3::X, f64::INFINITY).is_empty()
                && haze.along(from - DVec3::X, -DVec3::X, f64::INFINITY).is_empty()
        );
    }

    #[test]
    fn only_cells_that_are_not_clear_are_on_a_way() {
        let mut smoke = vec![0.0; GRID.len()];
        smoke[GRID.index(4, 2, 1)] = 0.3;
        smoke[GRID.index(7, 2, 1)] = 0.6;
        let haze = Haze::new(&GRID, &smoke, &vec![0.0; GRID.len()], 293.15).unwrap();
        let ways = haze.along(DVec3::new(0.5, 5.0, 0.75), DVec3::X, 7.0);
        let lengths: Vec<(f64, f64, f64)> = ways.iter().map(|s| (s.from_m, s.to_m, s.smoke_per_m)).collect();
        assert_eq!(lengths, [(3.5, 4.5, 0.3), (6.5, 7.0, 0.6)]);
        assert!(Haze::new(&GRID, &vec![0.0; GRID.len()], &vec![0.0; GRID.len()], 293.15).is_none());
    }

    #[test]
    fn smoke_dims_hot_air_glows_and_dense_hot_smoke_hides_all() {
        let stretch = |smoke_per_m, glow| [Stretch { from_m: 4.0, to_m: 9.0, smoke_per_m, glow }];
        let air = |range_m: f64| libm::exp(-0.01 * range_m);
        assert!((seen_through(20.0, 50.0, &stretch(0.1, 0.0), air) - 20.0 * libm::exp(-0.5)).abs() < 1e-12);
        assert!((seen_through(0.0, 50.0, &stretch(0.0, 80.0), air) - 80.0 * (air(4.0) - air(9.0))).abs() < 1e-12);
        assert!((seen_through(20.0, 50.0, &stretch(50.0, 80.0), air) - 80.0 * air(4.0)).abs() < 1e-9);
        // a surface in the middle of it, and one before it
        assert!((seen_through(20.0, 6.0, &stretch(0.1, 0.0), air) - 20.0 * libm::exp(-0.2)).abs() < 1e-12);
        assert_eq!(seen_through(20.0, 4.0, &stretch(0.1, 30.0), air), 20.0);
        // two halves are the whole
        let halves = [Stretch { to_m: 6.0, ..stretch(0.1, 80.0)[0] }, Stretch { from_m: 6.0, ..stretch(0.1, 80.0)[0] }];
        assert!((seen_through(20.0, 50.0, &halves, air) - seen_through(20.0, 50.0, &stretch(0.1, 80.0), air)).abs() < 1e-12);
    }
}
