//! `explain`: error codes, fields of files, channels of sensors.

use bevy_app::App;
use clap::Args;

use super::{CANNOT, Format, Voice, complain, say};
use crate::diagnostics::nearest;
use crate::files::library;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An error code, a field name, or a channel of a shipped product.
    term: String,
}

/// Every error code a person can meet, with what it means and the way out.
pub(crate) const CODES: &[(&str, &str)] = &[
    ("average-too-long", "A result is the mean since the result before at most: average over one period or less."),
    ("bad-cell", "A cell of a CSV file is not a number, not a time, or out of range. The message names row and column."),
    ("bad-mesh", "An STL mesh must be watertight: every edge belongs to two triangles that face the same side."),
    (
        "bad-parameter",
        "An entry of `parameters` needs `name` and `distribution`: Uniform(a, b), LogUniform(a, b), Normal(mean, sigma) or Constant(x).",
    ),
    ("bad-rate", "A `gas_leak` takes its rate from `rate_g_s` or from `recorded`, never from both."),
    ("bad-terrain", "An ESRI ASCII grid is a header (`ncols`, `nrows`, `cellsize`, …) and that many heights, row by row from the north."),
    ("bad-value", "The value has the right type and is out of its interval. The message names the interval and the unit."),
    ("cell-too-large", "A cell must fit into the domain along every axis."),
    ("closed-wind", "`boundary: Closed` seals the sides, so no mean wind can blow: use `wind: Calm`."),
    ("compensation-cycle", "Sensors correct each other in a circle through `compensated_by`; one of them must report first."),
    ("coarse-eddies", "Random eddies (`turbulence: Resolved`) are a twentieth of the mixed layer long and need cells of a tenth of that."),
    ("courant", "In one tick the wind would cross too many cells. Use a shorter tick or larger cells."),
    ("domain-too-large", "The voxels need more memory than the machine has. Use larger cells or a smaller box."),
    ("duplicate-field", "A field is written twice in one bracket."),
    ("duplicate-id", "Two things of one list have the same id; samples could not tell them apart."),
    ("empty-event", "An event is made of emitters: name at least one in `members`."),
    ("empty-file", "The file holds nothing but blanks and comments."),
    ("empty-range", "In a range the smaller number comes first."),
    ("empty-series", "A CSV file needs a header row and at least one row of numbers."),
    ("empty-volume", "The upper corner of a volume must lie above the lower one along every axis."),
    (
        "frozen-background",
        "A background that changes comes in with the air. Without an open side and a wind none comes in, and it keeps its first value.",
    ),
    ("inside-obstacle", "A device, sensor, emitter or probe lies inside an obstacle, or a path looks through one."),
    (
        "les-cells",
        "With `turbulence: Les(…)` the lowest cells must be higher than the roughness of the ground, or its drag has no meaning.",
    ),
    ("missing-comma", "Two values follow each other without a comma."),
    ("missing-field", "A field without a default is not given."),
    ("missing-file", "A file that another file names does not exist beside it, one folder up, here, or among the shipped files."),
    ("missing-physics", "A product asks for a physics module this program does not have; a plugin may bring it."),
    (
        "no-coefficient",
        "A sensor would answer to a gas in this scenario and its data hold no coefficient for it: it stays blind to that gas.",
    ),
    ("no-cells", "`fidelity: Plume` carries gas by puffs alone: there are no cells to fill at the start or to take a picture of."),
    ("no-mode", "A product needs at least one mode with sampling periods."),
    ("no-roughness", "A similarity wind needs the roughness of the ground: `roughness_m`, or a ground cover in `site`."),
    (
        "no-surface-layer",
        "`Mean`, `Ensemble`, `Resolved` and `Les()` take their turbulence from the surface layer of a Profile or Recorded wind.",
    ),
    ("no-way-through", "Random eddies come in with the wind and leave with it: `turbulence: Resolved` needs `boundary: Open`."),
    ("outside-domain", "A device, emitter, probe or obstacle lies outside the simulated box."),
    ("outside-run", "A snapshot after the end of the run is not taken."),
    ("sensor-too-fast", "A sensor cannot report more often than the engine ticks."),
    (
        "short-obukhov",
        "A recorded Obukhov length below 0.1 m is noise of an instrument in a calm; dividing by it has no meaning, so 0.1 m is used.",
    ),
    ("short-path", "A path probe needs at least two points."),
    ("short-row", "A row of a CSV file has fewer cells than its header, as in a file that was cut."),
    ("stray-emitter", "An emitter must be in an event or `background: true`, so that every molecule has a meaning in the truth."),
    ("syntax", "The text is not RON at this place."),
    ("terrain-gap", "A terrain must have a height everywhere under the domain."),
    ("thin-obstacle", "An obstacle fills the cells whose centres it holds; this one holds none, so the wind would blow through it."),
    ("time-order", "Times in a CSV file must increase from row to row."),
    ("too-many-puffs", "Puffs are released `puffs.per_s` times a second; a tick of this length would hold too many of them."),
    ("too-many-tracers", "A run holds at most 32 release components."),
    ("unclosed", "A bracket or quote is opened and never closed."),
    ("unknown-class", "An event's class is the label of the samples: a product in the scenario must have it."),
    ("unknown-column", "A CSV file has no column of this name."),
    ("unknown-conductor", "No overhead conductor of this name in `assets/conductors.ron`."),
    ("unknown-device", "No device of the scenario has this id."),
    ("unknown-field", "The bracket has no field of this name."),
    ("unknown-kind", "No plugin of this program registers this kind; see `envirosense list sensors|emitters|events`."),
    ("unknown-line", "A body sits on a phase of a line, `on: \"LINE/PHASE\"`, and the scenario has none of this name."),
    ("unknown-body", "No body of the scenario has this name; wood is heated by one of its `bodies`."),
    ("unknown-material", "No surface of this name; see `envirosense list materials`."),
    ("unknown-member", "An event names an emitter that the scenario does not have."),
    ("unknown-mode", "The product has no mode of this name."),
    ("unknown-name", "Nothing of this name ships with the program or is registered by a plugin; the message lists what there is."),
    ("unknown-parameter", "A `\"$name\"` needs an entry in `parameters`."),
    ("unknown-partner", "`compensated_by` names a sensor the product does not carry."),
    ("unknown-product", "No file `products/NAME.ron` beside the scenario, here, or among the shipped files."),
    (
        "unknown-quantity",
        "Probes and snapshots know `gas/SPECIES`, `particles/CLASS`, `air/temperature`, `air/humidity`, `air/pressure`, `wind/speed`, `wind/from_direction`; probes also `body/ID`; snapshots also `wind`, `wind/east`, `wind/north`, `wind/up`.",
    ),
    ("unknown-sensor", "The product carries no sensor of this id."),
    ("unknown-setting", "A timeline can change numbers of wind and weather, and the `lines.ID.load_a` of a line."),
    ("unknown-signal", "A fault of one raw channel must name it."),
    ("unknown-species", "No gas of this name; see `envirosense list species`."),
    ("unknown-variant", "The choice is not one of those listed."),
    ("unused-parameter", "A parameter is drawn and no `\"$name\"` uses it: probably a misspelt name."),
    ("weather-gap", "Humidity and pressure of a recorded weather each come from a column or are given, and from one place only."),
    ("wrong-struct", "The file holds another kind of thing than expected here."),
    ("wrong-type", "A number, text, list or bracket was expected and something else stands here."),
];

pub(crate) fn explain(args: &ExplainArgs, app: &App, voice: Voice) -> u8 {
    let term = args.term.rsplit(['.', '/']).next().unwrap_or(&args.term);
    let found = CODES
        .iter()
        .find(|(code, _)| *code == term)
        .map(|(_, text)| (*text).to_owned())
        .or_else(|| field(term))
        .or_else(|| channel(term, app));
    match found {
        Some(text) if voice.format == Format::Json => {
            say(&format!("{:#}", serde_json::json!({"schema": "envirosense.explain/1", "term": args.term, "text": text})))
        }
        Some(text) => say(&format!("{}: {text}", args.term)),
        None => {
            let known: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
            let tip = nearest(term, &known).map_or_else(String::new, |near| format!("\n  tip: a similar term exists: {near}"));
            complain(&format!("error: nothing is known about `{}`{tip}", args.term));
            CANNOT
        }
    }
}

/// The doc comment of a field in the structs people's files are read into.
fn field(name: &str) -> Option<String> {
    let sources = [include_str!("../files/scenario.rs"), include_str!("../files/product.rs"), include_str!("../sensing/probe.rs")];
    let found: Vec<String> = sources
        .iter()
        .flat_map(|source| {
            let lines: Vec<&str> = source.lines().map(str::trim).collect();
            (1..lines.len())
                .filter(|n| {
                    let line = lines[*n].trim_start_matches("pub ");
                    line.strip_prefix(name).is_some_and(|rest| rest.starts_with(": ") && rest.ends_with(','))
                })
                .filter_map(|n| {
                    let doc = (0..n).rev().find(|m| !lines[*m].starts_with("#["))?;
                    Some(lines[doc].strip_prefix("/// ")?.to_owned())
                })
                .collect::<Vec<_>>()
        })
        .collect();
    (!found.is_empty()).then(|| found.join("\n  also: "))
}

/// A channel of the shipped kinds, by the unit and capability it has in a shipped product.
fn channel(name: &str, app: &App) -> Option<String> {
    let kinds = app.world().resource::<crate::sensing::SensorKinds>();
    library::SHIPPED.iter().filter(|path| path.starts_with("products/")).find_map(|path| {
        let source = library::shipped(path)?;
        let product: crate::files::product::Product =
            crate::files::read(&source, app.world().resource::<crate::files::kinds::Kinds>()).ok()?;
        product.sensors.iter().find_map(|sensor| {
            let parts = kinds.parts(&sensor.kind)?;
            let quantity = parts.quantities.iter().find(|q| q.channels.iter().any(|c| c.name == name))?;
            Some(format!(
                "channel of `{}` ({}) in {}; {} in {}, raw in {}",
                sensor.id, sensor.kind.name, product.name, quantity.capability, quantity.unit, quantity.raw_unit
            ))
        })
    })
}
