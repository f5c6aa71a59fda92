//! The engine against closed forms, through the real schedule. Writes `target/verification.json`.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tests: cell counts, single precision")]

mod airflow;
mod dispersion;
mod table;
