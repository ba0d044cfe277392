//! The hashes that an htpasswd file may hold.

use super::apr1;
use sha_crypt::{PasswordVerifier, ShaCrypt};

/// Whether `password` has this hash: bcrypt, apr1 or SHA-crypt. Unsalted SHA-1, traditional crypt and clear
/// text, which httpd would take, are not: they protect nobody.
pub(super) fn verify(hash: &str, password: &str) -> bool {
    match hash.get(..3) {
        Some("$2a" | "$2b" | "$2y") => bcrypt::verify(password, hash).unwrap_or(false),
        Some("$5$" | "$6$") => ShaCrypt::default()
            .verify_password(password.as_bytes(), hash)
            .is_ok(),
        _ => apr1::verify(hash, password),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `htpasswd -nbB -C 5`, `openssl passwd -apr1`, `-5` and `-6`; the password is "open sesame".
    const HASHES: [&str; 4] = [
        "$2y$05$p1BBvmZd/1PKls6AqKOY0.p3WdlSFw8Ufh4wnyoMyhbdwclF2Kf6.",
        "$apr1$lFhvipmQ$jZfZn3GTGaJvs04t4DQLD.",
        "$5$zvg.8J07sQ/cHWgI$uPKq1hlsaSjwFLbbNddzfTKrb2kMunxZeNU36VFpEm4",
        "$6$eUmiqY6KBOg8s2lc$0XSL1Z34urVhVjQTaluI/1aBgV4ufjEMJ2Cy1knxOtp0RguPdq358Y2yfpMZEGhR2eLqCvx1jrQ6pGe09Zz0Q.",
    ];

    #[test]
    fn knows_what_the_tools_write() {
        for hash in HASHES {
            assert!(verify(hash, "open sesame"), "{hash}");
            assert!(!verify(hash, "open Sesame"), "{hash}");
        }
    }

    #[test]
    fn refuses_what_protects_nobody() {
        for hash in [
            "",
            "open sesame",
            "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "rqXexS6ZhobKA",
            "$apr1$",
            "$2y$",
            "$6$",
        ] {
            assert!(!verify(hash, "open sesame"), "{hash}");
        }
    }
}
