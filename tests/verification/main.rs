//! The engine against closed forms, through the real schedule. Writes `target/verification.json`.

#![expect(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "tests")]

mod airflow;
mod dispersion;
mod table;
