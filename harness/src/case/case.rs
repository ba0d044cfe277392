//! A case: one requirement, and the experiment that tests it.

use std::{fmt, panic::Location, pin::Pin, sync::Arc};

use crate::{
    case_id::CaseId,
    citation::Citation,
    lab::Lab,
    protocol::Protocol,
    setup::{Product, Setup},
    subject::Need,
    verdict::{Level, Outcome},
};

/// The experiment: it is given a lab and hands back what was found. It runs on a thread of its own, so that its future
/// need not be `Send`.
type Body = dyn for<'a> Fn(&'a Lab) -> Pin<Box<dyn Future<Output = Outcome> + 'a>> + Send + Sync;

/// One requirement and the experiment that tests it.
#[derive(Clone)]
pub struct Case {
    /// `suite/sentence_in_snake_case`, with `[row]` after it for a row of a family.
    pub id: CaseId,
    /// What it is asked over.
    pub protocol: Protocol,
    /// Everything that it can be asked over.
    pub over: &'static [Protocol],
    /// The requirement, in our own words.
    pub title: String,
    /// How much weight it has.
    pub level: Level,
    /// The product of which it is asked, and of those that are like it; `None`: of every proxy.
    pub of: Option<Product>,
    /// Where it stands.
    pub cites: Vec<Citation>,
    /// The rows of the register that it covers.
    pub covers: Vec<&'static str>,
    /// Those that it covers over one protocol alone.
    covers_over: Vec<(Protocol, &'static str)>,
    /// Reports of real proxies that broke it, each with a link.
    pub seen_in: Vec<(&'static str, &'static str)>,
    /// Cases without which it says nothing: where the proxy breaks one of these, what this one finds follows from it.
    pub relies_on: Vec<CaseId>,
    /// Cases that it relies on where what is observed contains those words.
    pub relies_where: Vec<(&'static str, CaseId)>,
    /// What it needs, beside what its set-up needs.
    pub needs: Vec<Need>,
    /// What the subject is configured to.
    pub setup: Setup,
    /// Whether it takes a network of the run's own.
    pub in_the_lab: bool,
    /// Whether it takes ports below 1024, which there are in such a network, and for root.
    pub on_low_ports: bool,
    /// Whether it has to wait out a timer, and runs only when asked to.
    pub slow: bool,
    /// Whether it has hundreds of sockets open at the same time.
    pub is_a_crowd: bool,
    /// Whether it waits much longer than most, and so begins before them.
    pub waits: bool,
    /// Whether it runs when all others have.
    pub after_all_others: bool,
    /// Whether it is about what the control tunnel of its set-up takes for granted.
    pub is_about_the_control: bool,
    /// Where it is written.
    pub source: &'static Location<'static>,
    body: Option<Arc<Body>>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.level, self.id, self.source)
    }
}

macro_rules! levels {
    ($($(#[$doc:meta])* $word:ident $level:ident;)+) => {$(
        $(#[$doc])*
        #[track_caller]
        #[must_use]
        pub fn $word(title: impl Into<String>) -> Case {
            Case::new(Level::$level, title.into())
        }
    )+};
}

levels! {
    /// Begins a case whose violation breaks a demand of a specification.
    must Must;
    /// Begins a case whose violation goes against a recommendation.
    should Should;
    /// Begins a case about something that is permitted.
    may May;
    /// Begins a case about good practice that no specification demands.
    practice Practice;
    /// Begins a case that only asks what the proxy does.
    survey Survey;
}

/// Begins a case about what a product does; it is asked only of those that are like it.
#[track_caller]
#[must_use]
pub fn product(of: Product, title: impl Into<String>) -> Case {
    Case::new(Level::Product, title.into()).of(of)
}

impl Case {
    #[track_caller]
    fn new(level: Level, title: String) -> Self {
        Self {
            id: CaseId::unnamed(),
            protocol: Protocol::Http1,
            over: &[Protocol::Http1],
            title,
            level,
            of: None,
            cites: Vec::new(),
            covers: Vec::new(),
            covers_over: Vec::new(),
            seen_in: Vec::new(),
            relies_on: Vec::new(),
            relies_where: Vec::new(),
            needs: Vec::new(),
            setup: Setup::default(),
            in_the_lab: false,
            on_low_ports: false,
            slow: false,
            is_a_crowd: false,
            waits: false,
            after_all_others: false,
            is_about_the_control: false,
            source: Location::caller(),
            body: None,
        }
    }

    /// Where the requirement stands; may be said more than once.
    #[must_use]
    pub fn cites(mut self, citation: Citation) -> Self {
        self.cites.push(citation);
        self
    }

    /// The rows of the register that the case covers.
    #[must_use]
    pub fn covers(mut self, rows: impl IntoIterator<Item = &'static str>) -> Self {
        self.covers.extend(rows);
        self
    }

    /// What the case can be asked over: HTTP/1.1 in the clear alone, if it does not say.
    ///
    /// Over each of them it is a case of its own, whose set-up listens for it: the id names the version, and what a subject
    /// has no listener for is skipped. The body may depend on nothing that only some of them have.
    #[must_use]
    pub const fn over(mut self, protocols: &'static [Protocol]) -> Self {
        self.over = protocols;
        self
    }

    /// The rows of the register that the case covers over `protocol` alone.
    #[must_use]
    pub fn covers_over(
        mut self,
        protocol: Protocol,
        rows: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let rows = rows.into_iter().map(|row| (protocol, row));
        self.covers_over.extend(rows);
        self
    }

    /// A report of a real proxy that broke it, such as `Squid bug 3371`, and a link to it; may be said more than once.
    #[must_use]
    pub fn seen_in(mut self, report: &'static str, link: &'static str) -> Self {
        self.seen_in.push((report, link));
        self
    }

    /// What the case takes for granted: `suite/sentence`, each row of it, or `suite/sentence[row]`, asked over what this case is
    /// asked over. Where the proxy breaks one of these, whatever is found here follows from that, and is not held against it
    /// twice.
    ///
    /// # Panics
    /// Where one is no id of a case.
    #[must_use]
    pub fn relying_on(mut self, cases: impl IntoIterator<Item = &'static str>) -> Self {
        let ids = cases.into_iter().map(|id| {
            id.parse()
                .expect("a case relies on suite/sentence or suite/sentence[row]")
        });
        self.relies_on.extend(ids);
        self
    }

    /// As [`Case::relying_on`], for violations in which `symptom` is observed: what shows in many cases, and one of them is
    /// about.
    ///
    /// # Panics
    /// As [`Case::relying_on`] does.
    #[must_use]
    pub fn relying_where(
        mut self,
        symptom: &'static str,
        cases: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let plain = std::mem::take(&mut self.relies_on);
        self = self.relying_on(cases);
        let ids = std::mem::replace(&mut self.relies_on, plain).into_iter();
        let ids = ids.map(|id| (symptom, id.over(self.protocol)));
        self.relies_where.extend(ids);
        self
    }

    /// What a violation follows from, in which this was observed.
    #[must_use]
    pub fn relied_on(&self, observed: Option<&str>) -> Vec<CaseId> {
        let observed = observed.unwrap_or_default();
        let shown = |(symptom, _): &&(&'static str, CaseId)| observed.contains(symptom);
        let where_shown = self.relies_where.iter().filter(shown);
        let ids = self.relies_on.iter().chain(where_shown.map(|(_, id)| id));
        ids.cloned().collect()
    }

    /// The case is asked only of that product, and of those that are like it.
    #[must_use]
    pub const fn of(mut self, product: Product) -> Self {
        self.of = Some(product);
        self
    }

    /// What has to be there.
    #[must_use]
    pub fn needs(mut self, needs: impl IntoIterator<Item = Need>) -> Self {
        self.needs.extend(needs);
        self
    }

    /// What the subject is configured to.
    #[must_use]
    pub fn under(mut self, setup: Setup) -> Self {
        self.setup = setup;
        self
    }

    /// The case takes a network of the run's own: addresses and names that nobody else has.
    #[must_use]
    pub const fn in_the_lab(mut self) -> Self {
        self.in_the_lab = true;
        self
    }

    /// The case takes ports below 1024, at an address that nobody else has: in a network of the run's own, or as root.
    #[must_use]
    pub const fn on_low_ports(mut self) -> Self {
        self.on_low_ports = true;
        self
    }

    /// The case has to wait out a timer.
    #[must_use]
    pub const fn slow(mut self) -> Self {
        self.slow = true;
        self
    }

    /// The case has a hundred sockets open at the same time, or more: where few files can be had, it does not run beside others like
    /// it.
    #[must_use]
    pub const fn is_a_crowd(mut self) -> Self {
        self.is_a_crowd = true;
        self
    }

    /// The case mostly waits, for about a second or longer: it begins before the others of its set-up, so that a run does not wait
    /// for it alone at its end.
    #[must_use]
    pub const fn waits(mut self) -> Self {
        self.waits = true;
        self
    }

    /// The case looks back at all others, and runs alone when those have ended.
    #[must_use]
    pub const fn after_all_others(mut self) -> Self {
        self.after_all_others = true;
        self
    }

    /// The case is about what the control tunnel of its set-up takes for granted: it is asked also where none comes about.
    #[must_use]
    pub const fn about_the_control(mut self) -> Self {
        self.is_about_the_control = true;
        self
    }

    /// The experiment.
    #[must_use]
    pub fn run<F>(mut self, body: F) -> Self
    where
        F: AsyncFn(&Lab) -> Outcome + Send + Sync + 'static,
    {
        let body = Arc::new(body);
        self.body = Some(Arc::new(move |lab| {
            let body = Arc::clone(&body);
            Box::pin(async move { body(lab).await })
        }));
        self
    }

    /// The case over each protocol, named after its suite and its function; and after its row, in a family.
    pub(super) fn named(
        self,
        suite: &'static str,
        sentence: &'static str,
        row: Option<&'static str>,
    ) -> impl Iterator<Item = Self> {
        self.over.iter().map(move |&protocol| {
            let mut case = self.clone();
            case.protocol = protocol;
            case.id = CaseId::new(suite, protocol, sentence, row)
                .expect("suites, functions and rows have names in snake case");
            let more = self
                .covers_over
                .iter()
                .filter(|(over, _)| *over == protocol);
            case.covers.extend(more.map(|(_, row)| row));
            for id in &mut case.relies_on {
                *id = id.over(protocol);
            }
            if protocol != Protocol::Http1 {
                case.setup.listener = protocol.listener();
            }
            case
        })
    }

    /// Performs the experiment in `lab`.
    pub(crate) async fn perform(&self, lab: &Lab) -> Outcome {
        let Some(body) = &self.body else {
            return Err(crate::verdict::Finding::harness(
                "the case has no experiment",
            ));
        };
        body(lab).await
    }

    /// What else it can be asked over.
    pub fn others(&self) -> impl Iterator<Item = Protocol> {
        let over = self.over.iter().copied();
        over.filter(|protocol| *protocol != self.protocol)
    }

    /// Everything that it needs, with its set-up's needs.
    #[must_use]
    pub fn all_needs(&self) -> Vec<Need> {
        let mut needs = self.setup.needs();
        needs.extend(&self.needs);
        needs.sort();
        needs.dedup();
        needs
    }
}
