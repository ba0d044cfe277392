use super::*;
use crate::subject::{offers::Offers, variables::VARIABLES};

#[test]
fn the_keys_of_the_rows_are_those_that_offers_have() {
    let unknown: Result<Offers, _> = toml::from_str("no-such-key = true");
    let error = unknown.unwrap_err().message().to_owned();
    // It names every key that there is, each in backticks, behind the one that it does not know.
    let mut known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    let mut keys: Vec<_> = ROWS.iter().flat_map(|row| row.keys).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    known.sort_unstable();
    assert_eq!(keys, known, "{error}");
}

#[test]
fn examples_offer_all_that_has_a_key() {
    let text: String = Offer::all()
        .map(|offer| format!("{} = {}\n", offer.key, offer.example))
        .collect();
    let claims = Claims {
        offers: toml::from_str(&text).unwrap(),
        ..Claims::default()
    };
    for need in Need::ALL {
        assert_eq!(need.is_met_by(&claims), need.offer().is_some(), "{need}");
        let said = need.offer().is_none_or(|offer| !offer.says.is_empty());
        assert!(said, "{need}");
    }
}

#[test]
fn the_variables_of_the_rows_exist() {
    for variable in ROWS.iter().flat_map(|row| row.variables) {
        assert!(VARIABLES.contains(variable), "{variable}");
    }
}

#[test]
fn words_are_those_of_one_row_each() {
    let mut words: Vec<_> = Need::ALL.iter().map(|need| need.word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Need::ALL.len());
}

#[test]
fn nothing_is_claimed_of_a_subject_of_which_nothing_is_said() {
    let claims = Claims::default();
    let claimed = |need: &&Need| need.is_met_by(&claims);
    assert_eq!(Need::ALL.iter().find(claimed), None);
    assert_eq!(Setup::default().needs(), []);
}
