//! Where this proxy departs from Apache httpd 2.4, and why.
//!
//! Everything else means what httpd's documentation says. The tests that run beside the real httpd know these
//! rows by name, and accept no other difference.
//!
//! # Configuration
//!
//! | name | httpd 2.4 | here | why |
//! |---|---|---|---|
//! | `allow-past-65535` | `AllowCONNECT` takes any number and cuts it to an `int`: 4294967739 means 443, `2147483648-65535` every port | an error | there is no such port, and a typo must not open one |
//! | `allow-inverted` | `500-443` is taken and allows nothing, and the default is gone | an error | it cannot have been meant |
//! | `allow-signs` | blanks and signs behind the dash are taken: `443--5`, `"443- 500"` | an error | ports are digits (RFC 9110, section 9.3.6) |
//! | `allow-empty-word` | an empty word ends the list, and what follows is dropped | an error | an undefined variable would close ports silently |
//! | `wrong-numbers` | `Timeout x` and its like are read as 0, `Timeout 500ms` as 500 s, and `Timeout 0` fails every CONNECT | an error; `ms`, `s`, `mi`, `h` are units | it cannot have been meant |
//! | `unknown-directives` | what no loaded module knows is an error | the same; what cannot matter to a CONNECT (`KeepAlive`, `AddIcon`, `<Directory>` …) is a warning, what could change who gets in or where to and is not understood (`RemoteIPHeader`, `SSLVerifyClient` …) an error | whoever wrote the line shall know that it does nothing, or rely on it |
//! | `strange-modules` | `LoadModule` takes every module that there is | what is none of httpd's own is an error, unless it is known to do nothing by itself | whom it lets in or keeps out nobody could tell |
//! | `require-default` | without `Require`, `Allow` and `Deny` everybody is served | clients of the own machine are served | an open proxy has to be asked for |
//! | `satisfy-any-alone` | `Satisfy any` lets everybody in where there is no `Require`, whatever `Deny` says, and where there are no lists, whatever `Require` says | what is not there lets nobody in | the half that is written is all that was meant |
//! | `prefix-grants` | a `<Proxy>` without wildcards is about every target that begins with it: one for `127.0.0.1:98` grants `127.0.0.1:9811` | it gives to a whole host, or a host and a port, and takes away from all that begins with it | nobody writes half a port, or half a name |
//! | `one-target` | sections compare the target as it was spelled: `LOCALHOST`, `localhost.`, `localhost:0443` and `[::ffff:127.0.0.1]` pass one that denies the plain form, and `[::1]` fits no pattern, since brackets are sets | sections are about the canonical form as well, and about the addresses that a name is dialled at; one that fits only there can take away and never give | one target has many spellings, and a name can be given to any address |
//! | `expressions` | `<If>` and `Require expr` decide by expressions; `<ProxyMatch>` and `SetEnvIf` take all that PCRE takes | an error, where it is about access; what is not known to mean the same in both engines is one, too | what is half understood lets somebody in |
//! | `users-elsewhere` | users come from files, databases, directories, aliases of these, by Basic, Digest or forms | from an `AuthUserFile`, by Basic; anything else is an error | nobody else vouches here |
//! | `not-authoritative` | with `AuthBasicAuthoritative Off` an unknown user is a 500, since nobody else is asked | 407, as for a wrong password | the same to who asks, and no users can be guessed |
//! | `odd-clients` | `Deny from *`, `127.*` and `a,b` are taken for names, and deny nobody; masks with holes are taken, and so are words behind `valid-user` and `local` | an error | it cannot have been meant |
//! | `log-owner` | logs are opened by root, also when they are rotated | by `User`; by root only at the start, and only in a folder where nobody else may write, as Debian's: a reload goes on with that file, and a warning says so | nothing of root is left to open them anew, and root must not follow somebody else's link |
//! | `log-programs` | logs can go to programs and to syslog, and depend on expressions (`expr=`) | files only, opened anew on SIGHUP; `env=` alone | one write, one line, no process to lose |
//! | `password-hashes` | also takes crypt, unsalted SHA-1 and clear text | bcrypt, apr1, SHA-crypt | the others protect nobody |
//! | `tls-versions` | `SSLProtocol` can allow TLS 1.0 and 1.1 | 1.2 and 1.3 at most | the others are broken |
//! | `odd-times` | `%{…}t` takes anything, and hands it to the system's strftime | what is no strftime format is an error | a log without times is noticed too late |
//! | `names` | names are looked up as nsswitch.conf says, each by a thread that waits | in the hosts file and by the name servers of resolv.conf | a look-up can be taken back when its client has gone |
//! | `connection-limit` | `MaxRequestWorkers` defaults to 400 and more, and counts threads | as many as the limit of open files carries; read at the start only | a tunnel costs no thread here |
//! | `buffers` | `ProxyReceiveBufferSize` is for HTTP and FTP to servers | for tunnels, too | it is what holds the memory of the kernel down |
//! | `unlimited` | `LimitRequestFields 0`, `GracefulShutdownTimeout 0` lift the limit | 10,000 fields; the default | there is a limit on everything |
//! | `signals` | SIGTERM ends at once, SIGHUP cuts the tunnels | SIGTERM drains like SIGWINCH, for `GracefulShutdownTimeout` (3 s); SIGHUP reloads like SIGUSR1 and loses no tunnel | what init systems send |
//!
//! # Requests
//!
//! | name | httpd 2.4 | here | why |
//! |---|---|---|---|
//! | `port-modulo` | the target port is taken modulo 65536, signs are read | 400 | RFC 9110, section 9.3.6 |
//! | `port-zero` | port 0 is tried if it is allowed | 400 | RFC 9110, section 9.3.6 |
//! | `odd-hosts` | `[127.0.0.1]`, `[]`, `[v1.a]`, `0x7f000001`, `127.0.0.1.`, `0.0.0.0` are looked up or connected to | 400, and 403 for addresses that are no host | RFC 3986, section 3.2.2; no filter reads them as addresses |
//! | `host-field` | doubled and malformed `Host` fields are ignored, and HTTP/1.2 needs none | 400 | RFC 9112, section 3.2 |
//! | `folded-fields` | a folded line is joined | 400 | RFC 9112, section 5.2, allows both; two readers must not differ |
//! | `content` | `Content-Length` and `Transfer-Encoding` are ignored, the content goes to the server | 400, or 501 for an unknown coding | RFC 9110, section 9.3.6: a CONNECT has no content |
//! | `higher-major-version` | `HTTP/2.0` is taken | 505 | RFC 9110, section 15.6.6 |
//! | `slow-expressions` | an expression of `SetEnvIf` or `<ProxyMatch>` that takes too long fits nothing | 403 | who may connect may depend on it |
//! | `other-methods` | a forward proxy for http | 405, 501 | nothing but CONNECT is served |
//! | `malformed-first` | who asks, and what is expected, is judged before some malformed targets are found (an empty host) | 400 for every malformed request, before anything is judged | what cannot be read cannot be judged |
//! | `old-expectations` | `Expect` of an HTTP/1.0 client can be refused | ignored | RFC 9110, section 10.1.1 |
//! | `head-too-large` | 400 | 431 | RFC 6585, section 5 |
//! | `policy-before-lookup` | the name is resolved before the port is judged, so an unknown name on a denied port is 502 | 403, and nothing is resolved | what is denied must cause no traffic |
//! | `special-use` | every address is dialled | 403 for link-local, metadata and reserved addresses, and those in `DenyDestination`, unless `AllowDestination` says otherwise | RFC 9298, section 7: they mean another machine to the proxy than to its client |
//! | `self-tunnel` | a tunnel to the proxy itself is made | 502 with `proxy_loop_detected` | each would cost two more connections, without end |
//! | `mapped-addresses` | `ProxyBlock`, virtual hosts and `ProxyRemote` compare text, so `::ffff:1.2.3.4` passes a block of 1.2.3.4 | one address, however it is spelled | what is dialled is what is judged |
//!
//! # Answers
//!
//! | name | httpd 2.4 | here | why |
//! |---|---|---|---|
//! | `status-line` | `HTTP/1.0 200 Connection Established` and `Proxy-agent` | `HTTP/1.1`, and no fields | RFC 9110, section 6.2; section 17.12 |
//! | `keep-alive-after-refusal` | 403, 407, 502 keep the connection, also of an HTTP/1.0 client | every refusal closes, and `%X` is `-` | RFC 9931, section 8; RFC 9112, section 9.3 |
//! | `connect-failure` | 503, also for a timeout | 502 refused, 504 too slow, with `Proxy-Status` | RFC 9209, section 2.3 |
//! | `log-of-malformed` | a 400, 405 or 417 is logged with `%U` as `/` and the fields read so far | with the words of its line, and without fields and variables | the line is all that is certain |
//! | `log-levels` | whatever the proxy refuses is an `error` entry | a 403 and a failure are `error`, other refusals of requests are `info` | what a client did wrong is nobody's fault here |
//! | `log-of-secrets` | `%{Proxy-Authorization}i` is logged | `(not logged)` | RFC 9110, section 17.16 |
//!
//! # Tunnels
//!
//! | name | httpd 2.4 | here | why |
//! |---|---|---|---|
//! | `resets` | a reset of one side becomes a FIN on the other | a reset | what broke must not look whole |
//! | `stream-ends` | over HTTP/2 the server's end waits for the client's, and a reset of either becomes an end | each end and each reset is passed on | RFC 9113, section 8.5 |
//! | `idle-linger` | on a timeout the client is closed 2 s after the server | both at once | nobody is left to say anything |
//! | `stalled-tunnels` | what is on its way at a timeout, or when the process ends, is cut off with a FIN | a reset, to both | what was cut off must not look whole |
//! | `no-half-close` | `SetEnv proxy-nohalfclose` ends a tunnel at the first end of one side | a warning | it is in no manual; an end is passed on, and what is silent then times out |
//! | `staggered-addresses` | the addresses of a name are tried one after another, each for a whole timeout | staggered by 250 ms, within one timeout | RFC 8305 |
//!
//! # Upstream proxies
//!
//! | name | httpd 2.4 | here | why |
//! |---|---|---|---|
//! | `upstream-spelling` | `ProxyRemote` looks at the target as it was spelled | at its canonical form as well | no spelling of a host gets around the proxy that is there for it |
//! | `upstream-url` | HTTP in the clear whatever the scheme says; an IPv6 address is an error; a port is read as far as it is one | `http://`, `h2c://` and `h2://`, IPv6 as well | nobody who writes `https://` wants it in the clear |
//! | `upstream-http2` | a CONNECT goes on in HTTP/1.0, also for the schemes of mod_proxy_http2 | `h2c://` is HTTP/2 in the clear, `h2://` within TLS to whom `SSLProxyCACertificateFile` vouches for | they say it, and nothing else in httpd does |
//! | `upstream-credentials` | a CONNECT does not carry the third word of `ProxyRemote` | it does, as `Proxy-Authorization: Basic` | that is what it is for |
//! | `no-proxy-words` | a word without an address when the config is read covers every host that contains it; a network with a mask covers none | the host of that name; an error | which way a tunnel takes must not depend on the resolver of another day |
//! | `upstream-request` | `CONNECT … HTTP/1.0` and nothing of the client's fields | `HTTP/1.1` with `Host`, the end-to-end fields and `Via` | RFC 9110, section 7.6; RFC 9112, section 3.2 |
//! | `upstream-via` | `ProxyVia Off` and `Block` send no `Via` | this proxy's entry is always sent; `Block` drops earlier ones | RFC 9110, section 7.6.3; loops could not be seen |
//! | `upstream-answer` | the answer is relayed as it comes, whatever it is | parsed; a 2xx becomes a 200 of this proxy, the rest a refusal of its own | RFC 9110, sections 2.2 and 9.3.6 |
//! | `upstream-log` | the status is 200 whatever the upstream says | the status on the wire | |
//! | `upstream-early-data` | sent before the upstream has answered | kept until its 2xx | RFC 9931, section 8 |
//! | `upstream-down` | the next `ProxyRemote` is tried, and then the target directly | 502 or 504 | a way around a proxy must be asked for |
