//! Sections 1.1, 1.2 and constancy: the real module through the real schedule in single precision, and the same
//! kernel in double precision where a limit lies below 1e-6.

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use envirosense::diagnostics::Source;
use envirosense::numerics::transport::{Course, Faces, Plan, Sides, Spread, scale_and_trim};
use envirosense::numerics::{Real, SimdLevel, Workers};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::{Diffusivity, FieldMut, Grid, HighFaces, Tick, TickSystems, WindX, WindY};
use envirosense::simulation::{Request, Simulation};
use envirosense::world::clock::Before;
use envirosense::world::field::Voxel;
use envirosense::world::tracers::Tracer;

use crate::table::{Line, accept};

/// What both precisions are asked to carry.
struct Case {
    size: [f64; 3],
    cell: f64,
    wind: f64,
    k: [f64; 3],
    mass: f64,
    source: [f64; 3],
    image: bool,
    decay: f64,
    from_s: f64,
    to_s: f64,
    tick_s: f64,
}

const P1: Case = Case {
    // longer than the 128 m asked for: there 2e-10 of the closed form lies beyond the outflow side
    size: [160.0, 64.0, 64.0],
    cell: 1.0,
    wind: 1.0,
    k: [0.8, 0.5, 0.3],
    mass: 1.0,
    source: [22.0, 32.0, 32.0],
    image: false,
    decay: 0.0,
    from_s: 20.0,
    to_s: 50.0,
    tick_s: 0.5,
};

const GROUND: Case = Case {
    size: [112.0, 56.0, 40.0],
    cell: 1.0,
    wind: 2.0,
    k: [1.0, 1.0, 0.5],
    mass: 1.0,
    source: [14.0, 28.0, 5.0],
    image: true,
    decay: 0.01,
    from_s: 10.0,
    to_s: 30.0,
    tick_s: 0.25,
};

impl Case {
    /// The closed form at time t, kg/m3.
    fn exact(&self, at: [f64; 3], t: f64) -> f64 {
        let peak =
            self.mass * (-self.decay * t).exp() / ((4.0 * std::f64::consts::PI * t).powf(1.5) * (self.k[0] * self.k[1] * self.k[2]).sqrt());
        let from = |height: f64| {
            let d = [at[0] - self.source[0] - self.wind * t, at[1] - self.source[1], at[2] - height];
            peak * (-(0..3).map(|i| d[i] * d[i] / (4.0 * self.k[i] * t)).sum::<f64>()).exp()
        };
        from(self.source[2]) + if self.image { from(-self.source[2]) } else { 0.0 }
    }

    fn shape(&self) -> [usize; 3] {
        self.size.map(|s| (s / self.cell).round() as usize)
    }

    fn centre(&self, n: usize) -> [f64; 3] {
        let [nx, ny, _] = self.shape();
        [n % nx, n / nx % ny, n / (nx * ny)].map(|i| (i as f64 + 0.5) * self.cell)
    }

    fn scenario(&self) -> String {
        let sigma = [0, 1, 2].map(|i| (2.0 * self.k[i] * self.from_s).sqrt());
        let mass = self.mass * (-self.decay * self.from_s).exp();
        format!(
            "Scenario(format: 1, name: \"case\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
            tick_s: {:?}, duration_s: {:?}, domain: (size_m: ({:?}, {:?}, {:?}), cell_m: {:?}), turbulence: Given(k_m2_s: ({:?}, {:?}, {:?})),
            weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), wind: Uniform(speed_m_s: {:?}, from_deg: 270.0),
            initial: [GaussianPuff(id: \"puff\", species: \"CO\", mass_kg: {mass:?}, at_m: ({:?}, {:?}, {:?}), sigma_m: ({:?}, {:?}, {:?}), ground_image: {}, decay_per_s: {:?})])",
            self.tick_s, self.to_s - self.from_s, self.size[0], self.size[1], self.size[2], self.cell, self.k[0], self.k[1], self.k[2], self.wind,
            self.source[0] + self.wind * self.from_s, self.source[1], self.source[2], sigma[0], sigma[1], sigma[2], self.image, self.decay,
        )
    }

    /// Through the real schedule.
    fn single(&self) -> Vec<f64> {
        let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("case.ron", self.scenario()), &Request::default()).unwrap();
        for _ in 0..simulation.ticks() {
            simulation.step().unwrap();
        }
        // transport may still hold up to one step back: let it finish exactly at the end
        tracer(&mut simulation.app)
    }

    /// The same kernel in double precision, in a small app of its own with the engine's tick.
    fn double(&self) -> Vec<f64> {
        #[derive(Resource)]
        struct Air {
            cells: Vec<f64>,
            step: usize,
        }
        let mut app = App::new();
        app.init_schedule(Tick);
        let cells = (0..self.shape().iter().product()).map(|n| self.exact(self.centre(n), self.from_s)).collect();
        app.insert_resource(Air { cells, step: 0 });
        let (shape, cell, wind, k, tick_s, decay) = (self.shape(), self.cell, self.wind, self.k, self.tick_s, self.decay);
        let workers = Workers::new(0, SimdLevel::Auto).unwrap();
        app.add_systems(Tick, move |mut air: ResMut<Air>| {
            let n = shape[0] * shape[1] * shape[2];
            let (u, still) = (vec![wind; n], vec![0.0; n]);
            let faces = Faces {
                shape,
                low: [&u, &still, &still],
                high: [&u[..shape[1] * shape[2]], &still[..shape[0] * shape[2]], &still[..shape[0] * shape[1]]],
            };
            let (x, y, z) = (vec![k[0]; shape[2]], vec![k[1]; shape[2]], vec![k[2]; shape[2] + 1]);
            let plan =
                Plan::new(faces, [cell; 3], tick_s, Spread { x: &x, y: &y, z_faces: &z }, Sides::Open, air.step % 2 == 1, Course::Straight);
            plan.advance(&mut air.cells, 0.0, &workers);
            scale_and_trim(&mut air.cells, (-decay * tick_s).exp());
            air.step += 1;
        });
        for _ in 0..((self.to_s - self.from_s) / self.tick_s).round() as usize {
            app.world_mut().run_schedule(Tick);
        }
        app.world().resource::<Air>().cells.clone()
    }

    fn relative_l2(&self, cells: &[f64]) -> f64 {
        let exact: Vec<f64> = (0..cells.len()).map(|n| self.exact(self.centre(n), self.to_s)).collect();
        let norm = |list: &mut dyn Iterator<Item = f64>| list.map(|v| v * v).sum::<f64>().sqrt();
        norm(&mut cells.iter().zip(&exact).map(|(a, b)| a - b)) / norm(&mut exact.iter().copied())
    }

    fn total(&self, cells: &[f64]) -> f64 {
        cells.iter().sum::<f64>() * self.cell.powi(3)
    }

    /// Centre and variance along an axis.
    fn moments(&self, cells: &[f64], axis: usize) -> (f64, f64) {
        let total: f64 = cells.iter().sum();
        let mean = cells.iter().enumerate().map(|(n, c)| c * self.centre(n)[axis]).sum::<f64>() / total;
        (mean, cells.iter().enumerate().map(|(n, c)| c * (self.centre(n)[axis] - mean).powi(2)).sum::<f64>() / total)
    }

    /// Trilinear between cell centres, as a sensor sees it.
    fn at(&self, cells: &[f64], point: [f64; 3]) -> f64 {
        let grid = Grid { shape: self.shape(), cell_m: [self.cell; 3] };
        grid.weights(glam::DVec3::from_array(point)).0.iter().map(|(n, w)| cells[*n] * w).sum()
    }
}

pub(crate) fn tracer(app: &mut App) -> Vec<f64> {
    let world = app.world_mut();
    let mut query = world.query_filtered::<&Tracer<0>, With<Voxel>>();
    query.iter(world).map(|c| f64::from(c.0)).collect()
}

fn line(case: String, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module: "dispersion", case, expected, measured, error, limit, source, missed: None }
}

const FORM: &str = "Gaussian in uniform wind, closed form";

fn puff(case: &Case, name: &str, l2: f64) -> Vec<Line> {
    let mut lines = Vec::new();
    for (precision, cells, mass_limit) in [("f32", case.single(), 1e-6), ("f64", case.double(), 1e-10)] {
        let start: f64 = (0..cells.len()).map(|n| case.exact(case.centre(n), case.from_s)).sum::<f64>() * case.cell.powi(3);
        let total = case.total(&cells);
        lines.push(line(format!("1.1-puff-{name}-l2-{precision}"), 0.0, case.relative_l2(&cells), case.relative_l2(&cells), l2, FORM));
        lines.push(line(
            format!("1.1-puff-{name}-mass-{precision}"),
            start,
            total,
            (total / start - 1.0).abs(),
            mass_limit,
            "mass drift, amendment A1",
        ));
        let least = cells.iter().copied().fold(f64::MAX, f64::min);
        let most = cells.iter().copied().fold(0.0, f64::max);
        let floor = if precision == "f32" { 1e-7 } else { 1e-12 };
        lines.push(line(format!("1.1-puff-{name}-minimum-{precision}"), 0.0, least, (-least / most).max(0.0), floor, "no negative values"));
        if name == "h1" {
            for (axis, exact) in [80.0, 50.0, 30.0].into_iter().enumerate() {
                let (_, variance) = case.moments(&cells, axis);
                lines.push(line(
                    format!("1.1-puff-variance-{axis}-{precision}"),
                    exact,
                    variance,
                    (variance / exact - 1.0).abs(),
                    0.03,
                    FORM,
                ));
            }
            let (centre, _) = case.moments(&cells, 0);
            lines.push(line(
                format!("1.1-puff-centre-{precision}"),
                72.0,
                centre,
                (centre - 72.0).abs(),
                0.02,
                "centre of mass within 0.02 h",
            ));
        }
    }
    lines
}

#[test]
fn a_puff_in_uniform_wind_on_one_metre_cells() {
    accept(&puff(&P1, "h1", 0.012));
}

#[test]
fn a_puff_in_uniform_wind_on_two_metre_cells() {
    accept(&puff(&Case { cell: 2.0, ..P1 }, "h2", 0.03));
}

#[test]
fn the_ground_reflects_and_the_gas_decays() {
    let mut lines = Vec::new();
    for (precision, cells) in [("f32", GROUND.single()), ("f64", GROUND.double())] {
        for (name, point, exact) in [("axis", [60.0, 0.0, 0.0], 1.887_14e-4), ("off", [64.0, 3.0, 2.0], 1.513_79e-4)] {
            // the published points are relative to a source at (0, 0, 5); at z = 0 the lowest cell centre is compared
            let at = [point[0] + GROUND.source[0], point[1] + GROUND.source[1], point[2]];
            let exact_there = if point[2] == 0.0 { GROUND.exact([at[0], at[1], 0.5], 30.0) } else { exact };
            assert!((GROUND.exact(at, 30.0) / exact - 1.0).abs() < 1e-5, "the closed form gives the published number");
            let measured = GROUND.at(&cells, [at[0], at[1], at[2].max(0.5)]);
            lines.push(line(
                format!("1.2-ground-{name}-{precision}"),
                exact_there,
                measured,
                (measured / exact_there - 1.0).abs(),
                0.02,
                "image source and decay, closed form",
            ));
        }
        let start: f64 = (0..cells.len()).map(|n| GROUND.exact(GROUND.centre(n), GROUND.from_s)).sum();
        let expected = start * (-0.01f64 * 20.0).exp();
        let total: f64 = cells.iter().sum();
        lines.push(line(format!("1.2-decay-mass-{precision}"), expected, total, (total / expected - 1.0).abs(), 1e-6, "M exp(-lambda t)"));
    }
    accept(&lines);
}

/// A wind that swirls in every horizontal plane and is divergence-free on the faces: a custom airflow module.
struct SwirlPlugin;

impl Plugin for SwirlPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Tick, swirl.in_set(Before(TickSystems::Transport)));
    }
}

fn swirl(grid: Res<Grid>, mut high: ResMut<HighFaces>, mut spread: ResMut<Diffusivity>, mut x: FieldMut<WindX>, mut y: FieldMut<WindY>) {
    let [nx, ny, nz] = grid.shape;
    let psi = |i: usize, j: usize| {
        let at = |n: usize, of: usize| (std::f64::consts::PI * n as f64 / of as f64).sin().powi(2);
        20.0 * at(i, nx) * at(j, ny)
    };
    let (x, y) = (x.as_mut_slice(), y.as_mut_slice());
    for k in 0..nz {
        for j in 0..ny {
            for i in 0..nx {
                x[grid.index(i, j, k)] = (psi(i, j + 1) - psi(i, j)) as f32;
                y[grid.index(i, j, k)] = (psi(i, j) - psi(i + 1, j)) as f32;
            }
        }
    }
    high.divergent_by_axis = true;
    high.version += 1;
    *spread = Diffusivity { x: vec![0.4; nz], y: vec![0.3; nz], z_faces: vec![0.2; nz + 1], ..Diffusivity::default() };
}

#[test]
fn a_uniform_tracer_stays_uniform_for_a_thousand_steps_in_a_swirl() {
    let text = "Scenario(format: 1, name: \"swirl\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.5, duration_s: 500.0, domain: (size_m: (40.0, 32.0, 8.0), cell_m: 1.0), turbulence: Laminar, wind: Calm,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
        initial: [Uniform(id: \"even\", species: \"CO\", density_kg_m3: 1.3e-6)])";
    let plugins = bevy_app::PluginGroup::build(EnviroSensePlugins).add(SwirlPlugin);
    let mut simulation = Simulation::load(plugins, &Source::new("swirl.ron", text), &Request::default()).unwrap();
    for _ in 0..1000 {
        simulation.step().unwrap();
    }
    let cells = tracer(&mut simulation.app);
    let worst = cells.iter().map(|c| (c / f64::from(f32::from_f64(1.3e-6)) - 1.0).abs()).fold(0.0, f64::max);
    let fastest = simulation.app.world_mut().query::<&WindX>().iter(simulation.app.world()).map(|u| u.0.abs()).fold(0.0, f32::max);
    assert!(fastest > 1.0, "the swirl moves: {fastest}");
    accept(&[line("1.5-uniform-in-swirl-f32".to_owned(), 1.0, 1.0 + worst, worst, 1e-6, "constancy over 1,000 steps, amendment A1")]);
}

/// Rolls around the y axis in a wind along it: the air that leaves a cell through all faces is far more than through any two.
struct RollsPlugin;

impl Plugin for RollsPlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(Tick, roll.in_set(Before(TickSystems::Transport)));
    }
}

fn roll(
    grid: Res<Grid>,
    mut high: ResMut<HighFaces>,
    mut x: FieldMut<WindX>,
    mut y: FieldMut<WindY>,
    mut z: FieldMut<envirosense::prelude::WindZ>,
) {
    let [nx, ny, nz] = grid.shape;
    let wave = |n: usize, of: usize| (4.0 * std::f64::consts::PI * n as f64 / of as f64).sin();
    let psi = |i: usize, k: usize| 2.0 * wave(i, nx) * wave(k, nz);
    for k in 0..nz {
        for j in 0..ny {
            for i in 0..nx {
                let cell = grid.index(i, j, k);
                x.as_mut_slice()[cell] = (psi(i, k + 1) - psi(i, k)) as f32;
                z.as_mut_slice()[cell] = (psi(i, k) - psi(i + 1, k)) as f32;
                y.as_mut_slice()[cell] = 1.59;
            }
        }
    }
    high.y.fill(1.59);
    high.divergent_by_axis = true;
    high.version += 1;
}

#[test]
fn a_sharp_cloud_in_rolls_never_becomes_negative() {
    let text = "Scenario(format: 1, name: \"rolls\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.5, duration_s: 500.0, domain: (size_m: (16.0, 40.0, 16.0), cell_m: 1.0), turbulence: Laminar, wind: Calm,
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
        initial: [GaussianPuff(id: \"cloud\", species: \"CO\", mass_kg: 1.0, at_m: (8.0, 8.0, 8.0), sigma_m: (2.0, 0.5, 2.0))])";
    let plugins = bevy_app::PluginGroup::build(EnviroSensePlugins).add(RollsPlugin);
    let mut simulation = Simulation::load(plugins, &Source::new("rolls.ron", text), &Request::default()).unwrap();
    let (mut least, mut most) = (0.0f64, 0.0f64);
    for _ in 0..30 {
        simulation.step().unwrap();
        let cells = tracer(&mut simulation.app);
        least = cells.iter().copied().fold(least, f64::min);
        most = cells.iter().copied().fold(most, f64::max);
    }
    accept(&[line("1.5-rolls-minimum-f32".to_owned(), 0.0, least, (-least / most).max(0.0), 1e-7, "minimum over maximum, amendment A1")]);
}
