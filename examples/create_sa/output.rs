//! Standard output that may be closed early, as by `| head`, and how a program ends.

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Why the program ends early.
pub(crate) enum Failure {
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// It did not succeed: exit code 1.
    Failed(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Standard output, line by line.
#[derive(Default)]
pub(crate) struct Output {
    is_closed: bool,
}

impl Output {
    /// Writes the text and ends its last line. Nobody reading on is no failure: the rest is not written.
    pub(crate) fn lines(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_closed {
            return Ok(());
        }
        match writeln!(io::stdout(), "{text}") {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.is_closed = true,
            Err(error) => return Err(format!("standard output: {error}").into()),
            Ok(()) => {}
        }
        Ok(())
    }
}

/// The exit code, after one line on standard error where there was a failure.
pub(crate) fn end(program: &str, result: Result<(), Failure>) -> ExitCode {
    let (line, code) = match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Usage(why)) => (format!("{program}: {why}; --help tells what there is"), 2),
        Err(Failure::Failed(error)) => (format!("{program}: {error}"), 1),
    };
    // Where not even standard error can be written, the exit code must do.
    let _unwritten = writeln!(io::stderr(), "{line}");
    ExitCode::from(code)
}
