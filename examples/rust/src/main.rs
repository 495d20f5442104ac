//! Hello from Rust: GALE_LIB_DIR=../../build/lib cargo run [PORT]
use gale::{Response, Server, Stopper};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;
use std::{env, process::ExitCode};

static STOPPER: OnceLock<Stopper> = OnceLock::new();

extern "C" fn on_signal(_: i32) {
    if let Some(stopper) = STOPPER.get() {
        stopper.stop();
    }
}

extern "C" {
    fn signal(number: i32, handler: usize) -> usize;
}

fn on_signals(handler: usize) {
    for number in [2, 15] {
        unsafe { signal(number, handler) }; // SIGINT, SIGTERM
    }
}

fn serve(port: &str) -> Result<(), gale::Error> {
    let visits = AtomicUsize::new(0); // the closure owns it, and all workers share it
    let mut server = Server::new(move |request| match request.path() {
        b"/" => Response::text(200, "Hello, World!"),
        b"/visits" => Response::text(200, visits.fetch_add(1, Ordering::Relaxed).to_string()),
        b"/panic" => panic!("a handler that panics is a 500"),
        b"/agent" => match request.header("user-agent") {
            Some(agent) => Response::text(200, String::from_utf8_lossy(agent)),
            None => Response::text(404, "you sent none"),
        },
        _ => Response::text(404, "there is nothing here"),
    })?;
    let port = server.listen(&format!("http://127.0.0.1:{port}"))?;
    println!("listening on http://127.0.0.1:{port}");
    // SAFETY: the server lives until the end of this function, and there signals are ignored.
    STOPPER.get_or_init(|| unsafe { server.stopper() });
    on_signals(on_signal as extern "C" fn(i32) as usize);
    let result = server.run();
    on_signals(1); // SIG_IGN: there is nothing left to stop
    result
}

/// The port, "8080" unless it is given; `Err` is how the program ends.
fn port_argument() -> Result<String, ExitCode> {
    let words: Vec<String> = env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if words.iter().any(|word| word == "--help") {
        println!("usage: gale-hello [PORT]");
        return Err(ExitCode::SUCCESS);
    }
    let wrong = match words.as_slice() {
        [] => return Ok("8080".into()),
        [port] if port.parse::<u16>().is_ok() => return Ok(port.clone()),
        [port] if !port.starts_with('-') => format!("not a port: {port:?}"),
        [flag] => format!("unknown argument {flag:?}"),
        [_, word, ..] => format!("unknown argument {word:?}"),
    };
    eprintln!("gale-hello: {wrong}; --help says what it takes");
    Err(ExitCode::from(2))
}

fn main() -> ExitCode {
    let port = match port_argument() {
        Ok(port) => port,
        Err(end) => return end,
    };
    match serve(&port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gale-hello: {error}");
            ExitCode::FAILURE
        }
    }
}
