//! `connectspec profile list`, `show` and `export`: the profiles that are built into the program, for whoever wants one like them.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

use clap::Parser;
use connectspec_fixtures::BuiltIn;

use crate::{
    cli::{Status, Trouble},
    subjects,
};

/// Where a built-in profile has its templates, and an exported one beside itself.
const CONFIGS: &str = "../configs/";

/// Show a built-in profile.
#[derive(Debug, Parser)]
pub(super) struct Show {
    /// A built-in profile
    #[arg(value_name = "NAME")]
    name: String,
}

/// Write a built-in profile to a folder.
#[derive(Debug, Parser)]
pub(super) struct Export {
    /// A built-in profile
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder; it is made where it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints a line for each.
pub(super) fn list() -> Result<Status, Trouble> {
    let mut out = String::new();
    for known in connectspec_fixtures::profiles() {
        let profile = subjects::profile(known.name).map_err(Trouble::not_judged)?;
        let install = match &profile.install {
            Some(install) => format!("   {install}"),
            None => String::new(),
        };
        // Here and below: writing to a string cannot fail.
        let _ = writeln!(out, "{:<15} {:<48}{install}", known.name, profile.title);
    }
    super::say(&out);
    Ok(Status::Conformant)
}

/// Prints the profile, and each template that it names.
pub(super) fn show(arguments: &Show) -> Result<Status, Trouble> {
    let known = find(&arguments.name)?;
    let mut out = known.text.to_owned();
    for path in templates(known) {
        let text = connectspec_fixtures::template(&path).unwrap_or_default();
        let rule = "-".repeat(20);
        let _ = write!(out, "\n# {rule} {} {rule}\n{text}", file_name(&path));
    }
    super::say(&out);
    Ok(Status::Conformant)
}

/// Writes the profile with its templates beside it, so that `--profile DIR/NAME.toml` takes it.
pub(super) fn export(arguments: &Export) -> Result<Status, Trouble> {
    let known = find(&arguments.name)?;
    let folder = &arguments.folder;
    let failed = |path: &PathBuf, error: std::io::Error| {
        Trouble::usage(format!("could not write {}: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let profile = folder.join(known.name).with_extension("toml");
    let mut files = vec![(profile.clone(), known.text.replace(CONFIGS, ""))];
    for path in templates(known) {
        let text = connectspec_fixtures::template(&path).unwrap_or_default();
        files.push((folder.join(file_name(&path)), text.to_owned()));
    }
    // What a person may have changed is not written over.
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(Trouble::usage(format!(
            "could not write {}: it is there already; choose another folder, or remove it",
            there.display()
        )));
    }
    for (path, text) in &files {
        fs::write(path, text).map_err(|error| failed(path, error))?;
    }
    let profile = profile.display();
    super::say(&format!(
        "wrote {profile}; connectspec run --profile {profile}\n"
    ));
    Ok(Status::Conformant)
}

fn find(name: &str) -> Result<&'static BuiltIn, Trouble> {
    let mut all = connectspec_fixtures::profiles().iter();
    all.find(|known| known.name == name)
        .ok_or_else(|| Trouble::usage(subjects::SubjectError::unknown(name)))
}

/// The templates that it names, each once.
fn templates(known: &BuiltIn) -> BTreeSet<String> {
    let named = known.text.split(CONFIGS).skip(1);
    let named = named.filter_map(|rest| rest.split(['"', '\'']).next());
    let paths = named.map(|name| format!("{CONFIGS}{name}"));
    paths
        .filter(|path| connectspec_fixtures::template(path).is_some())
        .collect()
}

fn file_name(path: &str) -> &str {
    path.strip_prefix(CONFIGS).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use connectspec_harness::subject::profile::Profile;

    use super::*;

    #[test]
    fn each_that_is_exported_is_a_profile_like_the_one_built_in() {
        for known in connectspec_fixtures::profiles() {
            let folder = tempfile::tempdir().unwrap();
            let arguments = Export {
                name: known.name.to_owned(),
                folder: folder.path().join("new"),
            };
            assert!(export(&arguments).is_ok(), "{}", known.name);
            let path = arguments.folder.join(format!("{}.toml", known.name));
            let exported = Profile::load(&path).unwrap();
            assert_eq!(exported.files.len(), templates_of(known.name));
            assert!(export(&arguments).is_err(), "{} written over", known.name);
        }
    }

    fn templates_of(name: &str) -> usize {
        subjects::profile(name).unwrap().files.len()
    }
}
