//! `bench`: cell updates, ticks and samples a CPU second on this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use cpu_time::ProcessTime;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Subscriber, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use super::{CANNOT, Format, Voice, complain, say};
use crate::diagnostics::Source;
use crate::numerics::transport::{Course, Faces, Plan, Sides, Spread};
use crate::numerics::{SimdLevel, Workers};
use crate::plugins::EnviroSensePlugins;
use crate::simulation::{Request, Simulation, SimulationError};

/// Ticks of the demo that are timed: 300 s, the last of them with smoke in the air.
const DEMO_TICKS: u32 = 3_600;
/// Systems that take less than this are not listed.
const LEAST_MS: f64 = 5e-4;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Fewer repetitions.
    #[arg(long)]
    quick: bool,
}

/// One measured figure.
#[derive(Debug, serde::Serialize)]
struct Row {
    name: String,
    value: f64,
    unit: &'static str,
    bar: Option<f64>,
    ok: Option<bool>,
    note: String,
}

impl Row {
    fn new(name: impl Into<String>, value: f64, unit: &'static str, note: impl Into<String>) -> Self {
        Self { name: name.into(), value, unit, bar: None, ok: None, note: note.into() }
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
    let (demo, tick) = demo()?;
    let mut rows = vec![
        Row::new("transport-rate", rate, "cells/CPU-s", "64x64x64 puff, one core, one tracer").at_least(2e8),
        Row::new("transport-rel-l2", error, "1", "the same case against the exact puff").at_most(0.02),
        Row::new("transport-over-sse2", rate / plain, "1", "this machine's level over forced SSE2").at_least(2.0),
        Row::new("gases-12-over-1", twelve / one, "1", "ms a tick, twelve gases of one component over one").at_most(1.15),
        Row::new("demo-realtime", demo, "x real time", "smouldering_branch, all cores, alert cadence, until 300 s").at_least(50.0),
        Row::new("tick-ms", tick, "ms", "one tick of the same run, 216,000 cells"),
    ];
    rows.extend(systems()?.into_iter().map(|(system, ms)| Row::new("system-ms", ms, "ms", format!("of such a tick in {system}"))));
    Ok(rows)
}

/// The shared transport case: a Gaussian puff of σ = 4 m in a wind of (1, 0.5, 0.25) m/s, K = 0.1 m²/s, 100 steps of
/// 0.2 s. Returns cell updates a CPU-second of the best repetition and the relative L2 error against the exact puff.
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

/// The demo scenario until 300 s: times real time, and milliseconds a tick.
fn demo() -> Result<(f64, f64), SimulationError> {
    let mut simulation = demo_simulation()?;
    let tick_s = simulation.loaded.conditions.scenario.tick_s.secs();
    let ms = stepped(&mut simulation, DEMO_TICKS)?;
    Ok((tick_s * 1e3 / ms, ms))
}

fn demo_simulation() -> Result<Simulation, SimulationError> {
    let source = crate::files::library::shipped("scenarios/smouldering_branch.ron")
        .ok_or_else(|| SimulationError::Asked("the demo scenario does not ship with this program".to_owned()))?;
    let mut simulation = Simulation::load(EnviroSensePlugins, &source, &Request::default())?;
    simulation.record_to(crate::recording::SampleList::default());
    Ok(simulation)
}

/// Milliseconds a tick of each system of the demo, the slowest first. Run apart from [`demo`]: the clock costs time.
fn systems() -> Result<Vec<(String, f64)>, SimulationError> {
    let times = SystemTimes::default();
    let spent = Arc::clone(&times.0);
    // spans of systems are made with the systems, so the whole run happens under this listener
    subscriber::with_default(tracing_subscriber::registry().with(times), || stepped(&mut demo_simulation()?, DEMO_TICKS))?;
    let spent = spent.lock().unwrap_or_else(PoisonError::into_inner);
    let per_tick = |(name, time): (&String, &Duration)| (name.clone(), time.as_secs_f64() * 1e3 / f64::from(DEMO_TICKS));
    let mut list: Vec<(String, f64)> = spent.by_system.iter().map(per_tick).filter(|(_, ms)| *ms >= LEAST_MS).collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(list)
}

/// Adds up the time inside the span that the ECS opens around each run of a system, without that of systems run from
/// inside it.
#[derive(Default)]
struct SystemTimes(Arc<Mutex<Spent>>);

#[derive(Default)]
struct Spent {
    running: Vec<Running>,
    by_system: BTreeMap<String, Duration>,
}

/// A system that has begun and not ended.
struct Running {
    since: Instant,
    inside: Duration,
}

/// What a span remembers of its system.
struct SystemName(String);

/// Finds the field `name`.
struct NameField(Option<String>);

impl Visit for NameField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

impl SystemTimes {
    /// The name of the system a span stands for, and the books.
    fn of<S: Subscriber + for<'l> LookupSpan<'l>>(&self, id: &Id, context: &Context<'_, S>) -> Option<(String, MutexGuard<'_, Spent>)> {
        let name = context.span(id)?.extensions().get::<SystemName>()?.0.clone();
        Some((name, self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for SystemTimes {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "system" {
            return;
        }
        let mut field = NameField(None);
        attributes.record(&mut field);
        if let (Some(name), Some(span)) = (field.0, context.span(id)) {
            span.extensions_mut().insert(SystemName(name));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some((_, mut spent)) = self.of(id, &context) {
            spent.running.push(Running { since: Instant::now(), inside: Duration::ZERO });
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some((name, mut spent)) = self.of(id, &context)
            && let Some(ended) = spent.running.pop()
        {
            let whole = ended.since.elapsed();
            if let Some(outer) = spent.running.last_mut() {
                outer.inside += whole;
            }
            *spent.by_system.entry(name).or_default() += whole.saturating_sub(ended.inside);
        }
    }
}
