//! The `envirosense` program: the library's own plugins behind its own command line.

use std::process::ExitCode;

use envirosense::plugins::EnviroSensePlugins;

fn main() -> ExitCode {
    envirosense::cli::main(EnviroSensePlugins)
}
