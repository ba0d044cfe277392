//! See `properties/profile.rs`. Behind a line of four `#`, the input is the text of the template.

#![no_main]

#[path = "../../properties/profile.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (profile, template) = text.split_once("\n####\n").unwrap_or((text, ""));
    property::holds(profile, template);
});
