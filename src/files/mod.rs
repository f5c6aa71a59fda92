//! What people write: products, scenarios, tables, series. RON and CSV with checked values; no world yet.
//!
//! `read` gives meaning to one text. A fault inside a text is found one at a time (the parser stops
//! there); faults between texts are found all at once by `simulation`.

/// Where everything stands in a RON text.
pub mod outline;

/// Open kinds: sensors, emitters and events that plugins register.
pub mod kinds;

/// Gases: molar mass, diffusivity, background.
pub mod species;

/// Surfaces: roughness, emissivity.
pub mod material;

/// Overhead conductors.
pub mod conductor;

/// Overhead lines, as typed.
pub mod line;

/// What sits on them, stands or drives about, as typed.
pub mod body;

/// What a unit carries.
pub mod product;

/// What stands in the wind.
pub mod obstacle;

/// Surfaces from STL files.
pub mod mesh;

/// Heights of the ground.
pub mod terrain;

/// What happens around it.
pub mod scenario;

/// Recorded series in CSV.
pub mod series;

/// Ranges and parameters.
pub mod template;

/// Files that ship inside the program, and finding files by name.
pub mod library;

use std::ops::Range;
use std::sync::Arc;

use ron::error::{Error as Code, SpannedError};
use serde::de::DeserializeOwned;

use crate::diagnostics::{Diagnostic, Source};
use crate::files::kinds::{EmitterRole, EventRole, Kinds, SensorRole};
use crate::files::outline::{Broken, Node, Shape, outline};
use crate::files::template::Filled;

/// The text extensions every file of ours is read with.
fn options() -> ron::Options {
    use ron::extensions::Extensions;
    ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES)
}

/// Reads one RON text as a `T`; `kind:` fields are looked up in `kinds`.
///
/// # Errors
/// The first fault, with its place in `source`.
pub fn read<T: DeserializeOwned>(source: &Arc<Source>, kinds: &Kinds) -> Result<T, Box<Diagnostic>> {
    read_text(source, &source.text, |offset| offset, kinds)
}

/// Reads a template whose open numbers have been filled in.
///
/// # Errors
/// The first fault, with its place in the text the person wrote.
pub fn read_filled<T: DeserializeOwned>(source: &Arc<Source>, filled: &Filled, kinds: &Kinds) -> Result<T, Box<Diagnostic>> {
    read_text(source, &filled.text, |offset| filled.original(offset), kinds)
}

/// The outline of a text, or the fault that leaves it without one.
///
/// # Errors
/// A bracket or quote that is never closed, or a character RON does not know.
pub fn outline_of(source: &Arc<Source>) -> Result<Node, Box<Diagnostic>> {
    outline(&source.text).map_err(|broken| Box::new(unbalanced(source, broken)))
}

fn unbalanced(source: &Arc<Source>, broken: Broken) -> Diagnostic {
    match broken {
        Broken::Unclosed(span) => {
            let what = &source.text[span.clone()];
            let close = partner(what);
            Diagnostic::error("unclosed", format!("this `{what}` is never closed"), source, span)
                .label("opened here")
                .help(format!("add the missing `{close}`"))
        }
        Broken::Mismatched { open, close } => {
            let (opened, found) = (&source.text[open.clone()], &source.text[close.clone()]);
            Diagnostic::error("unclosed", format!("this `{found}` cannot close the `{opened}` that is open here"), source, close)
                .label(format!("should be `{}`, or comes too early", partner(opened)))
                .also(source, open, "opened here")
        }
        Broken::Unexpected(span) if span.is_empty() => {
            Diagnostic::error("empty-file", "the file ends before any value begins", source, span)
                .help("start from a shipped file: `envirosense list scenarios`")
        }
        Broken::Unexpected(span) => {
            let found = source.text[span.clone()].to_owned();
            Diagnostic::error("syntax", format!("unexpected `{found}`"), source, span).label("a value should stand here")
        }
    }
}

/// What closes a bracket or quote.
fn partner(opening: &str) -> &str {
    match opening {
        "(" => ")",
        "[" => "]",
        "{" => "}",
        quote => quote,
    }
}

fn read_text<T: DeserializeOwned>(
    source: &Arc<Source>,
    text: &str,
    back: impl Fn(usize) -> usize,
    kinds: &Kinds,
) -> Result<T, Box<Diagnostic>> {
    let filled = Source::new(source.path.clone(), text);
    kinds.while_reading(|| options().from_str::<T>(text)).map_err(|error| {
        let start = filled.offset(error.span.start.line, error.span.start.col);
        let end = filled.offset(error.span.end.line, error.span.end.col);
        Box::new(explain(source, back(start)..back(end).max(back(start)), error, kinds))
    })
}

/// Turns the parser's error into a report with a place a person can act on.
fn explain(source: &Arc<Source>, span: Range<usize>, error: SpannedError, kinds: &Kinds) -> Diagnostic {
    let tree = match outline(&source.text) {
        Ok(tree) => tree,
        Err(broken @ (Broken::Unclosed(_) | Broken::Mismatched { .. })) => return unbalanced(source, broken),
        Err(Broken::Unexpected(at)) if at.is_empty() => {
            return unbalanced(source, Broken::Unexpected(at));
        }
        Err(_) => {
            return missing_comma(source, &span, &error).unwrap_or_else(|| plain(source, span, &error));
        }
    };
    match &error.code {
        Code::NoSuchStructField { expected, found, outer } => {
            unknown_field(source, &tree, token(source, &span), found, expected, outer.as_deref())
        }
        Code::NoSuchEnumVariant { expected, found, outer } => {
            let of = outer.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            Diagnostic::error("unknown-variant", format!("unknown variant `{found}`{of}"), source, token(source, &span))
                .label("not one of the choices")
                .did_you_mean(found, expected.iter().copied(), false)
        }
        Code::ExpectedDifferentStructName { expected, found } => {
            let span = token(source, &span);
            Diagnostic::error("wrong-struct", format!("expected {expected}(…), found {found}(…)"), source, span.clone())
                .label("this name")
                .patch(format!("this file should hold a {expected}"), span, *expected)
        }
        Code::MissingStructField { field, outer } => missing_field(source, &tree, &span, field, outer.as_deref()),
        Code::DuplicateStructField { field, .. } => duplicate_field(source, &tree, token(source, &span), field),
        Code::ExpectedComma => missing_comma(source, &span, &error).unwrap_or_else(|| plain(source, span, &error)),
        Code::Message(message) => from_message(source, &tree, span, message, kinds),
        _ => plain(source, span, &error),
    }
}

fn unknown_field(source: &Arc<Source>, tree: &Node, span: Range<usize>, found: &str, expected: &[&str], outer: Option<&str>) -> Diagnostic {
    // a kind's own reader does not know its name; the text does
    let written = || innermost(tree, span.start)?.name.clone().map(|name| &source.text[name]);
    let of = outer.or_else(written).map(|name| format!(" in {name}")).unwrap_or_default();
    Diagnostic::error("unknown-field", format!("unknown field `{found}`{of}"), source, span).label("not a known field").did_you_mean(
        found,
        expected.iter().copied(),
        false,
    )
}

fn missing_field(source: &Arc<Source>, tree: &Node, span: &Range<usize>, field: &str, outer: Option<&str>) -> Diagnostic {
    // the parser stops at the closing bracket; the struct is named where it opens
    let place =
        innermost(tree, span.start).map_or_else(|| span.clone(), |node| node.name.clone().unwrap_or(node.span.start..node.span.start + 1));
    let of = outer.map(|name| format!(" of {name}")).unwrap_or_default();
    Diagnostic::error("missing-field", format!("missing field `{field}`{of}"), source, place)
        .label(format!("needs `{field}`"))
        .help(format!("add `{field}: …`; `envirosense explain {field}` tells its unit"))
}

fn duplicate_field(source: &Arc<Source>, tree: &Node, span: Range<usize>, field: &str) -> Diagnostic {
    let found =
        Diagnostic::error("duplicate-field", format!("field `{field}` is given twice"), source, span.clone()).label("given again here");
    let first = innermost(tree, span.start).and_then(|node| match &node.shape {
        Shape::Struct(fields) => fields.iter().find(|f| f.name == field).map(|f| f.name_span.clone()),
        _ => None,
    });
    match first {
        Some(first) if first != span => found.also(source, first, "first given here"),
        _ => found,
    }
}

/// A missing comma shows at the next token; it belongs at the end of the one before.
fn missing_comma(source: &Arc<Source>, span: &Range<usize>, error: &SpannedError) -> Option<Diagnostic> {
    matches!(error.code, Code::ExpectedComma).then(|| {
        let end = end_of_code(&source.text[..span.start]);
        let last = source.text[..end].char_indices().next_back().map_or(0, |(byte, _)| byte);
        if source.text[..end].ends_with('"') && span.start == end && !source.text[end..].starts_with('"') {
            let message = "a text ends here and another value follows at once";
            return Diagnostic::error("unclosed", message, source, last..end).label("is a closing quote missing before this one?");
        }
        Diagnostic::error("missing-comma", "expected a comma", source, last..end).label("after this").patch(
            "separate the values",
            end..end,
            ",",
        )
    })
}

/// Where the last token of `text` ends, trailing blanks and line comments left out.
fn end_of_code(text: &str) -> usize {
    let mut end = text.trim_end().len();
    loop {
        let line = text[..end].rfind('\n').map_or(0, |n| n + 1);
        match text[line..end].find("//") {
            Some(comment) if !text[line..line + comment].contains('"') => {
                end = text[..line + comment].trim_end().len();
            }
            _ => return end,
        }
    }
}

/// Errors that arrive as text: our own newtypes, kinds, and what a kind's erased reader said.
fn from_message(source: &Arc<Source>, tree: &Node, span: Range<usize>, message: &str, kinds: &Kinds) -> Diagnostic {
    let mut ticked: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.split('`').nth(2) == Some(" in ") {
        ticked.remove(1);
    }
    let place = token(source, &span);
    if message.starts_with("Unexpected field named") {
        return unknown_field(source, tree, place, ticked[0], &ticked[1..], None);
    }
    if message.starts_with("Unexpected missing field named") {
        return missing_field(source, tree, &span, ticked[0], None);
    }
    if message.starts_with("Unexpected duplicate field named") {
        return duplicate_field(source, tree, place, ticked[0]);
    }
    if message.starts_with("Unexpected enum variant named") {
        return Diagnostic::error("unknown-variant", format!("unknown variant `{}`", ticked[0]), source, place)
            .label("not one of the choices")
            .did_you_mean(ticked[0], ticked[1..].iter().copied(), false);
    }
    for (noun, names) in
        [("sensor", kinds.names::<SensorRole>()), ("emitter", kinds.names::<EmitterRole>()), ("event", kinds.names::<EventRole>())]
    {
        if message.starts_with(&format!("unknown {noun} kind")) {
            return Diagnostic::error("unknown-kind", message, source, place)
                .label("no plugin of this program registers it")
                .did_you_mean(ticked[0], names, false);
        }
    }
    if let Some((said, known)) = message.split_once("; known here: ") {
        return Diagnostic::error("unknown-name", said, source, place).did_you_mean(ticked[0], known.split(", "), true);
    }
    if message.starts_with("Expected") {
        let found = source.text[place.clone()].to_owned();
        return Diagnostic::error("wrong-type", format!("{}, found `{found}`", lower_first(message)), source, place);
    }
    Diagnostic::error("bad-value", lower_first(message), source, place)
}

fn plain(source: &Arc<Source>, span: Range<usize>, error: &SpannedError) -> Diagnostic {
    let span = token(source, &span);
    let found = &source.text[span.clone()];
    let (code, message) = match in_words(&error.code) {
        Some(words) => ("wrong-type", words),
        None => ("syntax", lower_first(&error.code.to_string())),
    };
    let message = if found.is_empty() || message.contains("found") { message } else { format!("{message}, found `{found}`") };
    Diagnostic::error(code, message, source, span)
}

/// What was expected, in the words of a person who writes the file; none if it is no matter of types.
fn in_words(code: &Code) -> Option<String> {
    Some(match code {
        Code::ExpectedFloat => "expected a number".to_owned(),
        Code::ExpectedInteger => "expected a whole number".to_owned(),
        Code::ExpectedBoolean => "expected `true` or `false`".to_owned(),
        Code::ExpectedString => "expected a text in quotes".to_owned(),
        Code::ExpectedArray => "expected a list `[…]`".to_owned(),
        Code::ExpectedMap => "expected a map `{…}`".to_owned(),
        Code::ExpectedStructLike => "expected values in brackets `(…)`".to_owned(),
        Code::ExpectedNamedStructLike(name) => format!("expected `{name}(…)`"),
        Code::ExpectedDifferentLength { expected, found } => {
            // the parser speaks of tuples; what is meant is how many values stand in the brackets
            let wanted: String = expected.chars().filter(char::is_ascii_digit).collect();
            if wanted.is_empty() {
                format!("expected {expected}, found {found} values")
            } else {
                format!("expected {wanted} values, found {found}")
            }
        }
        Code::InvalidValueForType { .. } => lower_first(&code.to_string()),
        _ => return None,
    })
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// Widens a place of no or little width to the token it lies in.
fn token(source: &Source, span: &Range<usize>) -> Range<usize> {
    let text = &source.text;
    let part = |c: char| c.is_alphanumeric() || "_.+-\"$".contains(c);
    let mut start = span.start.min(text.len());
    let mut end = span.end.clamp(start, text.len());
    if text[start..end].contains('\n') {
        end = start + text[start..end].trim_start().find('\n').unwrap_or(0);
        end = end.max(start);
    }
    // the parser marks the blank before a number it did not like
    let blank = text[start..].len() - text[start..].trim_start().len();
    if blank > 0 && start + blank >= end {
        start += blank;
        end = start;
    } else {
        start += text[start..end].len() - text[start..end].trim_start().len();
    }
    end = start + text[start..end].trim_end_matches([' ', ',']).len();
    if end - start <= 1 {
        start -= text[..start].chars().rev().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
        end += text[end..].chars().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    }
    // the parser marks a text from behind its opening quote on
    if text[start..end].ends_with('"') && !text[start..end].starts_with('"') && text[..start].ends_with('"') {
        start -= 1;
    }
    start..end.max(start)
}

/// The innermost bracketed value that holds a byte (its closing bracket counts).
fn innermost(node: &Node, byte: usize) -> Option<&Node> {
    if !(node.span.start <= byte && byte <= node.span.end) {
        return None;
    }
    let children: Vec<&Node> = match &node.shape {
        Shape::Scalar => return None,
        Shape::Struct(fields) => fields.iter().map(|f| &f.value).collect(),
        Shape::List(items) => items.iter().collect(),
        Shape::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
    };
    children.into_iter().filter(|child| byte < child.span.end).find_map(|child| innermost(child, byte)).or(Some(node))
}
