//! How far a device server is, drawn on a terminal, and told in lines elsewhere.

use std::io::Write;
use std::time::Duration;

use ikev2_scsi::Dialect;
use ikev2_scsi::client::{Command, Step};

use crate::exchange::{Reason, Watch};
use crate::sense::{Named, percent};
use crate::transport::{Executed, status};

/// Characters of a bar.
const BAR: u8 = 24;
/// Without a terminal, a line for so many more per cent.
const STEP: u8 = 10;
/// Whoever waits for less does not notice.
const UNNOTICED: Duration = Duration::from_millis(150);

/// Shows whoever waits what is waited for.
#[derive(Debug)]
pub struct Progress<W> {
    out: W,
    is_terminal: bool,
    is_verbose: bool,
    dialect: Dialect,
    /// Something is drawn that is to be wiped.
    is_drawn: bool,
    /// What the last line told.
    told: Option<(Step, Option<u8>)>,
}

impl<W: Write> Progress<W> {
    /// Draws to a terminal, or writes lines to something else. `is_verbose` tells every command.
    pub const fn new(out: W, is_terminal: bool, is_verbose: bool, dialect: Dialect) -> Self {
        Self { out, is_terminal, is_verbose, dialect, is_drawn: false, told: None }
    }

    /// What is waited for, in words.
    fn cause(&self, reason: Reason) -> String {
        match reason {
            Reason::Busy(code) => status::name(code).to_owned(),
            Reason::PutOff(sense) => {
                let named = Named { sense, dialect: Some(self.dialect) };
                named.asc_name().unwrap_or_else(|| named.to_string())
            }
        }
    }

    // Whoever cannot be shown anything still gets the association: errors of writing are passed over here.
    fn draw(&mut self, step: Step, reason: Reason, done: Option<u8>) {
        let cause = self.cause(reason);
        let _ = match done {
            Some(done) => {
                let full = u16::from(done).saturating_mul(u16::from(BAR)) / 100;
                let full = usize::from(full);
                let empty = usize::from(BAR).saturating_sub(full);
                let (full, empty) = ("#".repeat(full), ".".repeat(empty));
                write!(self.out, "\r\x1b[K[{full}{empty}] {done:>2} %  {step}: {cause}")
            }
            None => write!(self.out, "\r\x1b[K{step}: {cause}"),
        };
        let _ = self.out.flush();
        self.is_drawn = true;
    }

    fn tell(&mut self, step: Step, reason: Reason, done: Option<u8>) {
        let is_new = match (self.told, done) {
            (Some((told, Some(before))), Some(done)) if told == step => done >= before.saturating_add(STEP),
            (Some((told, before)), done) => told != step || before.is_some() != done.is_some(),
            (None, _) => true,
        };
        if !is_new {
            return;
        }
        self.told = Some((step, done));
        let done = done.map_or(String::new(), |done| format!(", {done} % done"));
        let cause = self.cause(reason);
        let _ = writeln!(self.out, "{step}: waiting: {cause}{done}");
    }
}

impl<W: Write> Watch for Progress<W> {
    fn answered(&mut self, step: Step, command: &Command, executed: &Executed, took: Duration) {
        if self.is_verbose {
            self.waited();
            let (out, back) = (command.data_out.len(), executed.data_in.len());
            let name = status::name(executed.status);
            let micros = took.as_micros();
            let _ = writeln!(self.out, "{step}: {name}, {out} bytes out, {back} bytes in, {micros} us");
        }
    }

    fn waiting(&mut self, step: Step, reason: Reason, waited: Duration) {
        if waited < UNNOTICED {
            return;
        }
        let done = match reason {
            Reason::PutOff(sense) => sense.progress().map(percent),
            Reason::Busy(_) => None,
        };
        if self.is_terminal { self.draw(step, reason, done) } else { self.tell(step, reason, done) }
    }

    fn waited(&mut self) {
        self.told = None;
        if std::mem::take(&mut self.is_drawn) {
            let _ = write!(self.out, "\r\x1b[K");
            let _ = self.out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_unit::not_ready;
    use ikev2_scsi::client::DeviceSense;

    fn at(progress: u16) -> Reason {
        Reason::PutOff(DeviceSense::parse(&not_ready(progress).sense).unwrap())
    }

    fn shown(is_terminal: bool, reasons: &[Reason]) -> String {
        let mut progress = Progress::new(Vec::new(), is_terminal, false, Dialect::R3);
        for reason in reasons {
            progress.waiting(Step::KeyExchangeIn, *reason, UNNOTICED);
        }
        progress.waited();
        String::from_utf8(progress.out).unwrap()
    }

    #[test]
    fn a_bar_on_a_terminal() {
        let name = "key exchange IN: LOGICAL UNIT NOT READY, OPERATION IN PROGRESS";
        let half = "[############............] 50 %";
        assert_eq!(
            shown(true, &[at(0), at(0x8000)]),
            format!("\r\x1b[K[........................]  0 %  {name}\r\x1b[K{half}  {name}\r\x1b[K")
        );
        assert_eq!(shown(true, &[Reason::Busy(8)]), "\r\x1b[Kkey exchange IN: BUSY\r\x1b[K");
        // Nothing was waited for, or not for long: nothing is written.
        assert_eq!(shown(true, &[]), "");
        let mut progress = Progress::new(Vec::new(), true, false, Dialect::R3);
        progress.waiting(Step::Delete, at(0), Duration::from_millis(149));
        progress.waited();
        assert!(progress.out.is_empty());
    }

    #[test]
    fn few_lines_elsewhere() {
        let name = "key exchange IN: waiting: LOGICAL UNIT NOT READY, OPERATION IN PROGRESS";
        // 1, 2, 12, 13, 50 per cent.
        let reasons = [at(0x0300), at(0x0600), at(0x1F00), at(0x2200), at(0x8000)];
        let expected = format!("{name}, 1 % done\n{name}, 12 % done\n{name}, 50 % done\n");
        assert_eq!(shown(false, &reasons), expected);
        assert_eq!(shown(false, &[Reason::Busy(8), Reason::Busy(8)]), "key exchange IN: waiting: BUSY\n");
    }
}
