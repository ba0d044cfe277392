//! The users of the password files here.

use base64::Engine as _;

/// A password file: of ann and of bob.
pub(crate) const USERS: &str = "ann:$apr1$0.DEuMwu$ndw757QmvKC84KDbFXx7j0\n\
                                bob:$apr1$dF5jsIzx$Dam/Jq2wkQ83wZRUHUjBR/\n";
/// The groups that they are in.
pub(crate) const GROUPS: &str = "staff: ann\nguests: bob ann\n";

/// The password of `user`.
pub(crate) fn password(user: &str) -> &'static str {
    match user {
        "bob" => "builder",
        _ => "open sesame",
    }
}

/// The field line of Basic credentials.
pub(crate) fn basic(credentials: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
    format!("Proxy-Authorization: Basic {encoded}\r\n")
}
