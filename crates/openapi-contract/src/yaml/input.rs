//! The characters of a text, for the parser.

use saphyr_parser::{Input, StrInput, input::SkipTabs};

/// A text in which white space may be tabs. YAML separates a key from its value by spaces or tabs (1.2 §6.2), but the parser
/// refuses a tab between a colon and a letter.
pub(super) struct Characters<'t>(StrInput<'t>);

impl<'t> Characters<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self(StrInput::new(text))
    }
}

impl Input for Characters<'_> {
    fn skip_ws_to_eol(&mut self, skip_tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        let (count, skipped) = self.0.skip_ws_to_eol(skip_tabs);
        // The parser uses the second flag, whether there was a space, for the separation after a colon only.
        (count, skipped.map(|skipped| SkipTabs::Result(skipped.found_tabs(), count > 0)))
    }

    fn lookahead(&mut self, count: usize) {
        self.0.lookahead(count);
    }

    fn buflen(&self) -> usize {
        self.0.buflen()
    }

    fn bufmaxlen(&self) -> usize {
        self.0.bufmaxlen()
    }

    fn raw_read_ch(&mut self) -> char {
        self.0.raw_read_ch()
    }

    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.0.raw_read_non_breakz_ch()
    }

    fn skip(&mut self) {
        self.0.skip();
    }

    fn skip_n(&mut self, count: usize) {
        self.0.skip_n(count);
    }

    fn peek(&self) -> char {
        self.0.peek()
    }

    fn peek_nth(&self, n: usize) -> char {
        self.0.peek_nth(n)
    }

    fn peek_opt(&self) -> Option<char> {
        self.0.peek_opt()
    }
}
