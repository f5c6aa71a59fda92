//! How long does a tick of a whole unit take? `cargo bench --bench tick`.

use divan::Bencher;
use envirosense::files::library::shipped;
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, Simulation};

fn main() {
    divan::main();
}

/// What does a second of each shipped scenario cost before anything happens?
#[divan::bench(args = ["scenarios/quiet_day.ron", "scenarios/smouldering_limb.ron"], sample_count = 10)]
fn one_simulated_second_of(bencher: Bencher, scenario: &str) {
    let Some(mut simulation) = shipped(scenario).and_then(|source| Simulation::load(EnviroSensePlugins, &source, &Request::default()).ok())
    else {
        return;
    };
    bencher.bench_local(|| {
        let until_s = simulation.now_s() + 1.0;
        while simulation.now_s() < until_s - 1e-9 {
            simulation.step()?;
        }
        Ok::<(), envirosense::simulation::SimulationError>(())
    });
}
