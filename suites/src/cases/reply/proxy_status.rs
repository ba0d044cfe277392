//! # The reason in Proxy-Status
//!
//! A field for programs: which proxy failed, and at what. Nobody has to send it; whoever does is believed, so it has to
//! be right. A proxy that never sends it is not judged here.

use connectspec_harness::prelude::*;
use sfv::{BareItem, Item};

mod members;

use crate::{
    cases::reply::proxy_status::members::{each_value, error, members, never, typed},
    cases::words::{
        addresses::private_address,
        refusal_kinds::{REFUSALS, RefusalKind},
    },
    documents::RFC_9209,
};

/// Every case about Proxy-Status.
pub(crate) fn suite() -> Suite {
    suite! {
        "proxy_status": "The reason in Proxy-Status", include_str!("proxy_status.rs");
        it_is_a_list_of_names,
        its_parameters_have_their_types,
        its_other_parameters_have_their_types,
        its_error_is_a_registered_token,
        its_error_goes_with_the_status,
        its_error_is_what_happened,
        it_names_no_internal_address,
        a_trailer_repeats_it,
        a_success_has_no_error,
        the_error_that_is_meant_for_gateways,
    }
}

/// What cannot be parsed is thrown away whole, with whatever proxies further on have said in it.
///
/// Only this conforms.
fn it_is_a_list_of_names() -> Case {
    must("Proxy-Status is a list of strings or tokens")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("2"))
        .covers(["PST-001"])
        .run(async |lab| each_value(lab, |_, _| Ok(())).await)
}

/// A program that expects a number and gets a string knows less than without the field.
///
/// Only this conforms.
fn its_parameters_have_their_types() -> Case {
    must("received-status is an integer, and next-protocol a token or a byte sequence")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("2.1.3"))
        .cites(RFC_9209.section("2.1.4"))
        .covers(["PST-006"])
        .run(async |lab| {
            each_value(lab, |_, member| {
                typed(member, "received-status", "an integer", |value| {
                    matches!(value, BareItem::Integer(_))
                })?;
                typed(
                    member,
                    "next-protocol",
                    "a token or a byte sequence",
                    |value| matches!(value, BareItem::Token(_) | BareItem::ByteSequence(_)),
                )
            })
            .await
        })
}

/// The same for parameters whose types are declared, but not demanded.
///
/// Also accepted: parameters that nobody has declared.
fn its_other_parameters_have_their_types() -> Case {
    should("next-hop, details and rcode are strings, info-code and status-code integers")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("2.1.2"))
        .cites(RFC_9209.section("2.1.5"))
        .covers(["PST-006"])
        .run(async |lab| {
            each_value(lab, |_, member| {
                for name in ["next-hop", "details", "rcode"] {
                    typed(member, name, "a string", |value| {
                        matches!(value, BareItem::String(_))
                    })?;
                }
                for name in ["info-code", "status-code"] {
                    typed(member, name, "an integer", |value| {
                        matches!(value, BareItem::Integer(_))
                    })?;
                }
                Ok(())
            })
            .await
        })
}

/// The errors that are registered, each with the status that goes with it, if one does. As of November 2026.
const ERRORS: &[(&str, Option<u16>)] = &[
    ("dns_timeout", Some(504)),
    ("dns_error", Some(502)),
    ("destination_not_found", Some(500)),
    ("destination_unavailable", Some(503)),
    ("destination_ip_prohibited", Some(502)),
    ("destination_ip_unroutable", Some(502)),
    ("connection_refused", Some(502)),
    ("connection_terminated", Some(502)),
    ("connection_timeout", Some(504)),
    ("connection_read_timeout", Some(504)),
    ("connection_write_timeout", Some(504)),
    ("connection_limit_reached", Some(503)),
    ("tls_protocol_error", Some(502)),
    ("tls_certificate_error", Some(502)),
    ("tls_alert_received", Some(502)),
    ("http_request_error", None),
    ("http_request_denied", Some(403)),
    ("http_response_incomplete", Some(502)),
    ("http_response_header_section_size", Some(502)),
    ("http_response_header_size", Some(502)),
    ("http_response_body_size", Some(502)),
    ("http_response_trailer_section_size", Some(502)),
    ("http_response_trailer_size", Some(502)),
    ("http_response_transfer_coding", Some(502)),
    ("http_response_content_coding", Some(502)),
    ("http_response_timeout", Some(504)),
    ("http_upgrade_failed", Some(502)),
    ("http_protocol_error", Some(502)),
    ("proxy_internal_response", None),
    ("proxy_internal_error", Some(500)),
    ("proxy_configuration_error", Some(500)),
    ("proxy_loop_detected", Some(502)),
];

/// Programs look the error up in a table.
///
/// Also accepted: a token that is not registered, or not yet; it is noted. RFC 9209 itself prints a string in one place.
fn its_error_is_a_registered_token() -> Case {
    should("The error is a token")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("2.1.1"))
        .covers(["PST-002"])
        .run(async |lab| {
            each_value(lab, |_, member| {
                typed(member, "error", "a token", |value| {
                    matches!(value, BareItem::Token(_))
                })?;
                if let Some(error) = error(member)
                    && !ERRORS.iter().any(|(known, _)| *known == error)
                {
                    lab.note(format!("{error} is not registered"));
                }
                Ok(())
            })
            .await
        })
}

/// Programs that do not know the field go by the status, and should come to the same conclusion.
///
/// Also accepted: 403 for an address that is prohibited; and other codes for the sake of old clients, so this is a
/// recommendation only.
fn its_error_goes_with_the_status() -> Case {
    should("The status is the one that is recommended for the error")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("2.1.1"))
        .cites(RFC_9209.section("2.3"))
        .covers(["PST-003"])
        .run(async |lab| each_value(lab, goes_with_status).await)
}

fn goes_with_status(reply: &Reply, member: &Item) -> Outcome {
    let Some(error) = error(member) else {
        return Ok(());
    };
    let known = ERRORS.iter().find(|(known, _)| *known == error);
    let Some(&(_, Some(recommended))) = known else {
        return Ok(());
    };
    let forbidden = error == "destination_ip_prohibited" && reply.status == 403;
    if reply.status == recommended || forbidden {
        return Ok(());
    }
    Err(Finding::violation(
        format!("status {recommended} with {error}"),
        format!("status {}", reply.status),
    ))
}

/// What the harness has brought about, and the errors that say so.
const CAUSES: &[(&str, RefusalKind, &[&str])] = &[
    (
        "denied",
        RefusalKind::Denied,
        &[
            "http_request_denied",
            "destination_ip_prohibited",
            "proxy_configuration_error",
        ],
    ),
    (
        "closed_port",
        RefusalKind::ClosedPort,
        &[
            "connection_refused",
            "destination_unavailable",
            "connection_terminated",
        ],
    ),
    (
        "impossible_name",
        RefusalKind::ImpossibleName,
        &[
            "dns_error",
            "dns_timeout",
            "http_request_error",
            "destination_unavailable",
        ],
    ),
];

/// Whoever is sent to the resolver when it was the firewall loses a day.
///
/// Also accepted: no error, and one that is not registered.
fn its_error_is_what_happened() -> Family {
    each(CAUSES, |&(_, occasion, right)| {
        should("The error is what really happened")
            .over(EVERY)
            .cites(RFC_9209.section("2.3"))
            .covers(["PST-004"])
            .needs(occasion.needs())
            .run(async move |lab| {
                let (reply, _) = occasion.refusal(lab).await?;
                let members = members(&reply)?;
                if members.is_empty() {
                    return Err(never());
                }
                for error in members.iter().filter_map(error) {
                    let registered = ERRORS.iter().any(|(known, _)| *known == error);
                    if registered && !right.contains(&error.as_str()) {
                        return Err(Finding::none_of(right.iter().copied(), error));
                    }
                    lab.note(error);
                }
                Ok(())
            })
    })
}

/// The address of the next proxy, or of a host inside, is the beginning of a map for whoever is refused.
///
/// Also accepted: the address that the client has asked for, and names.
fn it_names_no_internal_address() -> Case {
    practice("Proxy-Status names no private address but the one that was asked for")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("4"))
        .covers(["PST-005"])
        .run(async |lab| {
            let host = lab.host().to_owned();
            each_value(lab, move |_, member| {
                for (_, value) in &member.params {
                    let BareItem::String(text) = value else {
                        continue;
                    };
                    if let Some(address) = private_address(text.as_str(), &host) {
                        return Err(Finding::violation("no private address", address));
                    }
                }
                Ok(())
            })
            .await
        })
}

/// A client that does not read trailers must not miss what it says.
///
/// Also accepted: no trailer, as nearly always.
fn a_trailer_repeats_it() -> Case {
    must("A trailer with Proxy-Status has a twin in the header section")
        .over(EVERY)
        .cites(RFC_9209.section("2"))
        .covers(["PST-008"])
        .run(async |lab| {
            for &(name, occasion) in REFUSALS {
                if occasion.setup() != Setup::default() {
                    continue;
                }
                let exchange = occasion.asks(lab).await?;
                let Ok(reply) = exchange.reply() else {
                    continue;
                };
                let (reply, mut connection) = (reply.clone(), exchange.connection);
                if reply.is_success() {
                    continue;
                }
                let trailers = connection.body(&reply).await.trailers;
                let is_there = trailers.iter().any(|line| {
                    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
                    name.eq_ignore_ascii_case(b"Proxy-Status")
                });
                if is_there && !reply.has("Proxy-Status") {
                    let finding = Finding::violation("a twin in the header section", "none");
                    return Err(finding.at(name));
                }
            }
            Ok(())
        })
}

/// A tunnel that works and a field that says that it does not: programs believe one, people the other.
///
/// Also accepted: Proxy-Status on a 2xx, without an error.
fn a_success_has_no_error() -> Case {
    survey("Proxy-Status on a 2xx has")
        .over(EVERY)
        .cites(RFC_9209.section("2.1.1"))
        .covers(["PST-010"])
        .run(async |lab| {
            let exchange = RefusalKind::Granted.asks(lab).await?;
            let members = members(exchange.success()?)?;
            if members.is_empty() {
                return Err(never());
            }
            let errors: Vec<_> = members.iter().filter_map(error).collect();
            lab.note(if errors.is_empty() {
                "no error".to_owned()
            } else {
                errors.join(", ")
            });
            Ok(())
        })
}

/// destination_not_found is what a gateway says that knows all its servers.
///
/// Also accepted: either.
fn the_error_that_is_meant_for_gateways() -> Case {
    survey("The error that is meant for gateways is")
        .over(HTTP_1_1)
        .cites(RFC_9209.section("2.3.3"))
        .covers(["PST-009"])
        .run(async |lab| {
            let seen = std::cell::Cell::new(false);
            each_value(lab, |_, member| {
                if error(member).is_some_and(|error| error == "destination_not_found") {
                    seen.set(true);
                }
                Ok(())
            })
            .await?;
            lab.note(if seen.get() { "used" } else { "not used" });
            Ok(())
        })
}

#[cfg(test)]
mod tests;
