//! What a reader needs to believe a verdict: the failure in words, the exchange as a picture, a folder with everything, and a program that does it again.

pub mod capture_folder;
pub mod diagram;
pub mod failure;
pub mod repro;
