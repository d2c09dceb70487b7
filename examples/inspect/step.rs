//! One command, wherever it was recorded, as text.

use std::net::SocketAddr;

use ikev2_scsi::client::DeviceSense;
use ikev2_scsi::wire::Cdb;

use super::dissect::{Dissector, hex_lines, indented};

/// A command and how it ended.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) name: Option<String>,
    pub(crate) nexus: Option<String>,
    pub(crate) place: Option<String>,
    pub(crate) cdb: Vec<u8>,
    pub(crate) data_out: Vec<u8>,
    pub(crate) data_in: Vec<u8>,
    pub(crate) status: Option<u8>,
    pub(crate) sense: Vec<u8>,
    /// What is to be said besides.
    pub(crate) notes: Vec<String>,
    /// The initiator's and the target's addresses.
    pub(crate) ends: Option<(SocketAddr, SocketAddr)>,
    /// Nanoseconds after the beginning.
    pub(crate) time: u64,
}

impl Step {
    /// The command, from the end of its title's number on.
    pub(crate) fn text(&self, dissector: &Dissector<'_>) -> String {
        let cdb = Cdb::parse(&self.cdb);
        let mut lines = vec![dissector.parsed(cdb, &self.cdb)];
        for (data, name) in [(&self.data_out, "Data-Out"), (&self.data_in, "Data-In")] {
            if data.is_empty() {
                continue;
            }
            lines.push(format!("{name}: {} bytes", data.len()));
            lines.push(indented(&cdb.map_or_else(|_| hex_lines(data), |cdb| dissector.parameter_data(&cdb, data))));
        }
        if let Some(status) = self.status {
            let sense =
                DeviceSense::parse(&self.sense).map_or_else(|| hex_lines(&self.sense), |sense| sense.to_string());
            lines.push(match status {
                0 => "Status: GOOD".into(),
                2 => format!("Status: CHECK CONDITION: {sense}"),
                other => format!("Status: {other:02X}h"),
            });
        }
        lines.extend(self.notes.iter().map(|note| format!("Note: {note}")));
        let name = self.name.as_ref().map_or(String::new(), |name| format!(": {}", name.escape_debug()));
        let nexus = self.nexus.as_ref().map_or(String::new(), |nexus| format!(", I_T nexus {}", nexus.escape_debug()));
        let place = self.place.as_ref().map_or(String::new(), |place| format!(", {place}"));
        format!("{name}{nexus}{place}\n{}", lines.join("\n"))
    }

    /// Data-Out or Data-In, whichever the command has.
    pub(crate) fn data(&self) -> &[u8] {
        if self.data_out.is_empty() { &self.data_in } else { &self.data_out }
    }
}
