//! Where everything stands in a RON text: a tree of spans, without meaning.
//!
//! serde forgets places as soon as a value is built. Checks that link two places (an emitter
//! that names an absent species) and templates that put a drawn number where `"$name"` stood need
//! them again, so this reads the brackets, names and scalars once more and keeps byte spans.

use std::ops::Range;

/// A value and the bytes it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Byte range in the text, brackets and a leading name included.
    pub span: Range<usize>,
    /// The name in front of a bracket, such as `Given` in `Given(…)`.
    pub name: Option<Range<usize>>,
    /// What it holds.
    pub shape: Shape,
}

/// What a value is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A number, text, identifier or range.
    Scalar,
    /// `(a: 1, b: 2)`.
    Struct(Vec<Field>),
    /// `[1, 2]` or `(1, 2)`.
    List(Vec<Node>),
    /// `{key: value}`.
    Map(Vec<(Key, Node)>),
}

/// The key of a map entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Without its quotes.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
}

/// A named member of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name as written.
    pub name: String,
    /// Where the name stands.
    pub name_span: Range<usize>,
    /// Its value.
    pub value: Node,
}

/// Why a text has no outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// This bracket or quote is never closed.
    Unclosed(Range<usize>),
    /// A bracket is closed by one of another kind.
    Mismatched {
        /// The bracket that was opened.
        open: Range<usize>,
        /// The one that stands where its partner should.
        close: Range<usize>,
    },
    /// Something else stands here that RON does not know.
    Unexpected(Range<usize>),
}

/// Brackets within brackets beyond this are no file of ours; the reader recurses.
const DEEPEST: usize = 64;

/// Reads the outline of a whole text.
///
/// # Errors
/// The first bracket that is never closed, or the first token that fits nowhere.
pub fn outline(text: &str) -> Result<Node, Broken> {
    let mut reader = Reader { text, at: 0, open: Vec::new(), suspect: None };
    reader.skip_blank();
    while reader.text[reader.at..].starts_with("#![") {
        let line = reader.text[reader.at..].find('\n').map_or(text.len(), |n| reader.at + n);
        reader.at = line;
        reader.skip_blank();
    }
    reader.value()
}

impl Node {
    /// The value at a path such as `emitters[0].at_m` or `periods_s[voc]`, if all of it exists.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Self> {
        self.deepest(path).filter(|(_, whole)| *whole).map(|(node, _)| node)
    }

    /// The value nearest to `path`, and whether the whole path was found.
    #[must_use]
    pub fn deepest(&self, path: &str) -> Option<(&Self, bool)> {
        let mut node = self;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            match node.child(step.trim_end_matches(']')) {
                Some(child) => node = child,
                None => return Some((node, false)),
            }
        }
        Some((node, true))
    }

    fn child(&self, step: &str) -> Option<&Self> {
        match &self.shape {
            Shape::Struct(fields) => fields.iter().find(|f| f.name == step).map(|f| &f.value),
            Shape::List(items) => match step.parse::<usize>() {
                Ok(index) => items.get(index),
                // a newtype variant `kind((…))` is as good as its inner struct
                Err(_) if items.len() == 1 => items[0].child(step),
                Err(_) => None,
            },
            Shape::Map(entries) => entries.iter().find(|(key, _)| key.text == step).map(|(_, value)| value),
            Shape::Scalar => None,
        }
    }

    /// Calls `visit` with the path and node of every scalar.
    pub fn scalars(&self, visit: &mut impl FnMut(&str, &Self)) {
        self.walk(&mut String::new(), visit);
    }

    fn walk(&self, path: &mut String, visit: &mut impl FnMut(&str, &Self)) {
        let length = path.len();
        match &self.shape {
            Shape::Scalar => visit(path, self),
            Shape::Struct(fields) => {
                for field in fields {
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(&field.name);
                    field.value.walk(path, visit);
                    path.truncate(length);
                }
            }
            Shape::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{index}]"));
                    item.walk(path, visit);
                    path.truncate(length);
                }
            }
            Shape::Map(entries) => {
                for (_, value) in entries {
                    value.walk(path, visit);
                }
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    open: Vec<Range<usize>>,
    /// The first bracket whose partner begins a line further left than its own line: most likely not its partner.
    suspect: Option<Range<usize>>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    /// Steps over white space and comments.
    fn skip_blank(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += trimmed.find("*/").map_or(trimmed.len(), |n| n + 2);
            } else {
                return;
            }
        }
    }

    fn value(&mut self) -> Result<Node, Broken> {
        self.skip_blank();
        let start = self.at;
        match self.peek() {
            None => Err(self.cut_short()),
            Some('(' | '[' | '{') => self.bracket(start, None),
            Some('"') => self.text_literal(start),
            Some('r') if self.rest().starts_with("r\"") || self.rest().starts_with("r#") => self.raw_literal(start),
            Some('\'') => {
                self.bump();
                while self.peek().is_some_and(|c| c != '\'') {
                    self.bump();
                }
                self.bump();
                Ok(self.scalar(start))
            }
            Some(c) if c.is_alphanumeric() || "+-._$".contains(c) => {
                while self.peek().is_some_and(|c| c.is_alphanumeric() || "+-._=".contains(c)) {
                    self.bump();
                }
                let name = start..self.at;
                let after_name = self.at;
                self.skip_blank();
                if self.peek() == Some('(') && c.is_alphabetic() {
                    return self.bracket(start, Some(name));
                }
                self.at = after_name;
                Ok(self.scalar(start))
            }
            Some(c) => Err(Broken::Unexpected(start..start + c.len_utf8())),
        }
    }

    fn scalar(&self, start: usize) -> Node {
        Node { span: start..self.at, name: None, shape: Shape::Scalar }
    }

    fn text_literal(&mut self, start: usize) -> Result<Node, Broken> {
        self.bump();
        loop {
            match self.peek() {
                None => return Err(Broken::Unclosed(start..start + 1)),
                Some('"') => break,
                Some('\\') => {
                    self.bump();
                    self.bump();
                }
                Some(_) => self.bump(),
            }
        }
        self.bump();
        Ok(self.scalar(start))
    }

    fn raw_literal(&mut self, start: usize) -> Result<Node, Broken> {
        let hashes = self.rest()[1..].chars().take_while(|c| *c == '#').count();
        let close = format!("\"{}", "#".repeat(hashes));
        let body = self.at + 2 + hashes;
        match self.text.get(body..).and_then(|rest| rest.find(&close)) {
            Some(n) => {
                self.at = body + n + close.len();
                Ok(self.scalar(start))
            }
            None => Err(Broken::Unclosed(start..start + 1)),
        }
    }

    /// The text ended with brackets open.
    fn cut_short(&self) -> Broken {
        let open = self.suspect.as_ref().or(self.open.last());
        open.map_or(Broken::Unexpected(self.text.len()..self.text.len()), |open| Broken::Unclosed(open.clone()))
    }

    /// Whether what stands here begins a line further left than the line a bracket was opened on.
    fn further_left_than(&self, open: &Range<usize>) -> bool {
        let line = |at: usize| &self.text[self.text[..at].rfind('\n').map_or(0, |n| n + 1)..];
        let indent = |at: usize| line(at).len() - line(at).trim_start_matches(' ').len();
        let first_of_line = line(self.at).len() - self.text[self.at..].len() == indent(self.at);
        first_of_line && indent(self.at) < indent(open.start)
    }

    /// Reads `(…)`, `[…]` or `{…}` from its opening character on.
    fn bracket(&mut self, start: usize, name: Option<Range<usize>>) -> Result<Node, Broken> {
        let opening = self.peek().unwrap_or('(');
        let closing = match opening {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        self.open.push(self.at..self.at + 1);
        if self.open.len() > DEEPEST {
            return Err(Broken::Unexpected(self.at..self.at + 1));
        }
        self.bump();
        let (mut fields, mut items, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.skip_blank();
            match self.peek() {
                Some(c) if c == closing => break,
                None => return Err(self.cut_short()),
                Some(')' | ']' | '}') => {
                    let open = self.open.last().cloned().unwrap_or(start..start + 1);
                    // a bracket further left is meant for another one: this one lacks its own
                    let close = self.at..self.at + 1;
                    return Err(if self.further_left_than(&open) { Broken::Unclosed(open) } else { Broken::Mismatched { open, close } });
                }
                Some(_) => {}
            }
            let first = self.value()?;
            self.skip_blank();
            if self.peek() == Some(':') {
                self.bump();
                let value = self.value()?;
                if opening == '{' {
                    let text = self.text[first.span.clone()].trim_matches('"').to_owned();
                    entries.push((Key { text, span: first.span }, value));
                } else {
                    let name = self.text[first.span.clone()].to_owned();
                    fields.push(Field { name, name_span: first.span, value });
                }
            } else {
                items.push(first);
            }
            self.skip_blank();
            if self.peek() == Some(',') {
                self.bump();
            }
        }
        let open = self.open.pop();
        self.suspect = self.suspect.take().or(open.filter(|open| self.further_left_than(open)));
        self.bump();
        let shape = match opening {
            '{' => Shape::Map(entries),
            '(' if !fields.is_empty() || items.is_empty() => Shape::Struct(fields),
            _ => Shape::List(items),
        };
        Ok(Node { span: start..self.at, name, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"// a file
Scenario(name: "a, (b", tick_s: 0.1, /* block */
    at: (1.0, -2.5e3, 3), speed: 2.0..=8.0,
    emitters: [(id: "x", kind: leak(species: "CH4")), (id: "y")], map: {"voc": 1.0})"#;

    #[test]
    fn paths_lead_to_the_bytes_a_person_wrote() {
        let tree = outline(TEXT).unwrap();
        let at = |path: &str| &TEXT[tree.find(path).unwrap().span.clone()];
        assert_eq!(at("name"), "\"a, (b\"");
        assert_eq!(at("at[1]"), "-2.5e3");
        assert_eq!(at("speed"), "2.0..=8.0");
        assert_eq!(at("emitters[0].kind"), "leak(species: \"CH4\")");
        assert_eq!(at("emitters[0].kind.species"), "\"CH4\"");
        assert_eq!(at("emitters[1].id"), "\"y\"");
        assert!(tree.find("emitters[2].id").is_none());
        assert_eq!(at("map[voc]"), "1.0");
    }

    #[test]
    fn a_bracket_closed_further_left_than_it_was_opened_is_the_one_that_lacks_its_partner() {
        let text = "A(\n    b: (1, 2,\n    c: 3,\n)\n";
        assert_eq!(outline(text), Err(Broken::Unclosed(10..11)));
    }

    #[test]
    fn an_unclosed_bracket_is_found_where_it_was_opened() {
        assert_eq!(outline("A(b: [1, 2)"), Err(Broken::Mismatched { open: 5..6, close: 10..11 }));
        assert_eq!(outline("A(b: 1"), Err(Broken::Unclosed(1..2)));
        assert_eq!(outline("A(b: \"x)"), Err(Broken::Unclosed(5..6)));
    }
}
