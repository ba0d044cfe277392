//! # Requests inside content
//!
//! After a CONNECT that is refused, a request lies inside what its fields say is content. Whoever runs it has been
//! made to speak for somebody else.

use connectspec_harness::prelude::*;

use crate::{
    cases::words::{refusal_kinds::RefusalKind, requests::smuggled_request},
    documents::{RFC_9110, RFC_9112, RFC_9931},
};

/// Every case about requests that are hidden in content.
pub(crate) fn suite() -> Suite {
    suite! {
        "smuggling": "Requests inside content", include_str!("smuggling.rs");
        content_of_a_refused_request_is_not_served,
        content_that_comes_late_is_not_served,
        what_connection_names_is_still_obeyed,
        hidden_content_is_not_served,
        a_huge_content_is_not_served,
    }
}

/// A body that the proxy does not expect, and that begins like a request, is a request to it.
///
/// Also accepted: one response and then anything that is no second one, or a close without an answer: a reset can eat
/// even the first.
fn content_of_a_refused_request_is_not_served() -> Family {
    each(REFUSED_WITH_CONTENT, |&(_, row, occasion, framing)| {
        must("The content of a refused CONNECT is not served as a request")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.3"))
            .cites(RFC_9112.section("6"))
            .cites(RFC_9931.section("8"))
            .covers([row])
            .under(occasion.setup())
            .needs(occasion.needs())
            .run(async move |lab| {
                let (fields, content) = framing(&smuggled_request(lab).await?);
                let request = occasion.request(lab).await?.followed_by(content);
                let request = fields.iter().fold(request, Request::field);

                lab.serves_nothing_behind(&occasion.client(lab), &request)
                    .await?;
                Ok(())
            })
    })
}

/// Fields that announce a request as content, and that content.
type Framing = fn(&[u8]) -> (Vec<String>, Vec<u8>);

const REFUSED_WITH_CONTENT: &[(&str, &str, RefusalKind, Framing)] = &[
    ("length_denied", "H1-FRM-013", RefusalKind::Denied, LENGTH),
    (
        "length_closed_port",
        "H1-FRM-013",
        RefusalKind::ClosedPort,
        LENGTH,
    ),
    (
        "length_bad_target",
        "H1-FRM-013",
        RefusalKind::BadTarget,
        LENGTH,
    ),
    ("chunked_denied", "H1-FRM-014", RefusalKind::Denied, CHUNKED),
    (
        "chunked_closed_port",
        "H1-FRM-014",
        RefusalKind::ClosedPort,
        CHUNKED,
    ),
    (
        "chunked_bad_target",
        "H1-FRM-014",
        RefusalKind::BadTarget,
        CHUNKED,
    ),
];

const LENGTH: Framing = |request| (vec![length(request)], request.to_vec());
const CHUNKED: Framing = |request| (vec![CODING.to_owned()], chunked(request));
const CODING: &str = "Transfer-Encoding: chunked";

/// Connection says which fields are for this connection alone. Whoever drops those before it has read them itself forgets how long
/// the content is, and serves it.
///
/// Also accepted: to close after the answer, to refuse such a request for its Connection field, and to wait for the content.
fn what_connection_names_is_still_obeyed() -> Case {
    must("A Content-Length that Connection names still frames the request")
        .cites(RFC_9110.section("7.6.1"))
        .cites(RFC_9112.section("6.3"))
        .covers(["H1-CONN-018"])
        .relying_on(["smuggling/content_of_a_refused_request_is_not_served"])
        .needs([Need::PortList])
        .run(async |lab| {
            let sentinel = lab.server(hold()).await?;
            let (fields, content) = LENGTH(&lab.request(&sentinel).bytes());
            let request = RefusalKind::Denied.request(lab).await?;
            let request = fields.iter().fold(request, Request::field);
            let request = request.field("Connection: Content-Length");
            lab.reaches_nobody(&request.followed_by(content)).await
        })
}

/// A target, from the address of a server that is not there.
type Target = fn(&str) -> String;

/// Requests with content that open no tunnel: a method and a target.
const OTHERS: &[(&str, &str, Target)] = &[
    ("post", "POST", |nobody| format!("http://{nobody}/")),
    ("get", "GET", |nobody| format!("http://{nobody}/")),
    ("options", "OPTIONS", |_| "*".to_owned()),
    ("unknown", "NOSUCHMETHOD", |nobody| {
        format!("http://{nobody}/")
    }),
];

/// A proxy that answers before the content has come must not forget that it is still to come: what it then reads as its
/// next request was written by whoever wrote the content.
///
/// Also accepted: to close after the answer, to read the content and drop it, or to wait for it before the answer.
fn content_that_comes_late_is_not_served() -> Family {
    each(OTHERS, |&(_, method, target)| {
        must("Content that comes after the answer to its request is not served as a request")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("9.3"))
            .cites(RFC_9112.section("6"))
            .covers(["H1-FRM-013"])
            .run(async move |lab| {
                let sentinel = lab.server(hold()).await?;
                let smuggled = lab.request(&sentinel).bytes();
                let nobody = format!("{}:{}", lab.host(), lab.refusing_port().await?);
                let request = lab
                    .client()
                    .request(target(&nobody))
                    .method(method)
                    .host(&nobody)
                    .field(length(&smuggled));

                lab.reaches_nobody_later(&request, smuggled).await
            })
    })
}

/// Each way to write a length that one reader understands and another does not is a way past the one that does not.
///
/// Only this conforms than one response at most: in every reading of these fields that a specification permits, the
/// request lies inside the content, or the connection has to end before it.
fn hidden_content_is_not_served() -> Family {
    each(HIDDEN, |&(_, framing)| {
        must("Content with odd framing after a refused CONNECT is not served as a request")
            .over(HTTP_1_1)
            .cites(RFC_9112.section("11.2"))
            .cites(RFC_9112.section("6.3"))
            .cites(RFC_9931.section("8"))
            .covers(["SEC-011"])
            .needs([Need::PortList])
            .run(async move |lab| {
                let (fields, content) = framing(&smuggled_request(lab).await?);
                let request = RefusalKind::Denied.request(lab).await?.followed_by(content);
                let request = fields.iter().fold(request, Request::field);

                lab.serves_nothing_behind(&lab.client(), &request).await?;
                Ok(())
            })
    })
}

const HIDDEN: &[(&str, Framing)] = &[
    ("both_framings", |request| {
        let content = chunked(request);
        (vec![length(&content), CODING.to_owned()], content)
    }),
    ("coding_before_length", |request| {
        let content = chunked(request);
        (vec![CODING.to_owned(), length(&content)], content)
    }),
    ("space_before_the_colon", |request| {
        let field = length(request).replace(':', " :");
        (vec![field], request.to_vec())
    }),
    ("coding_with_a_space_before_the_colon", |request| {
        (vec![CODING.replace(':', " :")], chunked(request))
    }),
    ("folded_coding", |request| {
        (vec![CODING.replace(": ", ":\r\n ")], chunked(request))
    }),
    ("folded_length", |request| {
        let field = length(request).replace(": ", ":\r\n ");
        (vec![field], request.to_vec())
    }),
    ("coding_behind_a_vertical_tab", |request| {
        (vec![CODING.replace(' ', "\x0b")], chunked(request))
    }),
    ("unknown_coding", |request| {
        let coding = CODING.replace("chunked", "xchunked");
        (vec![coding, length(request)], request.to_vec())
    }),
    ("chunked_twice", |request| {
        (vec![format!("{CODING}, chunked")], chunked(request))
    }),
    ("coding_in_capitals", |request| {
        (vec![CODING.to_uppercase()], chunked(request))
    }),
    ("two_lengths", |request| {
        let fields = vec!["Content-Length: 0".to_owned(), length(request)];
        (fields, request.to_vec())
    }),
    ("length_with_a_plus_sign", |request| {
        let field = length(request).replace(": ", ": +");
        (vec![field], request.to_vec())
    }),
];

/// A length that is kept in too few bits comes out as five, and what stands after five bytes as a request.
///
/// Also accepted: to refuse, to close, or to wait for all that was announced. Whether the connection stays open after
/// the refusal is for other cases; here only a request that has run counts.
fn a_huge_content_is_not_served() -> Family {
    each(HUGE, |&(_, length, wrapped)| {
        must("A huge content after a refused CONNECT is not served as a request")
            .over(HTTP_1_1)
            .cites(RFC_9110.section("8.6"))
            .covers(["H1-FRM-012"])
            .needs([Need::PortList])
            .run(async move |lab| {
                let smuggled = smuggled_request(lab).await?;
                let request = RefusalKind::Denied
                    .request(lab)
                    .await?
                    .field(format!("Content-Length: {length}"))
                    .followed_by(wrapped)
                    .followed_by(smuggled);

                lab.reaches_nobody(&request).await
            })
    })
}

/// A name, the length, and as many bytes as are left of it in 32 or 64 bits: they are the beginning of no request.
const HUGE: &[(&str, &str, &str)] = &[
    ("past_32_bits", "4294967301", "XXX\r\n"),
    ("past_64_bits", "18446744073709551621", "XXX\r\n"),
    ("zero_in_64_bits", "18446744073709551616", ""),
    ("sign_of_64_bits", "9223372036854775808", ""),
    (
        "forty_digits",
        "1000000000000000000000000000000000000000",
        "",
    ),
];

fn length(content: &[u8]) -> String {
    format!("Content-Length: {}", content.len())
}

/// `content` as one chunk and the last one.
fn chunked(content: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", content.len());
    [size.as_bytes(), content, b"\r\n0\r\n\r\n"].concat()
}
