//! Finds libgale: in the folder GALE_LIB_DIR, such as Gale's own build/lib, else where pkg-config has it.
use std::{env, process::exit, process::Command};

fn main() {
    println!("cargo:rerun-if-env-changed=GALE_LIB_DIR");
    println!("cargo:rerun-if-env-changed=PKG_CONFIG_PATH");
    let dir = env::var("GALE_LIB_DIR").unwrap_or_else(|_| pkg_config());
    if !dir.is_empty() {
        println!("cargo:rustc-link-search=native={dir}");
        // So that the program finds the shared library there when it runs.
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{dir}");
    }
    println!("cargo:rustc-link-lib=gale");
}

/// As pkg-config writes it: a backslash before what a shell would take for its own.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let kept = if character == '\\' {
            characters.next()
        } else {
            Some(character)
        };
        plain.extend(kept);
    }
    plain
}

fn pkg_config() -> String {
    let found = Command::new("pkg-config")
        .args(["--variable=libdir", "gale"])
        .output();
    match found {
        Ok(out) if out.status.success() => unescape(String::from_utf8_lossy(&out.stdout).trim()),
        _ => {
            eprintln!("libgale not found: set GALE_LIB_DIR, or install it and pkg-config");
            exit(1)
        }
    }
}
