//! Steps in the columns of a page: time, the two legs, what passed.

use crate::{
    transcript::steps::{Kind, Step},
    wire::{Leg, Way},
};

/// Microseconds within which what passed the same way on the same connection is one row: the pieces of a head, the
/// last words and their FIN. A longer pause says something, and is seen.
const TOGETHER_US: u64 = 5_000;

/// Pieces of one row that are shown apart; more of them (a head that was sent octet by octet) are counted.
const PIECES_APART: usize = 4;

/// Columns that a text needs to be read in one piece.
const NARROWEST: usize = 24;

/// How much room there is.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns; `None` where lines may be as long as they like.
    pub width: Option<usize>,
    /// Lines; what is in the middle of a longer transcript is folded.
    pub lines: usize,
}

impl Default for Layout {
    /// No limit to the width, and lines enough for every ordinary case on one screen.
    fn default() -> Self {
        Self {
            width: None,
            lines: 40,
        }
    }
}

/// One line of a transcript: what passed together, one way, on one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Microseconds since the case began.
    pub at_us: u64,
    /// Which leg.
    pub leg: Leg,
    /// Which way, seen from the harness.
    pub way: Way,
    /// The number of the connection on its leg, from 1, where there is more than one.
    pub number: Option<usize>,
    /// How it ended: data alone, or with the end of the stream after it.
    pub what: Kind,
    /// What passed.
    pub text: String,
}

impl Row {
    /// The far end of its leg: `client`, or `server 2` where there are several.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self.leg {
            Leg::Client => "client",
            Leg::Server => "server",
            Leg::Upstream => "upstream",
            Leg::Names => "names",
        };
        match self.number {
            None => name.to_owned(),
            Some(number) => format!("{name} {number}"),
        }
    }
}

/// Steps, those that belong together in one row. The opening of a client's connection is left out where something
/// was sent on it.
#[must_use]
pub fn rows(steps: &[Step]) -> Vec<Row> {
    let numbers = Numbers::of(steps);
    let mut rows = Vec::new();
    let mut index = 0;
    while index < steps.len() {
        let step = &steps[index];
        let rest = &steps[index + 1..];
        if step.what == Kind::Open && step.leg == Leg::Client {
            let used = |later: &Step| later.connection == step.connection && later.way == Way::Out;
            if rest
                .iter()
                .any(|later| used(later) && later.what == Kind::Data)
            {
                index += 1;
                continue;
            }
        }
        let count = 1 + rest
            .iter()
            .zip(&steps[index..])
            .take_while(|(later, earlier)| belongs(earlier, later))
            .count();
        rows.push(Row {
            at_us: step.at_us,
            leg: step.leg,
            way: step.way,
            number: numbers.get(step),
            what: steps[index + count - 1].what,
            text: spoken(&steps[index..index + count]),
        });
        index += count;
    }
    rows
}

/// The rows as text, each line with the time, both legs, and what passed.
///
/// ```text
///   1.2 ms  client ◀─ proxy             HTTP/1.1 200 Connection Established ⏎ ⏎
///   1.3 ms            proxy ◀─ server   "goodbye" FIN
/// ```
#[must_use]
pub fn lines(steps: &[Step], left_out: u64, layout: &Layout) -> Vec<String> {
    let rows = rows(steps);
    let widest = |client| {
        let on_side = |row: &&Row| (row.leg == Leg::Client) == client;
        let names = rows.iter().filter(on_side).map(Row::name);
        names.map(|name| name.len()).max().unwrap_or(6)
    };
    let (client, server) = (widest(true), widest(false));
    let last = rows.last().map_or(0, |row| row.at_us);
    let clock = milliseconds(last).len().max(5);

    let mut lines = Vec::new();
    for row in &rows {
        let name = row.name();
        let legs = match (row.leg, row.way) {
            (Leg::Client, Way::Out) => format!("{name:<client$} ─▶ proxy    {:server$}", ""),
            (Leg::Client, Way::In) => format!("{name:<client$} ◀─ proxy    {:server$}", ""),
            (Leg::Server | Leg::Upstream | Leg::Names, Way::Out) => {
                format!("{:client$}    proxy ◀─ {name:<server$}", "")
            }
            (Leg::Server | Leg::Upstream | Leg::Names, Way::In) => {
                format!("{:client$}    proxy ─▶ {name:<server$}", "")
            }
        };
        let start = format!("{:>clock$} ms  {legs}   ", milliseconds(row.at_us));
        let indent = start.chars().count();
        let mut indent = indent;
        let mut start = start;
        let room = match layout.width {
            // A narrow screen has room for what passed below the legs only.
            Some(width) if width < indent + NARROWEST => {
                lines.push(start.trim_end().to_owned());
                indent = clock + 5;
                start = " ".repeat(indent);
                Some(width.saturating_sub(indent))
            }
            width => width.map(|width| width - indent),
        };
        for (number, part) in wrapped(&row.text, room).into_iter().enumerate() {
            let start = if number == 0 {
                start.clone()
            } else {
                " ".repeat(indent)
            };
            lines.push(start + &part);
        }
    }
    folded(lines, left_out, layout.lines)
}

/// Milliseconds with one decimal.
pub(crate) fn milliseconds(us: u64) -> String {
    let tenths = us / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Whether `later` continues what `earlier` began.
fn belongs(earlier: &Step, later: &Step) -> bool {
    let place = |step: &Step| (step.connection, step.layer, step.leg, step.way);
    place(earlier) == place(later)
        && earlier.what == Kind::Data
        && later.what != Kind::Open
        && later.at_us.saturating_sub(earlier.at_us) <= TOGETHER_US
}

/// What several steps say together.
fn spoken(steps: &[Step]) -> String {
    let pieces = steps.iter().filter(|step| step.what == Kind::Data).count();
    let mut text = match steps.first().map_or(0, |step| step.layer) {
        0 => String::new(),
        1 => "in TLS: ".to_owned(),
        layer => format!("in TLS ({layer} deep): "),
    };
    for (index, step) in steps.iter().enumerate() {
        let piece = step.text.as_str();
        if index == 0 {
            text.push_str(piece);
        } else if step.what != Kind::Data {
            text.push(' ');
            text.push_str(piece);
        } else if pieces <= PIECES_APART {
            text.push_str(" ┊ ");
            text.push_str(piece);
        } else if text.ends_with('"') && piece.starts_with('"') {
            text.pop();
            text.push_str(&piece[1..]);
        } else {
            text.push_str(piece);
        }
    }
    if pieces > PIECES_APART {
        return format!("{text} (in {pieces} pieces)");
    }
    text
}

/// The connections of each leg, in order.
struct Numbers([Vec<usize>; 4]);

impl Numbers {
    fn of(steps: &[Step]) -> Self {
        Self(
            [Leg::Client, Leg::Server, Leg::Upstream, Leg::Names].map(|leg| {
                let on_leg = steps.iter().filter(|step| step.leg == leg);
                let mut connections: Vec<usize> = on_leg.map(|step| step.connection).collect();
                connections.sort_unstable();
                connections.dedup();
                connections
            }),
        )
    }

    /// The place of a connection among those of its leg, where it is not the only one.
    fn get(&self, step: &Step) -> Option<usize> {
        let connections = &self.0[step.leg as usize];
        let place = connections.binary_search(&step.connection).ok()?;
        (connections.len() > 1).then_some(place + 1)
    }
}

/// The text in parts of at most `room` characters, broken at spaces where there are any.
pub(crate) fn wrapped(text: &str, room: Option<usize>) -> Vec<String> {
    // Where there is less, the terminal's own wrapping is no worse.
    let Some(room) = room.filter(|&room| room >= NARROWEST) else {
        return vec![text.to_owned()];
    };
    let mut parts = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while rest.len() > room {
        let space = rest[..=room].iter().rposition(|&c| c == ' ');
        let cut = space.filter(|&cut| cut > room / 2).unwrap_or(room);
        let behind = rest.split_off(cut);
        parts.push(rest.iter().collect());
        rest = behind;
        if rest.first() == Some(&' ') {
            rest.remove(0);
        }
    }
    parts.push(rest.iter().collect());
    parts
}

fn folded(mut lines: Vec<String>, left_out: u64, most: usize) -> Vec<String> {
    let most = most.max(3);
    if lines.len() > most {
        let first = (most - 1) * 2 / 3;
        let last = most - 1 - first;
        let count = lines.len() - first - last;
        let fold = format!("      ⋮  {count} lines more");
        lines.splice(first..first + count, [fold]);
    }
    if left_out > 0 {
        lines.push(format!("      ⋮  {left_out} events more were not kept"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn step(at_us: u64, leg: Leg, connection: usize, way: Way, text: &str) -> Step {
        let what = match text {
            "FIN" => Kind::Fin,
            "RST" => Kind::Reset,
            _ if text.starts_with("connects") => Kind::Open,
            _ => Kind::Data,
        };
        Step {
            at_us,
            leg,
            connection,
            way,
            layer: 0,
            what,
            bytes: 1,
            text: text.to_owned(),
        }
    }

    #[test]
    fn connections_are_numbered_where_a_leg_has_more_than_one() {
        let steps = [
            step(0, Leg::Client, 0, Way::Out, "connects to 127.0.0.1:8080"),
            step(1, Leg::Client, 0, Way::Out, "\"a\""),
            step(2, Leg::Client, 1, Way::Out, "connects to 127.0.0.1:8080"),
            step(900, Leg::Server, 2, Way::In, "connects to 127.0.0.1:80"),
            step(1_234_567, Leg::Client, 1, Way::In, "RST"),
        ];
        assert_snapshot!(lines(&steps, 2, &Layout::default()).join("\n"), @r#"
   0.0 ms  client 1 ─▶ proxy             "a"
   0.0 ms  client 2 ─▶ proxy             connects to 127.0.0.1:8080
   0.9 ms              proxy ─▶ server   connects to 127.0.0.1:80
1234.5 ms  client 2 ◀─ proxy             RST
      ⋮  2 events more were not kept
"#);
    }

    #[test]
    fn pieces_that_follow_each_other_are_one_row() {
        let step = |at_us, text| step(at_us, Leg::Server, 0, Way::In, text);
        let few = [step(0, "\"a\""), step(10, "\"b\""), step(20, "FIN")];
        assert_eq!(rows(&few)[0].text, "\"a\" ┊ \"b\" FIN");

        let mut many: Vec<Step> = (0..6).map(|at| step(at, "\"x\"")).collect();
        many.push(step(TOGETHER_US * 2, "FIN"));
        let texts: Vec<String> = rows(&many).into_iter().map(|row| row.text).collect();
        assert_eq!(texts, ["\"xxxxxx\" (in 6 pieces)", "FIN"]);
    }

    #[test]
    fn a_long_transcript_is_folded_in_the_middle() {
        let steps: Vec<Step> = (0..100)
            .map(|at| step(at * 10_000, Leg::Client, 0, Way::In, "\"x\""))
            .collect();
        let layout = Layout {
            width: None,
            lines: 4,
        };
        assert_snapshot!(lines(&steps, 0, &layout).join("\n"), @r#"
  0.0 ms  client ◀─ proxy             "x"
 10.0 ms  client ◀─ proxy             "x"
      ⋮  97 lines more
990.0 ms  client ◀─ proxy             "x"
"#);
    }

    #[test]
    fn on_a_narrow_screen_what_passed_stands_below_its_leg() {
        let steps = [step(
            0,
            Leg::Client,
            0,
            Way::Out,
            "CONNECT 127.0.0.1:8080 HTTP/1.1 \u{23ce} Host: a",
        )];
        let layout = Layout {
            width: Some(44),
            ..Layout::default()
        };
        assert_snapshot!(lines(&steps, 0, &layout).join("\n"), @r"
          0.0 ms  client ─▶ proxy
                  CONNECT 127.0.0.1:8080 HTTP/1.1 ⏎
                  Host: a
        ");
    }

    #[test]
    fn a_long_line_is_wrapped_under_itself() {
        let text =
            "HTTP/1.1 403 Forbidden ⏎ Content-Length: 0 ⏎ Via: 1.1 a-proxy-with-a-long-name ⏎ ⏎";
        let steps = [step(0, Leg::Client, 0, Way::In, text)];
        let layout = Layout {
            width: Some(80),
            lines: 40,
        };
        assert_snapshot!(lines(&steps, 0, &layout).join("\n"), @"
0.0 ms  client ◀─ proxy             HTTP/1.1 403 Forbidden ⏎ Content-Length: 0
                                    ⏎ Via: 1.1 a-proxy-with-a-long-name ⏎ ⏎
");
    }
}
