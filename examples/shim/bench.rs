//! Lines in, lines out: the operations of the test bench.

use std::collections::BTreeSet;

use ikev2_scsi::sense::Sense;
use ikev2_scsi::server::EventKind;
use serde_json::{Value, json};

use super::association;
use super::hex;
use super::member::{Fault, Member};
use super::provisioning::{self, Provisioning};
use super::unit::{Answer, Unit};

/// The bench: no logical unit before the first provisioning.
#[derive(Default)]
pub(crate) struct Bench {
    unit: Option<Unit>,
    /// The nexuses that have been named.
    nexuses: BTreeSet<String>,
    /// Those with a unit attention condition (SPC-4 5.14.4.5).
    attentions: BTreeSet<String>,
}

impl Bench {
    /// The answer to one line, whatever is on it.
    pub(crate) fn answer(&mut self, line: &[u8]) -> Value {
        self.obey(line).unwrap_or_else(|Fault(why)| json!({ "error": why }))
    }

    fn obey(&mut self, line: &[u8]) -> Result<Value, Fault> {
        let value: Value = serde_json::from_slice(line).map_err(|error| Fault(format!("no JSON: {error}")))?;
        let request = Member::root(&value)?;
        let operation: String = request.get("op").need()?;
        match operation.as_str() {
            "provision" => self.provision(&request),
            "out" => self.command(&request, true),
            "in" => self.command(&request, false),
            "tick" => {
                let milliseconds = request.get("ms").need()?;
                self.unit()?.advance(milliseconds);
                Ok(json!({ "status": 0 }))
            }
            "event" => self.event(&request),
            "request_sense" => {
                let nexus: String = request.get("nexus").need()?;
                let has_attention = self.attentions.remove(&nexus);
                let unit = self.unit()?;
                let (nexus, now) = (unit.nexus(&nexus), unit.now());
                let sense = unit.server.request_sense(nexus, now);
                // A unit attention condition comes before everything else.
                let sense = if has_attention { Sense::CAPABILITIES_CHANGED } else { sense };
                Ok(json!({ "status": 0, "data": hex::encode(unit.format(&sense).as_ref()) }))
            }
            "sas" => {
                let sas = self.unit()?.server.sas().iter();
                let sas: Vec<Value> = sas.map(|sa| association::to_json(&sa.parameters)).collect();
                Ok(json!({ "status": 0, "sas": sas }))
            }
            _ => Ok(json!({ "unsupported": true })),
        }
    }

    fn unit(&mut self) -> Result<&mut Unit, Fault> {
        self.unit.as_mut().ok_or_else(|| Fault("nothing is provisioned yet".into()))
    }

    /// A refused provisioning leaves no unit behind: the old one is forgotten first.
    fn provision(&mut self, request: &Member<'_>) -> Result<Value, Fault> {
        *self = Self::default();
        let member = request.get("provisioning").object()?.present()?;
        let provisioning = Provisioning::read(&member)?;
        let unit = Unit::new(&provisioning, |builder| builder);
        self.unit = Some(unit.map_err(|error| member.fault(&format!("is refused: {error}")))?);
        Ok(json!({ "status": 0 }))
    }

    fn command(&mut self, request: &Member<'_>, is_out: bool) -> Result<Value, Fault> {
        let nexus: String = request.get("nexus").need()?;
        let cdb: Vec<u8> = request.get("cdb").need()?;
        let data_out: Vec<u8> = if is_out { request.get("data").need()? } else { Vec::new() };
        let has_attention = self.attentions.remove(&nexus);
        let unit = self.unit()?;
        let answer = match has_attention {
            true => Answer { data: Vec::new(), sense: Some(Sense::CAPABILITIES_CHANGED) },
            false => unit.execute(&nexus, &cdb, &data_out),
        };
        let mut events = core::iter::from_fn(|| unit.server.poll_event());
        let has_changed = events.any(|event| event.kind == EventKind::CapabilitiesChanged);
        let sense = answer.sense.map(|sense| hex::encode(unit.format(&sense).as_ref()));
        let data = hex::encode(&answer.data);
        if has_changed {
            self.attentions.extend(self.nexuses.iter().filter(|other| **other != nexus).cloned());
        }
        self.nexuses.insert(nexus);
        Ok(json!({ "status": answer.status(), "data": data, "sense": sense.unwrap_or_default() }))
    }

    fn event(&mut self, request: &Member<'_>) -> Result<Value, Fault> {
        let kind: String = request.get("kind").need()?;
        match kind.as_str() {
            "nexus_loss" => {
                let nexus: String = request.get("nexus").need()?;
                let unit = self.unit()?;
                let number = unit.nexus(&nexus);
                unit.server.nexus_lost(number);
                self.attentions.remove(&nexus);
                self.nexuses.remove(&nexus);
            }
            "lu_reset" | "hard_reset" | "power_on" => self.unit()?.server.reset(),
            "capabilities" => {
                let member = request.get("value").present()?;
                let descriptors = provisioning::descriptors(&member)?;
                let server = &mut self.unit()?.server;
                server.set_capabilities(&descriptors).map_err(|error| member.fault(&format!("is refused: {error}")))?;
            }
            _ => return Ok(json!({ "unsupported": true })),
        }
        Ok(json!({ "status": 0 }))
    }
}
