//! One row for each accept line; written to `target/verification.json` as tests finish, and as a page to
//! `target/validation.md`, from which `docs/physics/validation.md` is taken.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

static ROWS: OnceLock<Mutex<BTreeMap<String, serde_json::Value>>> = OnceLock::new();

/// One accept line: the error must not exceed its limit.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) module: &'static str,
    pub(crate) case: String,
    pub(crate) expected: f64,
    pub(crate) measured: f64,
    pub(crate) error: f64,
    pub(crate) limit: f64,
    pub(crate) source: &'static str,
    /// Why the limit is not reached: the line is listed as missed, and a test fails once it is reached after all.
    pub(crate) missed: Option<&'static str>,
}

/// The rows as a table for people.
fn page(rows: &[&serde_json::Value]) -> String {
    let mut text = String::from(
        "# Validation\n\nWritten by `VERIFY=full cargo test --test verification`. `case` is the section of the physics reference and a word;\n\
         `f32` is the engine, `f64` the same kernel in double precision.\n\n\
         | case | measured | error | limit | | source |\n|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let number = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        let limit = if number("limit") > 1e300 { "–".to_owned() } else { format!("{:.3e}", number("limit")) };
        let verdict = match (row["ok"].as_bool(), row["missed"].as_str()) {
            (Some(true), _) => "ok".to_owned(),
            (_, Some(reason)) => format!("**missed**: {reason}"),
            _ => "**missed**".to_owned(),
        };
        text.push_str(&format!(
            "| {} | {:.6e} | {:.3e} | {limit} | {verdict} | {} |\n",
            row["case"].as_str().unwrap_or_default(),
            number("measured"),
            number("error"),
            row["source"].as_str().unwrap_or_default()
        ));
    }
    text
}

#[expect(clippy::print_stdout, reason = "the table, for people")]
/// Writes the lines down, then fails if one of them is missed.
pub(crate) fn accept(lines: &[Line]) {
    let rows = ROWS.get_or_init(Mutex::default);
    {
        let mut rows = rows.lock().unwrap();
        for line in lines {
            let ok = line.error <= line.limit;
            println!(
                "{:<34} measured {:<14.6e} error {:.3e} limit {:.3e} {}",
                line.case,
                line.measured,
                line.error,
                line.limit,
                if ok { "ok" } else { "MISSED" }
            );
            rows.insert(
                line.case.clone(),
                serde_json::json!({
                    "module": line.module, "case": line.case, "expected": line.expected, "measured": line.measured,
                    "error": line.error, "limit": line.limit, "ok": ok, "source": line.source, "missed": line.missed,
                }),
            );
        }
        let list: Vec<_> = rows.values().collect();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/verification.json");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(&list).unwrap()).unwrap();
        std::fs::write(path.with_file_name("validation.md"), page(&list)).unwrap();
    }
    for line in lines {
        if let Some(reason) = line.missed {
            assert!(line.error > line.limit, "{} is reached now: take away its `missed` ({reason})", line.case);
            continue;
        }
        assert!(line.error <= line.limit, "{}: error {:.4e} above its limit {:.1e}", line.case, line.error, line.limit);
    }
}
