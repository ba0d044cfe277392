//! The mechanism.
