//! `demo` and `run`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bevy_app::PluginGroup;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{CANNOT, Format, INTERRUPTED, Machine, Voice, complain, refuse, say, show};
use crate::files::library;
use crate::physics::dispersion::Balance;
use crate::run_directory::{Finished, RunError, free_for, run_into};
use crate::simulation::{Ended, Finding, Loaded, Request, Simulation, SimulationError};
use crate::units::rfc3339;

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the data go.
    #[arg(long, default_value = "demo")]
    out: PathBuf,
    /// Replaces another run that is there.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A scenario file, or the name of a shipped one.
    scenario: PathBuf,
    /// Gives every device this product.
    #[arg(long)]
    product: Option<String>,
    /// Seed of all random streams.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Changes a field of the scenario, such as `wind.speed_m_s=4.0`.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Ends the run after so many seconds.
    #[arg(long)]
    until: Option<f64>,
    /// Where the data go; without it `runs/SCENARIO-SEED`, and with changes `runs/SCENARIO-SEED-RUN`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Replaces another run that is there.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    machine: Machine,
}

pub(crate) fn demo(args: &DemoArgs, plugins: impl PluginGroup, voice: Voice) -> u8 {
    let request = Request { threads: args.machine.threads, simd: args.machine.simd, ..Request::default() };
    let code = execute(Path::new("scenarios/smouldering_limb.ron"), &request, Some(&args.out), args.overwrite, plugins, voice);
    if code == 0 && voice.format == Format::Human {
        let out = args.out.display();
        return say(&format!(
            "\nNext:\n  envirosense inspect {out} --stats\n  envirosense export {out} --to csv\n  \
             envirosense run scenarios/smouldering_limb.ron --set wind.from_deg=90.0 --seed 1"
        ));
    }
    code
}

pub(crate) fn run(args: &RunArgs, plugins: impl PluginGroup, voice: Voice) -> u8 {
    let mut set = Vec::new();
    for change in &args.set {
        let Some((path, value)) = change.split_once('=') else {
            complain(&format!("error: --set {change}: write PATH=VALUE"));
            return CANNOT;
        };
        set.push((path.trim().to_owned(), value.trim().to_owned()));
    }
    set.extend(args.until.map(|until| ("duration_s".to_owned(), format!("{until:?}"))));
    let request = Request { product: args.product.clone(), seed: args.seed, set, threads: args.machine.threads, simd: args.machine.simd };
    execute(&args.scenario, &request, args.out.as_deref(), args.overwrite, plugins, voice)
}

/// `runs/SCENARIO-SEED`, and the start of the run's own name where the scenario was changed.
fn default_place(scenario: &Path, seed: u64, loaded: &Loaded) -> PathBuf {
    let stem = scenario.file_stem().unwrap_or_default().to_string_lossy();
    let own = if loaded.changes.is_empty() { String::new() } else { format!("-{}", &loaded.run_id[..6]) };
    PathBuf::from(format!("runs/{stem}-{seed}{own}"))
}

fn execute(scenario: &Path, request: &Request, out: Option<&Path>, overwrite: bool, plugins: impl PluginGroup, voice: Voice) -> u8 {
    let source = match library::open(scenario, "scenarios") {
        Ok(source) => source,
        Err(error) => return refuse(SimulationError::Library(error)),
    };
    let mut simulation = match Simulation::load(plugins, &source, request) {
        Ok(simulation) => simulation,
        Err(error) => return refuse(error),
    };
    show(&simulation.loaded.warnings);
    let out = &out.map_or_else(|| default_place(scenario, request.seed, &simulation.loaded), Path::to_owned);
    if let Err(occupied) = free_for(out, &simulation.loaded.run_id)
        && !overwrite
    {
        complain(&format!("error: {occupied}"));
        return CANNOT;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    if let Err(error) = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)) {
        tracing::warn!("Ctrl-C will not be handled: {error}");
    }
    let begun = Instant::now();
    let progress = Progress::new(simulation.ticks(), voice);
    let result = run_into(&mut simulation, out, request.seed, &stop, |tick, total| {
        progress.at(tick, total);
    });
    progress.done();
    match result {
        Ok(finished) => {
            let report = report(&simulation, &finished, out, begun.elapsed(), voice.format);
            if finished.ended == Ended::Interrupted {
                complain("interrupted: the samples so far are readable and the manifest says so");
                say(&report).max(INTERRUPTED)
            } else {
                say(&report)
            }
        }
        Err(RunError::Simulation(error @ SimulationError::Files(_))) => refuse(error),
        Err(error) => {
            complain(&format!("error: {error}"));
            CANNOT
        }
    }
}

fn report(simulation: &Simulation, finished: &Finished, out: &Path, took: Duration, format: Format) -> String {
    let scenario = &simulation.loaded.conditions.scenario;
    let simulated = scenario.duration_s.get() + scenario.warm_up_s.get();
    if format == Format::Json {
        let document = serde_json::json!({
            "schema": "envirosense.run/1", "run_id": simulation.loaded.run_id, "out": out.display().to_string(),
            "ended": if finished.ended == Ended::Complete { "complete" } else { "interrupted" },
            "samples": finished.samples, "findings": finished.findings, "ledger": finished.ledger,
        });
        return format!("{document:#}");
    }
    let mut text = format!(
        "{}: {} samples in {} ({:.1} s, {:.0}x real time)\n",
        scenario.name,
        finished.samples,
        out.join("samples.avro").display(),
        took.as_secs_f64(),
        simulated / took.as_secs_f64().max(1e-9)
    );
    for finding in &finished.findings {
        text.push_str(&tell(finding));
    }
    finished.ledger.iter().filter(|balance| balance.emitted_kg > 0.0).for_each(|balance| text.push_str(&weigh(balance)));
    text
}

/// A line that tells where the mass of a source is.
fn weigh(balance: &Balance) -> String {
    let Balance { source, emitted_kg, airborne_kg, left_kg, deposited_kg, reacted_kg } = balance;
    format!(
        "  mass of {source}: emitted {:.4} g = airborne {:.4} + left {:.4} + deposited {:.4} + reacted {:.4} g (closes to {:.1e})\n",
        emitted_kg * 1e3,
        airborne_kg * 1e3,
        left_kg * 1e3,
        deposited_kg * 1e3,
        reacted_kg * 1e3,
        balance.closure().abs()
    )
}

fn tell(finding: &Finding) -> String {
    let when = |us: Option<i64>| us.map_or_else(|| "-".to_owned(), rfc3339);
    let head = format!("  event {} ({}, onset {}) at {}: ", finding.event, finding.class, when(finding.onset_us), finding.device);
    let mut text = match finding.arrival_us {
        Some(arrival) => format!("{head}detectable since {}\n", rfc3339(arrival)),
        None => format!("{head}not detectable from here\n"),
    };
    for (channel, snr) in &finding.channels {
        if *snr >= 0.1 {
            text.push_str(&format!("    {channel:<22} best signal-to-noise {snr:8.1}\n"));
        }
    }
    text
}

/// A bar on a terminal, a line every tenth in a pipe.
enum Progress {
    Silent,
    Bar(ProgressBar),
    Lines { begun: Instant },
}

impl Progress {
    fn new(total: u64, voice: Voice) -> Self {
        if !voice.progress {
            Self::Silent
        } else if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(total);
            if let Ok(style) = ProgressStyle::with_template("   Running  {bar:40}  {percent:>3} %  {per_sec}  eta {eta}") {
                bar.set_style(style);
            }
            Self::Bar(bar)
        } else {
            Self::Lines { begun: Instant::now() }
        }
    }

    fn at(&self, tick: u64, total: u64) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                if tick.is_multiple_of(16) || tick == total {
                    bar.set_position(tick);
                }
            }
            Self::Lines { begun } => {
                let tenth = |tick: u64| tick * 10 / total.max(1);
                if tenth(tick) > tenth(tick - 1) {
                    complain(&format!("{:3} %  {:.0} ticks/s", tenth(tick) * 10, tick as f64 / begun.elapsed().as_secs_f64().max(1e-9)));
                }
            }
        }
    }

    fn done(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
