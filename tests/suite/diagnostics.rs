//! Every broken file of `tests/broken` gives the report that was reviewed: place and text.

use std::path::Path;

use envirosense::diagnostics::{Diagnostics, Source};
use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::{Request, SimulationError, is_product, load_files, new_app, validate_product};

fn report(name: &str, text: &str) -> String {
    let app = new_app(EnviroSensePlugins);
    let source = Source::new(name, text);
    let faults = if is_product(Path::new(name), text) {
        validate_product(&app, &source).expect_err("the file is broken")
    } else {
        match load_files(&app, &source, &Request::default()) {
            Err(SimulationError::Files(faults)) => faults,
            other => panic!("{name}: {other:?}"),
        }
    };
    shown(&faults)
}

/// The report without what depends on the machine.
fn shown(faults: &Diagnostics) -> String {
    let text = faults.to_string();
    text.lines()
        .map(|line| if line.contains("this machine has") { "  = note: this machine has … GiB" } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn each_broken_file_is_reported_as_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "ron")).collect();
    names.sort();
    assert!(names.len() >= 40, "only {} broken files", names.len());
    for path in names {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let report = report(&name, &std::fs::read_to_string(&path).unwrap());
        assert!(report.contains(&format!("{name}:")) || report.contains(".ron:"), "no place: {report}");
        insta::assert_snapshot!(name, report);
    }
}

#[test]
fn cutting_or_changing_a_shipped_scenario_anywhere_never_panics() {
    let app = new_app(EnviroSensePlugins);
    let text = include_str!("../../scenarios/smouldering_limb.ron");
    let starts: Vec<usize> = text.char_indices().map(|(n, _)| n).step_by(7).collect();
    for at in starts {
        for change in [text[..at].to_owned(), format!("{}#{}", &text[..at], &text[at..]), format!("{}){}", &text[..at], &text[at..])] {
            if let Err(SimulationError::Files(faults)) = load_files(&app, &Source::new("cut.ron", change), &Request::default()) {
                assert!(!shown(&faults).is_empty());
            }
        }
    }
}

#[test]
fn faults_between_files_are_reported_all_at_once() {
    let text = include_str!("../../scenarios/smouldering_limb.ron")
        .replace("species: \"CO\"", "species: \"C0\"")
        .replace("members: [\"branch\"]", "members: [\"brunch\"]")
        .replace("product: \"grid_guardian\"", "product: \"grid_gardian\"");
    let app = new_app(EnviroSensePlugins);
    let Err(SimulationError::Files(Diagnostics(faults))) = load_files(&app, &Source::new("many.ron", text), &Request::default()) else {
        panic!("the file is broken")
    };
    let codes: Vec<_> = faults.iter().map(|d| d.code).collect();
    for code in ["unknown-product", "unknown-species", "unknown-member"] {
        assert!(codes.contains(&code), "{code} is missing from {codes:?}");
    }
}
