//! What is listed, and as what.

use super::*;

#[test]
fn what_cannot_be_asked_is_listed_as_ignored_and_otherwise_told_with_its_reason() {
    let remote = Remote::new("127.0.0.1:1").unwrap();
    let who = Arc::new(Who::Remote(Box::new(remote)));
    let of = |words: &[&str]| {
        let arguments = Arguments::from_iter(["test"].iter().chain(words));
        unmet(&suites(), &who, &Options::default(), &arguments)
    };
    let listed = of(&["--list"]);
    let id = |text: &str| text.parse::<CaseId>().unwrap();
    assert!(listed.contains(&id("policy/a_listed_port_is_reached")));
    assert!(!listed.contains(&id("close/the_last_words_arrive")));
    assert_eq!(of(&["--exact", "--ignored", "a/b"]), listed);
    assert!(of(&[]).is_empty() && of(&["--ignored"]).is_empty());
}
