//! A run as a directory: `samples.avro`, `manifest.json`, `snapshots/*.vti`.
//!
//! The manifest is written first with `state: "running"` and replaced whole at the end, so that a directory whose run
//! broke off never looks finished.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use bevy_ecs::system::SystemState;
use sha2::{Digest, Sha256};

use crate::physics::dispersion::Balance;
use crate::recording::avro::{AvroError, SampleWriter, read_samples, schema_fingerprint};
use crate::recording::vti::write_vti;
use crate::recording::{Recorder, hex};
use crate::simulation::{Ended, Finding, Simulation, SimulationError};
use crate::world::Grid;
use crate::world::environment::Environment;
use crate::world::spawn::DrawnYields;

/// Why a run directory is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing was run.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The directory holds something else.
    #[error("{} already holds another run ({run_id}); choose another --out, or say --overwrite", folder.display())]
    Occupied {
        /// Which directory.
        folder: PathBuf,
        /// The run it holds, as far as its manifest tells.
        run_id: String,
    },
    /// Samples could not be written or read.
    #[error(transparent)]
    Avro(#[from] AvroError),
    /// A file could not be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What a finished run leaves.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// Samples written.
    pub samples: u64,
    /// Who saw which event.
    pub findings: Vec<Finding>,
    /// Where the mass of every source is.
    pub ledger: Vec<Balance>,
}

/// Whether a run may be written into `folder`: it holds no run, or an earlier one of the same inputs, which would
/// come out the same.
///
/// # Errors
/// When it holds another run.
pub fn free_for(folder: &Path, run_id: &str) -> Result<(), RunError> {
    let occupied = |run_id: &str| Err(RunError::Occupied { folder: folder.to_owned(), run_id: run_id.to_owned() });
    match fs::read(folder.join("manifest.json")) {
        Err(_) if folder.join("samples.avro").symlink_metadata().is_ok_and(|file| file.is_file()) => occupied("without a manifest"),
        Err(_) => Ok(()),
        Ok(text) => {
            let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
            let held = manifest["run_id"].as_str().unwrap_or("unreadable manifest");
            if held == run_id { Ok(()) } else { occupied(held) }
        }
    }
}

/// Runs a simulation into `folder`; `progress` gets the ticks done and the ticks in all. The samples and snapshots of an
/// earlier run are replaced.
///
/// # Errors
/// When something cannot be written or the run breaks off; what was complete by then is kept and the manifest says so.
pub fn run_into(
    simulation: &mut Simulation,
    folder: &Path,
    seed: u64,
    stop: &AtomicBool,
    mut progress: impl FnMut(u64, u64),
) -> Result<Finished, RunError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| RunError::Unwritable { path, source }
    };
    fs::create_dir_all(folder).map_err(unwritable(folder))?;
    let samples = folder.join("samples.avro");
    // only what an earlier run left: a folder that merely has the same name is not ours
    let old = if folder.join("manifest.json").exists() { snapshots(folder) } else { Vec::new() };
    write_manifest(folder, &manifest(simulation, folder, seed, "running", &[]))?;
    for (_, path) in old {
        fs::remove_file(&path).map_err(unwritable(&path))?;
    }
    let writer = SampleWriter::create(&samples, &simulation.loaded.run_id)?;
    simulation.record_to(writer);
    let mut wanted: Vec<(f64, Vec<String>)> =
        simulation.loaded.conditions.scenario.snapshots.iter().map(|s| (s.at_s.get(), s.quantities.clone())).collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let total = simulation.ticks();
    let mut pictures: Vec<PathBuf> = Vec::new();
    let outcome = simulation.run(stop, |simulation, tick| {
        while wanted.last().is_some_and(|(at, _)| *at <= simulation.now_s() + 1e-9) {
            if let Some((at, quantities)) = wanted.pop() {
                let path = write_snapshot(simulation, folder, at, &quantities).map_err(|e| SimulationError::Run(e.to_string()))?;
                pictures.push(path);
            }
        }
        progress(tick, total);
        Ok(())
    });
    let mut outputs = vec![samples];
    outputs.extend(pictures);
    let state = match &outcome {
        Ok(Ended::Complete) => "complete",
        Ok(Ended::Interrupted) => "interrupted",
        Err(_) => "broken off",
    };
    let closing = write_manifest(folder, &manifest(simulation, folder, seed, state, &outputs));
    let ended = outcome?;
    closing?;
    let samples = simulation.app.world().get_resource::<Recorder>().map_or(0, |r| r.samples);
    Ok(Finished { ended, samples, findings: simulation.findings(), ledger: simulation.ledger() })
}

fn manifest(simulation: &mut Simulation, folder: &Path, seed: u64, state: &str, outputs: &[PathBuf]) -> serde_json::Value {
    let digest = |path: &PathBuf| fs::read(path).map(|bytes| hex(&Sha256::digest(bytes))).unwrap_or_default();
    let transducers = simulation.transducers();
    let ledger = simulation.ledger();
    let samples = simulation.app.world().get_resource::<Recorder>().map_or(0, |r| r.samples);
    let loaded = &simulation.loaded;
    let inputs: Vec<_> =
        loaded.inputs.iter().map(|(path, digest)| serde_json::json!({"path": path.display().to_string(), "sha256": hex(digest)})).collect();
    let outputs: Vec<_> = outputs
        .iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
            serde_json::json!({"file": name, "sha256": digest(path)})
        })
        .collect();
    serde_json::json!({
        "format": "envirosense.run/1", "engine": env!("CARGO_PKG_VERSION"), "state": state, "run_id": loaded.run_id, "seed": seed,
        "scenario": loaded.conditions.scenario.name, "changes": loaded.changes, "drawn": loaded.drawn, "samples": samples,
        "schema_sha256": schema_fingerprint(),
        "inputs": inputs, "outputs": outputs, "transducers": transducers, "ledger": ledger,
        "yields": simulation.app.world().get_resource::<DrawnYields>().map(|yields| yields.0.clone()).unwrap_or_default(),
    })
}

fn write_manifest(folder: &Path, manifest: &serde_json::Value) -> Result<(), RunError> {
    let path = folder.join("manifest.json");
    let fresh = folder.join("manifest.json.part");
    let text = format!("{manifest:#}\n");
    fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &path)).map_err(|source| RunError::Unwritable { path, source })
}

fn write_snapshot(simulation: &mut Simulation, folder: &Path, at_s: f64, quantities: &[String]) -> Result<PathBuf, RunError> {
    let fields = fields(simulation, quantities);
    let path = folder.join("snapshots").join(snapshot_name(at_s));
    let named: Vec<(&str, &[f32])> = fields.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let grid = *simulation.app.world().resource::<Grid>();
    let written = fs::create_dir_all(folder.join("snapshots"))
        .and_then(|()| fs::File::create(&path))
        .and_then(|file| write_vti(std::io::BufWriter::new(file), &grid, &named));
    written.map(|()| path.clone()).map_err(|source| RunError::Unwritable { path, source })
}

/// Quantities on every cell, x fastest: gases in ppb, temperature in K, specific humidity in kg/kg, wind speed in m s⁻¹.
pub fn fields(simulation: &mut Simulation, quantities: &[String]) -> Vec<(String, Vec<f32>)> {
    let species = simulation.app.world().resource::<crate::files::species::SpeciesTable>().clone();
    let world = simulation.app.world_mut();
    let mut state: SystemState<Environment> = SystemState::new(world);
    let Ok(environment) = state.get(world) else {
        return Vec::new();
    };
    let view = environment.view();
    quantities.iter().map(|name| (name.clone(), view.cells(name, &species))).collect()
}

/// The file of a snapshot: sorted by name is sorted by time, but for those of the warm-up.
fn snapshot_name(at_s: f64) -> String {
    format!("t{at_s:015.6}.vti")
}

/// The snapshots of a run directory in the order of time, each with its moment in seconds from the scenario's start.
#[must_use]
pub fn snapshots(folder: &Path) -> Vec<(f64, PathBuf)> {
    let entries = fs::read_dir(folder.join("snapshots")).into_iter().flatten().flatten();
    let mut list: Vec<(f64, PathBuf)> = entries
        .filter_map(|entry| {
            let at_s = entry.file_name().to_str()?.strip_prefix('t')?.strip_suffix(".vti")?.parse().ok()?;
            Some((at_s, entry.path()))
        })
        .collect();
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    list
}

/// Reads the samples of a run directory or of an Avro file.
///
/// # Errors
/// When there is no such file or it is no sample file.
pub fn open_samples(
    path: &Path,
) -> Result<impl Iterator<Item = Result<crate::recording::sample::UniversalSensorReading, AvroError>> + use<>, AvroError> {
    let path = if path.is_dir() { path.join("samples.avro") } else { path.to_owned() };
    read_samples(&path)
}
