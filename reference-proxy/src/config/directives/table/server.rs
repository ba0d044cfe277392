//! The server itself: its core, its process, its logs and its view of a client.

use super::Context::{Global as G, Inside as I, Section as P, Server as S};
use super::Meaning::{Idle, Refused, RefusedUnless, Run};
use super::Module;
use super::reasons::{ADDRESS, ECHO, EXPRESSION, HOSTS, MACRO, REGEX};

#[rustfmt::skip]
pub(super) static MODULES: &[Module] = &[
    Module { id: "core_module", source: "core.c", names: &[
        (G, Run, "PidFile"),
        (S, Run, "\
            ErrorLog ErrorLogFormat LimitRequestFields LimitRequestFieldSize LimitRequestLine Port Protocols \
            ProtocolsHonorOrder ServerAlias ServerName ServerRoot Timeout"),
        (P, Run, "Define Error Include IncludeOptional LogLevel UnDefine"),
        (G, Refused(&REGEX), "RegexDefaultOptions"),
        (S, RefusedUnless("off", &HOSTS), "StrictHostCheck"),
        (G, Idle, "\
            AcceptFilter CoreDumpDirectory ExtendedStatus MaxConnectionsPerChild MaxMemFree MaxRequestsPerChild Mutex \
            RegisterHttpMethod ScoreBoardFile SeeRequestTail ServerTokens ThreadStackSize"),
        (S, Idle, "\
            AccessFileName AllowEncodedSlashes DefaultRuntimeDir DocumentRoot FlushMaxPipelined FlushMaxThreshold \
            HttpProtocolOptions LimitInternalRecursion MergeSlashes MergeTrailers NameVirtualHost Protocol \
            ServerAdmin ServerPath TraceEnable"),
        (P, Idle, "\
            AcceptPathInfo AddDefaultCharset CGIVar ContentDigest DefaultType EnableMMAP EnableSendfile ErrorDocument \
            FileETag ForceType HostnameLookups LimitRequestBody LimitXMLRequestBody MaxRangeOverlaps \
            MaxRangeReversals MaxRanges Options QualifyRedirectURL ReadBufferSize RLimitCPU RLimitMEM RLimitNPROC \
            ServerSignature SetHandler SetInputFilter SetOutputFilter UseCanonicalName UseCanonicalPhysicalPort"),
        (I, Idle, "AllowOverride AllowOverrideList CGIPassAuth"),
    ]},
    Module { id: "http_module", source: "http_core.c", names: &[
        (S, Run, "KeepAliveTimeout"),
        (S, Idle, "KeepAlive MaxKeepAliveRequests"),
    ]},
    Module { id: "so_module", source: "mod_so.c", names: &[
        (G, Run, "LoadModule"),
        (G, Idle, "LoadFile"),
    ]},
    Module { id: "unixd_module", source: "mod_unixd.c", names: &[
        (G, Run, "Group User"),
        (G, Idle, "ChrootDir Suexec"),
    ]},
    Module { id: "watchdog_module", source: "mod_watchdog.c", names: &[
        (G, Idle, "WatchdogInterval"),
    ]},
    Module { id: "version_module", source: "mod_version.c", names: &[]},
    Module { id: "mpm_event_module", source: "event.c", names: &[
        (G, Run, "GracefulShutdownTimeout Listen MaxClients MaxRequestWorkers ReceiveBufferSize SendBufferSize"),
        (G, Idle, "\
            AsyncRequestWorkerFactor ListenBacklog ListenCoresBucketsRatio ListenTCPDeferAccept MaxSpareThreads \
            MinSpareThreads ServerLimit StartServers ThreadLimit ThreadsPerChild"),
    ]},
    Module { id: "mpm_worker_module", source: "worker.c", names: &[
        (G, Run, "GracefulShutdownTimeout Listen MaxClients MaxRequestWorkers ReceiveBufferSize SendBufferSize"),
        (G, Idle, "\
            ListenBacklog ListenCoresBucketsRatio ListenTCPDeferAccept MaxSpareThreads MinSpareThreads \
            ServerLimit StartServers ThreadLimit ThreadsPerChild"),
    ]},
    Module { id: "mpm_prefork_module", source: "prefork.c", names: &[
        (G, Run, "GracefulShutdownTimeout Listen MaxClients MaxRequestWorkers ReceiveBufferSize SendBufferSize"),
        (G, Idle, "\
            ListenBacklog ListenCoresBucketsRatio ListenTCPDeferAccept MaxSpareServers MinSpareServers \
            ServerLimit StartServers"),
    ]},
    Module { id: "log_config_module", source: "mod_log_config.c", names: &[
        (S, Run, "CustomLog LogFormat TransferLog"),
        (G, Run, "GlobalLog"),
        (S, Idle, "BufferedLogs"),
    ]},
    Module { id: "logio_module", source: "mod_logio.c", names: &[
        (P, Idle, "LogIOTrackTTFB"),
    ]},
    Module { id: "log_debug_module", source: "mod_log_debug.c", names: &[
        (P, Idle, "LogMessage"),
    ]},
    Module { id: "log_forensic_module", source: "mod_log_forensic.c", names: &[
        (S, Idle, "ForensicLog"),
    ]},
    Module { id: "dumpio_module", source: "mod_dumpio.c", names: &[
        (S, Idle, "DumpIOInput DumpIOOutput"),
    ]},
    Module { id: "reqtimeout_module", source: "mod_reqtimeout.c", names: &[
        (S, Run, "RequestReadTimeout"),
    ]},
    Module { id: "macro_module", source: "mod_macro.c", names: &[
        (P, Refused(&MACRO), "Use"),
        (P, Idle, "MacroIgnoreBadNesting MacroIgnoreEmptyArgs UndefMacro"),
    ]},
    Module { id: "env_module", source: "mod_env.c", names: &[
        (P, Run, "PassEnv SetEnv UnsetEnv"),
    ]},
    Module { id: "setenvif_module", source: "mod_setenvif.c", names: &[
        (P, Refused(&EXPRESSION), "SetEnvIfExpr"),
        (P, Run, "BrowserMatch BrowserMatchNoCase SetEnvIf SetEnvIfNoCase"),
    ]},
    Module { id: "remoteip_module", source: "mod_remoteip.c", names: &[
        (S, Refused(&ADDRESS), "RemoteIPHeader RemoteIPProxyProtocol"),
        (S, Idle, "\
            RemoteIPInternalProxy RemoteIPInternalProxyList RemoteIPProxiesHeader RemoteIPProxyProtocolExceptions \
            RemoteIPTrustedProxy RemoteIPTrustedProxyList"),
    ]},
    Module { id: "http2_module", source: "mod_http2.c", names: &[
        (S, Run, "H2Direct H2MaxDataFrameLen H2MaxSessionStreams H2StreamTimeout H2WindowSize"),
        (S, Idle, "\
            H2EarlyHints H2MaxHeaderBlockLen H2MaxStreamErrors H2MaxWorkerIdleSeconds H2MaxWorkers H2MinWorkers \
            H2ModernTLSOnly H2OutputBuffering H2Padding H2PushDiarySize H2PushPriority H2SerializeHeaders \
            H2SessionExtraFiles H2StreamMaxMemSize H2TLSCoolDownSecs H2TLSWarmUpSize H2WebSockets"),
        (P, Idle, "H2CopyFiles H2EarlyHint H2ProxyRequests H2Push H2PushResource H2Upgrade"),
    ]},
    Module { id: "echo_module", source: "mod_echo.c", names: &[
        (S, RefusedUnless("off", &ECHO), "ProtocolEcho"),
    ]},
    Module { id: "status_module", source: "mod_status.c", names: &[]},
    Module { id: "info_module", source: "mod_info.c", names: &[
        (S, Idle, "AddModuleInfo"),
    ]},
    Module { id: "unique_id_module", source: "mod_unique_id.c", names: &[]},
    Module { id: "ident_module", source: "mod_ident.c", names: &[
        (P, Idle, "IdentityCheck IdentityCheckTimeout"),
    ]},
    Module { id: "dialup_module", source: "mod_dialup.c", names: &[
        (I, Idle, "ModemStandard"),
    ]},
    Module { id: "systemd_module", source: "mod_systemd.c", names: &[]},
    Module { id: "suexec_module", source: "mod_suexec.c", names: &[
        (S, Idle, "SuexecUserGroup"),
    ]},
];
