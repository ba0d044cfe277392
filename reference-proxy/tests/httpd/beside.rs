//! How a configuration is held beside httpd: it decides alike, or its refusal names the line.

/// The modules that have a say in who is let in.
pub(crate) const MODULES: &[&str] = &["access_compat", "authz_groupfile", "setenvif"];

/// The error of a configuration that does not start.
pub(crate) struct Refusal {
    /// The line that it names, as it stands in the file.
    pub(crate) line: String,
    /// What it says about it.
    pub(crate) says: String,
}

impl Refusal {
    /// Reads what was said about the configuration `text`.
    pub(crate) fn read(said: &str, text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{what} in:\n{said}");
        let (_, rest) = said
            .split_once(" on line ")
            .ok_or_else(|| wrong("no line"))?;
        let (number, rest) = rest.split_once(" of ").ok_or_else(|| wrong("no file"))?;
        let (file, says) = rest.split_once('\n').ok_or_else(|| wrong("no reason"))?;
        if !file.trim_end_matches(':').ends_with("/httpd.conf") {
            return Err(wrong("another file"));
        }
        let number: usize = number.parse().map_err(|_| wrong("no number"))?;
        let line = text.lines().nth(number.wrapping_sub(1));
        Ok(Self {
            line: line.ok_or_else(|| wrong("no such line"))?.to_owned(),
            says: says.trim().to_owned(),
        })
    }
}
