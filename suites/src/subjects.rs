//! Who is judged: the embedded reference proxy, a profile by name, a profile in a file.

use std::path::Path;

use connectspec_harness::{
    protocol::Protocol,
    subject::profile::{Profile, ProfileError, template::Template},
};

/// The name of the profile of the reference proxy.
pub const REFERENCE: &str = "reference";

/// Why there is no such subject.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// No profile of that name.
    #[error(
        "there is no profile `{name}`; built in are {known}. A file is named with its path, as in ./{name}.toml"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl SubjectError {
    /// There is no built-in profile called `name`.
    pub(crate) fn unknown(name: &str) -> Self {
        let known = connectspec_fixtures::profiles().iter();
        let known: Vec<_> = known.map(|known| known.name).collect();
        Self::Unknown {
            name: name.to_owned(),
            known: known.join(", "),
        }
    }
}

/// The profile that `name` means: one of the built-in ones, or a file.
pub fn profile(name: &str) -> Result<Profile, SubjectError> {
    if name.contains('/') || name.ends_with(".toml") {
        return Ok(Profile::load(Path::new(name))?);
    }
    let profile = built_in(name)?;
    match std::env::current_exe() {
        Ok(this) if name == REFERENCE => Ok(embedded(profile, &this)),
        _ => Ok(profile),
    }
}

/// Over what a proxy is asked where nobody says anything else.
pub(crate) fn first_protocol(profile: &Profile) -> Protocol {
    let listener = profile.offers.versions.first_listener();
    let mut all = Protocol::ALL.iter().copied();
    all.find(|protocol| protocol.listener() == listener)
        .unwrap_or_default()
}

/// The reference proxy as `connectspec`, the program at that path, runs it.
pub(crate) fn reference(connectspec: &Path) -> Result<Profile, SubjectError> {
    Ok(embedded(built_in(REFERENCE)?, connectspec))
}

fn built_in(name: &str) -> Result<Profile, SubjectError> {
    let built_in = connectspec_fixtures::profiles();
    let Some(known) = built_in.iter().find(|known| known.name == name) else {
        return Err(SubjectError::unknown(name));
    };
    let origin = format!("{name}.toml (built in)");
    let template = |path: &str| connectspec_fixtures::template(path).map(str::to_owned);
    Ok(Profile::parse(&origin, known.text, &template)?)
}

/// The reference proxy comes with the command line: the same binary, run again as a child.
fn embedded(mut profile: Profile, connectspec: &Path) -> Profile {
    let again = |arguments: &mut Vec<Template>| arguments.insert(0, Template::literal("proxy"));
    profile.launch.program = Template::literal(&connectspec.to_string_lossy());
    again(&mut profile.launch.args);
    if let Some(check) = &mut profile.launch.check {
        again(check);
    }
    if let Some(version) = &mut profile.launch.version {
        again(&mut version.args);
    }
    profile
}
