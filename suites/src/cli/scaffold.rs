//! `connectspec profile new`: a commented profile to begin with.

use std::{
    io::{BufRead, IsTerminal as _, Write},
    path::{Path, PathBuf},
};

use clap::Parser;
use connectspec_harness::subject::Offer;

use crate::cli::{Status, Trouble};

/// Write a commented profile to begin with. On a terminal it asks for what was not said
#[derive(Debug, Parser)]
pub(super) struct New {
    /// What the proxy is called; the profile is written to NAME.toml
    #[arg(value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// The program; without it, one called NAME in PATH
    #[arg(long, value_name = "P")]
    program: Option<PathBuf>,
    /// How it is told where to listen: ADDRESS stands for host:port, HOST and PORT for its halves
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    listen: Option<String>,
    /// How it is told which ports CONNECT may reach: PORTS stands for a list such as 443,8000-8100
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    allow: Option<String>,
}

const LISTEN: &str = "--listen ADDRESS";

/// What a profile is made from.
#[derive(Debug, PartialEq, Eq)]
struct Answers {
    name: String,
    program: String,
    listen: String,
    allow: String,
}

/// Asks where somebody can answer, and writes.
pub(super) fn main(arguments: &New) -> Result<Status, Trouble> {
    let program = match &arguments.program {
        None => None,
        Some(program) => Some(program.to_str().ok_or_else(|| {
            Trouble::usage("could not write a profile: the path of the program is not UTF-8")
        })?),
    };
    let asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let mut nobody = std::io::empty();
    let mut somebody = std::io::stdin().lock();
    let input: &mut dyn BufRead = if asked { &mut somebody } else { &mut nobody };
    let mut output: Box<dyn Write> = match asked {
        true => Box::new(anstream::stderr()),
        false => Box::new(std::io::sink()),
    };
    let answers = Answers::ask(arguments, program, input, &mut output).map_err(Trouble::usage)?;
    write(&answers)
}

impl Answers {
    /// What was said on the command line counts; for the rest, an empty line takes what stands in brackets.
    fn ask(
        said: &New,
        program: Option<&str>,
        input: &mut dyn BufRead,
        output: &mut dyn Write,
    ) -> Result<Self, String> {
        let mut ask =
            |known: Option<&str>, question: &str, usual: &str| -> Result<String, String> {
                if let Some(known) = known {
                    return Ok(known.to_owned());
                }
                let failed = |error: std::io::Error| format!("could not ask: {error}");
                write!(output, "{question} [{usual}] ").map_err(failed)?;
                output.flush().map_err(failed)?;
                let mut line = String::new();
                input.read_line(&mut line).map_err(failed)?;
                let answer = line.trim();
                Ok(if answer.is_empty() { usual } else { answer }.to_owned())
            };
        let called = ask(said.name.as_deref(), "What is the proxy called?", "")?;
        let called = name(&called).map_err(|allowed| {
            format!("a profile needs a NAME of {allowed}, as in `connectspec profile new my-proxy`")
        })?;
        let question =
            "How is it told where to listen? ADDRESS is host:port, HOST and PORT its halves;";
        let ports = "How is it told which ports CONNECT may reach? PORTS is a list such as 443,8000-8100; nothing if it is not";
        Ok(Self {
            program: ask(program, "Which program is it?", &called)?,
            listen: ask(said.listen.as_deref(), question, LISTEN)?,
            allow: ask(said.allow.as_deref(), ports, "")?,
            name: called,
        })
    }

    /// The arguments, as templates.
    fn args(&self) -> String {
        let mut args: Vec<String> = self
            .listen
            .split_whitespace()
            .map(|word| {
                word.replace("ADDRESS", "{{ listen.authority }}")
                    .replace("HOST", "{{ listen.host }}")
                    .replace("PORT", "{{ listen.port }}")
            })
            .collect();
        // Without a list these arguments come out empty, and are left out. One that is empty, so that nothing is allowed,
        // must not leave an option without its word: port 1 leads nowhere.
        let list =
            "{% for r in allow %}{{ r.first }}-{{ r.last }}{{ ',' if not loop.last }}{% endfor %}";
        let alone = format!("{list}{{{{ '1' if not allow }}}}");
        args.extend(self.allow.split_whitespace().map(|word| {
            let list = if word == "PORTS" { &alone } else { list };
            let word = word.replace("PORTS", list);
            format!("{{% if allow is not none %}}{word}{{% endif %}}")
        }));
        let quoted: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        quoted.join(",\n           ")
    }
}

fn write(answers: &Answers) -> Result<Status, Trouble> {
    let path = Path::new(&answers.name).with_extension("toml");
    let trouble = |reason: String| {
        Trouble::usage(format!(
            "could not write the profile {}: {reason}",
            path.display()
        ))
    };
    let mut file = std::fs::File::create_new(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            trouble("it is there already; choose another name, or remove it".to_owned())
        }
        _ => trouble(error.to_string()),
    })?;
    file.write_all(scaffold(answers).as_bytes())
        .map_err(|error| trouble(error.to_string()))?;
    super::say(&format!(
        "wrote {0}; see whether it says how the proxy is started, then: connectspec profile check ./{0}\n",
        path.display()
    ));
    Ok(Status::Conformant)
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// A profile with what nearly every proxy needs, and the rest as comments.
fn scaffold(answers: &Answers) -> String {
    let (name, program) = (quoted(&answers.name), quoted(&answers.program));
    let args = answers.args();
    let offers: String = Offer::all()
        .map(|offer| offered(&offer, !answers.allow.is_empty()))
        .collect();
    format!(
        r#"# How connectspec launches and configures this proxy.
name     = {name}
title    = {name}
# homepage = "https://…"
# like     = "httpd-2.4"                         # whose ways and whose configuration it shares
# install  = "apt-get install …"                 # shown when the program is missing

[launch]
# Looked up in PATH; with a slash, relative to this file.
program = {program}
# Where it has to listen. An argument that comes out empty is left out; what a case does not ask for is none, as in
# `{{% if upstream is not none %}}`. `{{{{ here }}}}` is the folder of this file, as in "{{{{ here }}}}/main.js".
args    = [{args}]
# before  = 'make-ready'                       # what a shell does first, in the scratch folder
# version = {{ args = ["--version"], pattern = '(\d+\.\S+)' }}
# ready   = {{ within = "30s" }}                   # how long it may take until it listens
# stop    = {{ signal = "TERM", within = "5s" }}
# pid-file = "{{{{ scratch }}}}/logs/proxy.pid"      # only where it cannot be kept in the foreground

# A proxy with a config file: it is written anew before each launch; `{{{{ scratch }}}}/proxy.conf` names it in args.
# [[file]]
# path = "proxy.conf"
# text = '''
# listen {{{{ listen.host }}}} {{{{ listen.port }}}}
# {{% for range in allow or [] %}}allow {{{{ range.first }}}}-{{{{ range.last }}}}
# {{% endfor %}}
# {{% if allow is not none %}}deny all{{% endif %}}
# '''

# What args and files can express. What is not offered is skipped, with the reason.
[offers]
{offers}
# What it is known to do wrong; checked again in each run.
# [[deviation]]
# case = "close/the_last_words_arrive"
# why  = "…"
"#
    )
}

/// A line of `[offers]`, as a comment unless the arguments already make something of it.
fn offered(offer: &Offer, allowed_ports: bool) -> String {
    let lead = match offer.key {
        "allowed-ports" if allowed_ports => "",
        _ => "# ",
    };
    let variables = match offer.variables[..] {
        [] => String::new(),
        _ => format!("`{}`: ", offer.variables.join("`, `")),
    };
    format!(
        "{lead}{:<13} = {:<10} # {variables}{}\n",
        offer.key, offer.example, offer.says
    )
}

/// A name makes a file name and a word on the command line.
fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err("letters, digits, `-` and `_`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use connectspec_harness::subject::{Need, profile::Profile};

    use super::*;

    fn asked(words: &[&str], typed: &str) -> (Result<Answers, String>, String) {
        let said = New::parse_from(words);
        let mut output = Vec::new();
        let answers = Answers::ask(&said, None, &mut typed.as_bytes(), &mut output);
        (answers, String::from_utf8(output).unwrap())
    }

    #[test]
    fn what_is_written_is_a_profile() {
        let typed = "my-proxy\n./a \"b\"\\c\n-l HOST -p PORT\n--ports PORTS\n";
        let (answers, _) = asked(&["new"], typed);
        let answers = answers.unwrap();
        assert_eq!(answers.program, r#"./a "b"\c"#);
        let text = scaffold(&answers);
        let profile = Profile::parse("mine.toml", &text, &|_| None).unwrap();
        assert_eq!(profile.name, "my-proxy");
        assert_eq!(profile.launch.args.len(), 6);
        assert!(profile.offers.allowed_ports.is_some());
        let mut all = scaffold(&answers);
        for offer in Offer::all() {
            all = all.replace(&format!("\n# {} ", offer.key), &format!("\n{} ", offer.key));
        }
        let profile = Profile::parse("all.toml", &all, &|_| None).unwrap();
        let claims = profile.claims();
        for need in Need::ALL.iter().filter(|need| need.offer().is_some()) {
            assert!(need.is_met_by(&claims), "{need}");
        }
    }

    #[test]
    fn only_what_was_not_said_is_asked_for() {
        let (answers, asked_for) = asked(&["new", "mine", "--listen", "-a ADDRESS"], "\n\n");
        let answers = answers.unwrap();
        assert_eq!((&*answers.program, &*answers.allow), ("mine", ""));
        assert_eq!(asked_for.matches('?').count(), 2, "{asked_for}");
        let text = scaffold(&answers);
        let profile = Profile::parse("mine.toml", &text, &|_| None).unwrap();
        assert_eq!(profile.launch.args.len(), 2);
        assert!(profile.offers.allowed_ports.is_none());
    }

    #[test]
    fn nobody_who_answers_means_the_usual_but_a_name_is_needed() {
        let (answers, _) = asked(&["new", "mine"], "");
        assert_eq!(answers.unwrap().listen, LISTEN);
        let (answers, _) = asked(&["new"], "");
        assert!(answers.unwrap_err().contains("needs a NAME"));
    }
}
