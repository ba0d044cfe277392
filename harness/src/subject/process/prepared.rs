//! All that a program needs before it can be started: its folder, its files, its arguments, its port.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use minijinja::Value;

use crate::{
    stop::Stop,
    subject::{
        configuration::Configuration,
        htpasswd,
        log::Lines,
        offers::Passwords,
        process::{
            LaunchError,
            child::{Guarded, Start, StartError},
            guarding,
            program::{find_program, search_path},
            readiness,
            scratch::Scratch,
        },
        profile::{LogSource, Profile, mistake::Mistake, template::Template},
        variables::Vars,
    },
};

/// Every system has one there.
const SHELL: &str = "/bin/sh";

/// All that a program needs to be started.
pub(super) struct Prepared {
    pub(super) scratch: Scratch,
    values: Value,
    pub(super) program: PathBuf,
    env: Vec<(String, String)>,
    /// What a shell does before it becomes the program.
    before: Option<String>,
    pub(super) pid_file: Option<String>,
}

impl Prepared {
    pub(super) fn new(
        profile: &Profile,
        configuration: &Configuration,
    ) -> Result<Self, LaunchError> {
        if std::env::var_os(guarding::MARK).is_some() {
            return Err(LaunchError::Guard(
                "this program was started to guard one".to_owned(),
            ));
        }
        if !Path::new("/proc/self").exists() {
            return Err(LaunchError::NoProc);
        }
        let mut scratch = Scratch::new().map_err(LaunchError::Scratch)?;
        if configuration.log_stands_still {
            scratch.fill_access_log().map_err(LaunchError::Scratch)?;
        }
        let lines = configuration.users(Passwords::Any).map(htpasswd::line);
        let lines: String = lines.collect();
        let password_file = configuration
            .credentials
            .as_ref()
            .map(|_| scratch.write(Path::new("htpasswd"), &lines));
        // Subjects that drop their privileges may have to read the key; it opens nothing but this launch.
        let tls = configuration.tls.as_ref().map(|files| {
            Ok([
                scratch.write(Path::new("proxy.crt"), &files.certificate)?,
                scratch.write(Path::new("proxy.key"), &files.key)?,
            ])
        });
        let upstream_ca = configuration.upstream_ca.as_ref();
        let upstream_ca = upstream_ca.map(|pem| scratch.write(Path::new("upstream-ca.crt"), pem));
        let vars = Vars {
            scratch: scratch.path().to_owned(),
            access_log: scratch.access_log(),
            error_log: scratch.error_log(),
            htpasswd: password_file.transpose().map_err(LaunchError::Scratch)?,
            tls: tls.transpose().map_err(LaunchError::Scratch)?,
            upstream_ca: upstream_ca.transpose().map_err(LaunchError::Scratch)?,
            here: profile.folder.clone(),
        };
        let values = vars.values(configuration, &profile.offers);
        for file in &profile.files {
            let content = file.template.render(&values)?;
            scratch
                .write(&file.path, &content)
                .map_err(LaunchError::Scratch)?;
        }
        let own = profile.launch.env.iter();
        let own = own.map(|(name, value)| Ok((name.clone(), value.render(&values)?)));
        // Last, so that a profile's own PATH counts.
        let env = search_path().map(Ok).into_iter().chain(own);
        let program = profile.launch.program.render(&values)?;
        let pid_file = profile.launch.pid_file.as_ref();
        let pid_file = pid_file.map(|file| file.render(&values)).transpose()?;
        let before = profile.launch.before.as_ref();
        let before = before.map(|words| words.render(&values)).transpose()?;
        Ok(Self {
            program: find_program(&program, profile)?,
            env: env.collect::<Result<_, Mistake>>()?,
            before: before.filter(|words| !words.trim().is_empty()),
            // Relative to the scratch folder, where the program starts.
            pid_file: pid_file.map(|file| scratch.path().join(file).to_string_lossy().into_owned()),
            scratch,
            values,
        })
    }

    /// Arguments, without those that say nothing.
    pub(super) fn render(&self, templates: &[Template]) -> Result<Vec<String>, Mistake> {
        let rendered = templates
            .iter()
            .map(|template| template.render(&self.values));
        rendered
            .filter(|arg| !arg.as_ref().is_ok_and(String::is_empty))
            .collect()
    }

    pub(super) fn command(&self, args: &[String]) -> Vec<String> {
        let program = self.program.to_string_lossy().into_owned();
        std::iter::once(program)
            .chain(args.iter().cloned())
            .collect()
    }

    /// Starts the subject. What its profile has done before it is a shell's, which then becomes the program: the process and
    /// its group stay the same.
    pub(super) fn launch(
        &self,
        args: &[String],
        lines: Option<(LogSource, Arc<Lines>)>,
        pid_file: Option<&str>,
        stop: &Stop,
    ) -> Result<Guarded, LaunchError> {
        let Some(before) = &self.before else {
            return self.start(args, lines, pid_file, stop);
        };
        let script = format!("set -e\n{before}\nexec \"$@\"");
        let shell = ["-c".to_owned(), script, "sh".to_owned()];
        let args: Vec<_> = shell.into_iter().chain(self.command(args)).collect();
        self.run(Path::new(SHELL), &args, lines, pid_file, stop)
    }

    pub(super) fn start(
        &self,
        args: &[String],
        lines: Option<(LogSource, Arc<Lines>)>,
        pid_file: Option<&str>,
        stop: &Stop,
    ) -> Result<Guarded, LaunchError> {
        self.run(&self.program, args, lines, pid_file, stop)
    }

    fn run(
        &self,
        program: &Path,
        args: &[String],
        lines: Option<(LogSource, Arc<Lines>)>,
        pid_file: Option<&str>,
        stop: &Stop,
    ) -> Result<Guarded, LaunchError> {
        let start = Start {
            guard: &guarding::guard_program(),
            program,
            args,
            env: &self.env,
            folder: self.scratch.path(),
            pid_file,
            lines,
            stop,
        };
        let guarded = Guarded::start(&start).map_err(|error| match error {
            StartError::Guard(why) => LaunchError::Guard(why),
            StartError::Stopped => LaunchError::Stopped,
            StartError::Program(cause) => LaunchError::NotRun {
                program: program.to_owned(),
                cause,
            },
        })?;
        self.scratch.is_guarded();
        Ok(guarded)
    }
}

/// How long a port may be held by nobody: when one thread closes a listener while another starts a
/// program, the new process holds a copy of it until it has become that program.
const FREED_WITHIN: Duration = Duration::from_millis(200);

/// The pause between two looks at a port that is held.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Whether the subject can have its port. When another program listens there already, readiness would be
/// that other program's. Asked by connecting: a listener of our own, however short, could be copied into
/// a process that starts at the same time, and then be in the way.
pub(super) fn ensure_free(address: SocketAddr) -> Result<(), LaunchError> {
    TcpListener::bind((address.ip(), 0))
        .map_err(|cause| LaunchError::AddressUnusable { address, cause })?;
    let deadline = Instant::now() + FREED_WITHIN;
    while readiness::accepts(address, LOOK_EVERY) {
        if Instant::now() >= deadline {
            return Err(LaunchError::PortTaken { address });
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
    Ok(())
}
