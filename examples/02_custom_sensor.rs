//! A sensor that lives outside the crate: an electrochemical ozone cell, with all of the engine's command line.
//!
//! ```text
//! air ── ozone ppb ──▶ lag, bias, noise (engine) ──▶ nA ──▶ firmware, with the climate sensor's report ──▶ ppb
//! cargo run --example 02_custom_sensor -- run examples/ozone/afternoon.ron --out target/ozone
//! ```

use envirosense::prelude::*;

/// As written in a product file: `ozone_cell(t90_s: 80.0, noise_ppb: 4.0)`.
#[derive(Component, Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OzoneCell {
    /// Time to 90 % of a step.
    t90_s: f64,
    /// White noise of one result.
    noise_ppb: f64,
    #[serde(skip)]
    ozone: usize,
}

/// Sensitivity in nA per ppb at 20 °C and its drift per kelvin: typical of the class.
const NA_PER_PPB: f64 = 0.4;
const PER_KELVIN: f64 = 0.004;

impl Spec for OzoneCell {}

impl Sensor for OzoneCell {
    const KIND: &'static str = "ozone_cell";
    const ABOUT: &'static str = "electrochemical ozone cell";
    type State = NoState;

    fn quantities(&self) -> Vec<Quantity> {
        let channel = Channel { name: "ozone".into(), lag: Lag::symmetric(self.t90_s / 2.303), span: (-50.0, 2000.0), systematic: 5.0 };
        vec![Quantity {
            capability: "mole_fraction_of_ozone_in_air",
            unit: "[ppb]",
            channels: vec![channel],
            raw_unit: "nA",
            raw: vec!["current".into()],
        }]
    }

    fn signals(&self) -> Vec<Signal> {
        vec![Signal {
            lag: Lag::symmetric(self.t90_s / 2.303),
            bias: Bias { gain: 0.05, offset: 1.0, drift_per_sqrt_day: 0.05 },
            noise: Noise { white: self.noise_ppb * NA_PER_PPB, flicker: 0.0 },
            ..Signal::ideal("current")
        }]
    }

    fn resolve(&mut self, species: &SpeciesTable) {
        self.ozone = species.index("O3").unwrap_or_default();
    }

    fn measurand(&self, air: &Surroundings, out: &mut [f64]) {
        out[0] = air.gas[self.ozone] * 1e9;
    }

    fn transduce(&self, _: &NoState, air: &Surroundings, out: &mut [f64]) {
        out[0] = NA_PER_PPB * air.gas[self.ozone] * 1e9 * (1.0 + PER_KELVIN * (air.temperature_k - 293.15));
    }

    fn firmware(&self, raw: &[f64], partners: &Partners, _: &mut NoState, report: &mut Report) {
        let temperature_c = partners.get("temperature").unwrap_or(20.0);
        report.values[0] = Some(raw[0] / (NA_PER_PPB * (1.0 + PER_KELVIN * (temperature_c - 20.0))));
        report.compensations.extend(partners.sensor("temperature").map(str::to_owned));
    }
}

fn main() -> std::process::ExitCode {
    envirosense::cli::main(EnviroSensePlugins.build().add(|app: &mut App| {
        app.add_sensor::<OzoneCell>();
    }))
}
