//! The program: exit codes, interruption, bad places to write to.

#![cfg(feature = "cli")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

fn envirosense(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_envirosense")).args(args).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn answers_go_to_stdout_and_exit_codes_tell_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| envirosense(args, folder.path());
    assert_eq!(run(&["list", "sensors"]).status.code(), Some(0));
    assert!(text(&run(&["list", "sensors"]).stdout).contains("voc_array"));
    assert_eq!(run(&["validate", "scenarios/smouldering_limb.ron"]).status.code(), Some(0));
    std::fs::write(folder.path().join("bad.ron"), "Scenario(format: 1").unwrap();
    assert_eq!(run(&["validate", "bad.ron"]).status.code(), Some(1));
    let missing = run(&["run", "scenarios/smouldering_brunch.ron"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("similar file exists: scenarios/smouldering_branch.ron"), "{}", text(&missing.stderr));
    assert_eq!(run(&["no-such-command"]).status.code(), Some(2));
    assert!(text(&run(&["explain", "courant"]).stdout).contains("shorter tick"));
    assert!(text(&run(&["explain", "from_deg"]).stdout).contains("comes from"));
    assert!(text(&run(&["completions", "bash"]).stdout).contains("envirosense"));
}

#[test]
fn every_error_code_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut codes = std::collections::BTreeSet::new();
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let code = std::fs::read_to_string(&path).unwrap();
        for marker in ["Diagnostic::error(\"", ".fault(\"", "code: \"", "refuse(\"", ".fault(\n"] {
            codes.extend(
                code.split(marker).skip(1).filter_map(|rest| rest.split('"').next()).filter(|c| c.contains('-')).map(str::to_owned),
            );
        }
    }
    assert!(codes.len() > 30, "{codes:?}");
    for code in codes {
        assert_eq!(envirosense(&["explain", &code], folder.path()).status.code(), Some(0), "{code}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_said_and_nothing_looks_whole() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused = envirosense(&["run", "quiet_day", "--until", "10.0", "--out", "file/run"], folder.path());
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("cannot be written"), "{}", text(&refused.stderr));
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_under_way_ends_the_run_and_keeps_what_was_complete() {
    let folder = tempfile::tempdir().unwrap();
    // a limit on the size of a file refuses writes as a full disk does, once some blocks are there
    let script = "ulimit -f 4000; trap '' XFSZ; exec \"$0\" run smouldering_limb --out run --no-progress";
    let full = Command::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_envirosense")]).current_dir(folder.path()).output().unwrap();
    assert_eq!(full.status.code(), Some(2), "{}", text(&full.stderr));
    assert!(text(&full.stderr).contains("samples.avro"), "{}", text(&full.stderr));
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path().join("run/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["state"], "broken off");
    let looked = envirosense(&["--format", "json", "inspect", "run"], folder.path());
    assert_eq!(looked.status.code(), Some(0), "{}", text(&looked.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&looked.stdout).unwrap();
    assert!(answer["samples"].as_u64().unwrap() > 100, "{answer}");
}

#[test]
fn another_run_is_not_overwritten_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| envirosense(&[&["run", "quiet_day", "--until", "5.0", "--out", "run"], more].concat(), folder.path());
    assert_eq!(run(&[]).status.code(), Some(0));
    assert_eq!(run(&[]).status.code(), Some(0), "the same run comes out the same");
    let refused = run(&["--seed", "1"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("already holds another run"), "{}", text(&refused.stderr));
    assert_eq!(run(&["--seed", "1", "--overwrite"]).status.code(), Some(0));
}

#[test]
fn frames_are_exported_as_text_without_the_truth_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let run = envirosense(&["run", "hot_joint", "--until", "3.0", "--out", "run"], folder.path());
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    let frames = |more: &[&str]| -> Vec<serde_json::Value> {
        let export = envirosense(&[&["export", "run", "--to", "jsonl"], more].concat(), folder.path());
        let samples: Vec<serde_json::Value> = text(&export.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(more.is_empty() || samples.iter().all(|sample| sample["ground_truth"].is_null()));
        let readings = samples.iter().flat_map(|sample| sample["readings"].as_array().unwrap().clone());
        readings.map(|reading| reading["frame"].clone()).filter(|frame| !frame.is_null()).collect()
    };
    let (whole, features) = (frames(&[]), frames(&["--features"]));
    assert!(whole.len() == 3 && whole.iter().all(|frame| frame["ideal_data"].as_str().unwrap().len() == 51_200));
    assert!(features.len() == 3 && features.iter().all(|frame| frame["ideal_data"].is_null()));
    assert_eq!(whole[1]["data"], features[1]["data"]);
    let plot = |more: &[&str]| envirosense(&[&["plot", "run"], more].concat(), folder.path());
    let drawn = plot(&["--frame", "gg-01/thermal", "--truth", "--out", "a.png"]);
    assert_eq!(drawn.status.code(), Some(0), "{}", text(&drawn.stderr));
    assert!(text(&drawn.stdout).contains("joint-b at ") && std::fs::read(folder.path().join("a.png")).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(plot(&["--channel", "gg-01/thermal/thermal_max", "--truth", "--out", "a.svg"]).status.code(), Some(0));
    assert!(std::fs::read_to_string(folder.path().join("a.svg")).unwrap().matches("<polyline").count() == 2);
    for (refused, why) in [
        (plot(&["--frame", "gg-01/voc", "--out", "b.png"]), "there are gg-01/thermal"),
        (plot(&["--frame", "gg-01/thermal", "--out", "b.svg"]), "written as .png"),
        (plot(&["--channel", "gg-01/thermal/max", "--out", "b.svg"]), "no value of a channel"),
        (
            plot(&["--channel", "gg-01/thermal/thermal_max", "--channel", "gg-01/climate/humidity", "--out", "b.svg"]),
            "plot them one by one",
        ),
    ] {
        assert!(refused.status.code() == Some(2) && text(&refused.stderr).contains(why), "{}", text(&refused.stderr));
    }
    assert!(!folder.path().join("b.png").exists() && !folder.path().join("b.svg").exists());
}

#[test]
fn snapshots_are_exported_as_a_time_series() {
    let folder = tempfile::tempdir().unwrap();
    let set = "snapshots=[(at_s: 2.0, quantities: [\"air/temperature\", \"wind\"]), (at_s: 4.0, quantities: [\"wind\"])]";
    let run = envirosense(&["run", "quiet_day", "--until", "5.0", "--set", set, "--out", "run"], folder.path());
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert_eq!(envirosense(&["export", "run", "--to", "vti"], folder.path()).status.code(), Some(2));
    assert_eq!(envirosense(&["export", "run", "--to", "vti", "--out", "fields"], folder.path()).status.code(), Some(0));
    let index = std::fs::read_to_string(folder.path().join("fields/fields.pvd")).unwrap();
    for line in index.lines().filter(|line| line.starts_with("<DataSet")) {
        let name = line.split('"').nth(3).unwrap();
        assert!(std::fs::read_to_string(folder.path().join("fields").join(name)).unwrap().ends_with("</VTKFile>\n"));
    }
    assert!(index.contains("timestep=\"2\"") && index.contains("timestep=\"4\""), "{index}");
    // the index may also stand beside the snapshots themselves
    assert_eq!(envirosense(&["export", "run", "--to", "vti", "--out", "run/snapshots"], folder.path()).status.code(), Some(0));
    let first = std::fs::read_dir(folder.path().join("run/snapshots"))
        .unwrap()
        .map(|e| e.unwrap())
        .find(|e| e.path().extension() == Some("vti".as_ref()));
    assert!(first.unwrap().metadata().unwrap().len() > 1000);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_run_with_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    std::fs::create_dir(&out).unwrap();
    std::os::unix::fs::symlink("/dev/full", out.join("samples.avro")).unwrap();
    let full = envirosense(&["run", "quiet_day", "--until", "10.0", "--out", "run"], folder.path());
    assert_eq!(full.status.code(), Some(2), "{}", text(&full.stderr));
    assert!(text(&full.stderr).contains("No space left"), "{}", text(&full.stderr));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_exits_with_130_and_leaves_readable_samples() {
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_envirosense"))
        .args(["run", "smouldering_limb", "--out", "run", "--threads", "1"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // the first progress line is written when a tenth is done: the run is well under way
    let mut child = child;
    let mut progress = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("10 %") {
        line.clear();
        assert!(std::io::BufRead::read_line(&mut progress, &mut line).unwrap() > 0, "the run ended early");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let looked = envirosense(&["--format", "json", "inspect", "run"], folder.path());
    assert_eq!(looked.status.code(), Some(0));
    let answer: serde_json::Value = serde_json::from_slice(&looked.stdout).unwrap();
    assert!(answer["samples"].as_u64().unwrap() > 100);
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path().join("run/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["state"], "interrupted");
}
