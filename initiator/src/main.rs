//! `ikev2-scsi-initiator`: see `--help`.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use ikev2_scsi_initiator::cli::{Surroundings, run};
use ikev2_scsi_initiator::open;

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let err_is_terminal = err.is_terminal();
    let open = &mut |target, options: &_| open(target, options);
    let around = &mut Surroundings { out: &mut out, err: &mut err, err_is_terminal, open };
    ExitCode::from(run(std::env::args().skip(1), around))
}
