//! Code generation and tidy checks: `cargo xtask <verb>`.

mod codegen;
mod repo;
mod sweep;
mod tidy;

use std::process::ExitCode;

use repo::Repo;

const HELP: &str = "\
cargo xtask codegen           write what is generated: TypeScript types, constants, reference pages
cargo xtask codegen --check   fail when what is committed is not what would be written
cargo xtask tidy              check the rules of this repository that no compiler knows
cargo xtask sweep             run simulated meetings over many seeds and list those that fail
    --scenario X --seeds 1000 --from N    of one scenario, so many, from that one on
    --scenario X --seed N --trace         one seed, closely
    --units N                             the rooms spread over so many units
    --list                                what scenarios there are
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let repo = Repo::of_this_program();
    let result = match arguments.as_slice() {
        ["codegen"] => codegen::write(&repo),
        ["codegen", "--check"] => codegen::check(&repo),
        ["tidy"] => tidy::run(&repo),
        ["sweep", rest @ ..] => sweep::run(&repo, rest),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(anyhow::anyhow!("not a verb of xtask\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
