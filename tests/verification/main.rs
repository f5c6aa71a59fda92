//! The engine against closed forms and field data, through the real schedule. Writes `target/verification.json`.
//!
//! `VERIFY=full` also runs what takes minutes of CPU.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests: cell counts, single precision")]

mod airflow;
mod briggs;
mod camera;
mod cavity;
mod conduction;
mod convection;
mod deposition;
mod dispersion;
mod eddies;
mod emission;
mod field;
mod fire;
mod fluctuations;
mod heat;
mod les;
mod look;
mod means;
mod obstacles;
mod plot;
mod plumes;
mod prairie;
mod puffs;
mod rising;
mod sky;
mod surfaces;
mod table;
mod transport;
mod wood;
