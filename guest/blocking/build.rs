//! Keeps the version of the imports. The programs of the tests and examples use this script too.

fn main() {
    // A file that every package with this script has. Cargo runs a changed script in any case.
    println!("cargo::rerun-if-changed=Cargo.toml");
    // The linker knows WASI 0.2.6 and would raise the imports to it. Hosts with an earlier version would refuse them.
    println!("cargo::rustc-link-arg=--merge-imports-based-on-semver=false");
}
