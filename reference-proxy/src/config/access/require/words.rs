//! The words of `Require`: which provider, and what it is told.

use super::Require;
use crate::config::access::Network;
use crate::config::access::client::can_be_domain;

/// The methods that httpd knows.
const METHODS: [&str; 26] = [
    "GET",
    "PUT",
    "POST",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "VERSION-CONTROL",
    "CHECKOUT",
    "UNCHECKOUT",
    "CHECKIN",
    "UPDATE",
    "LABEL",
    "REPORT",
    "MKWORKSPACE",
    "MKACTIVITY",
    "BASELINE-CONTROL",
    "MERGE",
];

/// The providers of httpd's own modules.
const PROVIDERS: [(&str, &str); 25] = [
    ("all", "authz_core_module"),
    ("dbd-group", "authz_dbd_module"),
    ("dbd-login", "authz_dbd_module"),
    ("dbd-logout", "authz_dbd_module"),
    ("dbm-file-group", "authz_dbm_module"),
    ("dbm-group", "authz_dbm_module"),
    ("env", "authz_core_module"),
    ("expr", "authz_core_module"),
    ("file-group", "authz_owner_module"),
    ("file-owner", "authz_owner_module"),
    ("forward-dns", "authz_host_module"),
    ("group", "authz_groupfile_module"),
    ("host", "authz_host_module"),
    ("ip", "authz_host_module"),
    ("ldap-attribute", "authnz_ldap_module"),
    ("ldap-dn", "authnz_ldap_module"),
    ("ldap-filter", "authnz_ldap_module"),
    ("ldap-group", "authnz_ldap_module"),
    ("ldap-user", "authnz_ldap_module"),
    ("local", "authz_host_module"),
    ("method", "authz_core_module"),
    ("ssl", "ssl_module"),
    ("ssl-verify-client", "ssl_module"),
    ("user", "authz_user_module"),
    ("valid-user", "authz_user_module"),
];

impl Require {
    /// Reads the words of one `Require`, with its `not` if it has one. `has` tells whether a module of httpd is
    /// loaded.
    ///
    /// # Errors
    ///
    /// An unknown provider, or words that it cannot read.
    pub fn parse(words: &[String], has: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        match words {
            [not, rest @ ..] if not.eq_ignore_ascii_case("not") => {
                provided(rest, has).map(|require| Self::Not(Box::new(require)))
            }
            words => provided(words, has),
        }
    }
}

fn provided(words: &[String], has: &dyn Fn(&str) -> bool) -> Result<Require, String> {
    let Some((provider, arguments)) = words.split_first() else {
        return Err("Require requires at least one argument".into());
    };
    let provider = provider.as_str();
    let known = PROVIDERS.iter().find(|(name, _)| *name == provider);
    let Some((_, module)) = known else {
        return Err(format!(
            "Unknown Authz provider: {provider}: all, env, forward-dns, group, host, ip, local, method, user and \
             valid-user are known here"
        ));
    };
    if !has(module) {
        return Err(format!("Unknown Authz provider: {provider}: load {module}"));
    }
    if arguments.is_empty() && !["all", "local", "valid-user"].contains(&provider) {
        return Err(format!("'Require {provider}' requires an argument"));
    }
    match (provider, arguments) {
        ("all", [how]) if how.eq_ignore_ascii_case("granted") => Ok(Require::All(true)),
        ("all", [how]) if how.eq_ignore_ascii_case("denied") => Ok(Require::All(false)),
        ("all", _) => Err("Argument for 'Require all' must be 'granted' or 'denied'".into()),
        ("local", []) => Ok(Require::Local),
        ("valid-user", []) => Ok(Require::ValidUser),
        ("local" | "valid-user", _) => Err(format!("'Require {provider}' takes no arguments")),
        ("ip", words) => {
            let networks = words.iter().map(|word| Network::of_clients(word));
            networks.collect::<Result<_, _>>().map(Require::Ip)
        }
        ("forward-dns", names) => names_of("forward-dns", names).map(Require::ForwardDns),
        ("host", names) => names_of("host", names).map(Require::Host),
        ("group", groups) => Ok(Require::Group(groups.to_vec())),
        ("user", users) => Ok(Require::User(users.to_vec())),
        ("method", methods) => method(methods),
        ("env", names) => Ok(Require::Env(names.to_vec())),
        ("expr", _) => Err(
            "'Require expr' would let in whom an expression tells, and none is known here: write Require ip, host \
             or user, or SetEnvIf and Require env"
                .into(),
        ),
        _ => Err(format!(
            "'Require {provider}' would let in whom {module} tells, which is not known here: write Require user, \
             or Require group with an AuthGroupFile"
        )),
    }
}

/// Every request that gets so far is a CONNECT.
fn method(methods: &[String]) -> Result<Require, String> {
    let unknown = |method: &&String| !METHODS.contains(&method.as_str());
    if let Some(method) = methods.iter().find(unknown) {
        return Err(format!("Invalid Method '{method}'"));
    }
    Ok(Require::All(
        methods.iter().any(|method| method == "CONNECT"),
    ))
}

/// Names, or domains with a dot in front.
fn names_of(provider: &str, names: &[String]) -> Result<Vec<String>, String> {
    if let Some(name) = names.iter().find(|name| !can_be_domain(name)) {
        return Err(format!(
            "'Require {provider}': '{name}' can be the name of no host: write names, as in '{provider} a.test \
             b.test', and addresses behind 'Require ip'"
        ));
    }
    Ok(names.iter().map(|name| name.to_ascii_lowercase()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Require, String> {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        Require::parse(&words, &|_| true)
    }

    #[test]
    fn reads_every_provider() {
        for (words, require) in [
            ("all Granted", Require::All(true)),
            ("all denied", Require::All(false)),
            ("local", Require::Local),
            ("valid-user", Require::ValidUser),
            ("user ann", Require::User(vec!["ann".into()])),
            ("env a b", Require::Env(vec!["a".into(), "b".into()])),
            ("group staff", Require::Group(vec!["staff".into()])),
            ("host A.test", Require::Host(vec!["a.test".into()])),
            (
                "forward-dns a.test",
                Require::ForwardDns(vec!["a.test".into()]),
            ),
            ("method GET CONNECT", Require::All(true)),
            ("method GET", Require::All(false)),
            ("NOT local", Require::Not(Box::new(Require::Local))),
        ] {
            assert_eq!(parse(words), Ok(require), "{words}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (words, message) in [
            ("", "at least one argument"),
            ("not", "at least one argument"),
            ("not not local", "Unknown Authz provider: not"),
            ("nobody", "Unknown Authz provider: nobody"),
            ("IP 10", "Unknown Authz provider: IP"),
            ("all", "must be 'granted' or 'denied'"),
            ("all maybe", "must be 'granted' or 'denied'"),
            ("ip", "requires an argument"),
            ("ip x", "'x' appears to be invalid"),
            ("ip 0.0.0.0/0", "write Require all granted"),
            ("ip ::ffff:127.0.0.1", "write it as an IPv4 address"),
            ("local 1", "takes no arguments"),
            ("valid-user x", "takes no arguments"),
            ("host *.test", "the name of no host"),
            ("host a.test,b.test", "the name of no host"),
            ("method connect", "Invalid Method 'connect'"),
            ("expr true", "write Require ip"),
            ("ldap-user x", "authnz_ldap_module"),
        ] {
            let said = parse(words).unwrap_err();
            assert!(said.contains(message), "{words}: {said}");
        }
        let bare = Require::parse(&["ip".into(), "10".into()], &|_| false);
        assert!(bare.unwrap_err().ends_with("load authz_host_module"));
    }
}
