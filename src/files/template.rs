//! Open numbers: a range `2.0..=8.0` or a parameter `"$onset_s"` may stand where a number may.
//!
//! Before a scenario is given meaning, every open number is drawn and put into the text. The typed
//! reader then sees plain numbers, and `Filled` leads every place back to what the person wrote.
//! One uniform draw for each open number, from the run seed and the number's path, so that adding
//! one changes no other.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Diagnostics, Source};
use crate::files::outline::{Node, Shape};
use crate::streams::Stream;

/// A number that was drawn for this run.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Drawn {
    /// A parameter's name, or the path of the range.
    pub name: String,
    /// What was drawn.
    pub value: f64,
}

/// A text with every open number filled in.
#[derive(Clone, Debug)]
pub struct Filled {
    /// The text to give to the typed reader.
    pub text: String,
    /// What was drawn, by path.
    pub drawn: Vec<Drawn>,
    edits: Vec<(Range<usize>, usize)>,
}

impl Filled {
    /// Leads a byte of the filled text back to the byte of the original.
    #[must_use]
    pub fn original(&self, offset: usize) -> usize {
        let mut moved = 0isize;
        for (span, length) in &self.edits {
            let start = span.start.checked_add_signed(moved).unwrap_or(0);
            if offset < start {
                break;
            }
            if offset < start + length {
                return span.start;
            }
            moved += length.cast_signed() - (span.end - span.start).cast_signed();
        }
        offset.checked_add_signed(-moved).unwrap_or(offset)
    }
}

/// Draws every open number of `source`.
///
/// # Errors
/// Each parameter that is not declared, declared badly or never used.
pub fn fill(source: &Arc<Source>, tree: &Node, seed: u64) -> Result<Filled, Diagnostics> {
    let text = &source.text;
    let mut faults = Vec::new();
    let parameters = declared(source, tree, seed, &mut faults);
    let dollars: Vec<String> = parameters.iter().map(|p| format!("${}", p.name)).collect();
    let mut used = vec![false; parameters.len()];
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut drawn: Vec<Drawn> = Vec::new();
    tree.scalars(&mut |path, node| {
        if path.starts_with("parameters") {
            return;
        }
        let token = &text[node.span.clone()];
        if let Some(name) = token.strip_prefix("\"$").and_then(|rest| rest.strip_suffix('"')) {
            match parameters.iter().position(|p| p.name == name) {
                Some(index) => {
                    used[index] = true;
                    edits.push((node.span.clone(), number(parameters[index].value)));
                }
                None => faults.push(
                    Diagnostic::error("unknown-parameter", format!("no parameter is called `{name}`"), source, node.span.clone())
                        .label("not declared in `parameters`")
                        .did_you_mean(&format!("${name}"), dollars.iter().map(String::as_str), true),
                ),
            }
        } else if let Some((low, high)) = range(token) {
            if low > high {
                faults.push(
                    Diagnostic::error("empty-range", format!("the range {token} is empty"), source, node.span.clone())
                        .help("write the smaller number first"),
                );
            } else {
                let value = Stream::new(seed, path, "range").at(0).between(low, high);
                drawn.push(Drawn { name: path.to_owned(), value });
                edits.push((node.span.clone(), number(value)));
            }
        }
    });
    // a misspelt use leaves its parameter unused: one fault, said once
    let misspelt = faults.iter().any(|fault| fault.code == "unknown-parameter");
    for (parameter, used) in parameters.iter().zip(used) {
        if !used && !misspelt {
            faults.push(
                Diagnostic::error(
                    "unused-parameter",
                    format!("parameter `{}` is drawn but nothing uses it", parameter.name),
                    source,
                    parameter.span.clone(),
                )
                .help(format!("write \"${}\" where the number should stand, or remove the parameter", parameter.name)),
            );
        }
    }
    if !faults.is_empty() {
        return Err(Diagnostics(faults));
    }
    drawn.extend(parameters.into_iter().map(|p| Drawn { name: p.name, value: p.value }));
    Ok(apply(text, edits, drawn))
}

fn apply(text: &str, mut edits: Vec<(Range<usize>, String)>, drawn: Vec<Drawn>) -> Filled {
    edits.sort_by_key(|(span, _)| span.start);
    let mut filled = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in &edits {
        filled.push_str(&text[at..span.start]);
        filled.push_str(new);
        at = span.end;
    }
    filled.push_str(&text[at..]);
    let edits = edits.into_iter().map(|(span, new)| (span, new.len())).collect();
    Filled { text: filled, drawn, edits }
}

/// A number as RON text that reads back to the same bits.
fn number(value: f64) -> String {
    format!("{value:?}")
}

fn range(token: &str) -> Option<(f64, f64)> {
    let (low, high) = token.split_once("..")?;
    Some((low.parse().ok()?, high.trim_start_matches('=').parse().ok()?))
}

struct Parameter {
    name: String,
    value: f64,
    span: Range<usize>,
}

/// Reads `parameters: [(name: "x", distribution: Uniform(a, b))]` by its outline and draws each.
fn declared(source: &Arc<Source>, tree: &Node, seed: u64, faults: &mut Vec<Diagnostic>) -> Vec<Parameter> {
    let Some(Shape::List(items)) = tree.find("parameters").map(|node| &node.shape) else {
        return Vec::new();
    };
    let text = |node: &Node| source.text[node.span.clone()].to_owned();
    let mut found = Vec::new();
    for item in items {
        let (Some(name), Some(law)) = (item.find("name"), item.find("distribution")) else {
            faults.push(
                Diagnostic::error("bad-parameter", "a parameter needs a name and a distribution", source, item.span.clone())
                    .help("write (name: \"onset_s\", distribution: Uniform(600.0, 1800.0))"),
            );
            continue;
        };
        let kind = law.name.clone().map(|span| source.text[span].to_owned()).unwrap_or_default();
        let numbers: Option<Vec<f64>> = match &law.shape {
            Shape::List(items) => items.iter().map(|n| text(n).parse().ok().filter(|v: &f64| v.is_finite())).collect(),
            _ => None,
        };
        let label = text(name).trim_matches('"').to_owned();
        let mut draws = Stream::new(seed, &label, "parameter").at(0);
        let value = match (kind.as_str(), numbers.as_deref()) {
            ("Uniform", Some(&[low, high])) if low <= high => draws.between(low, high),
            ("LogUniform", Some(&[low, high])) if 0.0 < low && low <= high => libm::exp(draws.between(libm::log(low), libm::log(high))),
            ("Normal", Some(&[mean, sigma])) if sigma >= 0.0 => mean + sigma * draws.normal(),
            ("Constant", Some(&[value])) => value,
            _ => {
                faults.push(
                    Diagnostic::error(
                        "bad-parameter",
                        "this is no distribution: unknown, not finite, or its first number above its second",
                        source,
                        law.span.clone(),
                    )
                    .help("use Uniform(low, high), LogUniform(low, high), Normal(mean, sigma) or Constant(value)"),
                );
                0.0
            }
        };
        found.push(Parameter { name: label, value, span: name.span.clone() });
    }
    found
}

/// Puts `value` at `path`, as `--set path=value` asks.
///
/// # Errors
/// A message when the path leads nowhere in the file.
pub fn set(text: &str, tree: &Node, path: &str, value: &str) -> Result<String, String> {
    if let Some(node) = tree.find(path) {
        return Ok(format!("{}{value}{}", &text[..node.span.start], &text[node.span.end..]));
    }
    let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
    match tree.find(parent).map(|node| (&node.shape, node.span.end)) {
        Some((Shape::Struct(_), end)) => {
            let body = text[..end - 1].trim_end();
            let comma = if body.ends_with([',', '(']) { "" } else { "," };
            Ok(format!("{body}{comma} {field}: {value}{}", &text[end - 1..]))
        }
        _ => Err(format!("--set {path}={value}: the scenario has no `{path}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::outline::outline;

    const TEXT: &str = r#"S(wind: 2.0..=8.0, onset: "$t", last: 1, parameters: [(name: "t", distribution: Uniform(5.0, 6.0))])"#;

    #[test]
    fn open_numbers_are_drawn_and_places_lead_back() {
        let source = Source::new("s.ron", TEXT);
        let filled = fill(&source, &outline(TEXT).unwrap(), 3).unwrap();
        let again = fill(&source, &outline(TEXT).unwrap(), 3).unwrap();
        assert_eq!(filled.text, again.text);
        assert!(filled.drawn.iter().all(|d| (2.0..8.0).contains(&d.value)));
        let last = filled.text.find("last").unwrap();
        assert_eq!(filled.original(last), TEXT.find("last").unwrap());
        assert_eq!(filled.original(filled.text.find("wind").unwrap() + 6), TEXT.find("2.0..").unwrap());
    }

    #[test]
    fn an_undeclared_and_an_unused_parameter_are_both_reported() {
        let text = r#"S(a: "$x", parameters: [(name: "y", distribution: Constant(1.0))])"#;
        let faults = fill(&Source::new("s.ron", text), &outline(text).unwrap(), 0).unwrap_err();
        let codes: Vec<_> = faults.0.iter().map(|d| d.code).collect();
        assert_eq!(codes, ["unknown-parameter"]);
        let text = r#"S(a: 1, parameters: [(name: "y", distribution: Constant(1.0))])"#;
        let faults = fill(&Source::new("s.ron", text), &outline(text).unwrap(), 0).unwrap_err();
        assert_eq!(faults.0[0].code, "unused-parameter");
    }

    #[test]
    fn setting_a_value_replaces_it_or_adds_the_field() {
        let tree = outline(TEXT).unwrap();
        assert!(set(TEXT, &tree, "last", "7").unwrap().contains("last: 7,"));
        assert!(set(TEXT, &tree, "fresh", "7").unwrap().ends_with("fresh: 7)"));
        assert!(set(TEXT, &tree, "no.such", "7").is_err());
    }
}
