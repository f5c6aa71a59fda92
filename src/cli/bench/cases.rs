//! The cases that are timed.

use std::time::{Duration, Instant};

use bevy_ecs::prelude::With;
use cpu_time::ProcessTime;
use glam::DVec3;
use rayon::prelude::*;

use crate::diagnostics::Source;
use crate::numerics::transport::{Course, Faces, Plan, Sides, Spread};
use crate::numerics::{SimdLevel, Workers};
use crate::physics::airflow::around::{Around, FaceWind};
use crate::physics::airflow::eddies::{Eddies, Moment, Spectrum};
use crate::physics::airflow::les::{DIVERGENCE, Flow, FlowState, Forces, Side, Sides as FlowSides, Wall, vreman};
use crate::physics::airflow::wave_sum::WaveSum;
use crate::physics::dispersion::motion::{PuffAir, advance};
use crate::plugins::EnviroSensePlugins;
use crate::sensing::pipeline::Instrument;
use crate::sensing::thermal_camera::ThermalCamera;
use crate::simulation::{Request, Simulation, SimulationError};
use crate::streams::Stream;
use crate::world::Grid;
use crate::world::air::{Diffusivity, WindSampler};
use crate::world::puffs::{NewPuff, Puffs, VerticalLaw};
use crate::world::shape::Shape;
use crate::world::solid::Solids;

/// Ticks of the demo that are timed: 300 s, the last of them with smoke in the air.
pub(super) const DEMO_TICKS: u32 = 3_600;

/// The shared transport case: a Gaussian puff of σ = 4 m in a wind of (1, 0.5, 0.25) m/s, K = 0.1 m²/s, 100 steps of
/// 0.2 s. Returns cell updates a CPU-second of the best repetition and the relative L2 error against the exact puff.
pub(super) fn puff(repeats: u32, workers: &Workers) -> (f64, f64) {
    const N: usize = 64;
    const STEPS: usize = 100;
    let shape = [N; 3];
    let exact = |t: f64| -> Vec<f32> {
        let variance = 16.0 + 0.2 * t;
        let centre = [0.3 * 64.0 + t, 0.35 * 64.0 + 0.5 * t, 0.4 * 64.0 + 0.25 * t];
        (0..N * N * N)
            .map(|n| {
                let at = [n % N, n / N % N, n / (N * N)];
                let r2: f64 = (0..3).map(|axis| (at[axis] as f64 + 0.5 - centre[axis]).powi(2)).sum();
                #[expect(clippy::cast_possible_truncation, reason = "single precision is what is measured")]
                let value = ((16.0 / variance).powf(1.5) * (-r2 / (2.0 * variance)).exp()) as f32;
                value
            })
            .collect()
    };
    let wind = [1.0f32, 0.5, 0.25].map(|u| vec![u; N * N * N]);
    let high = [1.0f32, 0.5, 0.25].map(|u| vec![u; N * N]);
    let faces = Faces { shape, low: [&wind[0], &wind[1], &wind[2]], high: [&high[0], &high[1], &high[2]] };
    let (level, level_faces) = (vec![0.1; N], vec![0.1; N + 1]);
    let spread = Spread { x: &level, y: &level, z_faces: &level_faces };
    let mut best = Duration::MAX;
    let mut cells = Vec::new();
    for _ in 0..repeats {
        cells = exact(0.0);
        let begun = ProcessTime::now();
        for step in 0..STEPS {
            Plan::new(faces, [1.0; 3], 0.2, spread, Sides::Open, step % 2 == 1, Course::Straight).advance(&mut cells, 0.0, workers);
        }
        best = best.min(begun.elapsed());
    }
    let truth = exact(0.2 * STEPS as f64);
    let square = |list: &mut dyn Iterator<Item = f64>| list.map(|v| v * v).sum::<f64>().sqrt();
    let error = square(&mut cells.iter().zip(&truth).map(|(a, b)| f64::from(a - b))) / square(&mut truth.iter().map(|v| f64::from(*v)));
    ((N * N * N * STEPS) as f64 / best.as_secs_f64(), error)
}

/// Cell updates a CPU-second of a domain of this shape in the same wind, one core.
pub(super) fn cell_rate(shape: [usize; 3], repeats: u32, workers: &Workers) -> f64 {
    const STEPS: usize = 4;
    let [nx, ny, nz] = shape;
    let n = nx * ny * nz;
    let wind = [1.0f32, 0.5, 0.25].map(|u| vec![u; n]);
    let faces = Faces { shape, low: [&wind[0], &wind[1], &wind[2]], high: [&wind[0][..ny * nz], &wind[1][..nx * nz], &wind[2][..nx * ny]] };
    let (level, level_faces) = (vec![0.1; nz], vec![0.1; nz + 1]);
    let spread = Spread { x: &level, y: &level, z_faces: &level_faces };
    let mut cells = vec![1.0f32; n];
    let mut best = Duration::MAX;
    for _ in 0..repeats {
        let begun = ProcessTime::now();
        for step in 0..STEPS {
            Plan::new(faces, [1.0; 3], 0.2, spread, Sides::Open, step % 2 == 1, Course::Straight).advance(&mut cells, 0.0, workers);
        }
        best = best.min(begun.elapsed());
    }
    (n * STEPS) as f64 / best.as_secs_f64()
}

/// Bytes a CPU-second that a triad `a = b + 3 c` moves through memory on one core.
pub(super) fn triad_rate(repeats: u32) -> f64 {
    const N: usize = 1 << 23;
    let (mut a, b, c) = (vec![0.0f64; N], vec![1.0f64; N], vec![2.0f64; N]);
    let mut best = Duration::MAX;
    for _ in 0..repeats.max(3) {
        let begun = ProcessTime::now();
        for ((a, b), c) in a.iter_mut().zip(&b).zip(&c) {
            *a = b + 3.0 * c;
        }
        best = best.min(begun.elapsed());
        std::hint::black_box(&a);
    }
    (3 * 8 * N) as f64 / best.as_secs_f64()
}

/// Milliseconds a tick of a run of so many emitters of one component, of which so many gases are looked at.
pub(super) fn run_of(emitters: usize, gases: usize, repeats: u32) -> Result<f64, SimulationError> {
    const GASES: [&str; 12] =
        ["CO", "CO2", "CH4", "formaldehyde", "acetaldehyde", "acrolein", "phenol", "cresol", "guaiacol", "methanol", "furfural", "benzene"];
    let probes: String = GASES[..gases]
        .iter()
        .map(|gas| format!("(id: \"{gas}\", over: Point((40.0, 16.0, 4.0)), every_s: 1.0, quantity: \"gas/{gas}\"),"))
        .collect();
    let emitters: String = (0..emitters)
        .map(|n| {
            let y = 16.0 + n as f64;
            format!(
                "(id: \"wood-{n}\", at_m: (10.0, {y:?}, 4.0), background: true, \
                 kind: smouldering_wood(mass_kg: 1.0, heated_by: Ignited(at_s: 0.0))),"
            )
        })
        .collect();
    let text = format!(
        "Scenario(format: 1, name: \"bench\", start: \"2026-01-01T00:00:00Z\", \
         site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0, ground: \"pasture\"), tick_s: 0.2, duration_s: 40.0, \
         domain: (size_m: (64.0, 32.0, 32.0), cell_m: 1.0), \
         weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1000.0), \
         wind: Profile(speed_m_s: 2.0, at_m: 10.0, from_deg: 270.0), emitters: [{emitters}], probes: [{probes}])"
    );
    let mut best = f64::MAX;
    for _ in 0..repeats {
        let request = Request { threads: 1, ..Request::default() };
        let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("bench.ron", text.clone()), &request)?;
        best = best.min(stepped(&mut simulation, 200)?);
    }
    Ok(best)
}

/// CPU-seconds of the mass-consistent wind around blocks that fill 8 % of 128 x 128 x 64 cells.
pub(super) fn wind_around(workers: &Workers) -> f64 {
    let grid = Grid { shape: [128, 128, 64], cell_m: [1.0; 3] };
    let block = |n: usize| {
        let (x, y) = (8.0 + 28.0 * (n % 4) as f64, 8.0 + 28.0 * (n / 4) as f64);
        Shape::Box { min: DVec3::new(x, y, 0.0), max: DVec3::new(x + 16.0, y + 16.0, 20.0) }
    };
    let blocks: Vec<Shape> = (0..16).map(block).collect();
    let around = Around::new(grid, &Solids::new(&blocks, &grid, false), false);
    let mut wind = FaceWind {
        low: [vec![5.0; grid.len()], vec![1.0; grid.len()], vec![0.0; grid.len()]],
        high: [vec![5.0; 128 * 64], vec![1.0; 128 * 64], vec![0.0; 128 * 128]],
    };
    let begun = ProcessTime::now();
    around.adjust(&mut wind, &mut vec![0.0; grid.len()], 1e-6, workers);
    begun.elapsed().as_secs_f64()
}

/// Cell updates a CPU-second of the resolved flow: a box of 64³ with eddies in it and warm air below, walls all around.
pub(super) fn les_rate(repeats: u32, workers: &Workers) -> f64 {
    const N: usize = 64;
    const STEPS: usize = 10;
    const VISCOSITY: f64 = 0.01;
    let grid = Grid { shape: [N; 3], cell_m: [1.0; 3] };
    let wall = Side::Wall(Wall::Smooth { velocity_m_s: [0.0; 3], viscosity_m2_s: VISCOSITY });
    let mut flow = Flow::new(&grid, &Solids::default(), FlowSides { sides: [[wall; 2]; 3], obstacles: Wall::Slip });
    let lattice = *flow.lattice();
    let mut state = FlowState::still(&lattice);
    let spectrum = Spectrum { sigma: [1.0; 3], length_m: 20.0, highest_rad_m: 1.5 };
    let eddies = Eddies::drawn(spectrum, &Stream::new(1, "bench", "eddies"));
    let now = Moment { scale_m_s: 1.0, towards: (1.0, 0.0), ..Moment::default() };
    let random = WaveSum::new(&grid, &eddies, &now);
    let row = random.row(0, N);
    for component in 0..3 {
        for j in 1..=N {
            let corner = lattice.face_m(component, lattice.at([1, j, 1]));
            let levels = random.levels(component, corner[2], N);
            let plane = random.plane(component, &row, &levels, (corner[0], corner[1]), workers.simd);
            for (k, more) in plane.chunks_exact(N).enumerate() {
                state.velocity[component][lattice.row(j, k + 1)].copy_from_slice(more);
            }
        }
    }
    flow.close(&mut state.velocity);
    flow.project(&mut state.velocity, &mut state.increment, DIVERGENCE, workers);
    let buoyancy: Vec<f64> = (0..lattice.len()).map(|place| if lattice.face_m(2, place)[2] < 1.0 { 0.3 } else { 0.0 }).collect();
    let mut viscosity = vec![VISCOSITY; lattice.len()];
    let mut best = Duration::MAX;
    for _ in 0..repeats {
        let begun = ProcessTime::now();
        for _ in 0..STEPS {
            flow.fill_ghosts(&mut state.velocity);
            vreman(&lattice, &state.velocity, VISCOSITY, &mut viscosity, workers);
            flow.wrap(&mut viscosity);
            let forces = Forces { viscosity: &viscosity, buoyancy: Some(&buoyancy), drive: [0.0; 3] };
            flow.advance(&mut state, forces, 0.1, workers);
        }
        best = best.min(begun.elapsed());
    }
    (N * N * N * STEPS) as f64 / best.as_secs_f64()
}

/// So many puffs of a plume, in a wind of one level.
fn puffs(count: usize) -> Puffs {
    let mut puffs = Puffs::new(VerticalLaw::Proportional, 1);
    let mut draws = Stream::new(1, "bench", "puffs").at(0);
    for _ in 0..count {
        let at_m = DVec3::new(draws.between(0.0, 1000.0), draws.between(0.0, 1000.0), draws.between(0.5, 10.0));
        let sigma = draws.between(0.5, 8.0);
        let across_m2 = [sigma * sigma, sigma * sigma, 0.0];
        puffs.push(&NewPuff { at_m, across_m2, sigma_z_m: 0.5 * sigma, ..NewPuff::default() }, std::iter::once(1.0));
    }
    puffs.sort_into_bins();
    puffs
}

/// Puffs moved in a CPU-second, and microseconds to find the density among 100,000 of them at a point.
pub(super) fn puff_moves_and_queries(repeats: u32) -> (f64, f64) {
    const PUFFS: usize = 100_000;
    let grid = Grid { shape: [1, 1, 30], cell_m: [1000.0, 1000.0, 1.0] };
    let level = |k: usize| (k as f64 + 0.5).ln_1p();
    let diffusivity = Diffusivity {
        x: (0..30).map(|k| 0.3 * level(k)).collect(),
        y: (0..30).map(|k| 0.3 * level(k)).collect(),
        z_faces: (0..=30).map(|k| 0.1 * f64::from(k)).collect(),
        sigma_v: vec![0.6; 30],
        lagrangian_s: (0..30).map(|k| 0.3 * level(k)).collect(),
        ..Diffusivity::default()
    };
    let wind = WindSampler::by_level(grid, (0..30).map(|k| (level(k), 0.0)).collect());
    let air = PuffAir::new(wind, &diffusivity, 1.0);
    let mut all = puffs(PUFFS);
    let mut best = Duration::MAX;
    for _ in 0..4 * repeats {
        let begun = ProcessTime::now();
        advance(&mut all, &air, 0.5, SimdLevel::Auto);
        best = best.min(begun.elapsed());
    }
    let moves = PUFFS as f64 / best.as_secs_f64();
    let all = puffs(PUFFS);
    let mut draws = Stream::new(2, "bench", "queries").at(0);
    let places: Vec<DVec3> =
        (0..2000).map(|_| DVec3::new(draws.between(0.0, 1000.0), draws.between(0.0, 1000.0), draws.between(0.0, 10.0))).collect();
    let mut best = Duration::MAX;
    for _ in 0..repeats {
        let begun = ProcessTime::now();
        let mut sum = 0.0;
        for place in &places {
            all.visit(*place, |puff, density| sum += density * all.mass_kg[0][puff]);
        }
        std::hint::black_box(sum);
        best = best.min(begun.elapsed());
    }
    (moves, best.as_secs_f64() * 1e6 / places.len() as f64)
}

/// A unit at normal cadence with `fidelity: Plume`, an hour of it with smoke in the air at its end: times real time.
pub(super) fn plume_unit() -> Result<f64, SimulationError> {
    const HOURS: u32 = 24;
    let text = r#"Scenario(format: 1, name: "plume", start: "2026-01-01T00:00:00Z", tick_s: 10.0, duration_s: 86400.0, fidelity: Plume,          site: (latitude_deg: 38.6, longitude_deg: -121.3, elevation_m: 90.0, ground: "tall_grass"),          domain: (size_m: (120.0, 60.0, 30.0), cell_m: 1.0), turbulence: Ensemble,          weather: Diurnal(mean_c: 22.0, swing_k: 9.0, dew_point_c: 11.0, pressure_hpa: 1003.0),          wind: Profile(speed_m_s: 2.2, at_m: 10.0, from_deg: 276.0, obukhov_m: -200.0),          background: [(species: "O3", mean_ppb: 35.0, swing_ppb: 20.0, peak_h: 15.0, sigma_ppb: 3.0, tau_s: 900.0)],          emitters: [(id: "branch", at_m: (40.0, 31.0, 8.0), background: true,          kind: smouldering_wood(mass_kg: 12.0, heated_by: Ignited(at_s: 82800.0)))],          devices: [(id: "gg-01", product: "grid_guardian", at_m: (50.0, 30.0, 0.0))])"#;
    let request = Request { threads: 1, ..Request::default() };
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("bench.ron", text.to_owned()), &request)?;
    simulation.record_to(crate::recording::SampleList::default());
    let ms = stepped(&mut simulation, HOURS * 360)?;
    Ok(10.0 * 1e3 / ms)
}

/// What a second thread gains transport of 128 x 128 x 64 cells, and the slower of two controls that ran in between: a
/// triad, which memory bounds, and a chain of square roots, which nothing bounds.
pub(super) fn two_threads(repeats: u32) -> Result<(f64, f64), SimulationError> {
    const SHAPE: [usize; 3] = [128, 128, 64];
    let n: usize = SHAPE.iter().product();
    let wind = [1.0f32, 0.5, 0.25].map(|u| vec![u; n]);
    let faces = Faces {
        shape: SHAPE,
        low: [&wind[0], &wind[1], &wind[2]],
        high: [&wind[0][..128 * 64], &wind[1][..128 * 64], &wind[2][..128 * 128]],
    };
    let (level, level_faces) = (vec![0.1; 64], vec![0.1; 65]);
    let spread = Spread { x: &level, y: &level, z_faces: &level_faces };
    let pool = |threads| Workers::new(threads, SimdLevel::Auto).map_err(|error| SimulationError::Asked(error.to_string()));
    let pools = [pool(1)?, pool(2)?];
    let mut best = [[f64::MAX; 2]; 3];
    let mut cells = vec![1.0f32; n];
    let (mut a, b, c) = (vec![0.0f64; 1 << 23], vec![1.0f64; 1 << 23], vec![2.0f64; 1 << 23]);
    // many short ones: a step of a millisecond sees whether the second core came at once
    for _ in 0..4 * repeats {
        for (threads, pool) in pools.iter().enumerate() {
            let mut time = |row: usize, work: &mut dyn FnMut()| {
                let begun = Instant::now();
                work();
                best[row][threads] = best[row][threads].min(begun.elapsed().as_secs_f64());
            };
            time(0, &mut || {
                pool.together(|| {
                    for step in 0..6 {
                        let plan = Plan::new(faces, [1.0; 3], 0.2, spread, Sides::Open, step % 2 == 1, Course::Straight);
                        plan.advance(&mut cells, 0.0, pool);
                    }
                });
            });
            time(1, &mut || {
                pool.run(|| {
                    a.par_chunks_mut(1 << 16).zip(b.par_chunks(1 << 16)).zip(c.par_chunks(1 << 16)).for_each(|((a, b), c)| {
                        for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                            *a = b + 3.0 * c;
                        }
                    });
                });
            });
            time(2, &mut || {
                let roots = |chunk: u32| (0..50_000).fold(f64::from(chunk) + 2.0, |x: f64, _| (x + 1.0).sqrt());
                let sum: f64 = pool.run(|| (0..64u32).into_par_iter().map(roots).sum());
                std::hint::black_box(sum);
            });
        }
    }
    let gain = best.map(|[one, two]| one / two);
    Ok((gain[0], gain[1].min(gain[2])))
}

/// Mean milliseconds of so many ticks.
pub(super) fn stepped(simulation: &mut Simulation, ticks: u32) -> Result<f64, SimulationError> {
    let begun = Instant::now();
    for _ in 0..ticks {
        simulation.step()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e3 / f64::from(ticks))
}

/// The demo scenario until 300 s: times real time, and milliseconds a tick; cameras take a frame every `camera_us`, or as the product says.
pub(super) fn demo(camera_us: Option<u64>) -> Result<(f64, f64), SimulationError> {
    let mut simulation = demo_simulation()?;
    if camera_us.is_some() {
        let world = simulation.app.world_mut();
        let mut cameras = world.query_filtered::<&mut Instrument, With<ThermalCamera>>();
        for mut camera in cameras.iter_mut(world) {
            camera.period_us = camera_us;
        }
    }
    let tick_s = simulation.loaded.conditions.scenario.tick_s.secs();
    let ms = stepped(&mut simulation, DEMO_TICKS)?;
    Ok((tick_s * 1e3 / ms, ms))
}

pub(super) fn demo_simulation() -> Result<Simulation, SimulationError> {
    let source = crate::files::library::shipped("scenarios/smouldering_limb.ron")
        .ok_or_else(|| SimulationError::Asked("the demo scenario does not ship with this program".to_owned()))?;
    let mut simulation = Simulation::load(EnviroSensePlugins, &source, &Request::default())?;
    simulation.record_to(crate::recording::SampleList::default());
    Ok(simulation)
}
