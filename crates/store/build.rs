//! Migrations are embedded by a macro that the compiler cannot see through: a changed file must rebuild the crate.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
