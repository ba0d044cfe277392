//! # Beside a list of names
//!
//! What a list of names leaves to others: the port, the other names in a request, what is asked and what is said of names
//! that are refused, and the next proxy on the way.

use connectspec_harness::{
    lab::network::{Answers, Says},
    prelude::*,
};

use super::requests::{Place, to};
use crate::documents::{RFC_6066, RFC_9110};

/// Every case about what stands beside a list of names.
pub(crate) fn suite() -> Suite {
    suite! {
        "name_limits": "Beside a list of names", include_str!("name_limits.rs");
        a_port_that_is_not_listed_stays_closed,
        a_listed_name_in_host_opens_nothing,
        another_name_in_host_is_not_dialled,
        another_name_in_a_tls_handshake,
        an_exception_meets_a_rule,
        a_refused_name_is_not_looked_up,
        a_refusal_does_not_tell_which_names_exist,
        a_listed_name_goes_on_as_a_name,
        a_name_that_is_not_listed_goes_on_to_nobody,
    }
}

/// Names and ports are two lists, and both have to allow.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_port_that_is_not_listed_stays_closed() -> Case {
    listed(must(
        "A port that is not listed stays closed at a listed name",
    ))
    .covers(["NAM-011"])
    .needs([Need::PortList])
    .run(async |lab| {
        let (port, address) = (lab.closed_denied_port().await?, lab.address()?);
        lab.server_of(address, port, &echo())?;
        let name = lab.host_of(HostKind::Listed, Answers::addresses([address]))?;

        lab.refuses(&to(lab, &name, port)).await.map(drop)
    })
}

/// A filter that reads Host, in front of a proxy that dials the target, lets everybody pass.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_listed_name_in_host_opens_nothing() -> Case {
    listed(must(
        "A target that is not listed is refused, whatever Host says",
    ))
    .covers(["NAM-012"])
    .relying_on(["name_policy/a_name_that_is_not_listed_is_refused"])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let listed = lab.host_of(HostKind::Listed, Answers::addresses([lab.address()?]))?;
        let other = lab.name(place.answers())?;
        let request = to(lab, &other, place.port).host(listed.authority(place.port));

        lab.refuses(&request).await.map(drop)
    })
}

/// The target decides; who wrote another name into Host made a mistake, or tries something.
///
/// Also accepted: a tunnel to the target, and any refusal.
fn another_name_in_host_is_not_dialled() -> Case {
    listed(must(
        "A name in Host that is not listed is not dialled, whatever the target says",
    ))
    .covers(["NAM-012"])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let listed = lab.host_of(HostKind::Listed, Answers::addresses([lab.address()?]))?;
        let other = lab.name(place.answers())?;
        let request = to(lab, &listed, place.port).host(other.authority(place.port));
        let exchange = lab.client().asks(request).await?;
        lab.note(exchange.answer.describe());
        drop(exchange);

        place.server.stays_unvisited().await
    })
}

/// Behind one address there may be many services, and which one is asked for stands in the first octets of the tunnel.
///
/// Also accepted: everything; it is noted whether the handshake comes through.
fn another_name_in_a_tls_handshake() -> Case {
    listed(survey(
        "Whether a TLS handshake that names another host passes in a tunnel to a listed name",
    ))
    .cites(RFC_6066.section("3"))
    .covers(["NAM-012"])
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let name = lab.host_of(HostKind::Listed, place.answers())?;
        let exchange = lab.client().asks(to(lab, &name, place.port)).await?;
        let other = format!("{}.test", lab.nonce());
        // The server sends back what it gets: there is no session.
        let _ = lab.tls_over(exchange.granted()?, &other).await;
        place.server.fence().await?;
        let visits = place.server.visits();
        let named = visits.iter().any(|visit| {
            let heard = place.server.heard(visit);
            heard.windows(other.len()).any(|at| at == other.as_bytes())
        });
        lab.note(match named {
            true => "it passes",
            false => "it does not come through",
        });
        Ok(())
    })
}

/// Where one rule allows and another denies, proxies differ, and who writes both has to know.
///
/// Also accepted: a tunnel, and any refusal; it is noted which.
fn an_exception_meets_a_rule() -> Case {
    listed(survey(
        "What comes of a denied name below one that is allowed with all below it",
    ))
    .covers(["NAM-013"])
    .under(excepting_hosts())
    .run(async |lab| {
        let place = Place::take(lab).await?;
        let name = lab.host_of(HostKind::Exception, place.answers())?;
        let exchange = lab.client().asks(to(lab, &name, place.port)).await?;
        lab.note(match exchange.answer.status() {
            Some(200..300) => "the rule that allows wins".to_owned(),
            _ => format!("the rule that denies wins: {}", exchange.answer.describe()),
        });
        Ok(())
    })
}

/// A question to a name server tells its owner something: that is a way out for whoever may tunnel nowhere.
///
/// Also accepted: any refusal, as long as nobody is asked about the name.
fn a_refused_name_is_not_looked_up() -> Case {
    listed(practice("A name that is refused is not looked up"))
        .covers(["NAM-014"])
        .run(async |lab| {
            let name = lab.name(Answers::addresses([lab.address()?]))?;
            let port = lab.port_anywhere().await?;
            lab.refuses(&to(lab, &name, port)).await?;
            match name.questions()?.len() {
                0 => Ok(()),
                asked => Err(Finding::violation(
                    "no question about the name",
                    format!("questions: {asked}"),
                )),
            }
        })
}

/// Names inside a network are nobody's business outside of it.
///
/// Also accepted: any refusal, as long as it is the same for both.
fn a_refusal_does_not_tell_which_names_exist() -> Case {
    listed(practice(
        "A refusal is the same for names that exist and for others",
    ))
    .covers(["NAM-014"])
    .run(async |lab| {
        let port = lab.port_anywhere().await?;
        let mut heard = Vec::new();
        for answers in [
            Answers::addresses([lab.address()?]),
            Answers::always(Says::NoSuchName),
        ] {
            let name = lab.name(answers)?;
            heard.push(lab.refuses(&to(lab, &name, port)).await?);
        }
        match heard[0].status() == heard[1].status() {
            true => Ok(()),
            false => Err(Finding::violation(
                "the same answer",
                format!("{} and {}", heard[0].describe(), heard[1].describe()),
            )),
        }
    })
}

/// The upstream proxy has rules of its own, for the name that the client wrote.
///
/// Only this conforms: the name, in any letter case, and with a dot behind it or not.
fn a_listed_name_goes_on_as_a_name() -> Case {
    chained(must(
        "Through an upstream proxy, a listed name goes on as a name",
    ))
    .run(async |lab| {
        let upstream = lab.upstream(granting()).await?;
        let name = lab.host_of(HostKind::Listed, Answers::addresses([lab.address()?]))?;
        let port = lab.port_anywhere().await?;
        let exchange = lab.client().asks(to(lab, &name, port)).await?;
        let said = exchange.answer.describe();
        if let Ok(mut tunnel) = exchange.granted() {
            // Some say 200 at once, and go on to the upstream proxy when the client speaks.
            let _ = tunnel.echoes(lab.nonce()).await;
        }
        upstream.fence().await?;
        // A connection without a word only looks whether somebody is there.
        let visits = upstream.visits();
        let heard = visits.iter().map(|visit| upstream.heard(visit));
        let asked = heard
            .filter(|octets| !octets.is_empty())
            .find_map(|octets| {
                let head = String::from_utf8_lossy(&octets).to_ascii_lowercase();
                head.split(' ')
                    .nth(1)
                    .map(|target| target.replace(".:", ":"))
            });
        match asked {
            Some(target) if target == name.authority(port) => Ok(()),
            asked => Err(Finding::violation(
                format!("the upstream proxy is asked for {}", name.authority(port)),
                match asked {
                    Some(target) => format!("it is asked for {target}"),
                    None => format!("it is not asked, and {said}"),
                },
            )),
        }
    })
}

/// A way around a list is no less one because it leads through another proxy.
///
/// Also accepted: any status that is not 2xx, or a close without an answer.
fn a_name_that_is_not_listed_goes_on_to_nobody() -> Case {
    chained(must(
        "Through an upstream proxy, a name that is not on the list is refused",
    ))
    .run(async |lab| {
        let _upstream = lab.upstream(granting()).await?;
        let name = lab.name(Answers::addresses([lab.address()?]))?;
        let port = lab.port_anywhere().await?;

        lab.refuses(&to(lab, &name, port)).await.map(drop)
    })
}

fn listed(case: Case) -> Case {
    case.cites(RFC_9110.section("9.3.6"))
        .needs([Need::Names])
        .under(allowing_hosts())
        .in_the_lab()
}

/// An upstream proxy that lets everything pass.
fn granting() -> Script {
    receive_head()
        .then(send("HTTP/1.1 200 OK\r\n\r\n"))
        .then(echo())
}

fn chained(case: Case) -> Case {
    listed(case).covers(["NAM-016"]).under(Setup {
        upstream: true,
        ..allowing_hosts()
    })
}
