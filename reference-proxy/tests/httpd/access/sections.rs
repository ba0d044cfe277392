//! Random configurations of who may go where: sections, their order, and the server that they stand in.

use super::patterns::{expression, location, pattern, regex};
use super::rules::{body, users, wrong};
use super::targets::Ports;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Configuration {
    pub(super) sections: Vec<Section>,
    pub(super) place: Place,
    pub(super) extra: Vec<&'static str>,
}

/// Where the sections stand. A number says how many of them stand in the main server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Main,
    /// The rest in the one virtual host.
    Host(usize),
    /// The rest in the second of two, which is that of `localhost`.
    Second(usize),
}

/// One section.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Section {
    pub(super) name: &'static str,
    pub(super) argument: String,
    pub(super) body: String,
    /// A section within it, behind its body.
    pub(super) inner: Option<(&'static str, String, String)>,
}

impl Section {
    fn text(&self) -> String {
        let Self {
            name,
            argument,
            body,
            inner,
        } = self;
        let inner = inner
            .as_ref()
            .map_or_else(String::new, |(name, argument, body)| {
                format!("<{name} {argument}>\n{body}</{name}>\n")
            });
        format!("<{name} {argument}>\n{body}{inner}</{name}>\n")
    }
}

impl Configuration {
    /// The directives.
    pub(crate) fn text(&self) -> String {
        let texts: Vec<String> = self.sections.iter().map(Section::text).collect();
        let split = |count: usize| {
            let (main, own) = texts.split_at(count.min(texts.len()));
            (main.concat(), own.concat())
        };
        let sections = match self.place {
            Place::Main => texts.concat(),
            Place::Host(count) => {
                let (main, own) = split(count);
                format!("{main}<VirtualHost *>\nServerName one.test\n{own}</VirtualHost>\n")
            }
            Place::Second(count) => {
                let (main, own) = split(count);
                format!(
                    "{main}<VirtualHost *>\nServerName one.test\n</VirtualHost>\n\
                     <VirtualHost *>\nServerName two.test\nServerAlias localhost\n{own}</VirtualHost>\n"
                )
            }
        };
        format!("AllowCONNECT 1-65535\n{}{sections}", self.extra.concat())
    }
}

/// Any configuration.
pub(crate) fn configuration(ports: Ports) -> BoxedStrategy<Configuration> {
    let sections = (any_section(), vec(section(ports), 0..4));
    let place = prop_oneof![
        3 => Just(Place::Main),
        2 => (0usize..3).prop_map(Place::Host),
        2 => (0usize..3).prop_map(Place::Second),
    ];
    let extra = select(vec![
        "SetEnvIf User-Agent ^good let_in\n",
        "SetEnvIf Remote_Addr ^127\\.0\\.0\\.5$ let_in\n",
        "SetEnvIfNoCase user-agent GOOD let_in\n",
        "BrowserMatch bad !let_in\n",
    ]);
    (sections, place, vec(extra, 0..2))
        .prop_map(|((first, more), place, extra)| Configuration {
            sections: first.into_iter().chain(more).collect(),
            place,
            extra,
        })
        .boxed()
}

/// How most configurations begin: with a section about every target, or with none.
fn any_section() -> BoxedStrategy<Option<Section>> {
    let plain = select(PLAIN).prop_map(str::to_owned);
    let body = prop_oneof![30 => plain, 10 => users(), 20 => body(), 1 => wrong()];
    let every = body.prop_map(|body| Section {
        name: "Proxy",
        argument: "*".to_owned(),
        body,
        inner: None,
    });
    proptest::option::weighted(0.9, every).boxed()
}

/// What a section about every target says most often.
const PLAIN: &[&str] = &[
    "Require all granted\n",
    "Require all denied\n",
    "Order deny,allow\nDeny from all\n",
    "Order allow,deny\nAllow from all\n",
];

fn section(ports: Ports) -> BoxedStrategy<Section> {
    let named = |name: &'static str, argument: BoxedStrategy<String>| {
        (argument, body(), inner()).prop_map(move |(argument, body, inner)| Section {
            name,
            argument,
            body,
            inner,
        })
    };
    prop_oneof![
        40 => named("Proxy", pattern(ports).boxed()),
        16 => named("ProxyMatch", regex(ports).boxed()),
        2 => named("Location", location(ports).boxed()),
        2 => named("LocationMatch", regex(ports).boxed()),
        1 => named("If", expression().boxed()),
        1 => named("Directory", select(vec!["/", "\"*\""]).prop_map(str::to_owned).boxed()),
        1 => named("Files", Just("\"*\"".to_owned()).boxed()),
    ]
    .boxed()
}

/// Rarely, a section within a section.
fn inner() -> BoxedStrategy<Option<(&'static str, String, String)>> {
    let methods = |name: &'static str| {
        let methods = select(vec!["CONNECT", "GET", "GET CONNECT", "GET POST"]);
        (methods, body()).prop_map(move |(methods, body)| (name, methods.to_owned(), body))
    };
    let any = prop_oneof![
        3 => methods("Limit"),
        1 => methods("LimitExcept"),
        1 => (expression(), body()).prop_map(|(expression, body)| ("If", expression, body)),
    ];
    proptest::option::weighted(0.05, any).boxed()
}
