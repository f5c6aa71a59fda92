#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

/// Checked quantities and constants with sources.
pub mod units;

/// One random stream for each (seed, path, purpose), on the process's own clock.
pub mod streams;

/// What is wrong with a file, said the way a compiler says it.
pub mod diagnostics;

/// What people write.
pub mod files;

/// Kernels that know no physics.
pub mod numerics;

/// What exists, where and when.
pub mod world;

/// Fields advance.
pub mod physics;

/// Sensors look at the world.
pub mod sensing;

/// Readings corrected by readings.
pub mod compensation;

/// The unit.
pub mod device;

/// Samples.
pub mod recording;

/// All plugins as one group.
pub mod plugins;

/// Product + scenario + seed, made into a run.
pub mod simulation;

/// A run as a directory.
pub mod run_directory;

/// The command line.
#[cfg(feature = "cli")]
pub mod cli;

/// What a plugin author types.
pub mod prelude;
