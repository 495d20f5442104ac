//! Gale from Rust: a server whose handler is a closure. Safe outside, unsafe only here and in ffi.rs.
mod ffi;

use ffi::*;
use std::ffi::{c_char, c_int, c_void, CStr, CString};
use std::marker::PhantomData;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::{fmt, ptr, slice};

/// Why a call failed: the code of gale.h or libuv, and the sentence.
#[derive(Debug)]
pub struct Error {
    pub code: i32,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

fn text(message: *const c_char) -> String {
    // SAFETY: the library's messages are NUL-terminated and never null.
    unsafe { CStr::from_ptr(message) }
        .to_string_lossy()
        .into_owned()
}

/// A request, for as long as its handler runs.
pub struct Request<'a> {
    raw: *mut gale_req_t, // not Send: a request stays on its loop's thread
    lives: PhantomData<&'a ()>,
}

impl<'a> Request<'a> {
    fn bytes(&self, s: gale_str_t) -> &'a [u8] {
        if s.ptr.is_null() {
            return &[];
        }
        // SAFETY: slices of a request live until its on_done returns, so longer than its handler.
        unsafe { slice::from_raw_parts(s.ptr.cast(), s.len) }
    }
    pub fn method(&self) -> &'a [u8] {
        self.bytes(unsafe { gale_req_method(self.raw) })
    }
    /// As it stands in the target: percent-encoded.
    pub fn path(&self) -> &'a [u8] {
        self.bytes(unsafe { gale_req_path(self.raw) })
    }
    pub fn query(&self) -> &'a [u8] {
        self.bytes(unsafe { gale_req_query(self.raw) })
    }
    pub fn body(&self) -> &'a [u8] {
        self.bytes(unsafe { gale_req_body(self.raw) })
    }
    /// The first field of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let value = unsafe { gale_req_header(self.raw, borrowed(name.as_bytes())) };
        (!value.ptr.is_null()).then(|| self.bytes(value))
    }
}

/// What a handler answers with.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        let kind = ("Content-Type".into(), "text/plain; charset=utf-8".into());
        Response {
            status,
            headers: vec![kind],
            body: body.into().into_bytes(),
        }
    }

    fn send(&self, req: *mut gale_req_t) -> c_int {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| gale_header_t {
                name: borrowed(name.as_bytes()),
                value: borrowed(value.as_bytes()),
            })
            .collect();
        let body = borrowed(&self.body);
        // SAFETY: the call copies what it is given.
        unsafe {
            gale_respond(
                req,
                self.status.into(),
                headers.as_ptr(),
                headers.len(),
                body,
            )
        }
    }
}

fn borrowed(bytes: &[u8]) -> gale_str_t {
    gale_str_t {
        ptr: bytes.as_ptr().cast(),
        len: bytes.len(),
    }
}

/// The handler of a server whose closure is an `F`: C knows it by `data`.
unsafe extern "C" fn on_request<F>(raw: *mut gale_req_t, data: *mut c_void)
where
    F: Fn(&Request) -> Response + Send + Sync + 'static,
{
    // SAFETY: Server keeps the closure until no worker runs any more.
    let handler = unsafe { &*data.cast::<F>() };
    let request = Request {
        raw,
        lives: PhantomData,
    };
    // A panic must not unwind into C.
    let answer = catch_unwind(AssertUnwindSafe(|| handler(&request)));
    let answer = answer.unwrap_or_else(|_| Response::text(500, "Internal Server Error"));
    if answer.send(raw) < 0 {
        // A header that is none, say; then nothing was sent. If the client has left, nothing is now.
        Response::text(500, "Internal Server Error").send(raw);
    }
}

/// A server: made with a handler, told where to listen, run until it is stopped.
pub struct Server {
    raw: *mut gale_server_t,
    handler: *mut c_void,
    drop_handler: unsafe fn(*mut c_void),
}

/// Stops a server from any thread or signal handler. The server must still be there: see `Server::stopper`.
#[derive(Clone, Copy)]
pub struct Stopper(*mut gale_server_t);

// SAFETY: gale_server_stop may be called anywhere.
unsafe impl Send for Stopper {}
unsafe impl Sync for Stopper {}

impl Server {
    /// The handler is called on all workers' threads, several at a time. It must not block.
    pub fn new<F>(handler: F) -> Result<Self, Error>
    where
        F: Fn(&Request) -> Response + Send + Sync + 'static,
    {
        unsafe fn drop_handler<F>(handler: *mut c_void) {
            drop(unsafe { Box::from_raw(handler.cast::<F>()) });
        }
        let callbacks = gale_handler_t {
            struct_size: std::mem::size_of::<gale_handler_t>(),
            on_request: Some(on_request::<F>),
            on_body: None,
            on_drain: None,
            on_done: None,
            on_worker_start: None,
            on_worker_stop: None,
        };
        let mut raw = ptr::null_mut();
        let code = unsafe { gale_server_new(&mut raw, ptr::null()) };
        if code < 0 {
            return Err(Error {
                code,
                message: text(unsafe { gale_strerror(code) }),
            });
        }
        let handler = Box::into_raw(Box::new(handler)).cast();
        let server = Server {
            raw,
            handler,
            drop_handler: drop_handler::<F>,
        };
        server.check(unsafe { gale_server_handle(raw, &callbacks, handler) })?;
        Ok(server)
    }

    /// "http://127.0.0.1:8080", "http://[::1]:0", "unix:/run/app.sock"; the TCP port it got.
    pub fn listen(&mut self, url: &str) -> Result<u16, Error> {
        let url = CString::new(url).map_err(|_| Error {
            code: -1,
            message: "a NUL in the address".into(),
        })?;
        self.check(unsafe { gale_server_listen(self.raw, url.as_ptr()) })?;
        Ok(unsafe { gale_server_port(self.raw, 0) } as u16)
    }

    /// Serves until it is stopped.
    pub fn run(&mut self) -> Result<(), Error> {
        self.check(unsafe { gale_server_run(self.raw) })
    }

    /// # Safety
    /// It must not be used once the server has been dropped.
    pub unsafe fn stopper(&self) -> Stopper {
        Stopper(self.raw)
    }

    fn check(&self, code: c_int) -> Result<(), Error> {
        if code >= 0 {
            return Ok(());
        }
        Err(Error {
            code,
            message: text(unsafe { gale_server_errmsg(self.raw) }),
        })
    }
}

impl Stopper {
    pub fn stop(&self) {
        unsafe { gale_server_stop(self.0) };
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SAFETY: run has returned, so no worker uses the handler.
        unsafe {
            gale_server_free(self.raw);
            (self.drop_handler)(self.handler);
        }
    }
}
