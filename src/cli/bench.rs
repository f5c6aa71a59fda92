//! `bench`: cell updates, ticks and samples a CPU second on this machine.

use std::time::{Duration, Instant};

use bevy_app::{App, PluginGroup};
use bevy_ecs::prelude::*;
use clap::Args;

use super::{CANNOT, Format, Voice, complain, say};
use crate::diagnostics::Source;
use crate::numerics::transport::{Faces, Plan, Sides, Spread};
use crate::numerics::{SimdLevel, Workers};
use crate::plugins::EnviroSensePlugins;
use crate::simulation::{Request, Simulation, SimulationError};
use crate::world::clock::Before;
use crate::world::{Tick, TickSystems};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Fewer repetitions.
    #[arg(long)]
    quick: bool,
}

/// One measured figure.
#[derive(Debug, serde::Serialize)]
struct Row {
    name: &'static str,
    value: f64,
    unit: &'static str,
    bar: Option<f64>,
    ok: Option<bool>,
    note: String,
}

impl Row {
    fn new(name: &'static str, value: f64, unit: &'static str, note: impl Into<String>) -> Self {
        Self { name, value, unit, bar: None, ok: None, note: note.into() }
    }

    fn at_least(mut self, bar: f64) -> Self {
        (self.bar, self.ok) = (Some(bar), Some(self.value >= bar));
        self
    }

    fn at_most(mut self, bar: f64) -> Self {
        (self.bar, self.ok) = (Some(bar), Some(self.value <= bar));
        self
    }
}

pub(crate) fn bench(args: &BenchArgs, voice: Voice) -> u8 {
    match rows(if args.quick { 2 } else { 5 }) {
        Ok(rows) if voice.format == Format::Json => {
            let machine =
                serde_json::json!({"cores": std::thread::available_parallelism().map_or(0, usize::from), "arch": std::env::consts::ARCH});
            say(&format!("{:#}", serde_json::json!({"machine": machine, "rows": rows})))
        }
        Ok(rows) => {
            let line = |row: &Row| {
                let bar =
                    row.bar.map_or_else(String::new, |bar| format!("bar {bar:.4e} {}", if row.ok == Some(true) { "ok" } else { "MISSED" }));
                format!("{:<24} {:>12.4e} {:<14} {bar:<24} {}\n", row.name, row.value, row.unit, row.note)
            };
            say(&rows.iter().map(line).collect::<String>())
        }
        Err(error) => {
            complain(&format!("error: {error}"));
            CANNOT
        }
    }
}

fn rows(repeats: u32) -> Result<Vec<Row>, SimulationError> {
    let workers = |simd| Workers::new(1, simd).map_err(|error| SimulationError::Asked(error.to_string()));
    let (rate, error) = puff(repeats, &workers(SimdLevel::Auto)?);
    let (plain, _) = puff(repeats, &workers(SimdLevel::Sse2)?);
    let one = gases(1, repeats)?;
    let twelve = gases(12, repeats)?;
    let (demo, tick, sets) = demo()?;
    let mut rows = vec![
        Row::new("transport-rate", rate, "cells/s", "64x64x64 puff, one core, one tracer").at_least(2e8),
        Row::new("transport-rel-l2", error, "1", "the same case against the exact puff").at_most(0.02),
        Row::new("transport-over-sse2", rate / plain, "1", "this machine's level over forced SSE2").at_least(2.0),
        Row::new("gases-12-over-1", twelve / one, "1", "ms a tick, twelve gases of one component over one").at_most(1.15),
        Row::new("demo-realtime", demo, "x real time", "smouldering_branch, all cores, alert cadence, until 300 s").at_least(50.0),
        Row::new("tick-ms", tick, "ms", "one tick of the same run, 216,000 cells"),
    ];
    rows.extend(sets.into_iter().map(|(set, ms)| Row::new("set-ms", ms, "ms", format!("of that tick in {set:?}"))));
    Ok(rows)
}

/// The shared transport case: a Gaussian puff of σ = 4 m in a wind of (1, 0.5, 0.25) m/s, K = 0.1 m²/s, 100 steps of
/// 0.2 s. Returns cell updates a second of the best repetition and the relative L2 error against the exact puff.
fn puff(repeats: u32, workers: &Workers) -> (f64, f64) {
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
        let begun = Instant::now();
        for step in 0..STEPS {
            Plan::new(faces, [1.0; 3], 0.2, spread, Sides::Open, step % 2 == 1, false).advance(&mut cells, 0.0, workers);
        }
        best = best.min(begun.elapsed());
    }
    let truth = exact(0.2 * STEPS as f64);
    let square = |list: &mut dyn Iterator<Item = f64>| list.map(|v| v * v).sum::<f64>().sqrt();
    let error = square(&mut cells.iter().zip(&truth).map(|(a, b)| f64::from(a - b))) / square(&mut truth.iter().map(|v| f64::from(*v)));
    ((N * N * N * STEPS) as f64 / best.as_secs_f64(), error)
}

/// Milliseconds a tick of a run in which one component carries so many gases.
fn gases(count: usize, repeats: u32) -> Result<f64, SimulationError> {
    const GASES: [&str; 12] =
        ["CO", "CO2", "CH4", "formaldehyde", "acetaldehyde", "acrolein", "phenol", "cresol", "guaiacol", "methanol", "furfural", "benzene"];
    let probes: String = GASES[..count]
        .iter()
        .map(|gas| format!("(id: \"{gas}\", over: Point((40.0, 16.0, 4.0)), every_s: 1.0, quantity: \"gas/{gas}\"),"))
        .collect();
    let text = format!(
        "Scenario(format: 1, name: \"bench\", start: \"2026-01-01T00:00:00Z\", \
         site: (latitude_deg: 0.0, longitude_deg: 0.0, elevation_m: 0.0, ground: \"pasture\"), tick_s: 0.2, duration_s: 40.0, \
         domain: (size_m: (64.0, 32.0, 32.0), cell_m: 1.0), \
         weather: Given(temperature_c: 20.0, humidity_pct: 50.0, pressure_hpa: 1000.0), \
         wind: Profile(speed_m_s: 2.0, at_m: 10.0, from_deg: 270.0), \
         emitters: [(id: \"wood\", at_m: (10.0, 16.0, 4.0), background: true, \
             kind: smouldering_wood(mass_kg: 1.0, heated_by: Ignited(at_s: 0.0)))], probes: [{probes}])"
    );
    let mut best = f64::MAX;
    for _ in 0..repeats {
        let request = Request { threads: 1, ..Request::default() };
        let mut simulation = Simulation::load(EnviroSensePlugins, &Source::new("bench.ron", text.clone()), &request)?;
        best = best.min(stepped(&mut simulation, 200)?);
    }
    Ok(best)
}

/// Mean milliseconds of so many ticks.
fn stepped(simulation: &mut Simulation, ticks: u32) -> Result<f64, SimulationError> {
    let begun = Instant::now();
    for _ in 0..ticks {
        simulation.step()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e3 / f64::from(ticks))
}

/// Milliseconds spent between the marks of one tick, summed over ticks.
#[derive(Resource, Debug)]
struct Stopwatch {
    last: Instant,
    spent: [Duration; TickSystems::ALL.len()],
}

/// Milliseconds a tick of each set of systems.
type SetTimes = Vec<(TickSystems, f64)>;

/// Times real time, milliseconds a tick, and milliseconds a tick of each set of systems, of the demo scenario.
fn demo() -> Result<(f64, f64, SetTimes), SimulationError> {
    const TICKS: u32 = 3_600;
    let source = crate::files::library::shipped("scenarios/smouldering_branch.ron")
        .ok_or_else(|| SimulationError::Asked("the demo scenario does not ship with this program".to_owned()))?;
    let marks = |app: &mut App| {
        app.insert_resource(Stopwatch { last: Instant::now(), spent: [Duration::ZERO; TickSystems::ALL.len()] });
        for (index, set) in TickSystems::ALL.into_iter().enumerate() {
            // at the mark before a set the set before it has just ended; the first mark closes the last set
            let ended = (index + TickSystems::ALL.len() - 1) % TickSystems::ALL.len();
            let mark = move |mut watch: ResMut<Stopwatch>| {
                let now = Instant::now();
                let since = now - watch.last;
                watch.spent[ended] += since;
                watch.last = now;
            };
            app.add_systems(Tick, mark.in_set(Before(set)));
        }
    };
    let plugins = EnviroSensePlugins.build().add(marks);
    let mut simulation = Simulation::load(plugins, &source, &Request::default())?;
    simulation.record_to(crate::recording::SampleList::default());
    let ms = stepped(&mut simulation, TICKS)?;
    let watch = simulation.app.world().resource::<Stopwatch>();
    let sets = TickSystems::ALL.into_iter().zip(watch.spent).map(|(set, spent)| (set, spent.as_secs_f64() * 1e3 / f64::from(TICKS)));
    Ok((100.0 / ms, ms, sets.collect()))
}
