//! `bench`: cell updates, ticks and samples a CPU second on this machine.

mod camera;
mod cases;
mod systems;

use clap::Args;

use super::{CANNOT, Format, Voice, complain, say};
use crate::numerics::{SimdLevel, Workers};
use crate::simulation::SimulationError;
use camera::camera_frame;
use cases::{cell_rate, demo, les_rate, plume_unit, puff, puff_moves_and_queries, run_of, triad_rate, two_threads, wind_around};
use systems::systems;

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
    let one = run_of(1, 1, repeats)?;
    let twelve = run_of(1, 12, repeats)?;
    let five = run_of(5, 12, repeats)?;
    let (gain, control) = two_threads(repeats)?;
    let les = les_rate(repeats, &workers(SimdLevel::Auto)?);
    let wind = wind_around(&workers(SimdLevel::Auto)?);
    let sizes = [[64, 64, 64], [256, 256, 128]].map(|shape| workers(SimdLevel::Auto).map(|one| cell_rate(shape, repeats, &one)));
    let [small, large] = sizes;
    let (small, large) = (small?, large?);
    // each sweep reads and writes the cells and reads its wind: 36 bytes an update
    let roofline = 36.0 * large / triad_rate(repeats);
    let (moves, query) = puff_moves_and_queries(repeats);
    let plume = plume_unit()?;
    let (still, driving) = camera_frame(repeats, &workers(SimdLevel::Auto)?);
    let (often, _) = demo(Some(125_000))?;
    let (demo, tick) = demo(None)?;
    let mut rows = vec![
        Row::new("transport-rate", rate, "cells/CPU-s", "64x64x64 puff, one core, one tracer").at_least(2e8),
        Row::new("transport-rel-l2", error, "1", "the same case against the exact puff").at_most(0.02),
        Row::new("transport-over-sse2", rate / plain, "1", "this machine's level over forced SSE2").at_least(2.0),
        Row::new("transport-flat", small / large, "1", "cost of a cell in 256x256x128 over 64x64x64"),
        Row::new("transport-roofline", roofline, "1", "memory traffic of transport in 256x256x128 over that of a triad, one core"),
        Row::new("gases-12-over-1", twelve / one, "1", "ms a tick, twelve gases of one component over one").at_most(1.15),
        Row::new("emitters-5-over-1", five / one, "1", "ms a tick, five emitters of twelve gases over one of one").at_most(5.5),
        Row::new(
            "transport-threads-2",
            gain / control,
            "1",
            format!("128x128x64, gain of two threads {gain:.2}, of the slower control {control:.2}"),
        )
        .at_least(0.95),
        Row::new("wind-around-s", wind, "CPU-s", "mass-consistent wind, 128x128x64, 8 % solid, residual 1e-6, from rest").at_most(0.6),
        Row::new("les-step", les, "cells/CPU-s", "resolved flow with Vreman's viscosity, 64x64x64, walls all around, one core"),
        Row::new("puff-moves", moves, "moves/CPU-s", "100,000 puffs in a surface layer").at_least(2e7),
        Row::new("puff-query-us", query, "us", "density at a point among 100,000 puffs in a square kilometre").at_most(20.0),
        Row::new(
            "plume-realtime",
            plume,
            "x real time",
            "one unit, normal cadence, fidelity Plume, 23 quiet hours and one of smoke, tick 10 s",
        )
        .at_least(20_000.0),
        Row::new("camera-frame-ms", still, "ms", format!("160x120, 200 bodies, one core; {driving:.1} ms with one that drives by"))
            .at_most(4.0),
        Row::new("demo-realtime", demo, "x real time", "smouldering_limb, all cores, alert cadence, camera at 1 frame/s, until 300 s")
            .at_least(50.0),
        Row::new("demo-camera-8hz", often, "x real time", "the same with 8 frames/s"),
        Row::new("tick-ms", tick, "ms", "one tick of the same run, 216,000 cells"),
    ];
    rows.extend(systems()?.into_iter().map(|(system, ms)| Row::new("system-ms", ms, "ms", format!("of such a tick in {system}"))));
    Ok(rows)
}
