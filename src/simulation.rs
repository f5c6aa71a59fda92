//! Product + scenario + seed → app → finished run.
//!
//! `Simulation::load` reads every file a scenario names and reports all faults between them at once;
//! `Simulation::run` steps the app headless, one `app.update()` a tick.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy_app::{App, Plugins};
use bevy_ecs::prelude::*;
use sha2::{Digest, Sha256};

use crate::device::{Device, spawn_device};
use crate::diagnostics::{Diagnostic, Diagnostics, Source};
use crate::files::kinds::{KindSpec, Kinds};
use crate::files::library::{self, LibraryError};
use crate::files::outline::Node;
use crate::files::product::Product;
use crate::files::scenario::{DeviceEntry, Scenario};
use crate::files::species::SpeciesTable;
use crate::files::template::{self, Drawn};
use crate::numerics::{SimdLevel, Workers};
use crate::physics::dispersion::{Balance, ledger};
use crate::recording::{Recorder, SampleSink, hex};
use crate::sensing::pipeline::{Chain, Instrument};
use crate::sensing::probe::{Probe, ProbeQuantity};
use crate::world::event::EventNode;
use crate::world::spawn::{Conditions, FileLoader, Prepare, spawn_world};
use crate::world::truth::{SensorSight, UnitTruth};
use crate::world::{Clock, RunFault, Tick};

mod check;

/// Everything of the engine; add plugins of your own to it.
pub use crate::plugins::EnviroSensePlugins;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The files are at fault.
    #[error(transparent)]
    Files(#[from] Diagnostics),
    /// A file is missing.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// Something the person asked for on the command line does not fit.
    #[error("{0}")]
    Asked(String),
    /// The run broke off.
    #[error("the run broke off: {0}")]
    Run(String),
}

/// What to run and how.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The product every device gets instead of its own.
    pub product: Option<String>,
    /// Seed of all streams.
    pub seed: u64,
    /// `path=value` changes of the scenario.
    pub set: Vec<(String, String)>,
    /// Threads for heavy kernels; 0 is one for each core.
    pub threads: usize,
    /// Widest vector instructions.
    pub simd: SimdLevel,
}

/// A scenario with all that it names, checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario and its series.
    pub conditions: Conditions,
    /// Products by name.
    pub products: BTreeMap<String, Arc<Product>>,
    /// Numbers drawn for this run.
    pub drawn: Vec<Drawn>,
    /// SHA-256 of every file that was read, as it stands on disk, by path.
    pub inputs: BTreeMap<PathBuf, [u8; 32]>,
    /// Faults that do not stop the run.
    pub warnings: Vec<Diagnostic>,
    /// `path=value` changes that were made to the scenario, and the product that replaced all others.
    pub changes: Vec<String>,
    /// Its hash names the run: every input, every change, seed and engine version.
    pub run_id: String,
}

/// A file with what its places mean.
#[derive(Clone, Debug)]
struct Read<T> {
    source: Arc<Source>,
    tree: Node,
    value: T,
}

impl<T> Read<T> {
    /// The bytes at a path, or of the nearest place there is.
    fn span(&self, path: &str) -> std::ops::Range<usize> {
        self.tree.deepest(path).map_or(0..0, |(node, whole)| {
            if whole { node.span.clone() } else { node.name.clone().unwrap_or(node.span.start..node.span.start + 1) }
        })
    }

    fn fault(&self, code: &'static str, path: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message, &self.source, self.span(path))
    }
}

/// An app with a scenario in it.
pub struct Simulation {
    /// The app; step it with [`Self::step`].
    pub app: App,
    /// What it was made from.
    pub loaded: Loaded,
    ticks: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// At the end of its duration.
    Complete,
    /// Somebody asked it to stop.
    Interrupted,
}

impl Simulation {
    /// Builds an app from `plugins`, reads the scenario and everything it names, and spawns the world.
    ///
    /// # Errors
    /// All faults of the files; a schedule that is ambiguous; threads the system refuses.
    pub fn load<M>(plugins: impl Plugins<M>, scenario: &Arc<Source>, request: &Request) -> Result<Self, SimulationError> {
        let mut app = new_app(plugins);
        let loaded = load_files(&app, scenario, request)?;
        let workers = Workers::new(request.threads, request.simd).map_err(|error| SimulationError::Asked(error.to_string()))?;
        app.insert_resource(workers);
        spawn_world(&mut app, &loaded.conditions, request.seed).map_err(Diagnostics)?;
        let scenario = Arc::clone(&loaded.conditions.scenario);
        for (index, entry) in scenario.devices.iter().enumerate() {
            let name = request.product.as_ref().unwrap_or(&entry.product);
            if let Some(product) = loaded.products.get(name) {
                spawn_device(app.world_mut(), entry, product, &scenario.faults, index);
            }
        }
        for (n, (entry, product)) in probe_devices(&scenario).into_iter().enumerate() {
            spawn_device(app.world_mut(), &entry, &product, &[], scenario.devices.len() + n);
        }
        app.finish();
        app.cleanup();
        check_schedule(app.world_mut())?;
        app.world_mut().run_schedule(Prepare);
        let clock = app.world().resource::<Clock>();
        let ticks = clock.warm_up_ticks() + crate::units::whole_micros(scenario.duration_s.get()).div_ceil(clock.tick_us());
        Ok(Self { app, loaded, ticks })
    }

    /// Lets samples go to `sink`.
    pub fn record_to(&mut self, sink: impl SampleSink) {
        let recorder = Recorder::new(sink, self.loaded.run_id.clone());
        self.app.insert_resource(recorder);
    }

    /// Ticks of the whole run, warm-up included.
    #[must_use]
    pub const fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Simulated seconds since the scenario's start.
    #[must_use]
    pub fn now_s(&self) -> f64 {
        self.app.world().resource::<Clock>().now_s()
    }

    /// Advances by one tick.
    ///
    /// # Errors
    /// The first failure of a system in this tick.
    pub fn step(&mut self) -> Result<(), SimulationError> {
        self.app.update();
        RunFault::take().map_or(Ok(()), |fault| Err(SimulationError::Run(fault)))
    }

    /// Runs to the end, or until `stop` is set; `each` is called after every tick with the number of ticks done.
    ///
    /// # Errors
    /// The first failure of a system; what was complete by then is kept.
    pub fn run(
        &mut self,
        stop: &AtomicBool,
        mut each: impl FnMut(&mut Self, u64) -> Result<(), SimulationError>,
    ) -> Result<Ended, SimulationError> {
        let mut ended = Ended::Complete;
        let done = self.app.world().resource::<Clock>().tick();
        for tick in done + 1..=self.ticks {
            if stop.load(Ordering::Relaxed) {
                ended = Ended::Interrupted;
                break;
            }
            if let Err(fault) = self.step().and_then(|()| each(self, tick)) {
                // keep what was complete; the first fault is the one to tell
                if let Some(mut recorder) = self.app.world_mut().get_resource_mut::<Recorder>() {
                    let _ = recorder.finish();
                }
                return Err(fault);
            }
        }
        if let Some(mut recorder) = self.app.world_mut().get_resource_mut::<Recorder>() {
            recorder.finish().map_err(|error| SimulationError::Run(error.to_string().trim_end().to_owned()))?;
        }
        Ok(ended)
    }

    /// Where the mass of every source is.
    #[must_use]
    pub fn ledger(&mut self) -> Vec<Balance> {
        ledger(self.app.world_mut())
    }

    /// Who saw which event, and how well.
    #[must_use]
    pub fn findings(&mut self) -> Vec<Finding> {
        let world = self.app.world_mut();
        let mut events: Vec<EventNode> = world.query::<&EventNode>().iter(world).cloned().collect();
        events.sort_by_key(|event| event.index);
        let mut units: Vec<(Device, UnitTruth)> =
            world.query::<(&Device, &UnitTruth)>().iter(world).map(|(d, t)| (d.clone(), t.clone())).collect();
        units.sort_by_key(|(device, _)| device.index);
        let mut findings = Vec::new();
        for event in &events {
            for (device, truth) in units.iter().filter(|(device, _)| device.product != PROBE_PRODUCT) {
                let mut channels = Vec::new();
                for sensor in &device.sensors {
                    let Ok((instrument, sight)) = world.entity(*sensor).get_components::<(&Instrument, &SensorSight)>() else {
                        continue;
                    };
                    if let Some((channel, snr)) = sight.events.get(event.index).and_then(|sight| sight.best.clone()) {
                        channels.push((format!("{}/{channel}", instrument.id), snr));
                    }
                }
                findings.push(Finding {
                    event: event.id.clone(),
                    class: event.class.clone(),
                    onset_us: event.onset_us,
                    device: device.id.clone(),
                    arrival_us: truth.events.get(event.index).and_then(|seen| seen.arrival_us),
                    channels,
                });
            }
        }
        findings
    }

    /// One TEDS-like record for each channel, with what was drawn for the unit.
    pub fn transducers(&mut self) -> Vec<serde_json::Value> {
        let world = self.app.world_mut();
        let mut list: Vec<(String, serde_json::Value)> = Vec::new();
        for (instrument, chain) in world.query::<(&Instrument, &Chain)>().iter(world) {
            for quantity in &instrument.parts.quantities {
                for channel in &quantity.channels {
                    let record = serde_json::json!({
                        "sensor": instrument.path, "kind": instrument.kind, "channel": channel.name, "capability": quantity.capability,
                        "unit": quantity.unit, "span": if channel.span.0 == f64::MIN { None } else { Some(channel.span) },
                        "response_rise_s": channel.lag.rise_s, "response_decay_s": channel.lag.decay_s,
                        "period_s": instrument.period_us.map(|us| us as f64 * 1e-6), "average_s": instrument.parts.average_s,
                        "raw_unit": quantity.raw_unit, "raw_channels": quantity.raw, "signal_bias": chain.bias,
                        "age_days": instrument.age_days, "unit_draw": instrument.drawn,
                    });
                    list.push((format!("{}/{}", instrument.path, channel.name), record));
                }
            }
        }
        list.sort_by(|a, b| a.0.cmp(&b.0));
        list.into_iter().map(|(_, record)| record).collect()
    }
}

/// What one unit could notice of one event.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Finding {
    /// Event id.
    pub event: String,
    /// Its class.
    pub class: String,
    /// UTC of its onset in microseconds.
    pub onset_us: Option<i64>,
    /// Device id.
    pub device: String,
    /// UTC since when the device could notice it, in microseconds.
    pub arrival_us: Option<i64>,
    /// Best signal-to-noise ratio of the best channel of each sensor that saw any of it.
    pub channels: Vec<(String, f64)>,
}

/// The product name of the units that carry a scenario's probes.
pub const PROBE_PRODUCT: &str = "probe";

/// An app with the plugins and tables every reader of files needs.
pub fn new_app<M>(plugins: impl Plugins<M>) -> App {
    let mut app = App::new();
    app.insert_resource(SpeciesTable::shipped()).add_plugins(plugins);
    app
}

fn check_schedule(world: &mut World) -> Result<(), SimulationError> {
    let built = world.try_schedule_scope(Tick, |world, schedule| {
        schedule.initialize(world).map(drop).map_err(|error| error.to_string(schedule.graph(), world))
    });
    match built {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) => Err(SimulationError::Run(format!("the tick schedule of this program is not well defined: {message}"))),
        Err(error) => Err(SimulationError::Run(error.to_string())),
    }
}

/// Every probe of a scenario as a unit of its own.
fn probe_devices(scenario: &Scenario) -> Vec<(DeviceEntry, Arc<Product>)> {
    scenario
        .probes
        .iter()
        .filter_map(|probe| {
            let quantity = ProbeQuantity::try_from(probe.quantity.clone()).ok()?;
            let text = format!(
                "Product(format: 1, name: \"{PROBE_PRODUCT}\", physics: [], sensors: [], \
                 modes: [(name: \"probe\", periods_s: {{\"probe\": {:?}}})])",
                probe.every_s.get()
            );
            let mut product: Product = crate::files::read(&Source::new("probe", text), &Kinds::default()).ok()?;
            product.sensors.push(crate::files::product::MountedSensor::bare(
                "probe",
                KindSpec::of("probe", Probe::new(quantity, probe.over.clone(), probe.average_s, &scenario.bodies)),
            ));
            let at = match &probe.over {
                crate::files::scenario::Extent::Point(at) => at.0,
                crate::files::scenario::Extent::Path(points) => *points.first()?,
                crate::files::scenario::Extent::Volume { min_m, .. } => *min_m,
            };
            Some((DeviceEntry::at(&probe.id, PROBE_PRODUCT, at), Arc::new(product)))
        })
        .collect()
}

/// Reads a scenario and everything it names, and checks them against each other.
///
/// # Errors
/// All faults.
pub fn load_files(app: &App, source: &Arc<Source>, request: &Request) -> Result<Loaded, SimulationError> {
    let kinds = app.world().resource::<Kinds>().clone();
    let (mut scenario, drawn) = read_scenario(&with_settings(source, &request.set)?, request.seed, &kinds)?;
    let files = FileLoader::new(source.path.clone(), scenario.value.start);
    let mut found = Vec::new();
    let products = open_products(&scenario, &files, request.product.as_deref(), &kinds, &mut found);
    let recorded = check::air::recorded(&scenario, &files, &mut found);
    let shapes = check::shapes::resolved(&mut scenario, &files, &mut found);
    let conditions = Conditions {
        roughness_m: check::air::roughness(&scenario, &mut found),
        scenario: Arc::new(scenario.value.clone()),
        shapes,
        wind: recorded.0,
        weather: recorded.1,
        loads: check::lines::loads(&scenario, &files, &mut found),
        files,
    };
    check::everything(app, &scenario, &products, &conditions, request, &mut found);
    let warnings = Diagnostics::only_warnings(found)?;
    let mut inputs = conditions.files.opened();
    inputs.insert(source.path.clone(), Sha256::digest(&source.text).into());
    let mut changes: Vec<String> = request.set.iter().map(|(path, value)| format!("{path}={value}")).collect();
    changes.extend(request.product.iter().map(|product| format!("product={product}")));
    let run_id = run_id(request.seed, &inputs, &changes);
    let products = products.into_iter().map(|(name, read)| (name, Arc::new(read.value))).collect();
    Ok(Loaded { conditions, products, drawn, inputs, warnings, changes, run_id })
}

/// Reads every product the devices name, or the one that replaces them all; each is missed once.
fn open_products(
    scenario: &Read<Scenario>,
    files: &FileLoader,
    instead: Option<&str>,
    kinds: &Kinds,
    found: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Read<Product>> {
    let mut wanted: BTreeMap<&str, String> = BTreeMap::new();
    match instead {
        Some(name) => drop(wanted.insert(name, "devices".to_owned())),
        None => {
            for (n, device) in scenario.value.devices.iter().enumerate() {
                wanted.entry(&device.product).or_insert_with(|| format!("devices[{n}].product"));
            }
        }
    }
    let mut products = BTreeMap::new();
    for (name, path) in wanted {
        let Some(text) = files.open(&format!("products/{name}.ron")) else {
            let known = library::names_beside(&scenario.source.path, "products");
            found.push(
                scenario
                    .fault("unknown-product", &path, format!("no product is called `{name}`"))
                    .label("no such file in products/")
                    .did_you_mean(name, known.iter().map(String::as_str), true),
            );
            continue;
        };
        match read_product(&text, kinds) {
            Ok(product) => drop(products.insert(name.to_owned(), product)),
            Err(fault) => found.push(*fault),
        }
    }
    products
}

fn with_settings(source: &Arc<Source>, set: &[(String, String)]) -> Result<Arc<Source>, SimulationError> {
    let mut source = Arc::clone(source);
    for (path, value) in set {
        let tree = crate::files::outline_of(&source).map_err(|fault| Diagnostics::from(*fault))?;
        let text = template::set(&source.text, &tree, path, value).map_err(SimulationError::Asked)?;
        source = Source::new(source.path.clone(), text);
    }
    Ok(source)
}

fn read_scenario(source: &Arc<Source>, seed: u64, kinds: &Kinds) -> Result<(Read<Scenario>, Vec<Drawn>), SimulationError> {
    // a text without an outline is the parser's to explain: it knows more
    let Ok(tree) = crate::files::outline::outline(&source.text) else {
        let fault = crate::files::read::<Scenario>(source, kinds).err().or_else(|| crate::files::outline_of(source).err());
        return Err(Diagnostics(fault.into_iter().map(|fault| *fault).collect()).into());
    };
    let filled = template::fill(source, &tree, seed)?;
    let value = crate::files::read_filled(source, &filled, kinds).map_err(|fault| Diagnostics::from(*fault))?;
    Ok((Read { source: Arc::clone(source), tree, value }, filled.drawn))
}

fn read_product(source: &Arc<Source>, kinds: &Kinds) -> Result<Read<Product>, Box<Diagnostic>> {
    let value = crate::files::read(source, kinds)?;
    Ok(Read { source: Arc::clone(source), tree: crate::files::outline_of(source)?, value })
}

/// Checks one product file alone.
///
/// # Errors
/// All faults that can be seen without a scenario.
pub fn validate_product(app: &App, source: &Arc<Source>) -> Result<Vec<Diagnostic>, Diagnostics> {
    let product = read_product(source, app.world().resource::<Kinds>()).map_err(|fault| Diagnostics::from(*fault))?;
    let mut found = Vec::new();
    check::product(app, &product, &mut found);
    Diagnostics::only_warnings(found)
}

fn run_id(seed: u64, inputs: &BTreeMap<PathBuf, [u8; 32]>, changes: &[String]) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(seed.to_le_bytes());
    for change in changes {
        hash.update(change.as_bytes());
        hash.update([0]);
    }
    let named = |(path, digest): (&PathBuf, &[u8; 32])| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), *digest);
    // in the order of names: how a path was typed is no input
    for (name, digest) in inputs.iter().map(named).collect::<BTreeSet<_>>() {
        hash.update(name.as_bytes());
        hash.update(digest);
    }
    hex(&hash.finalize()[..8])
}

/// Whether a file is a product rather than a scenario, by its first word or its folder.
#[must_use]
pub fn is_product(path: &Path, text: &str) -> bool {
    text.lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty() && !line.starts_with("//"))
        .is_some_and(|line| line.starts_with("Product"))
        || path.parent().is_some_and(|folder| folder.ends_with("products"))
}
