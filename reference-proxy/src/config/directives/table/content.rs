//! Content and where it comes from: nothing of it is asked of a CONNECT proxy, and little of it can forbid one.

use super::Context::{Global as G, Inside as I, Section as P, Server as S};
use super::Meaning::{Checked, Idle, Refused, RefusedInside};
use super::Module;
use super::reasons::{LUA, REDIRECT, REWRITE};

#[rustfmt::skip]
pub(super) static MODULES: &[Module] = &[
    Module { id: "actions_module", source: "mod_actions.c", names: &[
        (P, Idle, "Action Script"),
    ]},
    Module { id: "alias_module", source: "mod_alias.c", names: &[
        (P, RefusedInside(&REDIRECT), "Redirect RedirectMatch RedirectPermanent RedirectTemp"),
        (S, Idle, "AliasMatch ScriptAliasMatch"),
        (P, Idle, "Alias AliasPreservePath RedirectRelative ScriptAlias"),
    ]},
    Module { id: "asis_module", source: "mod_asis.c", names: &[]},
    Module { id: "autoindex_module", source: "mod_autoindex.c", names: &[
        (P, Idle, "\
            AddAlt AddAltByEncoding AddAltByType AddDescription AddIcon AddIconByEncoding AddIconByType DefaultIcon \
            FancyIndexing HeaderName IndexHeadInsert IndexIgnore IndexIgnoreReset IndexOptions IndexOrderDefault \
            IndexStyleSheet ReadmeName"),
    ]},
    Module { id: "brotli_module", source: "mod_brotli.c", names: &[
        (S, Idle, "\
            BrotliAlterETag BrotliCompressionMaxInputBlock BrotliCompressionQuality BrotliCompressionWindow \
            BrotliFilterNote"),
    ]},
    Module { id: "bucketeer_module", source: "mod_bucketeer.c", names: &[]},
    Module { id: "buffer_module", source: "mod_buffer.c", names: &[
        (I, Idle, "BufferSize"),
    ]},
    Module { id: "cache_module", source: "mod_cache.c", names: &[
        (S, Idle, "\
            CacheIgnoreCacheControl CacheIgnoreHeaders CacheIgnoreQueryString CacheIgnoreURLSessionIdentifiers \
            CacheKeyBaseURL CacheLock CacheLockMaxAge CacheLockPath CacheQuickHandler"),
        (P, Idle, "\
            CacheDefaultExpire CacheDetailHeader CacheDisable CacheEnable CacheHeader CacheIgnoreNoLastMod \
            CacheLastModifiedFactor CacheMaxExpire CacheMinExpire CacheStaleOnError CacheStoreExpired \
            CacheStoreNoStore CacheStorePrivate"),
    ]},
    Module { id: "cache_disk_module", source: "mod_cache_disk.c", names: &[
        (S, Idle, "CacheDirLength CacheDirLevels CacheRoot"),
        (P, Idle, "CacheMaxFileSize CacheMinFileSize CacheReadSize CacheReadTime"),
    ]},
    Module { id: "cache_socache_module", source: "mod_cache_socache.c", names: &[
        (S, Idle, "CacheSocache"),
        (P, Idle, "\
            CacheSocacheMaxSize CacheSocacheMaxTime CacheSocacheMinTime CacheSocacheReadSize CacheSocacheReadTime"),
    ]},
    Module { id: "case_filter_module", source: "mod_case_filter.c", names: &[
        (S, Idle, "CaseFilter"),
    ]},
    Module { id: "case_filter_in_module", source: "mod_case_filter_in.c", names: &[
        (S, Idle, "CaseFilterIn"),
    ]},
    Module { id: "cern_meta_module", source: "mod_cern_meta.c", names: &[
        (P, Idle, "MetaDir MetaFiles MetaSuffix"),
    ]},
    Module { id: "cgi_module", source: "mod_cgi.c", names: &[
        (S, Idle, "ScriptLog ScriptLogBuffer ScriptLogLength"),
        (P, Idle, "CGIScriptTimeout"),
    ]},
    Module { id: "cgid_module", source: "mod_cgid.c", names: &[
        (G, Idle, "ScriptSock"),
        (S, Idle, "ScriptLog ScriptLogBuffer ScriptLogLength"),
        (P, Idle, "CGIDScriptTimeout"),
    ]},
    Module { id: "charset_lite_module", source: "mod_charset_lite.c", names: &[
        (P, Idle, "CharsetDefault CharsetOptions CharsetSourceEnc"),
    ]},
    Module { id: "data_module", source: "mod_data.c", names: &[]},
    Module { id: "dav_module", source: "mod_dav.c", names: &[
        (P, Idle, "DAVDepthInfinity DAVLockDiscovery DAVMinTimeout"),
        (I, Idle, "DAV DAVBasePath"),
    ]},
    Module { id: "dav_fs_module", source: "mod_dav_fs.c", names: &[
        (S, Idle, "DAVLockDB"),
    ]},
    Module { id: "dav_lock_module", source: "mod_dav_lock.c", names: &[
        (I, Idle, "DAVGenericLockDB"),
    ]},
    Module { id: "deflate_module", source: "mod_deflate.c", names: &[
        (S, Idle, "\
            DeflateAlterEtag DeflateBufferSize DeflateCompressionLevel DeflateFilterNote DeflateMemLevel \
            DeflateWindowSize"),
        (P, Idle, "DeflateInflateLimitRequestBody DeflateInflateRatioBurst DeflateInflateRatioLimit"),
    ]},
    Module { id: "dir_module", source: "mod_dir.c", names: &[
        (P, Idle, "DirectoryCheckHandler DirectoryIndex DirectoryIndexRedirect DirectorySlash FallbackResource"),
    ]},
    Module { id: "expires_module", source: "mod_expires.c", names: &[
        (P, Idle, "ExpiresActive ExpiresByType ExpiresDefault"),
    ]},
    Module { id: "ext_filter_module", source: "mod_ext_filter.c", names: &[
        (S, Idle, "ExtFilterDefine"),
        (I, Idle, "ExtFilterOptions"),
    ]},
    Module { id: "file_cache_module", source: "mod_file_cache.c", names: &[
        (S, Idle, "CacheFile MMapFile"),
    ]},
    Module { id: "filter_module", source: "mod_filter.c", names: &[
        (P, Idle, "AddOutputFilterByType FilterChain FilterDeclare FilterProtocol FilterProvider FilterTrace"),
    ]},
    Module { id: "headers_module", source: "mod_headers.c", names: &[
        (P, Checked, "RequestHeader"),
        (P, Idle, "Header"),
    ]},
    Module { id: "imagemap_module", source: "mod_imagemap.c", names: &[
        (P, Idle, "ImapBase ImapDefault ImapMenu"),
    ]},
    Module { id: "include_module", source: "mod_include.c", names: &[
        (S, Idle, "SSIEndTag SSIStartTag"),
        (P, Idle, "SSIErrorMsg SSITimeFormat SSIUndefinedEcho XBitHack"),
        (I, Idle, "SSIEtag SSILastModified SSILegacyExprParser"),
    ]},
    Module { id: "lua_module", source: "mod_lua.c", names: &[
        (S, Refused(&LUA), "LuaAuthzProvider"),
        (P, Refused(&LUA), "\
            LuaHookAccessChecker LuaHookAuthChecker LuaHookCheckUserID LuaHookFixups LuaHookInsertFilter LuaHookLog \
            LuaHookMapToStorage LuaHookPreTranslateName LuaHookTranslateName LuaHookTypeChecker LuaMapHandler \
            LuaQuickHandler"),
        (P, Idle, "\
            Lua_____ByteCodeHack LuaCodeCache LuaInherit LuaInputFilter LuaOutputFilter LuaPackageCPath \
            LuaPackagePath LuaRoot LuaScope"),
    ]},
    Module { id: "mime_module", source: "mod_mime.c", names: &[
        (S, Idle, "TypesConfig"),
        (P, Idle, "\
            AddCharset AddEncoding AddHandler AddInputFilter AddLanguage AddOutputFilter AddType DefaultLanguage \
            MultiviewsMatch RemoveCharset RemoveEncoding RemoveHandler RemoveInputFilter RemoveLanguage \
            RemoveOutputFilter RemoveType"),
        (I, Idle, "ModMimeUsePathInfo"),
    ]},
    Module { id: "mime_magic_module", source: "mod_mime_magic.c", names: &[
        (S, Idle, "MimeMagicFile"),
    ]},
    Module { id: "negotiation_module", source: "mod_negotiation.c", names: &[
        (S, Idle, "CacheNegotiatedDocs"),
        (P, Idle, "ForceLanguagePriority LanguagePriority"),
    ]},
    Module { id: "ratelimit_module", source: "mod_ratelimit.c", names: &[]},
    Module { id: "reflector_module", source: "mod_reflector.c", names: &[
        (P, Idle, "ReflectorHeader"),
    ]},
    Module { id: "request_module", source: "mod_request.c", names: &[
        (I, Idle, "KeptBodySize"),
    ]},
    Module { id: "rewrite_module", source: "mod_rewrite.c", names: &[
        (P, RefusedInside(&REWRITE), "RewriteRule"),
        (P, Checked, "RewriteOptions"),
        (S, Idle, "RewriteMap"),
        (P, Idle, "RewriteBase RewriteCond RewriteEngine"),
    ]},
    Module { id: "sed_module", source: "mod_sed.c", names: &[
        (I, Idle, "InputSed OutputSed"),
    ]},
    Module { id: "speling_module", source: "mod_speling.c", names: &[
        (P, Idle, "CheckBasenameMatch CheckCaseOnly CheckSpelling"),
    ]},
    Module { id: "substitute_module", source: "mod_substitute.c", names: &[
        (P, Idle, "Substitute SubstituteInheritBefore SubstituteMaxLineLength"),
    ]},
    Module { id: "userdir_module", source: "mod_userdir.c", names: &[
        (S, Idle, "UserDir"),
    ]},
    Module { id: "usertrack_module", source: "mod_usertrack.c", names: &[
        (P, Idle, "\
            CookieDomain CookieExpires CookieHttpOnly CookieName CookieSameSite CookieSecure CookieStyle \
            CookieTracking"),
    ]},
    Module { id: "vhost_alias_module", source: "mod_vhost_alias.c", names: &[
        (S, Idle, "VirtualDocumentRoot VirtualDocumentRootIP VirtualScriptAlias VirtualScriptAliasIP"),
    ]},
    Module { id: "xml2enc_module", source: "mod_xml2enc.c", names: &[
        (G, Idle, "xml2EncAlias"),
        (P, Idle, "xml2EncDefault xml2StartParse"),
    ]},
];
