//! # Names in numbers
//!
//! A name may have many addresses, and a crowd of clients as many names: what a proxy spends on one of them, the others lack.

use connectspec_harness::{
    lab::network::{Answers, Says},
    prelude::*,
};

use super::requests::{asked_for, to};
use crate::documents::{RFC_8305, RFC_9110};

/// Every case about names in numbers.
pub(crate) fn suite() -> Suite {
    suite! {
        "many_names": "Names in numbers", include_str!("many.rs");
        a_few_addresses_are_dialled_at_a_time,
        lookups_end_with_their_clients,
    }
}

/// As many as an answer has room for.
const ADDRESSES: u32 = 64;

/// More than any staggered start has under way before the first answers, on a machine that is busy, too.
const AT_ONCE: usize = 16;

/// Whoever has a domain can make of one request sixty-four connections, to hosts of his choice; and of four hundred, all that a
/// proxy may open.
///
/// Also accepted: to try one address after the other, or a few at the same time.
fn a_few_addresses_are_dialled_at_a_time() -> Case {
    practice("Of a name with sixty-four addresses, not all are dialled at once")
        .cites(RFC_8305.section("5"))
        .covers(["DNS-012"])
        .needs([Need::Names])
        .in_the_lab()
        .run(async |lab| {
            let port = lab.port_anywhere().await?;
            let addresses = lab.addresses(ADDRESSES)?;
            let mut servers = Vec::new();
            for &address in &addresses {
                servers.push(lab.server_of(address, port, &echo())?);
            }
            let name = lab.name(Answers::addresses(addresses))?;
            let exchange = lab.client().asks(to(lab, &name, port)).await?;
            let said = exchange.answer.describe();
            match exchange.granted() {
                Ok(mut tunnel) => tunnel.echoes(lab.nonce()).await?,
                // It may take so many for an error.
                Err(_) => lab.note(said),
            }

            let mut dialled = 0;
            for server in &servers {
                server.fence().await?;
                dialled += usize::from(!server.visits().is_empty());
            }
            if dialled <= AT_ONCE {
                lab.note(format!("{dialled} of {ADDRESSES} were dialled"));
                return Ok(());
            }
            Err(Finding::violation(
                format!("connections to at most {AT_ONCE} of them"),
                format!("connections to {dialled} of {ADDRESSES}"),
            ))
        })
}

/// More than a proxy looks up at the same time for clients that wait.
const LEAVING: usize = 300;

/// A client costs nothing that leaves at once; what was begun for it may cost all others their names, for as long as a name
/// server is silent.
///
/// Also accepted: to look names up without a limit, or to refuse what is too much. Only the client whose name is answered for is
/// looked at, after the others have gone.
fn lookups_end_with_their_clients() -> Case {
    practice("Clients that left while their names were looked up keep nobody else from a tunnel")
        .cites(RFC_9110.section("17.5"))
        .covers(["NAM-015"])
        .needs([Need::Names, Need::Launched])
        .relying_on(["names/an_unanswered_name_keeps_nobody_else_waiting"])
        .in_the_lab()
        .slow()
        .run(async |lab| {
            // Whatever it does to the others must not be done to other cases.
            let lab = lab.relaunched(&Setup::default()).await?;
            let port = lab.port_anywhere().await?;
            let address = lab.address()?;
            let server = lab.server_of(address, port, &echo())?;
            let good = lab.name(Answers::addresses([address]))?;
            lab.carries(&to(&lab, &good, port), &server).await?;

            let mut leaving = Vec::new();
            for _ in 0..LEAVING {
                let name = lab.name(Answers::always(Says::Silence))?;
                let mut connection = lab.client().dial().await?;
                connection.sends(to(&lab, &name, port).bytes()).await;
                leaving.push((name, connection));
            }
            let asked = asked_for(&lab, &leaving).await?;
            lab.note(format!(
                "{asked} of {LEAVING} names were asked for at the same time"
            ));
            for (_, connection) in leaving {
                connection.into_tunnel().resets()?;
            }
            pass(lab.patience().stall()).await;

            let exchange = lab.client().asks(to(&lab, &good, port)).await?;
            let said = exchange.answer.describe();
            let Ok(mut tunnel) = exchange.granted() else {
                let expected = "a tunnel, once the others have gone";
                return Err(Finding::violation(expected, said));
            };
            tunnel.echoes(lab.nonce()).await
        })
}
