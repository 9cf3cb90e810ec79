//! The command-line program.

fn main() -> std::process::ExitCode {
    keyside::cli::main()
}
