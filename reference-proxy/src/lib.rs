//! The reference proxy.
