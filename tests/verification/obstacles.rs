//! Sections 2.1, 2.2 and 7.1: wind and gas around obstacles, through the real schedule.

use bevy_ecs::system::SystemState;
use envirosense::diagnostics::Source;
use envirosense::numerics::{SimdLevel, Workers};
use envirosense::physics::airflow::around::{Around, FaceWind};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::Grid;
use envirosense::simulation::{Request, Simulation};
use envirosense::world::air::WindField;
use envirosense::world::solid::Solids;
use glam::DVec3;

use crate::dispersion::tracer;
use crate::table::{Line, accept};

fn line(case: &str, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module: "airflow", case: case.to_owned(), expected, measured, error, limit, source, missed: None }
}

/// A scenario with these obstacles and whatever else.
fn scenario(size: &str, cell: f64, wind: &str, obstacles: &str, more: &str) -> Simulation {
    ticking(0.5, size, cell, wind, obstacles, more, &Request::default())
}

/// The same with a tick.
fn ticking(tick_s: f64, size: &str, cell: f64, wind: &str, obstacles: &str, more: &str, request: &Request) -> Simulation {
    let text = format!(
        "Scenario(format: 1, name: \"o\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: {tick_s:?}, duration_s: 1000.0, domain: (size_m: {size}, cell_m: {cell:?}), wind: {wind},
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), obstacles: [{obstacles}], {more})"
    );
    Simulation::load(EnviroSensePlugins, &Source::new("o.ron", text), request).unwrap_or_else(|error| panic!("{error}"))
}

/// The wind at a point, as a sensor meets it.
fn wind_at(simulation: &mut Simulation, point: DVec3) -> DVec3 {
    let grid = *simulation.app.world().resource::<Grid>();
    let world = simulation.app.world_mut();
    let mut state: SystemState<WindField> = SystemState::new(world);
    state.get(world).unwrap().at(&grid, point)
}

/// The faces of the running world, in double precision.
fn faces(simulation: &mut Simulation) -> FaceWind {
    let world = simulation.app.world_mut();
    let mut state: SystemState<WindField> = SystemState::new(world);
    let wind = state.get(world).unwrap();
    let double = |list: &[f32]| list.iter().copied().map(f64::from).collect::<Vec<f64>>();
    FaceWind { low: wind.low().map(double), high: [double(&wind.high.x), double(&wind.high.y), double(&wind.high.z)] }
}

const HOUSE: &str = "Box(min_m: (20.0, 14.0, 0.0), max_m: (30.0, 26.0, 8.0)), Sphere(centre_m: (42.0, 12.0, 2.0), radius_m: 3.0)";

const PROFILE: &str = "Profile(speed_m_s: 5.0, at_m: 10.0, from_deg: 250.0, roughness_m: 0.1)";

#[test]
fn around_a_house_no_air_is_lost_and_a_uniform_tracer_stays_uniform() {
    around_a_house("Mean", "");
}

#[test]
fn a_random_wind_around_a_house_loses_no_air_and_keeps_a_uniform_tracer_uniform() {
    around_a_house("Resolved", "-random");
}

#[test]
fn a_random_wind_is_the_same_for_any_tick_and_threads_and_another_for_another_seed() {
    let after_three_seconds = |tick_s: f64, threads: usize, simd: SimdLevel, seed: u64| {
        let request = Request { threads, simd, seed, ..Request::default() };
        let mut simulation = ticking(tick_s, "(64.0, 40.0, 24.0)", 2.0, PROFILE, HOUSE, "turbulence: Resolved", &request);
        for _ in 0..(3.0 / tick_s).round() as usize {
            simulation.step().unwrap();
        }
        faces(&mut simulation)
    };
    let one = after_three_seconds(0.1, 1, SimdLevel::Auto, 1);
    assert!(one == after_three_seconds(0.1, 2, SimdLevel::Sse2, 1), "threads and vector instructions");
    assert!(one != after_three_seconds(0.1, 1, SimdLevel::Auto, 2), "another seed");
    // the solver around the house starts from another last potential: equal to what it leaves
    let other = after_three_seconds(0.05, 1, SimdLevel::Auto, 1);
    let apart = one.low.iter().flatten().zip(other.low.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-6, "{apart}");
    let open = |tick_s: f64| {
        let request = Request { seed: 1, ..Request::default() };
        let turning = "turbulence: Resolved, timeline: [(at_s: 0.5, set: \"wind.from_deg\", to: 280.0, over_s: 2.0)]";
        let mut simulation = ticking(tick_s, "(64.0, 40.0, 24.0)", 2.0, PROFILE, "", turning, &request);
        for _ in 0..(3.0 / tick_s).round() as usize {
            simulation.step().unwrap();
        }
        faces(&mut simulation)
    };
    let wind = open(0.1);
    assert!(wind == open(0.05), "the tick");
    // without obstacles nothing but the waves themselves keeps the divergence away
    let grid = Grid { shape: [32, 20, 12], cell_m: [2.0; 3] };
    let left = Around::new(grid, &Solids::default(), false).divergence(&wind);
    accept(&[line("2.6-divergence-random-f32", 0.0, left, left, 2e-7, "|div u| h/U of random eddies on a mean wind, amendment A1")]);
}

fn around_a_house(turbulence: &str, suffix: &str) {
    let even = format!("turbulence: {turbulence}, initial: [Uniform(id: \"even\", species: \"CO\", density_kg_m3: 1.3e-6)]");
    let mut simulation = scenario("(64.0, 40.0, 24.0)", 1.0, PROFILE, HOUSE, &even);
    for _ in 0..1000 {
        simulation.step().unwrap();
    }
    let grid = *simulation.app.world().resource::<Grid>();
    let solids = simulation.app.world().resource::<Solids>().clone();
    let around = Around::new(grid, &solids, false);
    let single = faces(&mut simulation);
    let open = solids.open_faces().unwrap();
    let through = (0..3)
        .flat_map(|axis| single.low[axis].iter().zip(open[axis]).filter(|(_, open)| **open == 0.0).map(|(u, _)| u.abs()))
        .fold(0.0, f64::max);
    // the same wind as the solver would leave it in double precision
    let mut double = single.clone();
    around.adjust(&mut double, &mut vec![0.0; grid.len()], 1e-11, &Workers::new(1, SimdLevel::Auto).unwrap());
    let flux = |wind: &FaceWind| {
        let [nx, ny, nz] = grid.shape;
        let at = |axis: usize, n: usize| match axis {
            0 => grid.index(0, n % ny, n / ny),
            1 => grid.index(n % nx, 0, n / nx),
            _ => grid.index(n % nx, n / nx, 0),
        };
        let (mut net, mut inflow) = (0.0, 0.0);
        for (axis, count) in [ny * nz, nx * nz, nx * ny].into_iter().enumerate() {
            for (n, high) in wind.high[axis].iter().enumerate().take(count) {
                let low = wind.low[axis][at(axis, n)];
                net += low - high;
                inflow += low.max(0.0) + (-high).max(0.0);
            }
        }
        (net / inflow).abs()
    };
    let cells = tracer(&mut simulation.app);
    let value = f64::from(1.3e-6f32);
    let worst = (0..cells.len()).filter(|n| !solids.is_solid(*n)).map(|n| (cells[n] / value - 1.0).abs()).fold(0.0, f64::max);
    let inside = (0..cells.len()).filter(|n| solids.is_solid(*n)).map(|n| cells[n].abs()).fold(0.0, f64::max);
    assert!(single.low[2].iter().any(|w| w.abs() > 0.5), "the wind rises over the house");
    let named = |case: &str| {
        let (case, precision) = case.rsplit_once('-').unwrap();
        format!("{case}{suffix}-{precision}")
    };
    accept(&[
        line(&named("2.1-divergence-f32"), 0.0, around.divergence(&single), around.divergence(&single), 2e-7, "|div u| h/U, amendment A1"),
        line(&named("2.1-divergence-f64"), 0.0, around.divergence(&double), around.divergence(&double), 1e-10, "|div u| h/U"),
        line(&named("2.1-wall-velocity-f32"), 0.0, through, through, 0.0, "no flow through a closed face"),
        line(&named("2.1-net-flux-f32"), 0.0, flux(&single), flux(&single), 1e-7, "net flux over inflow, single-precision faces"),
        line(&named("2.1-net-flux-f64"), 0.0, flux(&double), flux(&double), 1e-10, "net flux over inflow"),
        line(&named("7.1-uniform-around-house-f32"), 1.0, 1.0 + worst, worst, 1e-6, "constancy over 1,000 ticks, amendment A1"),
        line(&named("7.1-solid-stays-empty-f32"), 0.0, inside, inside, 0.0, "nothing enters a wall"),
    ]);
}

/// A sealed room of two chambers that touch at an edge, in a wind.
const ROOMS: &str = "Box(min_m: (4.0, 4.0, 0.0), max_m: (16.0, 5.0, 8.0)), Box(min_m: (4.0, 15.0, 0.0), max_m: (16.0, 16.0, 8.0)),
    Box(min_m: (4.0, 4.0, 0.0), max_m: (5.0, 16.0, 8.0)), Box(min_m: (15.0, 4.0, 0.0), max_m: (16.0, 16.0, 8.0)),
    Box(min_m: (10.0, 5.0, 0.0), max_m: (15.0, 10.0, 8.0)), Box(min_m: (5.0, 10.0, 0.0), max_m: (10.0, 15.0, 8.0)),
    Box(min_m: (4.0, 4.0, 7.0), max_m: (16.0, 16.0, 8.0))";

#[test]
fn a_sealed_room_stays_empty_and_rooms_that_touch_at_an_edge_do_not_leak() {
    let wind = "Profile(speed_m_s: 3.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.1)";
    let from = |x: f64, y: f64| {
        format!(
            "turbulence: Given(k_m2_s: (1.0, 1.0, 0.5)), emitters: [(id: \"leak\", at_m: ({x:?}, {y:?}, 3.0), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1.0))]"
        )
    };
    let run = |x: f64, y: f64| {
        let mut simulation = scenario("(30.0, 20.0, 14.0)", 1.0, wind, ROOMS, &from(x, y));
        for _ in 0..400 {
            simulation.step().unwrap();
        }
        let cells = tracer(&mut simulation.app);
        let grid = *simulation.app.world().resource::<Grid>();
        let sum = |x: std::ops::Range<usize>, y: std::ops::Range<usize>| -> f64 {
            let list = x.flat_map(|i| y.clone().flat_map(move |j| (0..7).map(move |k| (i, j, k))));
            list.map(|(i, j, k)| cells[grid.index(i, j, k)]).sum()
        };
        (sum(5..10, 5..10), sum(10..15, 10..15), cells.iter().sum::<f64>())
    };
    // a source in the corner where the chambers touch releases into its own chamber alone
    let corner = run(9.9, 9.9);
    let outside = run(1.5, 9.5);
    assert!(outside.2 > 0.0);
    let inside = run(7.5, 7.5);
    // 200 s of a gram a second, nothing lost
    accept(&[
        line("2.1-sealed-room-empty-f32", 0.0, outside.0 + outside.1, outside.0 + outside.1, 0.0, "gas outside, none inside"),
        line("2.1-edge-contact-f32", 0.0, inside.1, inside.1, 0.0, "gas in one chamber, none in the other"),
        line("2.1-edge-source-f32", 0.0, corner.1, corner.1, 0.0, "a source at the common edge, none in the other chamber"),
        line("2.1-sealed-room-mass-f32", 0.2, inside.0, (inside.0 / 0.2 - 1.0).abs(), 1e-6, "200 s of 1 g/s stay inside"),
    ]);
    assert!((inside.2 - inside.0).abs() < 1e-12, "nothing leaves the chamber");
}

/// Where to look, and what the potential flow has there: u and, where given, w.
type Look = (&'static str, [f64; 3], f64, Option<f64>);

fn potential_flow(name: &str, obstacle: &str, cell: f64, looks: &[Look]) -> Vec<Line> {
    let mut simulation =
        scenario("(240.0, 240.0, 120.0)", cell, "Uniform(speed_m_s: 5.0, from_deg: 270.0)", obstacle, "turbulence: Laminar");
    simulation.step().unwrap();
    let mut lines = Vec::new();
    for (place, at, u, w) in looks {
        let wind = wind_at(&mut simulation, DVec3::new(120.0 + at[0], 120.0 + at[1], at[2]));
        // steps of the voxels on the surface itself: a metre above it the flow of the smooth body is not met
        let missed = (at[2] == 21.0).then_some("first cell above a surface of voxel steps; 2.2 calls its limit an estimate");
        let mut add = |component: &str, expected: f64, measured: f64| {
            // an error of a component counts against the whole vector
            let error = (measured - expected).abs() / u.hypot(w.unwrap_or(0.0));
            let case = format!("2.2-{name}-{place}-{component}-h{cell}");
            let found = line(&case, expected, measured, error, 0.08, "potential flow, closed form; error over |u|");
            lines.push(Line { missed, ..found });
        };
        add("u", *u, wind.x);
        if let Some(w) = w {
            add("w", *w, wind.z);
        }
    }
    lines
}

#[test]
fn a_hemisphere_and_a_ridge_have_their_potential_flow() {
    let hemisphere: [Look; 5] = [
        ("top21", [0.0, 0.0, 21.0], 7.159_59, None),
        ("top40", [0.0, 0.0, 40.0], 5.3125, None),
        ("ahead", [-30.0, 0.0, 5.0], 3.635_81, Some(0.345_850)),
        ("behind", [25.0, 0.0, 10.0], 3.374_89, Some(-1.059_85)),
        ("beside", [0.0, 30.0, 5.0], 5.710_91, None),
    ];
    let ridge: [Look; 3] =
        [("21", [0.0, 0.0, 21.0], 9.535_15, None), ("40", [0.0, 0.0, 40.0], 6.25, None), ("60", [0.0, 0.0, 60.0], 5.555_56, None)];
    let mut lines = Vec::new();
    let full = std::env::var("VERIFY").as_deref() == Ok("full");
    for cell in if full { [4.0, 2.0, 1.0].as_slice() } else { [2.0].as_slice() } {
        let ball = "Sphere(centre_m: (120.0, 120.0, 0.0), radius_m: 20.0)";
        let bar = "Cylinder(from_m: (120.0, -1.0, 0.0), to_m: (120.0, 241.0, 0.0), radius_m: 20.0)";
        let found = [potential_flow("hemisphere", ball, *cell, &hemisphere), potential_flow("ridge", bar, *cell, &ridge)].concat();
        // the limit is for h = a/10; the other sizes only show that the error falls
        lines.extend(found.into_iter().map(|line| if *cell == 2.0 { line } else { Line { limit: f64::MAX, missed: None, ..line } }));
    }
    accept(&lines);
}

/// A wall along the wind's way in a domain one cell high: the first cell beside it turns all of its air.
#[test]
fn no_density_is_negative_beside_a_long_wall_in_an_oblique_wind() {
    let mut lines = Vec::new();
    for (name, size, wall) in [
        ("flat", "(60.0, 40.0, 1.0)", "Box(min_m: (20.0, 12.0, 0.0), max_m: (50.0, 30.0, 1.0))"),
        ("deep", "(60.0, 40.0, 20.0)", "Box(min_m: (20.0, 12.0, 0.0), max_m: (50.0, 30.0, 12.0))"),
    ] {
        let source = "turbulence: Laminar, emitters: [(id: \"leak\", at_m: (18.5, 11.5, 0.5), background: true, kind: gas_leak(species: \"CO\", rate_g_s: 1.0))]";
        let mut simulation = scenario(size, 1.0, "Uniform(speed_m_s: 6.0, from_deg: 232.0)", wall, source);
        let (mut least, mut most) = (0.0f64, 0.0f64);
        for _ in 0..120 {
            simulation.step().unwrap();
            let cells = tracer(&mut simulation.app);
            least = cells.iter().copied().fold(least, f64::min);
            most = cells.iter().copied().fold(most, f64::max);
        }
        assert!(most > 0.0);
        lines.push(line(
            &format!("7.1-positive-{name}-f32"),
            0.0,
            least,
            (-least / most).max(0.0),
            1e-7,
            "minimum over maximum, amendment A1",
        ));
    }
    accept(&lines);
}

/// Why the wind on top of a hill is too slow: a field that only keeps its mass knows of no layer near the ground.
const NO_INNER_LAYER: &str = "the hill in outline, not as surveyed, and no layer of changed stress near the ground";

/// Askervein in outline: 116 m high, half as high 212 m before its top, a crest of 1 km; the surveyed ground is not at hand.
#[test]
fn wind_over_a_hill_like_askervein_is_that_measured_on_its_top() {
    const CELL_M: f64 = 20.0;
    const SIZE_M: (f64, f64, f64) = (2400.0, 2400.0, 800.0);
    const TOP_M: f64 = 116.0;
    let (across, along) = ((SIZE_M.0 / CELL_M) as usize, (SIZE_M.1 / CELL_M) as usize);
    let height = |i: usize, j: usize| {
        let (x, y) = ((i as f64 + 0.5) * CELL_M - 0.5 * SIZE_M.0, (j as f64 + 0.5) * CELL_M - 0.5 * SIZE_M.1);
        format!("{:.2}", TOP_M * (-std::f64::consts::LN_2 * ((x / 212.0).powi(2) + (y / 500.0).powi(2))).exp())
    };
    let rows: Vec<String> = (0..along).map(|j| (0..across).map(|i| height(i, j)).collect::<Vec<_>>().join(" ")).collect();
    let ground = format!("ncols {across}\nnrows {along}\nxllcorner 0\nyllcorner 0\ncellsize {CELL_M}\n{}\n", rows.join("\n"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("askervein.asc"), ground).unwrap();
    let text = format!(
        "Scenario(format: 1, name: \"hill\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 1.0, duration_s: 10.0, domain: (size_m: {SIZE_M:?}, cell_m: ({CELL_M:?}, {CELL_M:?}, 4.0)),
        wind: Profile(speed_m_s: 9.28, at_m: 8.0, from_deg: 270.0, roughness_m: 0.03),
        weather: Given(temperature_c: 10.0, humidity_pct: 80.0, pressure_hpa: 1010.0),
        obstacles: [Terrain(file: \"askervein.asc\", corner_m: (0.0, 0.0))])"
    );
    let source = Source::new(folder.path().join("hill.ron").display().to_string(), text);
    let mut simulation = Simulation::load(EnviroSensePlugins, &source, &Request::default()).unwrap_or_else(|error| panic!("{error}"));
    simulation.step().unwrap();
    let lines = [(8.0, 18.01, true), (15.0, 18.29, true), (24.0, 17.95, false), (34.0, 17.54, false)].map(|(above_m, expected, missed)| {
        let measured = wind_at(&mut simulation, DVec3::new(0.5 * SIZE_M.0, 0.5 * SIZE_M.1, TOP_M + above_m)).length();
        let case = format!("2.5-askervein-top-{above_m}m");
        let error = (measured / expected - 1.0).abs();
        let source = "Askervein run TU03-A, tower on the hilltop (NIST experimental database)";
        Line { missed: missed.then_some(NO_INNER_LAYER), ..line(&case, expected, measured, error, 0.15, source) }
    });
    accept(&lines);
}
