//! `validate`: every fault of every file.

use bevy_app::App;
use clap::Args;

use super::{CANNOT, Format, NO, Place, Voice, complain, say, show};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::files::library;
use crate::simulation::{Request, SimulationError, is_product, load_files, validate_product};

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Scenario and product files.
    #[arg(required = true)]
    files: Vec<Place>,
    /// Seed with which open numbers are drawn.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(crate) fn validate(args: &ValidateArgs, app: &App, voice: Voice) -> u8 {
    let mut all: Vec<Diagnostic> = Vec::new();
    for path in &args.files {
        let source = match library::open(path, "scenarios").or_else(|error| library::open(path, "products").map_err(|_| error)) {
            Ok(source) => source,
            Err(error) => {
                complain(&format!("error: {error}"));
                return CANNOT;
            }
        };
        let checked = if is_product(path, &source.text) {
            validate_product(app, &source)
        } else {
            match load_files(app, &source, &Request { seed: args.seed, ..Request::default() }) {
                Ok(loaded) => Ok(loaded.warnings),
                Err(SimulationError::Files(faults)) => Err(faults),
                Err(error) => {
                    complain(&format!("error: {error}"));
                    return CANNOT;
                }
            }
        };
        match checked {
            Ok(warnings) => all.extend(warnings),
            Err(Diagnostics(faults)) => all.extend(faults),
        }
    }
    let errors = all.iter().filter(|d| d.severity == Severity::Error).count();
    if voice.format == Format::Json {
        let list: Vec<_> = all.iter().map(Diagnostic::to_json).collect();
        say(&format!("{:#}", serde_json::json!({"schema": "envirosense.validate/1", "errors": errors, "diagnostics": list})));
    } else {
        show(&all);
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        say(&[count(args.files.len(), "file"), count(errors, "error"), count(all.len() - errors, "warning")].join(", "));
    }
    if errors > 0 { NO } else { 0 }
}
