//! What shows in cases of every suite, and is what one of them asks: a proxy that does it wrong is told so once.

use connectspec_harness::{
    case::Case,
    http1::NO_RESPONSE,
    http2::BROKEN,
    lab::{NAMED_BY_HOST, TO_NOBODY},
    protocol::HTTP_2,
    tunnel::NO_END,
};

/// Words of an observation, and the cases that it follows from; the first of them is the cause of the others.
const SYMPTOMS: &[(&str, &[&str])] = &[
    (
        NO_RESPONSE,
        &[
            "replies/a_status_line_is_well_formed",
            "replies/a_header_section_is_well_formed",
        ],
    ),
    // A 2xx for what is denied says nothing about the policy, where a 2xx says nothing.
    (TO_NOBODY, &["establish/a_success_means_a_connection"]),
    // Whoever goes where Host says has not looked at the target.
    (NAMED_BY_HOST, &["target/the_target_beats_the_host_field"]),
    // Where a close does not end the tunnel for the other side, nothing else does.
    (
        NO_END,
        &[
            "close/the_last_words_arrive",
            "close/much_arrives_before_the_end_of_the_client",
        ],
    ),
];

/// The same of cases over HTTP/2: nothing can be understood behind a frame that is none.
const SYMPTOMS_OVER_HTTP_2: &[(&str, &[&str])] =
    &[(BROKEN, &["http2_frames/every_frame_is_well_formed"])];

/// The case, with what it relies on where one of the symptoms shows. A case that is about one of them relies on none of the
/// others: causes form no circle.
pub(super) fn relying(mut case: Case) -> Case {
    let plain = case.id.plain();
    let is_own = |causes: &[&str]| causes.contains(&plain.family());
    let more = match HTTP_2.contains(&case.protocol) {
        true => SYMPTOMS_OVER_HTTP_2,
        false => &[],
    };
    let symptoms = || SYMPTOMS.iter().chain(more);
    let is_about_one = symptoms().any(|(_, causes)| is_own(causes));
    for (symptom, causes) in symptoms() {
        if is_about_one && !is_own(causes) {
            continue;
        }
        let before = causes.iter().take_while(|cause| **cause != plain.family());
        case = case.relying_where(symptom, before.copied());
    }
    case
}
