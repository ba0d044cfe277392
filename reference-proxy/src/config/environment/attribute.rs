//! What a `SetEnvIf` looks at.

use super::{TooSlow, Value, Variables};
use crate::config::expression::Expression;
use crate::request::Request;
use std::collections::HashSet;
use std::net::IpAddr;

/// Fields whose values no log may show.
const SECRETS: [&str; 2] = ["authorization", "proxy-authorization"];

/// A request, and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The client's address.
    pub client: IpAddr,
    /// Where it arrived.
    pub local: IpAddr,
    /// The request.
    pub request: &'a Request,
}

/// An attribute of a request.
#[derive(Clone, Debug)]
pub(super) enum Attribute {
    /// `Remote_Addr`.
    ClientAddress,
    /// `Server_Addr`.
    LocalAddress,
    /// `Request_Method`.
    Method,
    /// `Request_Protocol`.
    Protocol,
    /// `Request_URI`: of a CONNECT its target, as it was sent.
    Target,
    /// A field, or a variable that was set before.
    Name(String),
    /// The last field whose name fits.
    Fitting {
        expression: Box<Expression>,
        any_case: bool,
    },
}

impl Attribute {
    /// Reads an attribute; `any_case` where its expression does not mind the case of names.
    ///
    /// # Errors
    ///
    /// What is not known here.
    pub(super) fn parse(text: &str, any_case: bool) -> Result<Self, String> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "remote_addr" => Self::ClientAddress,
            "server_addr" => Self::LocalAddress,
            "request_method" => Self::Method,
            "request_protocol" => Self::Protocol,
            "request_uri" => Self::Target,
            "remote_host" => {
                return Err(
                    "Remote_Host is not known here: write Remote_Addr, or Require host".into(),
                );
            }
            lower if lower.starts_with("oid(") => {
                return Err("OID(…) is not known here: no certificates are asked for".into());
            }
            _ if is_name(text) => Self::Name(text.to_owned()),
            _ => Self::Fitting {
                expression: Box::new(Expression::parse(text)?),
                any_case,
            },
        })
    }

    /// Whether it may be a field of that name.
    pub(super) fn may_be(&self, field: &str) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(field),
            Self::Fitting { .. } => true,
            Self::ClientAddress
            | Self::LocalAddress
            | Self::Method
            | Self::Protocol
            | Self::Target => false,
        }
    }

    /// Its value; empty where there is none.
    pub(super) fn of(&self, asked: &Asked<'_>, variables: &Variables) -> Result<Value, TooSlow> {
        let line = &asked.request.line;
        let plain = |text: &str| Value {
            octets: text.as_bytes().to_vec(),
            secret: false,
        };
        Ok(match self {
            Self::ClientAddress => plain(&asked.client.to_canonical().to_string()),
            Self::LocalAddress => plain(&asked.local.to_canonical().to_string()),
            Self::Method => plain(&line.method_name),
            Self::Protocol => plain(&line.protocol),
            Self::Target => plain(&line.target),
            Self::Name(name) => field(asked.request, name)
                .or_else(|| variables.get(name).cloned())
                .unwrap_or_else(|| plain("")),
            Self::Fitting {
                expression,
                any_case,
            } => fitting(asked.request, expression, *any_case)?
                .and_then(|name| field(asked.request, name))
                .unwrap_or_else(|| plain("")),
        })
    }
}

/// Whether httpd reads it as a name and not as an expression for names.
fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
}

/// The last name that fits; one that is sent several times has the place of its first.
fn fitting<'a>(
    request: &'a Request,
    expression: &Expression,
    any_case: bool,
) -> Result<Option<&'a str>, TooSlow> {
    let (mut seen, mut last) = (HashSet::new(), None);
    for field in request.fields.iter() {
        let first = seen.insert(field.name.to_ascii_lowercase());
        if first && expression.fits(&field.name, any_case).ok_or(TooSlow)? {
            last = Some(&*field.name);
        }
    }
    Ok(last)
}

/// The values of that name, as one.
fn field(request: &Request, name: &str) -> Option<Value> {
    Some(Value {
        octets: request.field(name)?,
        secret: SECRETS
            .iter()
            .any(|secret| secret.eq_ignore_ascii_case(name)),
    })
}
