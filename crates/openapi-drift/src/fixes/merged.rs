//! Edits of two fix-its that can be followed together, as one: by their words where they change others of the same lines,
//! and else by what comes of following one after the other.

use super::text::SourceFile;
use super::{Action, Edit};

/// The edits that do at once what these do and then those that `next` makes of the files as they are then.
pub(super) fn in_turn(
    files: &[SourceFile],
    first: &[Edit],
    next: impl FnOnce(&[SourceFile]) -> Option<Vec<Edit>>,
) -> Option<Vec<Edit>> {
    let mut followed: Vec<Followed> = files.iter().map(Followed::new).collect();
    followed.iter_mut().for_each(|file| file.follow(first));
    let now: Vec<SourceFile> = followed.iter().map(Followed::now).collect();
    let second = next(&now)?;
    followed.iter_mut().for_each(|file| file.follow(&second));
    let new = first.iter().chain(&second).filter(|edit| edit.action == Action::Create).cloned();
    Some(new.chain(followed.iter().flat_map(Followed::edits)).collect())
}

/// A file while edits of it are followed: its lines, those that are left of it with their numbers.
struct Followed<'a> {
    file: &'a SourceFile,
    lines: Vec<(Option<usize>, String)>,
}

impl Followed<'_> {
    fn new(file: &SourceFile) -> Followed<'_> {
        let lines = file.text.lines().enumerate().map(|(index, line)| (Some(index + 1), line.to_owned()));
        Followed { file, lines: lines.collect() }
    }

    /// Follows those of one fix-it that are of this file.
    fn follow(&mut self, edits: &[Edit]) {
        let is_own = |edit: &&Edit| edit.file == self.file.path && edit.action != Action::Create;
        let mut own: Vec<&Edit> = edits.iter().filter(is_own).collect();
        own.sort_by_key(|edit| std::cmp::Reverse(edit.action.line()));
        for edit in own {
            let range = edit.action.range(self.lines.len());
            self.lines.splice(range, edit.text.lines().map(|line| (None, line.to_owned())));
        }
    }

    fn now(&self) -> SourceFile {
        let text = self.lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        SourceFile { path: self.file.path.clone(), text }
    }

    /// The edits that make of the file what it is now.
    fn edits(&self) -> Vec<Edit> {
        let end = self.file.text.lines().count() + 1;
        let (mut edits, mut new, mut before) = (Vec::new(), String::new(), 0);
        for (number, line) in self.lines.iter().map(|(number, line)| (*number, line.as_str())).chain([(Some(end), "")])
        {
            let Some(number) = number else {
                new.push_str(line);
                new.push('\n');
                continue;
            };
            let (first, last) = (before + 1, number - 1);
            let action = match (last < first, new.is_empty()) {
                (true, true) => None,
                (true, false) => Some(Action::InsertAfter(before)),
                (false, true) => Some(Action::Remove { first, last }),
                (false, false) => Some(Action::Replace { first, last }),
            };
            let text = std::mem::take(&mut new);
            // A line break at the end is no line, unless that is blank.
            let text = text.strip_suffix('\n').filter(|text| !text.ends_with('\n')).unwrap_or(&text);
            edits.extend(action.map(|action| self.file.edit(action, text.to_owned())));
            before = number;
        }
        edits
    }
}

/// All edits of both, those of the same lines made one; `None` where they are at odds.
pub(super) fn all(files: &[SourceFile], mine: &[Edit], others: &[Edit]) -> Option<Vec<Edit>> {
    let mut all = mine.to_vec();
    for other in others {
        if all.contains(other) {
            continue;
        }
        match all.iter_mut().find(|one| one.touches(other) || one.clashes(other)) {
            Some(one) => {
                let file = files.iter().find(|file| file.path == one.file)?;
                one.text = both(file, one, other)?;
            }
            None => all.push(other.clone()),
        }
    }
    Some(all)
}

/// The text of two edits of the same lines.
fn both(file: &SourceFile, one: &Edit, other: &Edit) -> Option<String> {
    let Action::Replace { first, last } = one.action else { return None };
    if other.action != one.action {
        return None;
    }
    let lines: Vec<&str> = (first..=last).map(|line| file.line(line)).collect();
    let original = lines.join("\n");
    let original = words(&original);
    let (mut a, mut b) = (change(&original, &one.text), change(&original, &other.text));
    if (b.from, b.to) < (a.from, a.to) {
        std::mem::swap(&mut a, &mut b);
    }
    if a.to > b.from {
        return None;
    }
    let parts = [original.get(..a.from)?, &a.new, original.get(a.to..b.from)?, &b.new, original.get(b.to..)?];
    Some(parts.concat().concat())
}

/// The words of a text that become others.
struct Change<'a> {
    from: usize,
    to: usize,
    new: Vec<&'a str>,
}

fn change<'a>(original: &[&str], text: &'a str) -> Change<'a> {
    let new = words(text);
    let head = original.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let room = original.len().min(new.len()) - head;
    let tails = original.iter().rev().zip(new.iter().rev()).take(room);
    let tail = tails.take_while(|(one, other)| one == other).count();
    let changed = new.get(head..new.len() - tail).unwrap_or_default().to_vec();
    Change { from: head, to: original.len() - tail, new: changed }
}

/// A text in words and single signs. No two edits change one word: a number is one.
fn words(text: &str) -> Vec<&str> {
    let is_word = |one: char| one.is_alphanumeric() || matches!(one, '_' | '.');
    text.split_inclusive(|one| !is_word(one))
        .flat_map(|part| {
            let sign = part.chars().next_back().filter(|one| !is_word(*one)).map_or(0, char::len_utf8);
            let (word, sign) = part.split_at(part.len() - sign);
            [word, sign]
        })
        .filter(|part| !part.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn merges(original: &str, one: &str, other: &str, expected: Option<&str>) {
        let file = SourceFile { path: "a.rs".into(), text: format!("{original}\n") };
        let edit = |text: &str| file.edit(Action::Replace { first: 1, last: 1 }, text.to_owned());
        let merged = all(std::slice::from_ref(&file), &[edit(one)], &[edit(other)]);
        assert_eq!(merged, expected.map(|text| vec![edit(text)]));
    }

    #[test]
    fn edits_of_one_line_are_made_one_where_they_can_be() {
        merges(
            "#[p(min = 1, max = 100)]",
            "#[p(min = 2, max = 100)]",
            "#[p(min = 1, max = 20)]",
            Some("#[p(min = 2, max = 20)]"),
        );
        merges("#[p(min = 1)]", "#[p(min = 1, a = 2)]", "#[p(min = 1, b = 3)]", Some("#[p(min = 1, a = 2, b = 3)]"));
        merges("#[p(min = 1, max = 2)]", "#[p(max = 2)]", "#[p(min = 1)]", None);
        merges("{ é: 1 }", "{ é: 1, b: 2 }", "{ é: 2 }", Some("{ é: 2, b: 2 }"));
    }

    #[test]
    fn edits_that_are_at_odds_stay_two() {
        merges("max = 100", "max = 120", "max = 200", None);
        merges("max = 1.5", "max = 1.7", "max = 2.5", None);
    }
}
