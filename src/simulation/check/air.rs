//! Weather, wind and the gases that come with them.

use super::lines::LARGEST_A;
use super::unique;
use crate::diagnostics::Diagnostic;
use crate::files::body::BodyEntry;
use crate::files::material::Materials;
use crate::files::scenario::{Background, Boundary, SETTABLE, Scenario, Subgrid, Turbulence, Weather, Wind};
use crate::files::series::{Column, Series};
use crate::files::species::SpeciesTable;
use crate::simulation::Read;
use crate::units::{AirTemperature, Bearing, BodyTemperature, Fraction, NonNegative, Pressure, RelativeHumidity, Roughness, WindSpeed};
use crate::world::spawn::FileLoader;

/// The shortest Obukhov length a scenario may state, in metres; recorded ones are brought to it.
const LEAST_OBUKHOV_M: f64 = 0.1;

/// Reads the series a scenario names.
pub(in crate::simulation) fn recorded(
    scenario: &Read<Scenario>,
    files: &FileLoader,
    found: &mut Vec<Diagnostic>,
) -> (Option<Series>, Option<Series>) {
    let mut shortened = 0;
    let wind = series(scenario, files, "wind.file", wind_columns(&scenario.value.wind), found).map(|mut wind| {
        // 0 stands for the strongest stability an instrument resolves; dividing by it has no meaning
        for length in wind.columns.get_mut(2).into_iter().flatten().filter(|length| length.abs() < LEAST_OBUKHOV_M) {
            *length = LEAST_OBUKHOV_M.copysign(*length);
            shortened += 1;
        }
        wind
    });
    let weather = series(scenario, files, "weather.file", weather_columns(&scenario.value.weather), found);
    if shortened > 0 {
        let message = format!("{shortened} recorded Obukhov length(s) shorter than {LEAST_OBUKHOV_M} m were set to that");
        found.push(scenario.fault("short-obukhov", "wind.columns.obukhov_m", message).warning());
    }
    (wind, weather)
}

/// The series of a file that is named at `path`, with the columns wanted from it: its times, then the others.
pub(super) fn series(
    scenario: &Read<Scenario>,
    files: &FileLoader,
    path: &str,
    wanted: Option<(&str, &str, Vec<Column<'_>>)>,
    found: &mut Vec<Diagnostic>,
) -> Option<Series> {
    let (file, time, columns) = wanted?;
    let Some(source) = files.open(file) else {
        found.push(
            scenario
                .fault("missing-file", path, format!("no such file: `{file}`"))
                .help("name it relative to this file, to the folder above it, or to the working folder"),
        );
        return None;
    };
    let asked = |fault: Diagnostic| fault.also(&scenario.source, scenario.span(path), "this file is named here");
    Series::read(&source, files.start, time, &columns).map_err(|faults| found.extend(faults.into_iter().map(asked))).ok()
}

/// Columns a wind file must have, with the intervals their numbers must lie in.
fn wind_columns(wind: &Wind) -> Option<(&str, &str, Vec<Column<'_>>)> {
    let Wind::Recorded { file, columns, .. } = wind else {
        return None;
    };
    let mut list =
        vec![Column { name: &columns.speed_m_s, min: 0.0, max: 113.0 }, Column { name: &columns.from_deg, min: 0.0, max: 360.0 }];
    list.extend(columns.obukhov_m.as_deref().map(|name| Column { name, min: -1e9, max: 1e9 }));
    Some((file, &columns.time, list))
}

/// The same for a weather file.
fn weather_columns(weather: &Weather) -> Option<(&str, &str, Vec<Column<'_>>)> {
    let Weather::Recorded { file, columns, .. } = weather else {
        return None;
    };
    let mut list = vec![Column { name: &columns.temperature_c, min: -95.0, max: 70.0 }];
    list.extend(columns.humidity_pct.as_deref().map(|name| Column { name, min: 0.0, max: 100.0 }));
    list.extend(columns.pressure_hpa.as_deref().map(|name| Column { name, min: 300.0, max: 1100.0 }));
    list.extend(columns.cloud.as_deref().map(|name| Column { name, min: 0.0, max: 1.0 }));
    Some((file, &columns.time, list))
}

/// The roughness length of the ground, from the wind or the site's ground cover.
pub(in crate::simulation) fn roughness(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) -> Option<f64> {
    let materials = Materials::shipped();
    let ground = scenario.value.site.ground.as_ref();
    let cover = ground.and_then(|id| materials.get(id));
    if let (Some(id), None) = (ground, cover) {
        let known = materials.all().iter().filter(|m| m.roughness_m.is_some()).map(|m| m.id.as_str());
        found.push(
            scenario.fault("unknown-material", "site.ground", format!("no ground cover is called `{id}`")).did_you_mean(id, known, true),
        );
    }
    let (Wind::Profile { roughness_m, .. } | Wind::Recorded { roughness_m, .. }) = &scenario.value.wind else {
        return None;
    };
    let roughness = roughness_m.map(Roughness::get).or(cover.and_then(|m| m.roughness_m).map(Roughness::get));
    if roughness.is_none() && (ground.is_none() || cover.is_some()) {
        found.push(
            scenario
                .fault("no-roughness", "wind", "this wind needs the roughness of the ground")
                .help("add `roughness_m: …` here, or a `ground: \"…\"` with a roughness to `site`"),
        );
    }
    let (Wind::Profile { at_m, .. } | Wind::Recorded { at_m, .. }) = &scenario.value.wind else { return roughness };
    if roughness.is_some_and(|z0| at_m.get() <= z0) {
        found.push(scenario.fault("bad-value", "wind.at_m", "a wind speed must be given above the roughness length of the ground"));
    }
    roughness
}

/// Weather, wind and timeline.
pub(super) fn air(scenario: &Read<Scenario>, found: &mut Vec<Diagnostic>) {
    let value = &scenario.value;
    if let Weather::Recorded { columns, humidity_pct, pressure_hpa, cloud, .. } = &value.weather {
        for (name, column, number) in [
            ("humidity_pct", columns.humidity_pct.is_some(), humidity_pct.is_some()),
            ("pressure_hpa", columns.pressure_hpa.is_some(), pressure_hpa.is_some()),
        ] {
            if column == number {
                found.push(
                    scenario
                        .fault("weather-gap", "weather", format!("`{name}` must come from a column or be given, and from one place only"))
                        .help(format!("add `{name}: …` to `columns`, or to `Recorded(…)` itself")),
                );
            }
        }
        if columns.cloud.is_some() && cloud.is_some() {
            found.push(
                scenario
                    .fault("weather-gap", "weather", "`cloud` may come from a column or be given, not both")
                    .help("take `cloud: …` out of `columns`, or out of `Recorded(…)` itself"),
            );
        }
    }
    let needs_a_layer = matches!(value.turbulence, Turbulence::Mean | Turbulence::Ensemble | Turbulence::Resolved);
    if needs_a_layer && matches!(value.wind, Wind::Uniform { .. } | Wind::Calm) {
        found.push(
            scenario
                .fault(
                    "no-surface-layer",
                    "wind",
                    "`turbulence: Mean`, `Ensemble` or `Resolved` needs a wind with a surface layer: Profile or Recorded",
                )
                .help("use such a wind, or `turbulence: Given(k_m2_s: (…))`, or `turbulence: Laminar`"),
        );
    }
    if matches!((value.turbulence, &value.wind), (Turbulence::Les { subgrid: Subgrid::Vreman, .. }, Wind::Uniform { .. })) {
        found.push(
            scenario
                .fault("no-surface-layer", "wind", "`turbulence: Les(…)` takes its eddies and its drag from a wind with a surface layer")
                .help("use a Profile or Recorded wind, or `Les(subgrid: None)` for laminar flow"),
        );
    }
    if value.domain.boundary == Boundary::Closed && !matches!(value.wind, Wind::Calm) {
        found.push(
            scenario
                .fault("closed-wind", "wind", "a closed box has no mean wind")
                .label("blows through closed sides")
                .help("use `wind: Calm`, or `boundary: Open`"),
        );
    }
    let loads: Vec<String> = value.lines.iter().map(|line| format!("lines.{}.load_a", line.id)).collect();
    let free = value.bodies.iter().filter(|body| body.at_m.is_some());
    let warmed: Vec<String> = free.map(|body| format!("bodies.{}.{}", body.id, settable(body))).collect();
    let settable: Vec<&str> = SETTABLE.iter().copied().chain(loads.iter().chain(&warmed).map(String::as_str)).collect();
    for (n, entry) in value.timeline.iter().enumerate() {
        if !settable.contains(&entry.set.as_str()) {
            found.push(
                scenario
                    .fault("unknown-setting", &format!("timeline[{n}].set"), format!("a timeline cannot change `{}`", entry.set))
                    .did_you_mean(&entry.set, settable.iter().copied(), true),
            );
        }
        let to = entry.to.get();
        let refused = match entry.set.as_str() {
            "weather.cloud" => Fraction::new(to).err(),
            "weather.humidity_pct" => RelativeHumidity::new(to).err(),
            "weather.pressure_hpa" => Pressure::new(to).err(),
            "weather.temperature_c" => AirTemperature::new(to).err(),
            "wind.from_deg" => Bearing::new(to).err(),
            "wind.speed_m_s" => WindSpeed::new(to).err(),
            name if name.starts_with("lines.") && to > LARGEST_A => Some(format!("a current is at most {LARGEST_A} A")),
            name if name.starts_with("bodies.") && name.ends_with(".temperature_c") => BodyTemperature::new(to).err(),
            name if name.starts_with("lines.") || name.starts_with("bodies.") => NonNegative::new(to).err(),
            _ => None,
        };
        found.extend(refused.map(|message| scenario.fault("bad-value", &format!("timeline[{n}].to"), message)));
    }
}

/// Gases of the background, of the start, and those that others turn into.
pub(super) fn backgrounds(scenario: &Read<Scenario>, species: &SpeciesTable, found: &mut Vec<Diagnostic>) {
    let names = species.names();
    let mut check = |path: String, id: &str| {
        if species.index(id).is_none() {
            let known = names.iter().map(String::as_str);
            found.push(scenario.fault("unknown-species", &path, format!("no species is called `{id}`")).did_you_mean(id, known, true));
        }
    };
    for (n, background) in scenario.value.background.iter().enumerate() {
        check(format!("background[{n}].species"), &background.species);
    }
    let background: Vec<&str> = scenario.value.background.iter().map(|b| b.species.as_str()).collect();
    for (n, gas) in scenario.value.initial.iter().enumerate() {
        check(format!("initial[{n}].species"), gas.id_and_species().1);
    }
    for (n, emitter) in scenario.value.emitters.iter().enumerate() {
        let Some(product) = &emitter.decay_to else { continue };
        let path = format!("emitters[{n}].decay_to");
        if species.index(&product.species).is_none() {
            let message = format!("no species is called `{}`", product.species);
            let fault = scenario.fault("unknown-species", &format!("{path}.species"), message);
            found.push(fault.did_you_mean(&product.species, names.iter().map(String::as_str), true));
        }
        if emitter.decay_per_s.is_none_or(|rate| rate.get() <= 0.0) {
            found.push(scenario.fault("bad-value", &path, "a product needs a `decay_per_s` above 0 of what it is made from"));
        }
    }
    unique(scenario, "background", "species", &background, found);
    for n in scenario.value.background.iter().enumerate().filter(|(_, b)| b.species == "H2O").map(|(n, _)| n) {
        let fault = scenario.fault("bad-value", &format!("background[{n}].species"), "the water vapour of the air is that of `weather`");
        found.push(fault.help("state the humidity there"));
    }
    let varies = |b: &Background| b.swing_ppb.is_some_and(|v| v.get() > 0.0) || b.sigma_ppb.is_some_and(|v| v.get() > 0.0);
    let no_inflow = scenario.value.domain.boundary != Boundary::Open || matches!(scenario.value.wind, Wind::Calm);
    for n in scenario.value.background.iter().enumerate().filter(|(_, b)| no_inflow && varies(b)).map(|(n, _)| n) {
        found.push(
            scenario
                .fault(
                    "frozen-background",
                    &format!("background[{n}]"),
                    "this background changes with time, but no air comes in to bring it",
                )
                .help("use `boundary: Open` and a wind; as it is, the gas keeps its value of the start of the warm-up")
                .warning(),
        );
    }
}

/// The number of a free body that a timeline may change.
const fn settable(body: &BodyEntry) -> &'static str {
    match (&body.temperature_c, &body.transformer) {
        (Some(_), _) => "temperature_c",
        (None, Some(_)) => "load_pu",
        (None, None) => "heat_w",
    }
}
