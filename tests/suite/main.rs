//! What `EnviroSense` promises, one module a promise.

#![expect(clippy::unwrap_used, reason = "tests")]

mod architecture;
mod command_line;
mod compensation;
mod determinism;
mod diagnostics;
mod documents;
mod events;
mod support;
