use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// How long nothing has to come before the next step is played.
const QUIET: Duration = Duration::from_millis(400);

/// How long nothing has to come before all is over.
const OVER: Duration = Duration::from_millis(1500);

/// Both sides of the proxy.
#[derive(Default)]
struct Play(Arc<(Mutex<BTreeMap<String, Heard>>, Condvar)>);

/// What came on one connection.
struct Heard {
    socket: TcpStream,
    bytes: Vec<u8>,
    end: &'static str,
}

impl Play {
    /// Lets the connections to `address` play these parts, in the order in which they come.
    fn listen(&self, address: &str, names: &[&str]) {
        let listener = TcpListener::bind(address).expect("the address is free");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let play = Self(Arc::clone(&self.0));
        thread::spawn(move || {
            for name in names {
                let (socket, _) = listener.accept().expect("a listener accepts");
                play.hear(&name, socket);
            }
            // Whoever comes beside them is let in, and hears nothing.
            let _others: Vec<_> = listener.incoming().collect();
        });
    }

    /// Connects to the proxy.
    fn dial(&self, name: &str) {
        let proxy = std::env::var("PROXY").unwrap_or_else(|_| "127.0.0.1:3128".to_owned());
        let socket = TcpStream::connect(&proxy).expect("the proxy listens; PROXY says where");
        self.hear(name, socket);
    }

    /// Sends; nobody is there where the proxy has not come, or has gone.
    fn send(&self, name: &str, bytes: &[u8]) {
        let socket = self.socket(name);
        let _ = socket.map(|mut socket| socket.write_all(bytes));
    }

    /// Sends the end of the stream.
    fn end(&self, name: &str) {
        let socket = self.socket(name);
        let _ = socket.map(|socket| socket.shutdown(Shutdown::Write));
    }

    /// Waits until nothing more comes.
    fn pause(&self) {
        self.settle(QUIET);
    }

    /// What the proxy has done in the end.
    fn seen(&self) -> Vec<String> {
        self.settle(OVER);
        let heard = self.0.0.lock().expect("nobody panicked");
        let parts = heard.iter();
        parts
            .map(|(name, heard)| shape(name, &heard.bytes, heard.bytes.len() as u64, heard.end))
            .collect()
    }

    fn settle(&self, quiet: Duration) {
        let mut heard = self.0.0.lock().expect("nobody panicked");
        loop {
            let (again, timeout) = self
                .0
                .1
                .wait_timeout(heard, quiet)
                .expect("nobody panicked");
            if timeout.timed_out() {
                return;
            }
            heard = again;
        }
    }

    fn socket(&self, name: &str) -> Option<TcpStream> {
        let heard = self.0.0.lock().expect("nobody panicked");
        heard.get(name)?.socket.try_clone().ok()
    }

    fn hear(&self, name: &str, mut socket: TcpStream) {
        let heard = Heard {
            socket: socket.try_clone().expect("a socket can be cloned"),
            bytes: Vec::new(),
            end: "",
        };
        self.note(|all| drop(all.insert(name.to_owned(), heard)));
        let (play, name) = (Self(Arc::clone(&self.0)), name.to_owned());
        thread::spawn(move || {
            let mut piece = [0; 65_536];
            loop {
                let read = socket.read(&mut piece);
                let end = match read {
                    Ok(0) => ", the end",
                    Ok(count) => {
                        play.note(|all| {
                            let heard = all.get_mut(&name).expect("it is there");
                            heard.bytes.extend_from_slice(&piece[..count]);
                        });
                        continue;
                    }
                    Err(_) => ", a reset",
                };
                return play.note(|all| all.get_mut(&name).expect("it is there").end = end);
            }
        });
    }

    fn note(&self, change: impl FnOnce(&mut BTreeMap<String, Heard>)) {
        change(&mut self.0.0.lock().expect("nobody panicked"));
        self.0.1.notify_all();
    }
}
