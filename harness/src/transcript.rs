//! Views of what passed: as text, in columns, for Wireshark, and without secrets.

pub mod ciphertext;
pub mod columns;
mod octets;
pub mod pcapng;
pub mod redact;
pub mod steps;
mod voice;
