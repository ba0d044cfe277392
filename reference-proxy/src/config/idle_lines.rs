//! Lines that mean nothing to a CONNECT proxy: gathered, so that a file of forty of them is one warning.

use super::error::Place;
use std::sync::Arc;

/// So many lines are named one by one.
const NAMED_MOST: usize = 3;

/// The lines, by file and name, in the order in which each was first met.
#[derive(Clone, Debug, Default)]
pub struct IdleLines {
    files: Vec<(Arc<str>, Names)>,
}

/// Names, each with the lines that it stands in.
type Names = Vec<(String, Vec<usize>)>;

impl IdleLines {
    /// Adds a line.
    pub fn note(&mut self, place: &Place, name: &str) {
        let names = entry(
            &mut self.files,
            |file| *file == place.file,
            || Arc::clone(&place.file),
        );
        entry(names, |own| own == name, || name.to_owned()).push(place.line);
    }

    /// One warning a file.
    pub fn to_warnings(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|(file, names)| {
            let names: Vec<String> = names
                .iter()
                .map(|(name, lines)| format!("{name} ({})", numbers(lines)))
                .collect();
            format!(
                "{file}: nothing of this means anything to a CONNECT proxy: {}",
                names.join(", ")
            )
        })
    }
}

/// What belongs to the key that fits, or to a new one.
fn entry<K, V: Default>(
    of: &mut Vec<(K, V)>,
    fits: impl Fn(&K) -> bool,
    new: impl FnOnce() -> K,
) -> &mut V {
    let at = of.iter().position(|(key, _)| fits(key)).unwrap_or_else(|| {
        of.push((new(), V::default()));
        of.len() - 1
    });
    &mut of[at].1
}

fn numbers(lines: &[usize]) -> String {
    match lines {
        [line] => format!("line {line}"),
        [first, .., last] if lines.len() > NAMED_MOST => {
            format!("{} lines from {first} to {last}", lines.len())
        }
        lines => {
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            format!("lines {}", lines.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_warning() {
        let mut idle = IdleLines::default();
        for (file, line, name) in [
            ("a.conf", 1, "Alias"),
            ("b.conf", 2, "AddIcon"),
            ("a.conf", 3, "Options"),
            ("a.conf", 4, "Alias"),
            ("b.conf", 5, "AddIcon"),
            ("b.conf", 6, "AddIcon"),
            ("b.conf", 9, "AddIcon"),
        ] {
            let place = Place {
                file: file.into(),
                line,
            };
            idle.note(&place, name);
        }
        let said = "nothing of this means anything to a CONNECT proxy";
        assert_eq!(
            idle.to_warnings().collect::<Vec<_>>(),
            [
                format!("a.conf: {said}: Alias (lines 1, 4), Options (line 3)"),
                format!("b.conf: {said}: AddIcon (4 lines from 2 to 9)"),
            ]
        );
    }
}
