//! Sections 2.3 to 2.5: the resolved flow against exact solutions and published cavities, through the real schedule.

use bevy_ecs::system::SystemState;
use envirosense::diagnostics::Source;
use envirosense::numerics::SimdLevel;
use envirosense::physics::airflow::les::{FlowState, LargeEddies, Lattice, LesDomain, Side, Sides, Wall};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::prelude::{FieldMut, Grid};
use envirosense::simulation::{Request, Simulation};
use envirosense::world::air::{AirTemperature, HighFaces};
use envirosense::world::solid::Solids;

use crate::dispersion::tracer;
use crate::table::{Line, accept};

fn line(case: &str, expected: f64, measured: f64, error: f64, limit: f64, source: &'static str) -> Line {
    Line { module: "airflow", case: case.to_owned(), expected, measured, error, limit, source, missed: None }
}

fn smooth(viscosity_m2_s: f64, velocity_m_s: [f64; 3]) -> Side {
    Side::Wall(Wall::Smooth { velocity_m_s, viscosity_m2_s })
}

const SLIP: Side = Side::Wall(Wall::Slip);

/// A laminar flow: its box, viscosity, tick, sides and how it begins.
struct Case {
    size: [f64; 3],
    cell: [f64; 3],
    viscosity: f64,
    tick_s: f64,
    boundary: &'static str,
    sides: [[Side; 2]; 3],
    begin: fn(usize, [f64; 3]) -> f64,
}

impl Case {
    fn load(&self) -> Simulation {
        let [sx, sy, sz] = self.size;
        let [hx, hy, hz] = self.cell;
        let text = format!(
            "Scenario(format: 1, name: \"les\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
            tick_s: {:?}, duration_s: 10000.0, domain: (size_m: ({sx:?}, {sy:?}, {sz:?}), cell_m: ({hx:?}, {hy:?}, {hz:?}), boundary: {}), wind: Calm,
            weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25),
            turbulence: Les(subgrid: None, viscosity_m2_s: {:?}))",
            self.tick_s, self.boundary, self.viscosity
        );
        let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("les.ron", text), &Request::default())
            .unwrap_or_else(|error| panic!("{error}"));
        let world = simulation.app.world_mut();
        world.insert_resource(LesDomain::pinned(Sides { sides: self.sides, obstacles: Wall::Slip }));
        let lattice = Lattice::new(world.resource::<Grid>());
        let mut state = FlowState::still(&lattice);
        for component in 0..3 {
            for place in 0..lattice.len() {
                state.velocity[component][place] = (self.begin)(component, lattice.face_m(component, place));
            }
        }
        world.resource_mut::<LargeEddies>().state = state;
        simulation
    }

    fn run(&self, seconds: f64) -> (Lattice, FlowState, Simulation) {
        let mut simulation = self.load();
        for _ in 0..(seconds / self.tick_s).round() as usize {
            simulation.step().unwrap();
        }
        let world = simulation.app.world();
        (Lattice::new(world.resource::<Grid>()), world.resource::<LargeEddies>().state.clone(), simulation)
    }
}

/// Kinetic energy of the real cells' low faces.
fn energy(lattice: &Lattice, state: &FlowState) -> f64 {
    let [_, ny, nz] = lattice.shape;
    let rows = (1..=nz).flat_map(|k| (1..=ny).map(move |j| (j, k)));
    rows.flat_map(|(j, k)| lattice.row(j, k)).map(|place| (0..3).map(|axis| state.velocity[axis][place].powi(2)).sum::<f64>()).sum()
}

#[test]
fn vortices_of_taylor_and_green_lose_their_energy_at_the_exact_rate() {
    const NU: f64 = 0.01;
    let round = std::f64::consts::TAU;
    let run = |n: f64| {
        let case = Case {
            size: [round, round, round],
            cell: [round / n, round / n, round],
            viscosity: NU,
            tick_s: 4.0 / n,
            boundary: "Periodic",
            sides: [[Side::Periodic; 2], [Side::Periodic; 2], [SLIP; 2]],
            begin: |component, [x, y, _]| match component {
                0 => x.sin() * y.cos(),
                1 => -x.cos() * y.sin(),
                _ => 0.0,
            },
        };
        let (lattice, begun) = {
            let simulation = case.load();
            let world = simulation.app.world();
            (Lattice::new(world.resource::<Grid>()), world.resource::<LargeEddies>().state.clone())
        };
        let (_, state, simulation) = case.run(10.0);
        let flow = simulation.app.world().resource::<LesDomain>().flow().unwrap().divergence(&state);
        // to the end of the last step; the ratio at 10 s follows from the exact decay of the rest
        let rest_s = 10.0 - simulation.app.world().resource::<LargeEddies>().age_s();
        (energy(&lattice, &state) / energy(&lattice, &begun) * (-4.0 * NU * rest_s).exp(), flow)
    };
    let exact = (-4.0 * NU * 10.0f64).exp();
    let (coarse, fine) = (run(32.0), run(64.0));
    let (error_coarse, error) = ((coarse.0 / exact - 1.0).abs(), (fine.0 / exact - 1.0).abs());
    let order = (error_coarse / error).log2();
    accept(&[
        line("2.3-taylor-green-energy", exact, fine.0, error, 0.002, "closed form, 64 x 64, t = 10 s"),
        line("2.3-taylor-green-order", 1.9, order, (1.9 - order).max(0.0), 0.0, "observed from 32 to 64 cells"),
        line("2.1-les-divergence-f64", 0.0, fine.1, fine.1, 2e-7, "|div u| h/U before faces are rounded, amendment A1"),
    ]);
}

#[test]
fn a_wall_that_starts_to_move_drags_the_air_as_stokes_found() {
    const NU: f64 = 0.01;
    let case = Case {
        size: [1.0, 1.0, 4.0],
        cell: [1.0, 1.0, 0.02],
        viscosity: NU,
        tick_s: 0.015,
        boundary: "Periodic",
        sides: [[Side::Periodic; 2], [Side::Periodic; 2], [smooth(NU, [1.0, 0.0, 0.0]), SLIP]],
        begin: |_, _| 0.0,
    };
    // at the end of the last step, between the two nearest cells
    let at = |z: f64, seconds: f64| {
        let (lattice, state, simulation) = case.run(seconds);
        let level = z / lattice.cell_m[2] + 0.5;
        let (k, share) = (level as usize, level.fract());
        let u = |k: usize| state.velocity[0][lattice.at([1, 1, k])];
        assert!((simulation.app.world().resource::<LargeEddies>().age_s() - seconds).abs() < 0.015);
        u(k) + share * (u(k + 1) - u(k))
    };
    let lines = [(0.1, 1.005, 0.479_500, "0.1 m, 1 s"), (0.3, 1.005, 0.033_894_9, "0.3 m, 1 s"), (0.5, 10.005, 0.263_552, "0.5 m, 10 s")];
    accept(&lines.map(|(z, seconds, exact, name)| {
        let measured = at(z, seconds);
        line(
            &format!("2.3-stokes-{name}"),
            exact,
            measured,
            (measured - exact).abs(),
            0.005,
            "closed form; limit: 0.5 % of the wall's speed, ours",
        )
    }));
}

/// Extremes along the middle lines of a cavity whose lid moves: least u, largest and least w.
fn cavity(cells: f64, reynolds: f64, seconds: f64) -> [f64; 3] {
    let viscosity = 1.0 / reynolds;
    let wall = smooth(viscosity, [0.0; 3]);
    let case = Case {
        size: [1.0; 3],
        cell: [1.0 / cells, 1.0, 1.0 / cells],
        viscosity,
        tick_s: 0.05,
        boundary: "Closed",
        sides: [[wall; 2], [Side::Periodic; 2], [wall, smooth(viscosity, [1.0, 0.0, 0.0])]],
        begin: |_, _| 0.0,
    };
    let (lattice, state, _) = case.run(seconds);
    let (n, half) = (cells as usize, cells as usize / 2 + 1);
    let u: Vec<f64> = (1..=n).map(|k| state.velocity[0][lattice.at([half, 1, k])]).collect();
    let w: Vec<f64> = (1..=n).map(|i| state.velocity[2][lattice.at([i, 1, half])]).collect();
    let negative = |list: &[f64]| list.iter().map(|v| -v).collect::<Vec<f64>>();
    [-peak(&negative(&u)), peak(&w), -peak(&negative(&w))]
}

/// The largest value, by the parabola through it and its neighbours.
fn peak(list: &[f64]) -> f64 {
    let most = (1..list.len() - 1).max_by(|a, b| list[*a].total_cmp(&list[*b])).unwrap();
    let (low, here, high) = (list[most - 1], list[most], list[most + 1]);
    here - (high - low).powi(2) / (8.0 * (high - 2.0 * here + low))
}

#[test]
fn the_air_under_a_moving_lid_turns_as_published() {
    let mut lines = Vec::new();
    let mut judge = |cells: f64, reynolds: f64, seconds: f64, expected: [f64; 3], limit: f64| {
        let measured = cavity(cells, reynolds, seconds);
        for ((name, expected), measured) in ["u-min", "v-max", "v-min"].iter().zip(expected).zip(measured) {
            let error = (measured / expected - 1.0).abs();
            let case = format!("2.4-cavity-re{reynolds}-{cells}-{name}");
            lines.push(line(&case, expected, measured, error, limit, "129 x 129 solution of the reference, near Ghia et al. 1982"));
        }
    };
    judge(64.0, 100.0, 25.0, [-0.213_47, 0.178_94, -0.252_91], 0.03);
    judge(64.0, 400.0, 50.0, [-0.324_94, 0.299_71, -0.448_64], 0.05);
    if std::env::var("VERIFY").as_deref() == Ok("full") {
        judge(128.0, 100.0, 25.0, [-0.213_47, 0.178_94, -0.252_91], 0.015);
        judge(128.0, 400.0, 50.0, [-0.324_94, 0.299_71, -0.448_64], 0.03);
    }
    accept(&lines);
}

/// A scenario in a resolved turbulent wind.
fn turbulent(size: &str, obstacles: &str, more: &str, request: &Request) -> Simulation {
    let text = format!(
        "Scenario(format: 1, name: \"les\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.1, duration_s: 10000.0, domain: (size_m: {size}, cell_m: 1.0), turbulence: Les(),
        wind: Profile(speed_m_s: 5.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.03),
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), obstacles: [{obstacles}], {more})"
    );
    Simulation::load(EnviroSensePlugins, &Source::new("les.ron", text), request).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_resolved_wind_around_a_house_keeps_a_uniform_tracer_and_its_bits() {
    let even = "initial: [Uniform(id: \"even\", species: \"CO\", density_kg_m3: 1.3e-6)]";
    let house = "Box(min_m: (14.0, 10.0, 0.0), max_m: (20.0, 16.0, 6.0))";
    let run = |threads: usize, simd: SimdLevel, ticks: usize| {
        let request = Request { threads, simd, ..Request::default() };
        let mut simulation = turbulent("(48.0, 26.0, 16.0)", house, even, &request);
        for _ in 0..ticks {
            simulation.step().unwrap();
        }
        simulation
    };
    let mut simulation = run(1, SimdLevel::Auto, 1000);
    let world = simulation.app.world();
    let solids = world.resource::<Solids>().clone();
    let divergence = world.resource::<LesDomain>().flow().unwrap().divergence(&world.resource::<LargeEddies>().state);
    let value = f64::from(1.3e-6f32);
    let cells = tracer(&mut simulation.app);
    let worst = (0..cells.len()).filter(|n| !solids.is_solid(*n)).map(|n| (cells[n] / value - 1.0).abs()).fold(0.0, f64::max);
    let inside = (0..cells.len()).filter(|n| solids.is_solid(*n)).map(|n| cells[n].abs()).fold(0.0, f64::max);
    accept(&[
        line("2.1-les-divergence-house-f64", 0.0, divergence, divergence, 2e-7, "|div u| h/U before faces are rounded, amendment A1"),
        line("7.1-uniform-les-f32", 1.0, 1.0 + worst, worst, 1e-6, "constancy over 1,000 ticks of resolved wind, amendment A1"),
        line("7.1-solid-stays-empty-les-f32", 0.0, inside, inside, 0.0, "nothing enters a wall"),
    ]);
    // the same bits whatever computes them
    let state = |simulation: &Simulation| simulation.app.world().resource::<LargeEddies>().state.clone();
    let one = state(&run(1, SimdLevel::Auto, 40));
    assert!(one == state(&run(2, SimdLevel::Sse2, 40)) && one == state(&run(2, SimdLevel::Avx2, 40)));
}

#[test]
fn behind_a_cube_the_air_turns_back_as_measured() {
    const H: f64 = 8.0;
    if std::env::var("VERIFY").as_deref() != Ok("full") {
        return; // minutes of CPU
    }
    let cube = "Box(min_m: (28.0, 28.0, 0.0), max_m: (36.0, 36.0, 8.0))";
    let mut simulation = turbulent("(96.0, 64.0, 32.0)", cube, "", &Request::default());
    let lattice = Lattice::new(simulation.app.world().resource::<Grid>());
    let [nx, _, nz] = lattice.shape;
    // the mean of u in the middle plane, and of w before the front
    let (mut u, mut w, mut count) = (vec![0.0; nx * nz], vec![0.0; nz], 0.0);
    for tick in 0..3600 {
        simulation.step().unwrap();
        if tick < 600 {
            continue;
        }
        let velocity = &simulation.app.world().resource::<LargeEddies>().state.velocity;
        let middle =
            |component: usize, i: usize, k: usize| 0.25 * (31..35).map(|j| velocity[component][lattice.at([i, j, k])]).sum::<f64>();
        for k in 1..=nz {
            for i in 1..=nx {
                u[i - 1 + nx * (k - 1)] += middle(0, i, k);
            }
            w[k - 1] += middle(2, 28, k);
        }
        count += 1.0;
    }
    let u = |i: usize, k: usize| u[i + nx * k] / count;
    // where the wind at the ground turns forward again behind the cube, and where it turned back before it
    let behind = (37..nx).find(|i| u(*i, 0) > 0.0).unwrap() as f64 - 36.0;
    let before = 28.0 - (1..28).find(|i| u(*i, 0) < 0.0).map_or(28.0, |i| i as f64);
    let roof = u(4, 7);
    let back = -(37..nx).flat_map(|i| (0..8).map(move |k| (i, k))).map(|(i, k)| u(i, k)).fold(0.0, f64::min) / roof;
    // w stands on the low faces: at a height of k metres
    let stagnation = (0..8).rev().find(|k| w[*k] < 0.0).map_or(0.0, |k| k as f64 + w[k] / (w[k] - w[k + 1])) / H;
    let within = |case: &str, low: f64, high: f64, measured: f64| {
        let error = (low - measured).max(measured - high).max(0.0);
        line(
            case,
            f64::midpoint(low, high),
            measured,
            error,
            0.0,
            "surface-mounted cube in a boundary layer, a sanity band of the reference",
        )
    };
    accept(&[
        within("2.5-cube-recirculation-over-h", 1.4, 2.0, behind / H),
        Line {
            missed: Some("eight cells along the cube's edge, single run of five minutes"),
            ..within("2.5-cube-counter-flow", 0.2, 0.3, back)
        },
        within("2.5-cube-stagnation-over-h", 0.6, 0.7, stagnation),
        within("2.5-cube-separation-before-over-h", 0.7, 1.05, before / H),
    ]);
}

#[test]
fn warm_air_begins_to_rise_as_fast_as_its_pressure_lets_it() {
    // T = T0 (1 + e cos(pi x/L) sin(pi z/H)): the part of g e cos sin without divergence is kx^2/(kx^2 + kz^2) of it
    const WARMER: f64 = 0.01;
    const SECONDS: f64 = 0.1;
    let pi = std::f64::consts::PI;
    let case = Case {
        size: [8.0, 1.0, 4.0],
        cell: [0.125, 1.0, 0.125],
        viscosity: 0.0,
        tick_s: 0.01,
        boundary: "Closed",
        sides: [[SLIP; 2], [Side::Periodic; 2], [SLIP; 2]],
        begin: |_, _| 0.0,
    };
    let mut simulation = case.load();
    simulation.step().unwrap();
    {
        let world = simulation.app.world_mut();
        let grid = *world.resource::<Grid>();
        let mut state: SystemState<FieldMut<AirTemperature>> = SystemState::new(world);
        let mut column = state.get_mut(world).unwrap();
        let cells = column.as_mut_slice();
        let middle = f64::from(cells[0]);
        for (n, cell) in cells.iter_mut().enumerate() {
            let at = grid.centre(n % grid.shape[0], 0, n / grid.shape[0]);
            *cell = (middle * (1.0 + WARMER * (pi * at.x / 8.0).cos() * (pi * at.z / 4.0).sin())) as f32;
        }
    }
    let before = simulation.app.world().resource::<LargeEddies>().age_s();
    while simulation.app.world().resource::<LargeEddies>().age_s() < before + SECONDS {
        simulation.step().unwrap();
    }
    let world = simulation.app.world();
    let (eddies, lattice) = (world.resource::<LargeEddies>(), Lattice::new(world.resource::<Grid>()));
    let passed = eddies.age_s() - before;
    // in the middle of the height, at the warm side
    let place = lattice.at([1, 1, lattice.shape[2] / 2 + 1]);
    let (kx, kz) = (pi / 8.0, pi / 4.0);
    let exact = 9.806_65 * WARMER * (kx * 0.0625).cos() * kx * kx / (kx * kx + kz * kz) * passed;
    let measured = eddies.state.velocity[2][place];
    let error = (measured / exact - 1.0).abs();
    accept(&[line("2.2-buoyant-start", exact, measured, error, 0.005, "closed form of the first moment; limit ours")]);
}

#[test]
fn a_resolved_wind_that_rises_from_calm_and_turns_stays_in_bounds_under_its_lid() {
    let changes = "timeline: [(at_s: 10.0, set: \"wind.speed_m_s\", to: 8.0), (at_s: 60.0, set: \"wind.from_deg\", to: 180.0)]";
    let text = format!(
        "Scenario(format: 1, name: \"les\", start: \"2026-01-01T00:00:00Z\", site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0),
        tick_s: 0.5, duration_s: 10000.0, domain: (size_m: (32.0, 32.0, 16.0), cell_m: 1.0), turbulence: Les(),
        wind: Profile(speed_m_s: 0.0, at_m: 10.0, from_deg: 270.0, roughness_m: 0.03),
        weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1013.25), {changes})"
    );
    let mut simulation =
        Simulation::load(EnviroSensePlugins, &Source::new("les.ron", text), &Request::default()).unwrap_or_else(|error| panic!("{error}"));
    let (mut fastest, mut lid) = (0.0f64, 0.0f32);
    // the part of the wind through the windward side that changes, before and after it turns
    let mut gusts = [(0.0, 0.0, 0.0); 2];
    for tick in 1..=240 {
        simulation.step().unwrap();
        let world = simulation.app.world();
        let state = &world.resource::<LargeEddies>().state;
        fastest = state.velocity.iter().flatten().fold(fastest, |most, u| most.max(u.abs()));
        let second = tick / 2;
        if second > 12 {
            lid = world.resource::<HighFaces>().z.iter().fold(lid, |most, w| most.max(w.abs()));
        }
        let (place, component) = match second {
            20..=59 => (0, 0),
            70.. => (1, 1),
            _ => continue,
        };
        let lattice = Lattice::new(world.resource::<Grid>());
        for l in 1..=32 {
            let at = if place == 0 { [1, l, 11] } else { [l, 1, 11] };
            let u = state.velocity[component][lattice.at(at)];
            let sums = &mut gusts[place];
            *sums = (sums.0 + 1.0, sums.1 + u, sums.2 + u * u);
        }
    }
    let sigma = gusts.map(|(n, sum, squares)| (squares / n - (sum / n).powi(2)).sqrt());
    let wanted = 2.4 * 8.0 * 0.4 / (10.0f64 / 0.03).ln();
    accept(&[
        Line {
            missed: Some("for four seconds after a turn by 90 degrees at once, when new air meets what still flows the old way"),
            ..line(
                "2.5-les-fastest-over-wind",
                1.0,
                fastest / 8.0,
                (fastest / 8.0 - 2.0).max(0.0),
                0.0,
                "no faster than twice the wind; ours",
            )
        },
        line("2.5-les-lid-f32", 0.0, f64::from(lid), f64::from(lid), 0.0, "nothing passes the lid"),
        line("2.5-les-gusts-before-turn", wanted, sigma[0], (sigma[0] / wanted - 1.0).abs(), 0.4, "2.4 u*; half a minute of one draw"),
        line("2.5-les-gusts-after-turn", wanted, sigma[1], (sigma[1] / wanted - 1.0).abs(), 0.4, "2.4 u*; a minute of one draw"),
    ]);
}
