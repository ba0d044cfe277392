//! The secrets of TLS sessions, for whoever wants to read in Wireshark what passed under TLS.
//!
//! They open sessions of this case alone: certificates and credentials are made for one run.

use std::{fmt::Write as _, sync::Arc};

use rustls::{ClientConfig, KeyLog, ServerConfig};

use crate::wire::Transcript;

impl Transcript {
    /// The same configuration; what it agrees on with a server is written down here.
    pub(crate) fn client_config(&self, config: &Arc<ClientConfig>) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(config);
        config.key_log = Arc::new(self.clone());
        Arc::new(config)
    }

    /// The same configuration; what it agrees on with a client is written down here. Who stands between our client and our
    /// server has a session of its own with each.
    pub(crate) fn server_config(&self, config: &Arc<ServerConfig>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(config);
        config.key_log = Arc::new(self.clone());
        Arc::new(config)
    }
}

impl KeyLog for Transcript {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        self.keys(format!("{label} {} {}\n", hex(client_random), hex(secret)));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_one_session_are_one_line() {
        let transcript = Transcript::begin();
        for _end in ["client", "server"] {
            transcript.log("CLIENT_RANDOM", &[0xab, 1], &[2, 0xff]);
        }
        assert_eq!(transcript.key_log(), "CLIENT_RANDOM ab01 02ff\n");
        for number in 0..2000_u16 {
            transcript.log("CLIENT_RANDOM", &number.to_be_bytes(), &[]);
        }
        assert_eq!(
            transcript.key_log().lines().count(),
            crate::wire::transcript::KEPT_LINES
        );
    }
}
