//! TLS, and the certificates and caches for it.

use super::Context::{Global as G, Inside as I, Proxy as X, Section as P, Server as S};
use super::Meaning::{Checked, Idle, Refused, RefusedUnless, Run};
use super::Module;
use super::reasons::{CERTIFICATES, EXPRESSION, HTTPS, IN_THE_CLEAR, OPENSSL, SNI};

#[rustfmt::skip]
pub(super) static MODULES: &[Module] = &[
    Module { id: "md_module", source: "mod_md.c", names: &[
        (P, RefusedUnless("off", &HTTPS), "MDRequireHttps"),
        (S, Idle, "\
            MDActivationDelay MDBaseServer MDCACertificateFile MDCAChallenges MDCertificateAgreement \
            MDCertificateAuthority MDCertificateCheck MDCertificateFile MDCertificateKeyFile MDCertificateProtocol \
            MDCertificateStatus MDChallengeDns01 MDChallengeDns01Version MDCheckInterval MDContactEmail MDDriveMode \
            MDExternalAccountBinding MDHttpProxy MDHttpProxyCACertificateFile MDInitialDelay MDMatchNames MDMember \
            MDMembers MDMessageCmd MDMustStaple MDNotifyCmd MDomain MDPortMap MDPrivateKeys MDProfile \
            MDProfileMandatory MDRenewMode MDRenewViaARI MDRenewWindow MDRetryDelay MDRetryFailover MDServerStatus \
            MDStapleOthers MDStapling MDStaplingKeepResponse MDStaplingRenewWindow MDStoreDir MDStoreLocks \
            MDWarnWindow"),
    ]},
    Module { id: "socache_dc_module", source: "mod_socache_dc.c", names: &[]},
    Module { id: "socache_dbm_module", source: "mod_socache_dbm.c", names: &[]},
    Module { id: "socache_memcache_module", source: "mod_socache_memcache.c", names: &[
        (S, Idle, "MemcacheConnTTL"),
    ]},
    Module { id: "socache_redis_module", source: "mod_socache_redis.c", names: &[
        (S, Idle, "RedisConnPoolTTL RedisTimeout"),
    ]},
    Module { id: "socache_shmcb_module", source: "mod_socache_shmcb.c", names: &[]},
    Module { id: "ssl_module", source: "mod_ssl.c", names: &[
        (S, Run, "SSLCertificateChainFile SSLCertificateFile SSLCertificateKeyFile SSLEngine SSLProtocol"),
        (P, Checked, "SSLOptions"),
        (P, Refused(&CERTIFICATES), "SSLUserName"),
        (I, Refused(&EXPRESSION), "SSLRequire"),
        (I, Refused(&IN_THE_CLEAR), "SSLRequireSSL"),
        (S, Refused(&OPENSSL), "SSLOpenSSLConfCmd"),
        (G, Refused(&SNI), "SSLVHostSNIPolicy"),
        (P, RefusedUnless("none", &CERTIFICATES), "SSLVerifyClient"),
        (S, RefusedUnless("off", &SNI), "SSLStrictSNIVHostCheck"),
        (G, Idle, "SSLCryptoDevice SSLFIPS SSLPassPhraseDialog SSLRandomSeed SSLSessionCache SSLStaplingCache"),
        (S, Idle, "\
            SSLCADNRequestFile SSLCADNRequestPath SSLCARevocationCheck SSLCARevocationFile SSLCARevocationPath \
            SSLCompression SSLHonorCipherOrder SSLInsecureRenegotiation \
            SSLOCSPDefaultResponder SSLOCSPEnable SSLOCSPNoVerify SSLOCSPOverrideResponder SSLOCSPProxyURL \
            SSLOCSPResponderCertificateFile SSLOCSPResponderTimeout SSLOCSPResponseMaxAge SSLOCSPResponseTimeSkew \
            SSLOCSPUseRequestNonce SSLSessionCacheTimeout SSLSessionTicketKeyFile SSLSessionTickets \
            SSLSRPUnknownUserSeed SSLSRPVerifierFile SSLStaplingErrorCacheTimeout SSLStaplingFakeTryLater \
            SSLStaplingForceURL SSLStaplingResponderTimeout SSLStaplingResponseMaxAge SSLStaplingResponseTimeSkew \
            SSLStaplingReturnResponderErrors SSLStaplingStandardCacheTimeout SSLUseStapling"),
        (X, Run, "SSLProxyCACertificateFile"),
        (X, Idle, "\
            SSLProxyCACertificatePath SSLProxyCARevocationCheck SSLProxyCARevocationFile \
            SSLProxyCARevocationPath SSLProxyCheckPeerCN SSLProxyCheckPeerExpire SSLProxyCheckPeerName \
            SSLProxyCipherSuite SSLProxyEngine SSLProxyMachineCertificateChainFile SSLProxyMachineCertificateFile \
            SSLProxyMachineCertificatePath SSLProxyProtocol SSLProxyVerify SSLProxyVerifyDepth"),
        (P, Idle, "\
            SSLCACertificateFile SSLCACertificatePath SSLCipherSuite SSLLog SSLLogLevel SSLVerifyDepth"),
        (I, Idle, "SSLRenegBufferSize"),
    ]},
];
