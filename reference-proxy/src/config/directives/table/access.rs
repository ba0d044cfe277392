//! Who may do what, and how users prove who they are.

use super::Context::{Global as G, Inside as I, Section as P, Server as S};
use super::Meaning::{Checked, Idle, Refused, Run};
use super::Module;
use super::reasons::USERS;

#[rustfmt::skip]
pub(super) static MODULES: &[Module] = &[
    Module { id: "access_compat_module", source: "mod_access_compat.c", names: &[
        (I, Run, "Allow Deny Order Satisfy"),
    ]},
    Module { id: "allowmethods_module", source: "mod_allowmethods.c", names: &[
        (I, Checked, "AllowMethods"),
    ]},
    Module { id: "auth_basic_module", source: "mod_auth_basic.c", names: &[
        (I, Run, "AuthBasicAuthoritative AuthBasicFake AuthBasicProvider AuthBasicUseDigestAlgorithm"),
    ]},
    Module { id: "auth_digest_module", source: "mod_auth_digest.c", names: &[
        (I, Refused(&USERS), "\
            AuthDigestAlgorithm AuthDigestDomain AuthDigestNcCheck AuthDigestNonceLifetime AuthDigestProvider \
            AuthDigestQop"),
        (S, Idle, "AuthDigestShmemSize"),
    ]},
    Module { id: "auth_form_module", source: "mod_auth_form.c", names: &[
        (I, Refused(&USERS), "\
            AuthFormAuthoritative AuthFormBody AuthFormDisableNoStore AuthFormFakeBasicAuth AuthFormLocation \
            AuthFormLoginRequiredLocation AuthFormLoginSuccessLocation AuthFormLogoutLocation AuthFormMethod \
            AuthFormMimetype AuthFormPassword AuthFormProvider AuthFormSitePassphrase AuthFormSize AuthFormUsername"),
    ]},
    Module { id: "authn_anon_module", source: "mod_authn_anon.c", names: &[
        (I, Refused(&USERS), "\
            Anonymous Anonymous_LogEmail Anonymous_MustGiveEmail Anonymous_NoUserId Anonymous_VerifyEmail"),
    ]},
    Module { id: "authn_core_module", source: "mod_authn_core.c", names: &[
        (I, Run, "AuthName AuthType"),
    ]},
    Module { id: "authn_dbd_module", source: "mod_authn_dbd.c", names: &[
        (I, Refused(&USERS), "AuthDBDUserPWQuery AuthDBDUserRealmQuery"),
    ]},
    Module { id: "authn_dbm_module", source: "mod_authn_dbm.c", names: &[
        (I, Refused(&USERS), "AuthDBMType AuthDBMUserFile"),
    ]},
    Module { id: "authn_file_module", source: "mod_authn_file.c", names: &[
        (I, Run, "AuthUserFile"),
    ]},
    Module { id: "authn_socache_module", source: "mod_authn_socache.c", names: &[
        (G, Idle, "AuthnCacheEnable AuthnCacheSOCache"),
        (I, Idle, "AuthnCacheContext AuthnCacheProvideFor AuthnCacheTimeout"),
    ]},
    Module { id: "authnz_fcgi_module", source: "mod_authnz_fcgi.c", names: &[
        (G, Refused(&USERS), "AuthnzFcgiDefineProvider"),
        (P, Refused(&USERS), "AuthnzFcgiCheckAuthnProvider"),
    ]},
    Module { id: "authnz_ldap_module", source: "mod_authnz_ldap.c", names: &[
        (I, Refused(&USERS), "\
            AuthLDAPAuthorizePrefix AuthLDAPBindAuthoritative AuthLDAPBindDN AuthLDAPBindPassword \
            AuthLDAPCompareAsUser AuthLDAPCompareDNOnServer AuthLDAPDereferenceAliases AuthLDAPGroupAttribute \
            AuthLDAPGroupAttributeIsDN AuthLDAPInitialBindAsUser AuthLDAPInitialBindPattern AuthLDAPMaxSubGroupDepth \
            AuthLDAPRemoteUserAttribute AuthLDAPRemoteUserIsDN AuthLDAPSearchAsUser AuthLDAPSubGroupAttribute \
            AuthLDAPSubGroupClass AuthLDAPURL"),
        (S, Idle, "AuthLDAPCharsetConfig"),
    ]},
    Module { id: "authz_core_module", source: "mod_authz_core.c", names: &[
        (I, Run, "AuthMerging AuthzSendForbiddenOnFailure Require"),
    ]},
    Module { id: "authz_dbd_module", source: "mod_authz_dbd.c", names: &[
        (I, Refused(&USERS), "AuthzDBDLoginToReferer AuthzDBDQuery AuthzDBDRedirectQuery"),
    ]},
    Module { id: "authz_dbm_module", source: "mod_authz_dbm.c", names: &[
        (I, Refused(&USERS), "AuthDBMGroupFile AuthzDBMType"),
    ]},
    Module { id: "authz_groupfile_module", source: "mod_authz_groupfile.c", names: &[
        (I, Run, "AuthGroupFile"),
    ]},
    Module { id: "authz_host_module", source: "mod_authz_host.c", names: &[]},
    Module { id: "authz_owner_module", source: "mod_authz_owner.c", names: &[]},
    Module { id: "authz_user_module", source: "mod_authz_user.c", names: &[]},
    Module { id: "dbd_module", source: "mod_dbd.c", names: &[
        (S, Idle, "DBDExptime DBDInitSQL DBDKeep DBDMax DBDMin DBDParams DBDPersist DBDPrepareSQL DBDriver"),
    ]},
    Module { id: "session_module", source: "mod_session.c", names: &[
        (P, Idle, "\
            Session SessionEnv SessionExclude SessionExpiryUpdateInterval SessionHeader SessionInclude SessionMaxAge"),
    ]},
    Module { id: "session_cookie_module", source: "mod_session_cookie.c", names: &[
        (P, Idle, "SessionCookieName SessionCookieName2 SessionCookieRemove"),
    ]},
    Module { id: "session_crypto_module", source: "mod_session_crypto.c", names: &[
        (G, Idle, "SessionCryptoDriver"),
        (P, Idle, "SessionCryptoCipher SessionCryptoPassphrase SessionCryptoPassphraseFile"),
    ]},
    Module { id: "session_dbd_module", source: "mod_session_dbd.c", names: &[
        (P, Idle, "\
            SessionDBDCookieName SessionDBDCookieName2 SessionDBDCookieRemove SessionDBDDeleteLabel \
            SessionDBDInsertLabel SessionDBDPerUser SessionDBDSelectLabel SessionDBDUpdateLabel"),
    ]},
    Module { id: "ldap_module", source: "util_ldap.c", names: &[
        (G, Idle, "\
            LDAPCacheEntries LDAPCacheTTL LDAPConnectionTimeout LDAPLibraryDebug LDAPOpCacheEntries LDAPOpCacheTTL \
            LDAPRetries LDAPRetryDelay LDAPSharedCacheFile LDAPSharedCacheSize LDAPTimeout LDAPTrustedGlobalCert \
            LDAPVerifyServerCert"),
        (S, Idle, "LDAPConnectionPoolTTL LDAPTrustedMode"),
        (I, Idle, "LDAPReferralHopLimit LDAPReferrals LDAPTrustedClientCert"),
    ]},
];
