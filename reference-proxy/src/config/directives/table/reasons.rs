//! Why a directive is an error here: what it would do to a CONNECT, and what to write instead.

/// Both are parts of one sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it does, as a sentence without its subject.
    pub does: &'static str,
    /// The remedy, as an order.
    pub instead: &'static str,
}

pub(super) static ADDRESS: Reason = Reason {
    does: "takes the client's address from what the client sends, and rules about addresses judge that one",
    instead: "write Require about the addresses that connect to this proxy, and leave this line out",
};

pub(super) static CERTIFICATES: Reason = Reason {
    does: "lets in who has a certificate",
    instead: "let users prove who they are with AuthType Basic, and leave this line out",
};

pub(super) static ECHO: Reason = Reason {
    does: "sends back what comes in place of serving it",
    instead: "leave it out, or do not load mod_proxy_connect",
};

pub(super) static EXPRESSION: Reason = Reason {
    does: "lets an expression decide",
    instead: "say it with Require, or with SetEnvIf and Require env",
};

pub(super) static HOSTS: Reason = Reason {
    does: "refuses every target that is not the name of a virtual host",
    instead: "name the targets in <Proxy> sections, and leave this line out",
};

pub(super) static HTTPS: Reason = Reason {
    does: "sends clients that come in the clear away",
    instead: "let this server listen with SSLEngine On only, and leave this line out",
};

pub(super) static IN_THE_CLEAR: Reason = Reason {
    does: "refuses clients that come in the clear",
    instead: "let this server listen with SSLEngine On only, and leave this line out",
};

pub(super) static LUA: Reason = Reason {
    does: "lets a script refuse requests or answer them",
    instead: "say with Require who may connect, and leave this line out",
};

pub(super) static MACRO: Reason = Reason {
    does: "brings lines in that are not read here",
    instead: "write them out",
};

pub(super) static OPENSSL: Reason = Reason {
    does: "sets what OpenSSL demands of clients, and TLS is not OpenSSL's here",
    instead: "leave it out",
};

pub(super) static REDIRECT: Reason = Reason {
    does: "answers a CONNECT itself when it stands in this section",
    instead: "write Require all denied for what may not be reached, or move it out of the section, where httpd \
              does not apply it to a CONNECT",
};

pub(super) static REGEX: Reason = Reason {
    does: "changes what regular expressions match, in rules about access as well",
    instead: "leave it out, and write the options into the expressions, as (?i)",
};

pub(super) static REWRITE: Reason = Reason {
    does: "can forbid a CONNECT or answer it when it stands in this section",
    instead: "write Require all denied for what may not be reached, or move it out of the section, where httpd \
              does not apply it to a CONNECT",
};

pub(super) static SNI: Reason = Reason {
    does: "refuses clients by the name that they give in the TLS handshake",
    instead: "give each name an address of its own, and leave this line out",
};

pub(super) static USERS: Reason = Reason {
    does: "says how users are checked, in a way that is not known here",
    instead: "use AuthType Basic with AuthUserFile",
};
