//! Section 3.5: a plume over a source of heat that the cells resolve, in still air, through the real schedule.

use bevy_ecs::system::SystemState;
use envirosense::diagnostics::Source;
use envirosense::physics::airflow::les::{LargeEddies, Lattice};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Grid;
use envirosense::simulation::{Request, Simulation};
use envirosense::units::{AIR_HEAT_J_KG_K, GRAVITY_M_S2};
use envirosense::world::air::air_kg_m3;
use envirosense::world::tracers::{Releases, Tracers};

use crate::table::{Line, accept};

const SOURCE: &str = "Gaussian plume of Morton, Taylor and Turner 1956, entrainment 0.103, width ratio 1.16";
const WATTS: f64 = 100_000.0;

/// Sums over time on one level.
#[derive(Clone)]
struct Level {
    /// Upward wind and warmth in rings about the axis, with their numbers of cells.
    rings: Vec<(f64, f64, f64)>,
    /// Heat that passes, W.
    passes_w: f64,
}

/// A kilowatt over still ground; cells, width and height of the box in m, seconds until it is looked at and for how long.
fn plume(h: f64, size: (f64, f64), settle_s: f64, look_s: f64) -> Vec<(f64, f64, f64, f64, f64)> {
    let tick_s = 0.05;
    let (width, height) = size;
    let text = format!(
        "Scenario(format: 1, name: \"plume\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: {tick_s:?}, duration_s: 100000.0, wind: Calm, turbulence: Les(),
        domain: (size_m: ({width:?}, {width:?}, {height:?}), cell_m: {h:?}),
        weather: Given(temperature_c: 20.0, humidity_pct: 0.0, pressure_hpa: 1013.25),
        emitters: [(id: \"s\", at_m: ({:?}, {:?}, {:?}), heat_w: {WATTS:?}, shape: Area(size_m: (1.0, 1.0)), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 0.001))])",
        0.5 * width, 0.5 * width, h
    );
    let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("plume.ron", text), &Request::default())
        .unwrap_or_else(|error| panic!("{error}"));
    let grid = *simulation.app.world().resource::<Grid>();
    let [nx, ny, nz] = grid.shape;
    let lattice = Lattice::new(&grid);
    let density = air_kg_m3(101_325.0, 293.15);
    let ring = |i: usize, j: usize| {
        let away = |n: usize| (n as f64 + 0.5) * h - 0.5 * width;
        (away(i).hypot(away(j)) / h) as usize
    };
    let mut levels = vec![Level { rings: vec![(0.0, 0.0, 0.0); ring(0, 0) + 1], passes_w: 0.0 }; nz];
    let mut looks = 0.0;
    for tick in 0..((settle_s + look_s) / tick_s) as usize {
        simulation.step().unwrap();
        if (tick as f64) * tick_s < settle_s || tick % 4 > 0 {
            continue;
        }
        looks += 1.0;
        let world = simulation.app.world_mut();
        let up = world.resource::<LargeEddies>().state.velocity[2].clone();
        let mut state: SystemState<Tracers<'_, '_>> = SystemState::new(world);
        let columns = state.get(world).unwrap();
        let warmer = world.resource::<Releases>().warmth_k(&columns.columns(), density).unwrap();
        for (k, level) in levels.iter_mut().enumerate() {
            for j in 0..ny {
                for i in 0..nx {
                    let at = lattice.at([i + 1, j + 1, k + 1]);
                    let w = 0.5 * (up[at] + up[at + lattice.strides()[2]]);
                    let t = warmer[grid.index(i, j, k)];
                    let ring = &mut level.rings[ring(i, j)];
                    *ring = (ring.0 + w, ring.1 + t, ring.2 + 1.0);
                    // through the lower face
                    let below = if k > 0 { warmer[grid.index(i, j, k - 1)] } else { 0.0 };
                    level.passes_w += density * AIR_HEAT_J_KG_K * up[at] * 0.5 * (t + below) * h * h;
                }
            }
        }
    }
    // z, wind and warmth on the axis, width of the wind, heat
    levels
        .iter()
        .enumerate()
        .map(|(k, level)| {
            let mean: Vec<(f64, f64)> = level.rings.iter().map(|(w, t, n)| (w / n, t / n)).collect();
            // where the wind has fallen to 1/e of that on the axis
            let axis = mean[0].0;
            let out = mean.iter().position(|(w, _)| *w < axis / std::f64::consts::E).unwrap_or(1);
            let (inner, outer) = (mean[out - 1].0, mean[out].0);
            let b = (out as f64 - 0.5 + (inner - axis / std::f64::consts::E) / (inner - outer)) * h;
            ((k as f64 + 0.5) * h, axis, mean[0].1, b, level.passes_w / looks)
        })
        .collect()
}

#[test]
fn look() {
    let h: f64 = std::env::var("H").map_or(0.2, |h| h.parse().unwrap());
    let q = GRAVITY_M_S2;
    for (z, w, t, b, heat) in plume(h, (20.0, 32.0), 50.0, 60.0) {
        let big = WATTS / 1000.0;
        let (we, te, be) = (1.26691 * (big / z).cbrt(), 23.7715 * big.powf(2.0 / 3.0) * z.powf(-5.0 / 3.0), 0.1236 * z);
        println!("{z:.2} w {w:.3} {:.3} t {t:.3} {:.3} b {b:.3} {:.3} heat {heat:.1} {q:.0}", w / we, t / te, b / be);
    }
}
