//! Proxying.

use super::Context::{Global as G, Section as P, Server as S};
use super::Meaning::{Idle, Run};
use super::Module;

#[rustfmt::skip]
pub(super) static MODULES: &[Module] = &[
    Module { id: "heartbeat_module", source: "mod_heartbeat.c", names: &[
        (G, Idle, "HeartbeatAddress"),
    ]},
    Module { id: "heartmonitor_module", source: "mod_heartmonitor.c", names: &[
        (G, Idle, "HeartbeatListen HeartbeatMaxServers HeartbeatStorage"),
    ]},
    Module { id: "lbmethod_bybusyness_module", source: "mod_lbmethod_bybusyness.c", names: &[]},
    Module { id: "lbmethod_byrequests_module", source: "mod_lbmethod_byrequests.c", names: &[]},
    Module { id: "lbmethod_bytraffic_module", source: "mod_lbmethod_bytraffic.c", names: &[]},
    Module { id: "lbmethod_heartbeat_module", source: "mod_lbmethod_heartbeat.c", names: &[
        (G, Idle, "HeartbeatStorage"),
    ]},
    Module { id: "proxy_module", source: "mod_proxy.c", names: &[
        (S, Run, "\
            NoProxy ProxyBlock ProxyReceiveBufferSize ProxyRemote ProxyRemoteMatch ProxyRequests ProxySourceAddress \
            ProxyTimeout ProxyVia"),
        (S, Idle, "\
            BalancerGrowth BalancerInherit BalancerPersist ProxyBadHeader ProxyDomain ProxyIOBufferSize \
            ProxyMaxForwards ProxyPassInherit ProxyStatus"),
        (P, Idle, "\
            BalancerMember Proxy100Continue ProxyAddHeaders ProxyErrorOverride ProxyPass ProxyPassInterpolateEnv \
            ProxyPassMatch ProxyPassReverse ProxyPassReverseCookieDomain ProxyPassReverseCookiePath ProxyPreserveHost \
            ProxySet"),
    ]},
    Module { id: "proxy_ajp_module", source: "mod_proxy_ajp.c", names: &[]},
    Module { id: "proxy_balancer_module", source: "mod_proxy_balancer.c", names: &[]},
    Module { id: "proxy_connect_module", source: "mod_proxy_connect.c", names: &[
        (S, Run, "AllowCONNECT"),
    ]},
    Module { id: "proxy_express_module", source: "mod_proxy_express.c", names: &[
        (P, Idle, "ProxyExpressDBMFile ProxyExpressDBMType ProxyExpressEnable"),
    ]},
    Module { id: "proxy_fcgi_module", source: "mod_proxy_fcgi.c", names: &[
        (P, Idle, "ProxyFCGIBackendType ProxyFCGISetEnvIf"),
    ]},
    Module { id: "proxy_fdpass_module", source: "mod_proxy_fdpass.c", names: &[]},
    Module { id: "proxy_ftp_module", source: "mod_proxy_ftp.c", names: &[
        (P, Idle, "ProxyFtpDirCharset ProxyFtpEscapeWildcards ProxyFtpListOnWildcard"),
    ]},
    Module { id: "proxy_hcheck_module", source: "mod_proxy_hcheck.c", names: &[
        (G, Idle, "ProxyHCTPsize"),
        (P, Idle, "ProxyHCExpr ProxyHCTemplate"),
    ]},
    Module { id: "proxy_html_module", source: "mod_proxy_html.c", names: &[
        (P, Idle, "\
            ProxyHTMLBufSize ProxyHTMLCharsetOut ProxyHTMLDoctype ProxyHTMLEnable ProxyHTMLEvents ProxyHTMLExtended \
            ProxyHTMLFixups ProxyHTMLInterp ProxyHTMLLinks ProxyHTMLMeta ProxyHTMLStripComments ProxyHTMLURLMap"),
    ]},
    Module { id: "proxy_http_module", source: "mod_proxy_http.c", names: &[]},
    Module { id: "proxy_http2_module", source: "mod_proxy_http2.c", names: &[]},
    Module { id: "proxy_scgi_module", source: "mod_proxy_scgi.c", names: &[
        (P, Idle, "ProxySCGIInternalRedirect ProxySCGISendfile"),
    ]},
    Module { id: "proxy_uwsgi_module", source: "mod_proxy_uwsgi.c", names: &[]},
    Module { id: "proxy_wstunnel_module", source: "mod_proxy_wstunnel.c", names: &[
        (P, Idle, "ProxyWebsocketFallbackToProxyHttp"),
    ]},
    // What httpd does not have: a file for both writes it into `<IfModule reference_proxy_module>`.
    Module { id: "reference_proxy_module", source: "mod_reference_proxy.c", names: &[
        (S, Run, "AllowDestination DenyDestination"),
    ]},
    Module { id: "slotmem_plain_module", source: "mod_slotmem_plain.c", names: &[]},
    Module { id: "slotmem_shm_module", source: "mod_slotmem_shm.c", names: &[]},
];
