//! A transcript as a sequence diagram: one row an arrow on one of the two legs. The page draws it.

use serde::Serialize;

use crate::{
    report::CaseResult,
    transcript::{
        columns::{self, milliseconds},
        steps::Kind,
    },
    wire::{Leg, Way},
};

/// Rows that are shown of the beginning and of the end of a longer transcript.
const SHOWN: (usize, usize) = (36, 18);

/// What passed, ready to be drawn.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Diagram {
    pub(crate) rows: Vec<Row>,
}

/// One arrow, or the place where arrows were left out.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Row {
    /// What was left out here, instead of everything below.
    fold: Option<String>,
    /// Milliseconds since the case began.
    at: String,
    /// `client` or `server`.
    leg: &'static str,
    /// Where the arrow points: `left` or `right`.
    side: &'static str,
    /// `data`, `open`, `fin` or `rst`.
    kind: &'static str,
    /// Which connection, where the leg has more than one or is that of an upstream proxy.
    who: Option<String>,
    /// What passed, a line of a head on a line of its own.
    text: String,
}

impl Diagram {
    pub(crate) fn of(result: &CaseResult) -> Self {
        let rows = columns::rows(&result.transcript);
        let (first, last) = SHOWN;
        let mut drawn: Vec<Row> = if rows.len() > first + last + 1 {
            let count = rows.len() - first - last;
            let end = rows[rows.len() - last..].iter().map(row);
            let fold = Row::fold(format!("{count} rows more"));
            rows[..first]
                .iter()
                .map(row)
                .chain([fold])
                .chain(end)
                .collect()
        } else {
            rows.iter().map(row).collect()
        };
        if result.left_out > 0 {
            drawn.push(Row::fold(format!(
                "{} events more were not kept",
                result.left_out
            )));
        }
        Self { rows: drawn }
    }
}

impl Row {
    fn fold(text: String) -> Self {
        Self {
            fold: Some(text),
            ..Self::default()
        }
    }
}

fn row(row: &columns::Row) -> Row {
    let side = match (row.leg, row.way) {
        (Leg::Client, Way::Out) | (Leg::Server | Leg::Upstream | Leg::Names, Way::In) => "right",
        (Leg::Client, Way::In) | (Leg::Server | Leg::Upstream | Leg::Names, Way::Out) => "left",
    };
    Row {
        fold: None,
        at: milliseconds(row.at_us),
        leg: match row.leg {
            Leg::Client => "client",
            Leg::Server | Leg::Upstream | Leg::Names => "server",
        },
        side,
        kind: match row.what {
            Kind::Open => "open",
            Kind::Data => "data",
            Kind::Fin => "fin",
            Kind::Reset => "rst",
        },
        // An upstream proxy and a name server stand where servers do, so they are always named.
        who: (row.number.is_some() || matches!(row.leg, Leg::Upstream | Leg::Names))
            .then(|| row.name()),
        text: in_lines(&row.text),
    }
}

/// Each line of a head on a line of its own; the sign of its end never stands alone.
///
/// Few fonts have the signs that the terminal shows for a bare LF, a bare CR and an odd space.
fn in_lines(text: &str) -> String {
    let lines = text.replace("⏎ ", "⏎\n").replace("␊ ", "␊\n");
    let lines = lines.replace(" ⏎", "\u{a0}⏎").replace(" ␊", "\u{a0}␊");
    lines
        .replace('␊', "\\n")
        .replace('␍', "\\r")
        .replace('␠', "·")
}
