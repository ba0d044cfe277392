//! Launching: what a subject gets, and each way in which a launch can go wrong.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use connectspec_harness::{
    setup::PortRange,
    subject::{
        configuration::{Configuration, Credentials},
        process::{LaunchError, Subject},
        profile::Profile,
    },
};
use libtest_mimic::Failed;

use super::{PATIENCE, Proof, ensure, free_address, script, somewhere, stub_profile};

super::tests![
    a_subject_is_launched_and_stopped,
    a_subject_gets_its_files_its_folder_and_a_clean_environment,
    many_are_launched_at_the_same_time,
    a_missing_program_is_named_with_its_install_line,
    a_program_that_cannot_run_is_named,
    one_that_exits_at_once_is_quoted,
    one_that_never_listens_is_quoted,
    a_taken_port_is_named,
    an_address_of_another_machine_is_named,
    a_template_that_cannot_be_rendered_is_named,
    a_flood_costs_no_memory_and_blocks_nobody,
    one_that_dies_later_is_noticed,
    a_check_tells_good_from_bad,
    a_version_is_read_from_either_output,
    the_vitals_are_those_of_the_subject,
];

fn a_subject_is_launched_and_stopped() -> Proof {
    let profile = stub_profile(&["stub-listen", "{{ listen.authority }}", "{{ allow or '' }}"])?;
    let configuration = somewhere();
    let subject = Subject::launch(&profile, &configuration)?;

    TcpStream::connect(subject.address())?;
    let me = std::env::current_exe()?.display().to_string();
    let command = [
        me,
        "stub-listen".to_owned(),
        configuration.listen.to_string(),
    ];
    ensure(
        subject.command() == command,
        format!("{:?}", subject.command()),
    )?;
    ensure(subject.is_alive(), "it is not alive")?;
    ensure(
        fs::exists(format!("/proc/{}", subject.pid()))?,
        "its pid is wrong",
    )?;

    let scratch = subject.scratch().to_owned();
    let stopped = subject.stop();
    ensure(!stopped.killed && !stopped.early, format!("{stopped:?}"))?;
    ensure(
        subject.stop() == stopped,
        "a second stop tells another story",
    )?;
    ensure(!subject.is_alive(), "it lives on")?;
    ensure(
        TcpStream::connect(subject.address()).is_err(),
        "it listens on",
    )?;
    drop(subject);
    ensure(!scratch.exists(), "its folder is left")
}

fn a_subject_gets_its_files_its_folder_and_a_clean_environment() -> Proof {
    let text = r#"
        name = "shell"
        [launch]
        program = "sh"
        args = ["{{ scratch }}/etc/run.sh", "", "{% if upstream %}-u{% endif %}", "end"]
        env = { GREETING = "hello {{ listen.port }}", https_proxy = "http://127.0.0.1:1/" }
        [[file]]
        path = "etc/run.sh"
        text = '''
pwd; echo "args $*"; cat etc/conf/ports "$1"; env | grep -i -e _proxy -e GREETING -e CONNECTSPEC
read x; echo "stdin $?"; cat htpasswd; exit 3
'''
        [[file]]
        path = "etc/conf/ports"
        text = "{% for range in allow %}{{ range.first }}-{{ range.last }};{% endfor %}\n"
        [offers]
        allowed-ports = "list"
    "#;
    let profile = Profile::parse("shell.toml", text, &|_| None)?;
    let mut configuration = somewhere();
    configuration.allow = Some(vec![PortRange { first: 7, last: 8 }]);
    configuration.credentials = Credentials::parse("ann:secret");
    let Err(LaunchError::ExitedAtOnce { status, output, .. }) =
        Subject::launch(&profile, &configuration)
    else {
        return Err("it should have ended".into());
    };
    ensure(status.code() == Some(3), status)?;
    let port = configuration.listen.port();
    for expected in [
        "connectspec-",
        "args end",
        "7-7;8-8;",
        &format!("GREETING=hello {port}"),
        "https_proxy=http://127.0.0.1:1/",
        "stdin 1",
        "ann:$apr1$",
    ] {
        ensure(
            output.contains(expected),
            format!("no {expected:?} in {output}"),
        )?;
    }
    ensure(
        !output.contains("CONNECTSPEC_GUARD"),
        format!("the guard's mark is left: {output}"),
    )
}

fn many_are_launched_at_the_same_time() -> Proof {
    let profile = stub_profile(&["stub-listen", "{{ listen.authority }}"])?;
    std::thread::scope(|scope| {
        let launches: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| Subject::launch(&profile, &somewhere())))
            .collect();
        for launch in launches {
            let subject = launch.join().map_err(|_| "a launch panicked")??;
            TcpStream::connect(subject.address())?;
        }
        Ok(())
    })
}

fn a_missing_program_is_named_with_its_install_line() -> Proof {
    let text = "name = 'x'\ninstall = 'apt-get install x'\n[launch]\nprogram = 'no-such-proxy'\n";
    let profile = Profile::parse("x.toml", text, &|_| None)?;
    let expected = "could not find the program `no-such-proxy` in PATH; \
                    install it with: apt-get install x";
    expect_failure(&profile, &somewhere(), &[expected])
}

fn a_program_that_cannot_run_is_named() -> Proof {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("proxy");
    fs::write(&program, "#!/no/such/interpreter\n")?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode)?;
    let profile = Profile::for_program(&program, [""; 0])?;
    let name = program.display().to_string();
    expect_failure(
        &profile,
        &somewhere(),
        &["could not run", &name, "No such file"],
    )
}

fn one_that_exits_at_once_is_quoted() -> Proof {
    let profile = script("echo to the one; echo bad directive >&2; exit 7")?;
    let expected = [
        "ended at once (exit status: 7)",
        "\n    to the one\n    bad directive",
    ];
    expect_failure(&profile, &somewhere(), &expected)?;

    let profile = script("echo 'in the log' > \"{{ error_log }}\"; kill -9 $$")?;
    expect_failure(&profile, &somewhere(), &["signal: 9", "\n    in the log"])?;

    let silent = script("exit 0")?;
    expect_failure(
        &silent,
        &somewhere(),
        &["exit status: 0", "it printed nothing"],
    )
}

fn one_that_never_listens_is_quoted() -> Proof {
    let mut profile = script("echo going elsewhere; exec sleep 1000")?;
    profile.launch.ready_within = Duration::from_millis(300);
    let configuration = somewhere();
    let address = format!("does not listen on {} after 300ms", configuration.listen);
    expect_failure(
        &profile,
        &configuration,
        &[&address, "\n    going elsewhere"],
    )
}

fn a_taken_port_is_named() -> Proof {
    let configuration = somewhere();
    let _taken = std::net::TcpListener::bind(configuration.listen)?;
    let profile = script("exec sleep 1000")?;
    let expected = format!("{} is taken by another program", configuration.listen);
    expect_failure(&profile, &configuration, &[&expected])
}

fn an_address_of_another_machine_is_named() -> Proof {
    // TEST-NET-1: no machine has it.
    let configuration = Configuration::new(([192, 0, 2, 1], 8080).into());
    let expected = ["nothing can listen on 192.0.2.1:8080"];
    expect_failure(&script("exec sleep 1000")?, &configuration, &expected)
}

fn a_template_that_cannot_be_rendered_is_named() -> Proof {
    let text = "name = 'x'\n[launch]\nprogram = 'sh'\nargs = [\n'-c',\n'{{ upstream.port }}']\n";
    let profile = Profile::parse("x.toml", text, &|_| None)?;
    expect_failure(
        &profile,
        &somewhere(),
        &["x.toml:6: `upstream.port` is not defined here"],
    )
}

fn a_flood_costs_no_memory_and_blocks_nobody() -> Proof {
    let profile = stub_profile(&["stub-flood", "{{ listen.authority }}"])?;
    let subject = Subject::launch(&profile, &somewhere())?;
    for _ in 0..50 {
        let mut connection = TcpStream::connect(subject.address())?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(b"?")?;
        connection.read_exact(&mut [0])?;
    }
    let output = subject.output();
    ensure(
        output.len() < 100_000,
        format!("{} bytes are kept", output.len()),
    )?;
    ensure(
        output.starts_with("first words"),
        "the first words are lost",
    )?;
    let before = Instant::now();
    let stopped = subject.stop();
    ensure(
        !stopped.killed && before.elapsed() < PATIENCE,
        "it does not stop",
    )
}

fn one_that_dies_later_is_noticed() -> Proof {
    let profile = stub_profile(&["stub-die", "{{ listen.authority }}"])?;
    for _ in 0..20 {
        let subject = Subject::launch(&profile, &somewhere())?;
        let mut connection = TcpStream::connect(subject.address())?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(b"!")?;
        let end = connection.read(&mut [0]);
        ensure(
            !subject.is_alive(),
            "it seems to be alive after its connections have ended",
        )?;
        ensure(!matches!(end, Ok(1..)), format!("{end:?}"))?;
        let status = subject.wait(PATIENCE).ok_or("no status")?;
        ensure(status.code() == Some(9), status)?;
        ensure(subject.output() == "last words\n", subject.output())?;
        ensure(subject.stop().early, "it seems to have been stopped")?;
    }
    Ok(())
}

fn a_check_tells_good_from_bad() -> Proof {
    let text = "name = 'x'\n[launch]\nprogram = 'sh'\n\
                check = ['-c', 'echo checked; test \"{{ allow_text }}\" = 443']\n";
    let profile = Profile::parse("x.toml", text, &|_| None)?;
    for (text, accepted) in [("443", true), ("443-", false)] {
        let mut configuration = somewhere();
        configuration.allow_text = Some(text.to_owned());
        let outcome = Subject::check(&profile, &configuration)?;
        ensure(outcome.accepted == accepted, format!("{text}: {outcome:?}"))?;
        ensure(outcome.output == "checked\n", outcome.output)?;
    }
    match Subject::check(&script("exit 0")?, &somewhere()) {
        Err(LaunchError::NoCheck { .. }) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

fn a_version_is_read_from_either_output() -> Proof {
    for redirect in ["", ">&2"] {
        let mut profile = stub_profile(&["stub-listen", "{{ listen.authority }}"])?;
        let text = format!(
            "name = 'x'\n[launch]\nprogram = 'sh'\n\
             version = {{ args = ['-c', 'echo Proxy/1.2.3 {redirect}'], pattern = 'Proxy/(\\S+)' }}\n"
        );
        let other = Profile::parse("x.toml", &text, &|_| None)?;
        profile.launch.version = other.launch.version;
        profile.launch.program = other.launch.program;
        profile.launch.args = script("\"$STUB\" stub-listen {{ listen.authority }}")?
            .launch
            .args;
        let subject = Subject::launch(&profile, &somewhere())?;
        ensure(
            subject.version().as_deref() == Some("1.2.3"),
            format!("{:?}", subject.version()),
        )?;
    }
    Ok(())
}

fn the_vitals_are_those_of_the_subject() -> Proof {
    const HELD: usize = 64 * 1024 * 1024;
    let listen = |more: &[&str]| {
        let profile = stub_profile(&[&["stub-listen", "{{ listen.authority }}"], more].concat())?;
        Ok::<_, Failed>(Subject::launch(
            &profile,
            &Configuration::new(free_address()),
        )?)
    };
    let plain = listen(&[])?.vitals();
    let held = HELD.to_string();
    let loaded = listen(&["threads", "3", "fds", "20", "bytes", &held])?.vitals();
    ensure(plain.processes == 1, format!("{plain:?}"))?;
    ensure(
        loaded.threads == plain.threads + 3,
        format!("{plain:?} {loaded:?}"),
    )?;
    // The connection that proved it ready may not be closed yet.
    let more = loaded.open_fds - plain.open_fds;
    ensure((19..=21).contains(&more), format!("{plain:?} {loaded:?}"))?;
    ensure(
        loaded.rss > plain.rss + HELD as u64 / 2,
        format!("{plain:?} {loaded:?}"),
    )
}

fn expect_failure(profile: &Profile, configuration: &Configuration, parts: &[&str]) -> Proof {
    match Subject::launch(profile, configuration) {
        Ok(_) => Err("it was launched".into()),
        Err(error) => {
            let text = error.to_string();
            let missing = parts.iter().find(|part| !text.contains(**part));
            ensure(missing.is_none(), format!("no {missing:?} in: {text}"))
        }
    }
}
