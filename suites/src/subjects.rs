//! Who is judged: the embedded reference proxy, a profile by name, a profile in a file.

use std::path::Path;

use connectspec_harness::proxy::profile::{Profile, ProfileError};

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

/// The profile that `name` means: one of the built-in ones, or a file.
pub fn profile(name: &str) -> Result<Profile, SubjectError> {
    if name.contains('/') || name.ends_with(".toml") {
        return Ok(Profile::load(Path::new(name))?);
    }
    let built_in = connectspec_fixtures::profiles();
    let Some(known) = built_in.iter().find(|known| known.name == name) else {
        let known = built_in
            .iter()
            .map(|known| known.name)
            .collect::<Vec<_>>()
            .join(", ");
        return Err(SubjectError::Unknown {
            name: name.to_owned(),
            known,
        });
    };
    let origin = format!("{name}.toml (built in)");
    let template = |path: &str| connectspec_fixtures::template(path).map(str::to_owned);
    let profile = Profile::parse(&origin, known.text, &template)?;
    Ok(if name == REFERENCE {
        embedded(profile)
    } else {
        profile
    })
}

/// The reference proxy comes with this program: the same binary, run again as a child.
fn embedded(mut profile: Profile) -> Profile {
    use connectspec_harness::proxy::template::Template;
    let Ok(this) = std::env::current_exe() else {
        return profile;
    };
    let again = |arguments: &mut Vec<Template>| arguments.insert(0, Template::literal("proxy"));
    profile.launch.program = Template::literal(&this.to_string_lossy());
    again(&mut profile.launch.args);
    if let Some(check) = &mut profile.launch.check {
        again(check);
    }
    if let Some(version) = &mut profile.launch.version {
        again(&mut version.args);
    }
    profile
}
