//! What sections say: `Require` in all its nestings, the words of mod_access_compat, and who proves to be whom.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// The lines of a section.
pub(crate) fn body() -> BoxedStrategy<String> {
    let rules = prop_oneof![
        5 => select(vec!["Require all granted\n", "Require all denied\n"]).prop_map(str::to_owned),
        3 => select(USER_RULES).prop_map(|rule| format!("Require {rule}\n")),
        6 => requires(),
        4 => old(),
        2 => (requires(), old()).prop_map(|(requires, old)| requires + &old),
        1 => Just(String::new()),
    ];
    let auth = prop_oneof![3 => Just(BASIC.to_owned()), 1 => part_of_auth()];
    let more = select(vec![
        "AuthMerging And\n",
        "AuthMerging Or\n",
        "AuthMerging Off\n",
        "AuthzSendForbiddenOnFailure On\n",
        "AuthBasicProvider file\n",
    ]);
    (
        rules,
        auth,
        proptest::option::weighted(0.1, more),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(rules, auth, more, needless)| {
            let users = ["user", "group"].iter().any(|word| rules.contains(word));
            let auth = if users || needless {
                auth
            } else {
                String::new()
            };
            auth + more.unwrap_or_default() + &rules
        })
        .boxed()
}

/// A section that asks for credentials, and says how.
pub(crate) fn users() -> BoxedStrategy<String> {
    select(USER_RULES)
        .prop_map(|rule| format!("{BASIC}Require {rule}\n"))
        .boxed()
}

/// All that Basic takes. The files lie in the folder of the configuration.
const BASIC: &str = "AuthType Basic\nAuthName \"the staff\"\nAuthUserFile ${SCRATCH}/users\n\
                     AuthGroupFile ${SCRATCH}/groups\n";

/// Some of it, so that the rest comes from another section, or from nowhere.
fn part_of_auth() -> BoxedStrategy<String> {
    let lines: Vec<_> = BASIC
        .split_inclusive('\n')
        .chain(["AuthType None\n"])
        .collect();
    subsequence(lines, 0..=5)
        .prop_map(|lines| lines.concat())
        .boxed()
}

/// Conditions that httpd takes alone and behind `not`.
const CONDITIONS: &[&str] = &[
    "all granted",
    "all denied",
    "ip 127.0.0.1",
    "ip 127.0.0.5",
    "ip 127.0.0",
    "ip 127",
    "ip 127.0.0.0/30",
    "ip 127.0.0.4/255.255.255.252",
    "ip 10.0.0.0/8 127.0.0.5",
    "ip 192.0.2.0/24",
    "ip ::1",
    "local",
    "host localhost",
    "host example.test",
    "method CONNECT",
    "method GET POST",
    "user ann",
    "user bob eve",
    "valid-user",
    "group staff",
    "group guests nobody",
    "env let_in",
];

/// Conditions that ask for credentials.
const USER_RULES: &[&str] = &["user ann", "valid-user", "group staff", "user bob ann"];

/// Conditions in a language of their own; rare, as they are in files.
const RARE: &[&str] = &[
    "expr true",
    "expr \"%{REMOTE_ADDR} == '127.0.0.5'\"",
    "forward-dns localhost",
    "forward-dns example.test",
];

fn condition() -> BoxedStrategy<&'static str> {
    prop_oneof![60 => select(CONDITIONS), 1 => select(RARE)].boxed()
}

/// One or several `Require`, and containers.
fn requires() -> BoxedStrategy<String> {
    vec(requirement(), 1..3)
        .prop_map(|lines| lines.concat())
        .boxed()
}

/// What both refuse where it is about a CONNECT. Elsewhere the reference does not read it.
pub(crate) fn wrong() -> BoxedStrategy<String> {
    select(WRONG).prop_map(str::to_owned).boxed()
}

const WRONG: &[&str] = &[
    "Require not ip 127.0.0.5\n",
    "<RequireAny>\nRequire not user ann\nRequire all granted\n</RequireAny>\n",
    "<RequireNone>\nRequire ip 192.0.2.1\n</RequireNone>\n",
    "<RequireAll>\nRequire not ip 192.0.2.1\n</RequireAll>\n",
    "<RequireAll>\n</RequireAll>\n",
    "<RequireAll>\nRequire all granted\n<RequireNone>\nRequire not all denied\n</RequireNone>\n</RequireAll>\n",
    "Require ip 127.0.0.300\n",
    "Require ip 0.0.0.0/0\n",
    "Require ip ::/0\n",
    "Require ip ::ffff:127.0.0.1\n",
    "Require method connect\n",
    "Require local yes\n",
    "Require sometimes\n",
    "Require\n",
];

fn requirement() -> BoxedStrategy<String> {
    let leaf = condition().prop_map(|condition| format!("Require {condition}\n"));
    leaf.boxed()
        .prop_recursive(3, 10, 3, |inner| {
            let several = vec(inner, 1..4).prop_map(|lines| lines.concat());
            let any = several
                .clone()
                .prop_map(|lines| format!("<RequireAny>\n{lines}</RequireAny>\n"));
            let not = condition().prop_map(|condition| format!("Require not {condition}\n"));
            let none = several
                .clone()
                .prop_map(|lines| format!("<RequireNone>\n{lines}</RequireNone>\n"));
            let negative =
                vec(prop_oneof![3 => not, 1 => none], 0..3).prop_map(|lines| lines.concat());
            let all = (several, negative, proptest::bool::ANY).prop_map(
                |(positive, negative, negative_first)| {
                    let lines = if negative_first {
                        negative + &positive
                    } else {
                        positive + &negative
                    };
                    format!("<RequireAll>\n{lines}</RequireAll>\n")
                },
            );
            prop_oneof![1 => any, 2 => all]
        })
        .boxed()
}

/// `Order`, `Allow`, `Deny`, `Satisfy`, in any order.
fn old() -> BoxedStrategy<String> {
    let order = select(vec![
        "Order deny,allow\n",
        "Order allow,deny\n",
        "Order Deny,Allow\n",
        "order mutual-failure\n",
    ]);
    let rule = (select(vec!["Allow", "Deny"]), select(CLIENTS))
        .prop_map(|(word, client)| format!("{word} from {client}\n"));
    let satisfy = select(vec!["Satisfy any\n", "Satisfy all\n", "Satisfy Any\n"]);
    (
        proptest::option::weighted(0.8, order),
        vec(rule, 0..3),
        proptest::option::weighted(0.25, satisfy),
        any::<bool>(),
    )
        .prop_map(|(order, rules, satisfy, last)| {
            let (order, rules) = (order.unwrap_or_default(), rules.concat());
            let lines = if last {
                rules + order
            } else {
                order.to_owned() + &rules
            };
            lines + satisfy.unwrap_or_default()
        })
        .boxed()
}

/// What `Allow` and `Deny` know.
const CLIENTS: &[&str] = &[
    "all",
    "all",
    "127.0.0.1",
    "127.0.0.5",
    "127.0.0",
    "127.",
    "127.0.0.0/30",
    "127.0.0.4/255.255.255.252",
    "192.0.2.1 127.0.0.5",
    "10.0.0.0/8",
    "::1",
    "localhost",
    "example.test",
    "env=let_in",
    "env=!let_in",
];
