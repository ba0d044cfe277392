//! The documents that cases cite.

use connectspec_harness::citation::Document;

const fn rfc(name: &'static str, address: &'static str) -> Document {
    Document::new(name, address, "#section-")
}

/// HTTP Semantics.
pub const RFC_9110: Document = rfc("RFC 9110", "https://www.rfc-editor.org/rfc/rfc9110");

/// HTTP/1.1.
pub const RFC_9112: Document = rfc("RFC 9112", "https://www.rfc-editor.org/rfc/rfc9112");

/// Upgrading to TLS within HTTP/1.1; its section on CONNECT is from the time when that was written down first.
pub const RFC_2817: Document = rfc("RFC 2817", "https://www.rfc-editor.org/rfc/rfc2817");

/// The negotiation of protocols within TLS.
pub const RFC_7301: Document = rfc("RFC 7301", "https://www.rfc-editor.org/rfc/rfc7301");

/// HTTP/2.
pub const RFC_9113: Document = rfc("RFC 9113", "https://www.rfc-editor.org/rfc/rfc9113");

/// WebSockets over HTTP/2, and the extended CONNECT that they are asked for with.
pub const RFC_8441: Document = rfc("RFC 8441", "https://www.rfc-editor.org/rfc/rfc8441");

/// Security considerations for optimistic protocol transitions in HTTP/1.1: what a proxy does after it has refused a
/// CONNECT.
pub const RFC_9931: Document = rfc("RFC 9931", "https://www.rfc-editor.org/rfc/rfc9931");

/// WebSockets.
pub const RFC_6455: Document = rfc("RFC 6455", "https://www.rfc-editor.org/rfc/rfc6455");

/// WebSockets over HTTP/3; what it says of unknown protocols is about extended CONNECT in general.
pub const RFC_9220: Document = rfc("RFC 9220", "https://www.rfc-editor.org/rfc/rfc9220");

/// The Proxy-Status field.
pub const RFC_9209: Document = rfc("RFC 9209", "https://www.rfc-editor.org/rfc/rfc9209");

/// Proxying UDP in HTTP; its security considerations list the addresses that a proxy had better refuse.
pub const RFC_9298: Document = rfc("RFC 9298", "https://www.rfc-editor.org/rfc/rfc9298");

/// URI: generic syntax.
pub const RFC_3986: Document = rfc("RFC 3986", "https://www.rfc-editor.org/rfc/rfc3986");

/// Domain names: implementation and specification.
pub const RFC_1035: Document = rfc("RFC 1035", "https://www.rfc-editor.org/rfc/rfc1035");

/// Requirements for Internet hosts: communication layers.
pub const RFC_1122: Document = rfc("RFC 1122", "https://www.rfc-editor.org/rfc/rfc1122");

/// Requirements for Internet hosts: application and support.
pub const RFC_1123: Document = rfc("RFC 1123", "https://www.rfc-editor.org/rfc/rfc1123");

/// Addresses of private networks.
pub const RFC_1918: Document = rfc("RFC 1918", "https://www.rfc-editor.org/rfc/rfc1918");

/// Answers that say that there is nothing, and how long they are kept.
pub const RFC_2308: Document = rfc("RFC 2308", "https://www.rfc-editor.org/rfc/rfc2308");

/// Link-local addresses of IPv4.
pub const RFC_3927: Document = rfc("RFC 3927", "https://www.rfc-editor.org/rfc/rfc3927");

/// Addresses behind a carrier's translation.
pub const RFC_6598: Document = rfc("RFC 6598", "https://www.rfc-editor.org/rfc/rfc6598");

/// Domain names with a special use.
pub const RFC_6761: Document = rfc("RFC 6761", "https://www.rfc-editor.org/rfc/rfc6761");

/// Extensions of TLS, with the name of the server that is meant.
pub const RFC_6066: Document = rfc("RFC 6066", "https://www.rfc-editor.org/rfc/rfc6066");

/// Names in other scripts than ASCII.
pub const RFC_5891: Document = rfc("RFC 5891", "https://www.rfc-editor.org/rfc/rfc5891");

/// Connections to hosts with several addresses.
pub const RFC_8305: Document = rfc("RFC 8305", "https://www.rfc-editor.org/rfc/rfc8305");

/// Addresses with a special use.
pub const RFC_6890: Document = rfc("RFC 6890", "https://www.rfc-editor.org/rfc/rfc6890");

/// Zone identifiers in URIs.
pub const RFC_6874: Document = rfc("RFC 6874", "https://www.rfc-editor.org/rfc/rfc6874");

/// Additional HTTP status codes.
pub const RFC_6585: Document = rfc("RFC 6585", "https://www.rfc-editor.org/rfc/rfc6585");

/// Basic authentication.
pub const RFC_7617: Document = rfc("RFC 7617", "https://www.rfc-editor.org/rfc/rfc7617");

/// Apache httpd's mod_proxy_connect.
pub const MOD_PROXY_CONNECT: Document = Document::new(
    "httpd 2.4 mod_proxy_connect",
    "https://httpd.apache.org/docs/2.4/mod/mod_proxy_connect.html",
    "#",
);

/// Apache httpd's mod_proxy.
pub const MOD_PROXY: Document = Document::new(
    "httpd 2.4 mod_proxy",
    "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html",
    "#",
);

/// The directives that every Apache httpd has.
pub const HTTPD_CORE: Document = Document::new(
    "httpd 2.4 core",
    "https://httpd.apache.org/docs/2.4/mod/core.html",
    "#",
);

/// Apache httpd's mod_authz_core.
pub const MOD_AUTHZ_CORE: Document = Document::new(
    "httpd 2.4 mod_authz_core",
    "https://httpd.apache.org/docs/2.4/mod/mod_authz_core.html",
    "#",
);

/// Apache httpd's mod_log_config.
pub const MOD_LOG_CONFIG: Document = Document::new(
    "httpd 2.4 mod_log_config",
    "https://httpd.apache.org/docs/2.4/mod/mod_log_config.html",
    "#",
);

/// Apache httpd's mod_authz_host.
pub const MOD_AUTHZ_HOST: Document = Document::new(
    "httpd 2.4 mod_authz_host",
    "https://httpd.apache.org/docs/2.4/mod/mod_authz_host.html",
    "#",
);

/// A CERT note on proxies that connect to any port.
pub const VU_150227: Document = Document::new(
    "CERT VU#150227",
    "https://www.kb.cert.org/vuls/id/150227",
    "#",
);
