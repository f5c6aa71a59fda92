//! What is wrong with a file, said the way a compiler says it.
//!
//! A `Diagnostic` has a code (see `envirosense explain`), a place, what is wrong there, and where one
//! exists the way out as a patch. Rendered with the renderer of rustc and cargo (`annotate-snippets`).

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

/// A text and the path it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// As the person named it, for messages.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Wraps a text that has been read already.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        let text: String = text.into();
        let text = text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned);
        Arc::new(Self { path: path.into(), text })
    }

    /// The byte of a 1-based line and column (columns count characters).
    #[must_use]
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        start + line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte)
    }

    /// The 1-based line and column of a byte.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The run cannot start.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// A place in a text with what to say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// The bytes meant.
    pub span: Range<usize>,
    /// Printed beside the carets; may be empty.
    pub label: String,
}

/// One fault of the files a run is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Stable kebab-case name, for `envirosense explain`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One line, lower case, with the offending value.
    pub message: String,
    /// Where; the first is the one to fix.
    pub places: Vec<Place>,
    /// What to do.
    pub help: Option<String>,
    /// Text to put in place of a span of the first place's source.
    pub patch: Option<(Range<usize>, String)>,
    /// Background.
    pub note: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, message: impl Into<String>, source: &Arc<Source>, span: Range<usize>) -> Self {
        let span = span.start.min(source.text.len())..span.end.min(source.text.len());
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            places: vec![Place { source: Arc::clone(source), span, label: String::new() }],
            help: None,
            patch: None,
            note: None,
        }
    }

    /// Turns it into a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// What stands beside the carets.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(place) = self.places.first_mut() {
            place.label = label.into();
        }
        self
    }

    /// A second place that has to do with it.
    #[must_use]
    pub fn also(mut self, source: &Arc<Source>, span: Range<usize>, label: impl Into<String>) -> Self {
        self.places.push(Place { source: Arc::clone(source), span, label: label.into() });
        self
    }

    /// Background that helps to understand it.
    #[must_use]
    pub fn note_text(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The way out as an edit of the first source.
    #[must_use]
    pub fn patch(mut self, help: impl Into<String>, span: Range<usize>, text: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self.patch = Some((span, text.into()));
        self
    }

    /// Offers the nearest of `known` in place of `found`, or the whole list when nothing is near.
    #[must_use]
    pub fn did_you_mean<'k>(self, found: &str, known: impl IntoIterator<Item = &'k str>, quoted: bool) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let span = self.places.first().map(|place| place.span.clone());
        match (nearest(found, &known), span) {
            (Some(near), Some(span)) => {
                let text = if quoted { format!("\"{near}\"") } else { near.to_owned() };
                self.patch(format!("a similar name exists: `{near}`"), span, text)
            }
            _ if known.is_empty() => self,
            _ => self.help(format!("known here: {}", known.join(", "))),
        }
    }

    /// `file:line:column` of the first place.
    #[must_use]
    pub fn place(&self) -> String {
        self.places.first().map_or_else(String::new, |place| {
            let (line, column) = place.source.line_column(place.span.start);
            format!("{}:{line}:{column}", place.source.path.display())
        })
    }

    /// The whole report, with colour codes or without.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let paths: Vec<String> = self.places.iter().map(|p| p.source.path.display().to_string()).collect();
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut main = Group::with_title(level.primary_title(self.message.as_str()).id(self.code));
        for (index, place) in self.places.iter().enumerate() {
            let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            main = main.element(
                Snippet::source(place.source.text.as_str())
                    .path(paths[index].as_str())
                    .annotation(kind.span(place.span.clone()).label(place.label.as_str())),
            );
        }
        if let Some(note) = &self.note {
            main = main.element(Level::NOTE.message(note.as_str()));
        }
        let mut report = vec![main];
        if let Some(help) = &self.help {
            let group = Group::with_title(Level::HELP.secondary_title(help.as_str()));
            report.push(match (&self.patch, self.places.first()) {
                (Some((span, text)), Some(place)) => group.element(
                    Snippet::source(place.source.text.as_str()).path(paths[0].as_str()).patch(Patch::new(span.clone(), text.as_str())),
                ),
                _ => group,
            });
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&report)
    }

    /// The same as one JSON object, for `--format json`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let places: Vec<_> = self
            .places
            .iter()
            .map(|place| {
                let (line, column) = place.source.line_column(place.span.start);
                let (end_line, end_column) = place.source.line_column(place.span.end);
                serde_json::json!({
                    "file": place.source.path.display().to_string(), "label": place.label,
                    "start": {"line": line, "column": column}, "end": {"line": end_line, "column": end_column},
                })
            })
            .collect();
        serde_json::json!({
            "code": self.code, "severity": if self.severity == Severity::Error { "error" } else { "warning" },
            "message": self.message, "places": places, "help": self.help,
            "replace_with": self.patch.as_ref().map(|(_, text)| text), "note": self.note,
        })
    }
}

/// All faults found, at least one of them an error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            f.write_str(&diagnostic.render(false))?;
        }
        Ok(())
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl Diagnostics {
    /// `Ok(warnings)` when nothing in the list stops a run.
    ///
    /// # Errors
    /// The whole list when at least one is an error.
    pub fn only_warnings(found: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Self> {
        if found.iter().any(|d| d.severity == Severity::Error) { Err(Self(found)) } else { Ok(found) }
    }
}

/// The known name nearest to `found`, if any is near enough to be meant.
#[must_use]
pub fn nearest<'k>(found: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = found.to_lowercase();
    known
        .iter()
        .map(|name| {
            let name_lower = name.to_lowercase();
            let one_slip = lower.len() > 2 && strsim::damerau_levenshtein(&lower, &name_lower) == 1;
            (strsim::jaro_winkler(&lower, &name_lower) + if one_slip { 0.5 } else { 0.0 }, *name)
        })
        .filter(|(score, _)| *score > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_file_line_and_column_and_shows_the_patch() {
        let source = Source::new("a.ron", "Scenario(\n    nmae: 3,\n)");
        let text = Diagnostic::error("unknown-field", "unknown field `nmae`", &source, 14..18)
            .label("not a known field")
            .did_you_mean("nmae", ["name", "tick_s"], false)
            .render(false);
        assert!(text.contains("a.ron:2:5"), "{text}");
        assert!(text.contains("^^^^ not a known field"), "{text}");
        assert!(text.contains("name: 3,"), "{text}");
    }

    #[test]
    fn far_names_are_not_suggested() {
        assert_eq!(nearest("CH5", &["CH4", "formaldehyde"]), Some("CH4"));
        assert_eq!(nearest("zebra", &["CH4", "formaldehyde"]), None);
    }
}
