//! Source lines with carets, drawn as rustc draws them.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source_map::Position;

/// Longer lines, such as those of a minified document, are not drawn. In bytes.
const MAX_LINE: usize = 500;

/// A place in a file to underline.
#[derive(Debug, Clone)]
pub struct Excerpt<'a> {
    /// The file.
    pub file: &'a str,
    /// Where the underlined text begins.
    pub position: Position,
    /// The whole line.
    pub line: &'a str,
    /// How many bytes are underlined, at most up to the end of the line.
    pub length: usize,
    /// What to write beside the line; may be empty.
    pub label: &'a str,
}

/// The lines of a text. None if it has a line break that is a carriage return alone, since these lines would not be those
/// of a [`Position`].
pub fn lines(text: &str) -> Vec<&str> {
    let is_mac = text.match_indices('\r').any(|(at, _)| text.as_bytes().get(at + 1) != Some(&b'\n'));
    if is_mac { Vec::new() } else { text.lines().collect() }
}

/// The excerpt from a position to the end of its line. `None` for a blank or very long line, and for one that is not in
/// `lines`.
pub fn at<'a>(file: &'a str, lines: &[&'a str], position: Position, label: &'a str) -> Option<Excerpt<'a>> {
    let line = lines.get(position.line.checked_sub(1)?)?;
    let is_drawn = !line.trim().is_empty() && line.len() <= MAX_LINE;
    is_drawn.then_some(Excerpt { file, position, line, length: usize::MAX, label })
}

/// Draws excerpts: the first is underlined with carets, the others with dashes.
pub fn draw<'a>(excerpts: impl IntoIterator<Item = Excerpt<'a>>) -> String {
    let kinds = std::iter::once(AnnotationKind::Primary).chain(std::iter::repeat(AnnotationKind::Context));
    let snippets = excerpts.into_iter().zip(kinds).map(|(Excerpt { file, position, line, length, label }, kind)| {
        let end = line.trim_end().len();
        let start: usize = line.chars().take(position.column.saturating_sub(1)).map(char::len_utf8).sum();
        let annotation = kind.span(start.min(end)..start.saturating_add(length).min(end));
        let annotation = if label.is_empty() { annotation } else { annotation.label(label) };
        Snippet::source(line).line_start(position.line).path(file).annotation(annotation)
    });
    let group = Group::with_title(Level::ERROR.primary_title("")).elements(snippets);
    // The first line is the title.
    let text = Renderer::plain().render(&[group]);
    text.split_once('\n').map(|(_, lines)| lines.to_owned() + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_line_is_underlined() {
        let lines = lines("a: 1\r\n  é: [2] \r\n");
        let position = Position { line: 2, column: 6 };
        let excerpts = [at("f.yaml", &lines, position, "two"), at("f.yaml", &lines, Position::START, "")];
        let expected = "--> f.yaml:2:6
  |
2 |   é: [2] 
  |      ^^^ two
  |
 ::: f.yaml:1:1
  |
1 | a: 1
  | ----
";
        assert_eq!(draw(excerpts.into_iter().flatten()).trim_start(), expected);
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        let long = "x".repeat(MAX_LINE + 1);
        for text in [&*long, "", "  \n", "a\rb\n"] {
            assert_eq!(draw(at("f", &lines(text), Position::START, "")), "", "{text}");
        }
    }
}
