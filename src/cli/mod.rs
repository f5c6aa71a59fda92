//! The command line. Answers on stdout, everything else on stderr.
//!
//! Exit codes: 0 done, 1 ran and the answer is no, 2 could not run, 101 panic, 130 interrupted with readable output.
//! A plugin author's own binary has all of it: `envirosense::cli::main(EnviroSensePlugins.build().add(Mine))`.

mod bench;
mod explain;
mod export;
mod inspect;
mod list;
mod plot;
mod run;
mod validate;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bevy_app::PluginGroup;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::simulation::{SimulationError, new_app};

/// Ran, and the answer is no.
pub(crate) const NO: u8 = 1;
/// Could not run.
pub(crate) const CANNOT: u8 = 2;
/// Interrupted; what is there is readable.
pub(crate) const INTERRUPTED: u8 = 130;

#[derive(Debug, Parser)]
#[command(name = "envirosense", version, about = "Digital twins of environmental sensor products", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How answers are printed.
    #[arg(long, value_enum, default_value_t = Format::Human, global = true)]
    format: Format,
    /// No progress on stderr.
    #[arg(long, global = true)]
    no_progress: bool,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the shipped product in the shipped scenario and say which sensors saw the event.
    Demo(run::DemoArgs),
    /// Run one scenario into a directory of samples.
    Run(run::RunArgs),
    /// Check products and scenarios; every fault with its place.
    Validate(validate::ValidateArgs),
    /// Look at a run or a sample file.
    Inspect(inspect::InspectArgs),
    /// Write samples or fields in another format.
    Export(export::ExportArgs),
    /// Draw a channel over time, or an image in false colour.
    Plot(plot::PlotArgs),
    /// List what there is: products, scenarios, sensors, emitters, events, physics, species, materials, fields.
    List(list::ListArgs),
    /// Explain an error code, a field of a file, or a channel.
    Explain(explain::ExplainArgs),
    /// Measure this machine.
    Bench(bench::BenchArgs),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// What every run takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Machine {
    /// Threads for heavy kernels; 0 is one for each core. Results do not depend on it.
    #[arg(long, default_value_t = 0)]
    pub(crate) threads: usize,
    /// Widest vector instructions: auto, avx2 or sse2. Results do not depend on it.
    #[arg(long, default_value = "auto")]
    pub(crate) simd: crate::numerics::SimdLevel,
}

/// How this call talks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) format: Format,
    pub(crate) progress: bool,
}

/// Runs the program with these plugins and returns its exit code.
pub fn main(plugins: impl PluginGroup) -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let _ = writeln!(
            std::io::stderr(),
            "envirosense {} panicked: {panic}\nThis is a bug of the program or of a plugin. Please report it with the command and the files.",
            env!("CARGO_PKG_VERSION")
        );
    }));
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("ENVIROSENSE_LOG").unwrap_or_else(|_| "warn".into()))
        .init();
    let cli = Cli::parse();
    let voice = Voice { format: cli.format, progress: !cli.no_progress };
    ExitCode::from(match cli.command {
        Command::Demo(args) => run::demo(&args, plugins, voice),
        Command::Run(args) => run::run(&args, plugins, voice),
        Command::Validate(args) => validate::validate(&args, &new_app(plugins), voice),
        Command::Inspect(args) => inspect::inspect(&args, voice),
        Command::Export(args) => export::export(&args),
        Command::Plot(args) => plot::plot(&args),
        Command::List(args) => list::list(&args, &new_app(plugins), voice),
        Command::Explain(args) => explain::explain(&args, &new_app(plugins), voice),
        Command::Bench(args) => bench::bench(&args, voice),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "envirosense", &mut text);
            say(&String::from_utf8_lossy(&text))
        }
    })
}

/// Prints the answer; a reader that went away is not our fault.
pub(crate) fn say(text: &str) -> u8 {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") }) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => CANNOT,
        _ => 0,
    }
}

/// Prints to stderr.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

pub(crate) fn show(diagnostics: &[Diagnostic]) {
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for diagnostic in diagnostics {
        complain(&diagnostic.render(colour));
        complain("");
    }
}

/// Says why nothing could be run and gives the exit code.
pub(crate) fn refuse(error: SimulationError) -> u8 {
    match error {
        SimulationError::Files(Diagnostics(faults)) => {
            show(&faults);
            let errors = faults.iter().filter(|d| d.severity == crate::diagnostics::Severity::Error).count();
            complain(&format!("{errors} error{}; nothing was run", if errors == 1 { "" } else { "s" }));
        }
        other => complain(&format!("error: {other}")),
    }
    CANNOT
}

/// A file or directory argument.
pub(crate) type Place = PathBuf;
