//! Stand-ins for proxies: they listen, and do one thing besides.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::ExitCode,
    thread,
};

use connectspec_harness::subject::process::Subject;

use super::{script, somewhere};

/// Plays a stand-in when the arguments ask for one.
pub(crate) fn main_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    let played = match (args.next()?.as_str(), args.next().unwrap_or_default()) {
        ("stub-listen", address) => listen(&address, args),
        ("stub-die", address) => die(&address),
        ("stub-flood", address) => flood(&address),
        ("stub-harness", fifo) => harness(&fifo),
        _ => return None,
    };
    Some(match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "could not play: {error}");
            ExitCode::FAILURE
        }
    })
}

/// Listens and echoes each line to its standard output. Options: `threads N`, `fds N`, `bytes N` hold
/// something.
fn listen(address: &str, options: impl Iterator<Item = String>) -> io::Result<()> {
    let options: Vec<String> = options.collect();
    let held = |name: &str| {
        let at = options.iter().position(|option| option == name)?;
        options.get(at + 1)?.parse::<usize>().ok()
    };
    let files: Vec<_> = (0..held("fds").unwrap_or(0))
        .map(|_| std::fs::File::open("/"))
        .collect();
    let ballast = vec![1_u8; held("bytes").unwrap_or(0)];
    for _ in 0..held("threads").unwrap_or(0) {
        thread::spawn(|| {
            loop {
                thread::park();
            }
        });
    }
    let listener = TcpListener::bind(address)?;
    for connection in listener.incoming() {
        for line in BufReader::new(connection?).lines() {
            writeln!(io::stdout(), "{}", line?)?;
        }
    }
    drop((files, ballast));
    Ok(())
}

/// Listens, and dies of the first byte.
fn die(address: &str) -> io::Result<()> {
    for connection in TcpListener::bind(address)?.incoming() {
        // Bound to a name, so that it is the end of the process that closes it.
        let mut connection = connection?;
        if connection.read(&mut [0])? > 0 {
            writeln!(io::stdout(), "last words")?;
            std::process::exit(9);
        }
    }
    Ok(())
}

/// Listens and answers, while it fills its standard error as fast as it can.
fn flood(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stderr(), "first words")?;
    thread::spawn(|| {
        let chunk = [b'x'; 8192];
        while io::stderr().write_all(&chunk).is_ok() {}
    });
    for connection in listener.incoming() {
        let mut connection: TcpStream = connection?;
        let mut byte = [0];
        if connection.read(&mut byte)? > 0 {
            connection.write_all(&byte)?;
        }
    }
    Ok(())
}

/// A harness that launches a subject with workers, says so, and goes on until it is killed.
fn harness(fifo: &str) -> io::Result<()> {
    let subject = script(&with_workers(fifo)).map_err(io::Error::other)?;
    let subject = Subject::launch(&subject, &somewhere()).map_err(io::Error::other)?;
    writeln!(io::stdout(), "{}", subject.pid())?;
    io::stdin().read_line(&mut String::new())?;
    loop {
        thread::park();
    }
}

/// The way of proxies that fork: a leader that ignores the polite signals, a worker in its group that
/// listens, and one that has left it. Each holds `fifo` open for as long as it lives.
pub(crate) fn with_workers(fifo: &str) -> String {
    format!(
        "exec 9>'{fifo}'\n\
         trap '' TERM INT HUP\n\
         \"$STUB\" stub-listen {{{{ listen.authority }}}} &\n\
         setsid sleep 1000 &\n\
         (setsid sleep 1000 &)\n\
         while :; do wait; done\n"
    )
}
