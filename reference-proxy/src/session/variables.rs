//! The variables of a request, at the two moments at which httpd sets them.

use crate::config::Server;
use crate::config::environment::{Asked, Rules};
use crate::log::Record;
use crate::refusal::Refusal;
use crate::request::Request;

/// What `SetEnvIf` and its kin set, before anybody asks who may connect.
///
/// # Errors
///
/// 403 where nobody can tell what is set: who may connect may depend on it.
pub(super) fn before_access(
    request: &Request,
    server: &Server,
    record: &mut Record,
) -> Result<(), Refusal> {
    let asked = Asked {
        client: record.ends.peer.ip(),
        local: record.ends.local.ip(),
        request,
    };
    server
        .environment
        .conditional(&asked, &mut record.variables)
        .map_err(|_| Refusal::forbidden("an expression of SetEnvIf took too long"))
}

/// What `SetEnv` and its kin set, when the client may connect. From now on only logs look at variables.
pub(super) fn behind_access(server: &Server, record: &mut Record) {
    Rules::fixed([&server.environment], &mut record.variables);
    let logged = record.journal.as_ref();
    record
        .variables
        .keep(logged.map_or(&[], |journal| &journal.variables));
}
