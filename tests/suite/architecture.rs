//! Imports point one way, and nothing hides state.

use std::path::{Path, PathBuf};

use envirosense::plugins::EnviroSensePlugins;
use envirosense::simulation::new_app;
use envirosense::world::StateNames;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
                found.push((path, code));
            }
        }
    }
    found.sort();
    found
}

/// The first part of every `crate::…` path in code, comments left out.
fn uses(code: &str) -> Vec<String> {
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

/// Paths that point down the order of `pub mod` in `lib.rs`.
fn pointing_down(lib: &str, files: &[(PathBuf, String)]) -> Vec<String> {
    let layers: Vec<&str> = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let place = |name: &str| layers.iter().position(|layer| *layer == name);
    let mut wrong = Vec::new();
    for (path, code) in files {
        let inside = path.components().skip_while(|c| c.as_os_str() != "src").nth(1).unwrap();
        let layer = Path::new(inside.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned();
        let Some(own) = place(&layer) else { continue };
        wrong.extend(
            uses(code)
                .into_iter()
                .filter(|name| place(name).is_some_and(|p| p > own))
                .map(|name| format!("{layer} uses {name}: {}", path.display())),
        );
    }
    wrong
}

#[test]
fn imports_point_one_way() {
    let lib = include_str!("../../src/lib.rs");
    assert_eq!(pointing_down(lib, &sources()), Vec::<String>::new());
    // the check itself can fail
    let bad = [(PathBuf::from("/x/src/units.rs"), "use crate::world::Clock;".to_owned())];
    assert_eq!(pointing_down(lib, &bad).len(), 1);
}

#[test]
fn physics_siblings_never_import_each_other() {
    for (path, code) in sources() {
        let text = path.to_string_lossy().into_owned();
        let Some(rest) = text.split("src/physics/").nth(1).filter(|rest| rest.contains('/')) else {
            continue;
        };
        let own = rest.split('/').next().unwrap();
        for sibling in ["airflow", "dispersion", "thermal", "emission"].iter().filter(|s| **s != own) {
            assert!(!code.contains(&format!("physics::{sibling}")), "{text} imports {sibling}");
        }
    }
}

#[test]
fn no_system_keeps_local_state() {
    for (path, code) in sources() {
        assert!(!code.contains("Local<"), "{}: state belongs into a component or resource", path.display());
    }
}

#[test]
fn everything_that_changes_while_running_is_registered_as_state() {
    let app = new_app(EnviroSensePlugins);
    let names = &app.world().resource::<StateNames>().0;
    let mut checked = 0;
    for (path, code) in sources() {
        let text = path.to_string_lossy().into_owned();
        if !["world/", "physics/", "sensing/", "device/"].iter().any(|part| text.contains(&format!("src/{part}"))) {
            continue;
        }
        for (n, line) in code.lines().enumerate() {
            let stateful = line.starts_with("#[derive(")
                && line.contains("Serialize, Deserialize")
                && (line.contains("Resource") || line.contains("Component"));
            if !stateful {
                continue;
            }
            let declaration = code.lines().skip(n + 1).find(|l| l.contains("struct ")).unwrap();
            let name: String = declaration.split("struct ").nth(1).unwrap().chars().take_while(|c| c.is_alphanumeric()).collect();
            assert!(names.iter().any(|known| known.ends_with(&format!("::{name}"))), "{name} in {text} is not registered with `add_state`");
            checked += 1;
        }
    }
    assert!(checked >= 15, "the check found only {checked} kinds of state");
}
