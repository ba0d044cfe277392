//! What the reference refuses though httpd takes it, and where it denies though httpd does not, by the row of the table of
//! deviations. Whether a row explains a difference is asked of httpd itself, with other configurations.

use super::super::beside::Refusal;
use super::super::pair::{Ask, Decision, Running, Who};
use super::sections::Configuration;

/// The row of what is refused in the line that a refusal names.
pub(crate) fn of_refusal(refusal: &Refusal) -> Option<&'static str> {
    if refusal.line == "Require local yes" {
        return Some("odd-clients");
    }
    let conditions = ["Require expr ", "Require not expr "];
    let by_condition = conditions
        .iter()
        .any(|start| refusal.line.starts_with(start));
    (by_condition || refusal.says.contains(" in <If> ")).then_some("expressions")
}

/// The row that explains why the reference denies what httpd does not.
pub(crate) fn of_decision(
    configuration: &Configuration,
    ask: &Ask,
    theirs: Decision,
    ours: Decision,
) -> Option<&'static str> {
    let (host, _) = ask.target.rsplit_once(':')?;
    if host == "127.0.0.1." && ours == Decision::Other(400) {
        return Some("odd-hosts");
    }
    let flat = configuration.flat(host);
    let strict = flat.without_satisfy();
    if strict != flat && httpd(&strict).decides(ask) == ours {
        return Some("satisfy-any-alone");
    }
    let stricter = |decision: Decision| match theirs.lets_in() {
        true => !decision.lets_in(),
        false => decision != theirs,
    };
    [flat, strict]
        .iter()
        .find_map(|flat| of_doubts(flat, ask, stricter))
}

/// The row of sections that fit in some way only, if the decision is stricter in another spelling, or when each of them
/// either is left out or is about everything.
fn of_doubts(
    flat: &Configuration,
    ask: &Ask,
    stricter: impl Fn(Decision) -> bool,
) -> Option<&'static str> {
    let spelled = in_every_spelling(ask)?;
    let halves = flat.in_doubt(|section| section.names_half(std::slice::from_ref(ask)));
    if denies_somehow(flat, &halves, ask, &stricter) {
        return Some("prefix-grants");
    }
    let held = httpd(flat);
    if spelled.iter().any(|ask| stricter(held.decides(ask))) {
        return Some("one-target");
    }
    let doubts = flat.in_doubt(|section| {
        section.names_half(&spelled) || section.names_address() || {
            let probe = httpd(&Configuration::of(section.denying()));
            let mut fits = spelled.iter().map(|ask| !probe.decides(ask).lets_in());
            let first = fits.next();
            fits.any(|next| Some(next) != first)
        }
    });
    denies_somehow(flat, &doubts, ask, &stricter).then_some("one-target")
}

/// Whether the decision is stricter when each section at one of these places either is about everything, or is not there.
fn denies_somehow(
    flat: &Configuration,
    doubts: &[usize],
    ask: &Ask,
    stricter: impl Fn(Decision) -> bool,
) -> bool {
    // The address of a name is judged when it is too late to ask for a user.
    let nobody = Ask {
        fields: String::new(),
        ..ask.clone()
    };
    (0..1 << doubts.len()).any(|choice: u32| {
        let held = httpd(&flat.decided(|index| {
            let doubt = doubts.iter().position(|&doubt| doubt == index);
            doubt.map(|doubt| choice >> doubt & 1 == 1)
        }));
        stricter(held.decides(ask)) || held.decides(&nobody) == Decision::UserWanted
    })
}

/// The same request for each spelling of the target, and for the address that it is dialled at.
fn in_every_spelling(ask: &Ask) -> Option<Vec<Ask>> {
    let (host, port) = ask.target.rsplit_once(':')?;
    let spellings = SPELLINGS
        .iter()
        .find(|spellings| spellings.contains(&host))?;
    let asks = spellings.iter().map(|spelling| Ask {
        target: format!("{spelling}:{port}"),
        ..ask.clone()
    });
    Some(asks.collect())
}

fn httpd(configuration: &Configuration) -> Running {
    super::home(Who::Httpd, &configuration.text()).launch()
}

/// Hosts that are one, or are dialled at one address.
const SPELLINGS: [&[&str]; 3] = [
    &[
        "localhost",
        "LOCALHOST",
        "LocalHost",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
    ],
    &["[::1]", "[0:0:0:0:0:0:0:1]"],
    &["127.0.0.2"],
];
