//! The part of gale.h that lib.rs uses, by hand. Structs and functions only ever grow at the end, so
//! this stays right with a later library.
#![allow(non_camel_case_types)]
use std::ffi::{c_char, c_int, c_void};

pub enum gale_server_t {}
pub enum gale_req_t {}
pub enum gale_worker_t {}
pub enum gale_config_t {}

/// Borrowed bytes; `ptr` may be null when `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gale_str_t {
    pub ptr: *const c_char,
    pub len: usize,
}

#[repr(C)]
pub struct gale_header_t {
    pub name: gale_str_t,
    pub value: gale_str_t,
}

type on_request = unsafe extern "C" fn(*mut gale_req_t, *mut c_void);
type on_body = unsafe extern "C" fn(*mut gale_req_t, gale_str_t, bool, *mut c_void);
type on_done = unsafe extern "C" fn(*mut gale_req_t, c_int, *mut c_void);
type on_worker = unsafe extern "C" fn(*mut gale_worker_t, *mut c_void);

/// The fields of 0.1; `struct_size` tells the library that it ends there.
#[repr(C)]
pub struct gale_handler_t {
    pub struct_size: usize,
    pub on_request: Option<on_request>,
    pub on_body: Option<on_body>,
    pub on_drain: Option<on_request>,
    pub on_done: Option<on_done>,
    pub on_worker_start: Option<on_worker>,
    pub on_worker_stop: Option<on_worker>,
}

extern "C" {
    pub fn gale_strerror(err: c_int) -> *const c_char;

    pub fn gale_server_new(out: *mut *mut gale_server_t, config: *const gale_config_t) -> c_int;
    pub fn gale_server_handle(
        server: *mut gale_server_t,
        handler: *const gale_handler_t,
        data: *mut c_void,
    ) -> c_int;
    pub fn gale_server_listen(server: *mut gale_server_t, url: *const c_char) -> c_int;
    pub fn gale_server_errmsg(server: *const gale_server_t) -> *const c_char;
    pub fn gale_server_port(server: *const gale_server_t, index: usize) -> c_int;
    pub fn gale_server_run(server: *mut gale_server_t) -> c_int;
    pub fn gale_server_stop(server: *mut gale_server_t) -> c_int;
    pub fn gale_server_free(server: *mut gale_server_t);

    pub fn gale_req_method(req: *const gale_req_t) -> gale_str_t;
    pub fn gale_req_path(req: *const gale_req_t) -> gale_str_t;
    pub fn gale_req_query(req: *const gale_req_t) -> gale_str_t;
    pub fn gale_req_header(req: *const gale_req_t, name: gale_str_t) -> gale_str_t;
    pub fn gale_req_body(req: *const gale_req_t) -> gale_str_t;
    pub fn gale_respond(
        req: *mut gale_req_t,
        status: c_int,
        headers: *const gale_header_t,
        count: usize,
        body: gale_str_t,
    ) -> c_int;
}
