//! Views of what passed: as text, in columns, for Wireshark, for a terminal, and without secrets.

pub mod ciphertext;
pub mod columns;
mod octets;
pub mod pcapng;
pub mod redact;
pub mod screen;
pub mod steps;
mod voice;
