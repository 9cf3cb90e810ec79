//! The command line.

fn main() -> std::process::ExitCode {
    keyside::cli::main()
}
