//! From a CDB to its handler (r3 6.29, 6.30, Tables A0, A1, D1; readings R24-R26, R35, R36; SPC-4 6.40, 6.41, 7.7.2, 7.7.3,
//! readings S2, S7, S9).

use super::results::{HeldResult, HeldWork};
use super::{DataIn, DeviceServer, DropReason, EventKind, NexusId, RemovalReason, Reply, Request, Slot};
use crate::ccs::job::Work;
use crate::ccs::table::{Phase, Step, Verdict, decide};
use crate::ccs::{Calculation, Ccs, HAS_OFFLOAD, Stage, authentication, delete, key_exchange};
use crate::crypto::Random;
use crate::dialect::{ErrorClasses, HAS_SPC4, Profile};
use crate::keys::{OwnAuthWork, PeerCheckWork, PrfOutput};
use crate::memory;
use crate::sa::SaId;
use crate::sense::{Limit, Refusal};
use crate::wire::{
    CapabilityFormats, Cdb, CertificateData, Direction, Field, Header, Sai, WireError, WireErrorKind, protocol,
    specific,
};

/// Data-Out of a command, cut to the CDB's TRANSFER LENGTH.
struct DataOut<'a> {
    list: &'a mut [u8],
    transfer_length: usize,
}

impl DataOut<'_> {
    /// The header's SAIs, if the list is long enough to hold them.
    fn sais(&self, profile: Profile) -> Option<SaId> {
        let (ac_sai, rest) = self.list.split_first_chunk()?;
        let (ds_sai, _) = rest.split_first_chunk()?;
        let sai = |field: &[u8; 8]| Sai(u64::from_be_bytes(*field) & profile.rules().sai_mask);
        Some(SaId { ac_sai: sai(ac_sai), ds_sai: sai(ds_sai) })
    }
}

fn invalid_cdb(byte: usize, field: Field) -> Refusal {
    Refusal::Cdb(WireError::new(byte, field, WireErrorKind::Invalid))
}

impl DeviceServer {
    pub(super) fn dispatch(
        &mut self,
        nexus: NexusId,
        request: Request<'_>,
        random: &mut dyn Random,
    ) -> Result<Reply, Refusal> {
        let cdb = Cdb::parse(request.cdb).map_err(Refusal::Cdb)?;
        if let Err(refusal) = self.check_cdb(&cdb) {
            return Err(self.invalid_field(nexus, &cdb, refusal));
        }
        match cdb.direction {
            Direction::In => {
                let allocation_length = usize::try_from(cdb.length).unwrap_or(usize::MAX);
                let data_in = DataIn { buffer: request.data_in, allocation_length };
                self.command_in(nexus, &cdb, data_in, random)
            }
            Direction::Out => {
                let transfer_length = usize::try_from(cdb.length).unwrap_or(usize::MAX);
                let received = request.data_out.len().min(transfer_length);
                let list = request.data_out.get_mut(..received).unwrap_or(&mut []);
                let data_out = DataOut { list, transfer_length };
                match cdb.specific {
                    specific::KEY_EXCHANGE => self.key_exchange_out(nexus, &data_out, random),
                    specific::AUTHENTICATION => self.authentication_out(nexus, data_out).map_err(|r| self.unable(r)),
                    _ => self.delete(nexus, data_out),
                }
            }
        }
    }

    /// What no command may have in its CDB.
    fn check_cdb(&self, cdb: &Cdb) -> Result<(), Refusal> {
        let known = match (cdb.direction, cdb.protocol) {
            (Direction::In, protocol::INFORMATION) => {
                &[specific::SUPPORTED_LIST, specific::CERTIFICATE_DATA] as &[u16]
            }
            (Direction::In, protocol::SA_CREATION_CAPABILITIES) if self.setting.profile.rules().lists_formats => {
                &[specific::CAPABILITY_FORMATS, specific::CAPABILITIES]
            }
            (Direction::In, protocol::SA_CREATION_CAPABILITIES) => &[specific::CAPABILITIES],
            (Direction::In, protocol::IKEV2_SCSI) => &[specific::KEY_EXCHANGE, specific::AUTHENTICATION],
            (Direction::Out, protocol::IKEV2_SCSI) => {
                &[specific::KEY_EXCHANGE, specific::AUTHENTICATION, specific::DELETE]
            }
            _ => return Err(invalid_cdb(1, Field::SecurityProtocol)),
        };
        if !memory::is_among(&cdb.specific, known) {
            return Err(invalid_cdb(2, Field::SecurityProtocolSpecific));
        }
        if cdb.inc_512 {
            let fault = WireError::at_bit(4, 7, Field::Inc512, WireErrorKind::Invalid);
            return Err(Refusal::Cdb(fault));
        }
        if cdb.direction == Direction::Out && cdb.length > self.setting.limits.parameter_list {
            return Err(invalid_cdb(6, Field::TransferLength));
        }
        Ok(())
    }

    /// What a command of protocol 41h with a wrong field in its CDB is told: the table's word.
    fn invalid_field(&self, nexus: NexusId, cdb: &Cdb, refusal: Refusal) -> Refusal {
        let is_ours = cdb.protocol == protocol::IKEV2_SCSI;
        match self.admit(nexus, Step::InvalidField) {
            Err(busy @ Refusal::OperationInProgress { .. }) if is_ours => busy,
            _ => refusal,
        }
    }

    fn command_in(
        &mut self,
        nexus: NexusId,
        cdb: &Cdb,
        mut data_in: DataIn<'_>,
        random: &mut dyn Random,
    ) -> Result<Reply, Refusal> {
        match (cdb.protocol, cdb.specific) {
            (protocol::INFORMATION, specific::SUPPORTED_LIST) => Ok(data_in.put(&self.protocols)),
            (protocol::INFORMATION, _) => Ok(data_in.put(CertificateData::NONE)),
            (protocol::SA_CREATION_CAPABILITIES, specific::CAPABILITY_FORMATS) => {
                Ok(data_in.put(CapabilityFormats::OF_IKEV2_SCSI))
            }
            (protocol::SA_CREATION_CAPABILITIES, _) => self.capabilities(nexus, data_in),
            (_, specific::KEY_EXCHANGE) => self.key_exchange_in(nexus, data_in),
            _ => self.authentication_in(nexus, data_in, random),
        }
    }

    /// Returns the capabilities. Changed ones take effect once they have been returned whole, where the dialect says so, and the
    /// other nexuses are to be told (SPC-4 5.14.4.5).
    fn capabilities(&mut self, nexus: NexusId, mut data_in: DataIn<'_>) -> Result<Reply, Refusal> {
        let mut put = |bytes: &[u8]| (data_in.put(bytes), bytes.len());
        let (reply, length) = match self.unread_offer.as_ref().filter(|_| HAS_SPC4) {
            Some(unread) => put(unread.parameter_data()),
            None => put(self.offer_to(nexus)?.parameter_data()),
        };
        self.tell(Some(nexus), EventKind::CapabilitiesRead);
        if reply == (Reply::Good { len: length })
            && HAS_SPC4
            && let Some(read) = self.unread_offer.take()
        {
            self.setting.offer = read;
            self.tell(Some(nexus), EventKind::CapabilitiesChanged);
        }
        Ok(reply)
    }

    /// Asks the table; a command that may be processed still waits for the sequence's running calculation.
    fn admit(&self, nexus: NexusId, step: Step) -> Result<Admitted<'_>, Refusal> {
        let slot = self.slots.get(nexus);
        let phase = slot.map_or(Phase::Idle, |slot| slot.ccs.phase());
        let is_delete = matches!(step, Step::Delete | Step::ForeignDelete);
        match decide(self.setting.profile.dialect, phase, step) {
            Verdict::Process => match slot.and_then(Slot::running) {
                Some(job) if !is_delete => Err(self.calculating(job)),
                _ => Ok(Admitted::Process),
            },
            Verdict::Repeat => {
                let kept = slot.and_then(|slot| slot.ccs.kept_data_in());
                kept.map(Admitted::Repeat).ok_or(Refusal::Internal)
            }
            Verdict::InProgress => {
                let (done, of) = slot.map_or((0, 1), |slot| slot.ccs.progress());
                Err(Refusal::OperationInProgress { done, of })
            }
            Verdict::InvalidSequence => Err(Refusal::InvalidSequence { is_delete }),
            Verdict::InvalidValue => Err(Refusal::List(WireError::new(0, Field::AcSai, WireErrorKind::Invalid))),
            Verdict::NoneAnywhere => Err(match self.slots.running_beside(nexus) {
                Some(other) => {
                    let (done, of) = other.progress();
                    Refusal::OperationInProgress { done, of }
                }
                None => Refusal::InvalidSequence { is_delete },
            }),
            Verdict::NoSequence => Err(Refusal::NoSequence),
            Verdict::InvalidField => Err(invalid_cdb(2, Field::SecurityProtocolSpecific)),
        }
    }

    #[inline(never)]
    fn key_exchange_out(
        &mut self,
        nexus: NexusId,
        data_out: &DataOut<'_>,
        random: &mut dyn Random,
    ) -> Result<Reply, Refusal> {
        self.admit(nexus, Step::KeyExchangeOut)?;
        if HAS_SPC4 && self.setting.policy.one_sequence && self.slots.running_beside(nexus).is_some() {
            return Err(Refusal::Conflict);
        }
        self.check_room(nexus)?;
        self.slots.reserve()?;
        if self.setting.policy.offloads() {
            self.pending.reserve()?;
        }
        let is_taken = |sai| self.is_taken(sai);
        let offer = self.offer_to(nexus)?;
        let (list, transfer_length) = (&*data_out.list, data_out.transfer_length);
        let plan = key_exchange::plan(&self.setting, &offer, list, transfer_length, random, is_taken)?;
        drop(offer);
        let (sequence, calculation, running) = if self.setting.policy.offloads() {
            let (sequence, work) = plan.into_work()?;
            let job = self.queue_job(nexus, Work::KeyExchange(work), None)?;
            (sequence, Calculation::Running, Some(job))
        } else {
            let (sequence, keys) = plan.calculate(&self.setting)?;
            (sequence, Calculation::Done(keys), None)
        };
        let (id, timeout) = (sequence.id(), sequence.timeouts.protocol);
        let ccs = Ccs { sequence, calculation, stage: Stage::KeyExchangeOut };
        let timeout = self.now.after_seconds(timeout);
        self.slots.insert(nexus, Slot { ccs, running, met_deadline: None }, timeout)?;
        self.tell(Some(nexus), EventKind::SequenceStarted { id });
        Ok(Reply::Good { len: 0 })
    }

    /// Room for one more sequence and for the association that it makes (reading R40).
    fn check_room(&self, nexus: NexusId) -> Result<(), Refusal> {
        let (slots, running) = self.slots.beside(nexus);
        let sas = self.sas.len().saturating_add(running);
        let jobs = match self.setting.policy.offloads() {
            true => self.pending.queued().max(self.pending.held()),
            false => 0,
        };
        let limits = &self.setting.limits;
        let bounds = [
            (slots, limits.nexuses, Limit::Nexuses),
            (running, limits.sequences, Limit::Sequences),
            (sas, limits.sas, Limit::Sas),
            (jobs, limits.jobs, Limit::Jobs),
        ];
        match bounds.into_iter().find(|(kept, bound, _)| kept >= bound) {
            Some((.., limit)) => Err(Refusal::InsufficientResources { limit }),
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn key_exchange_in(&mut self, nexus: NexusId, mut data_in: DataIn<'_>) -> Result<Reply, Refusal> {
        if let Admitted::Repeat(kept) = self.admit(nexus, Step::KeyExchangeIn)? {
            return Ok(data_in.put(kept));
        }
        let Some(Slot { ccs: Ccs { sequence, calculation, stage: Stage::KeyExchangeOut }, .. }) = self.slots.get(nexus)
        else {
            return Err(Refusal::Internal);
        };
        let keys = match calculation {
            Calculation::Done(keys) => keys,
            Calculation::Failed(_) if HAS_OFFLOAD => return Err(self.try_again(nexus)),
            Calculation::Failed(_) | Calculation::Running => return Err(Refusal::Internal),
        };
        let timeout = self.now.after_seconds(sequence.timeouts.protocol);
        let reply = data_in.put(sequence.key_exchange_in());
        if sequence.selection.is_unauthenticated() {
            let parameters = sequence.parameters(self.setting.profile, keys)?;
            self.sas.reserve()?;
            self.slots.advance(nexus, |ccs| ccs.complete(true));
            self.create_sa(nexus, parameters, None)?;
        } else {
            self.slots.advance(nexus, |ccs| ccs.stage = Stage::KeyExchangeIn);
        }
        self.slots.set_timeout(nexus, timeout);
        Ok(reply)
    }

    /// The calculation of the keys has failed: it begins again, and the next key exchange IN finds its result.
    fn try_again(&mut self, nexus: NexusId) -> Refusal {
        if let Err(no_memory) = self.pending.reserve() {
            return no_memory.into();
        }
        let calculation = self.slots.get_mut(nexus).and_then(|slot| match &mut slot.ccs {
            Ccs { calculation, stage: Stage::KeyExchangeOut, .. } => {
                Some(core::mem::replace(calculation, Calculation::Running))
            }
            _ => None,
        });
        if let Some(Calculation::Failed(work)) = calculation {
            let job = self.queue_job(nexus, Work::KeyExchange(work), None);
            if let (Some(slot), Ok(job)) = (self.slots.get_mut(nexus), job) {
                slot.running = Some(job);
            }
        }
        Refusal::Internal
    }

    #[inline(never)]
    fn authentication_out(&mut self, nexus: NexusId, data_out: DataOut<'_>) -> Result<Reply, Refusal> {
        let sequence = self.slots.get(nexus).and_then(|slot| slot.ccs.sequence());
        let ours = sequence.map(|sequence| SaId { ac_sai: sequence.ac_sai, ds_sai: sequence.ds_sai });
        // A list too short to name a sequence is short of its header, which is what it is told (reading R36).
        let is_foreign =
            data_out.sais(self.setting.profile).is_some_and(|named| ours.is_some_and(|ours| ours != named));
        let step = if is_foreign { Step::ForeignAuthenticationOut } else { Step::AuthenticationOut };
        self.admit(nexus, step)?;
        let Some(Ccs { sequence, calculation: Calculation::Done(keys), stage: Stage::KeyExchangeIn }) =
            self.slots.get(nexus).map(|slot| &slot.ccs)
        else {
            return Err(Refusal::Internal);
        };
        let (setting, offer) = (&self.setting, self.offer_to(nexus)?);
        let mut code = PrfOutput::room(sequence.selection.suite.prf.output_length())?;
        let DataOut { list, transfer_length } = data_out;
        let asserted = authentication::plan_out(setting, &offer, sequence, keys, list, transfer_length)?;
        if let Some(why) = authentication::deny(setting, &offer, sequence, &asserted) {
            let (at, client) = (asserted.at(), asserted.claimant()?);
            drop(offer);
            return Err(self.deny(at, client, why));
        }
        asserted.write_code(sequence, keys, code.expose_mut())?;
        let claim = asserted.claim()?;
        let check = asserted.check(setting, &offer, sequence, code.expose(), self.unix_time());
        if setting.policy.offloads() {
            let work = PeerCheckWork::new(&check, &setting.credentials.judges)?;
            drop(offer);
            return self.hold(nexus, HeldWork::AuthenticationOut(claim), Work::Verify(work));
        }
        let result = check.run();
        drop(offer);
        Ok(self.finish_at_once(nexus, HeldWork::AuthenticationOut(claim), HeldResult::Verify(result), &mut []))
    }

    #[inline(never)]
    fn authentication_in(
        &mut self,
        nexus: NexusId,
        mut data_in: DataIn<'_>,
        random: &mut dyn Random,
    ) -> Result<Reply, Refusal> {
        if let Admitted::Repeat(kept) = self.admit(nexus, Step::AuthenticationIn)? {
            return Ok(data_in.put(kept));
        }
        let Some(Ccs { sequence, calculation: Calculation::Done(keys), stage: Stage::AuthenticationOut(proved) }) =
            self.slots.get(nexus).map(|slot| &slot.ccs)
        else {
            return Err(Refusal::Internal);
        };
        let (setting, offer, own) = (&self.setting, self.offer_to(nexus)?, proved.own.ok_or(Refusal::Internal)?);
        let mut code = PrfOutput::room(sequence.selection.suite.prf.output_length())?;
        let mut answer = authentication::plan_in(setting, sequence, keys, own, random, code.expose_mut())?;
        let work = authentication::own_auth(setting, &offer, sequence, own, code.expose())?;
        let DataIn { buffer, allocation_length } = data_in;
        if setting.policy.offloads() {
            let work = OwnAuthWork::new(&work)?;
            drop(offer);
            return self.hold(nexus, HeldWork::AuthenticationIn { answer, allocation_length }, Work::Sign(work));
        }
        let result = work.run(answer.auth_mut());
        drop(offer);
        let held = HeldWork::AuthenticationIn { answer, allocation_length };
        Ok(self.finish_at_once(nexus, held, HeldResult::Signed(result), buffer))
    }

    #[inline(never)]
    fn delete(&mut self, nexus: NexusId, data_out: DataOut<'_>) -> Result<Reply, Refusal> {
        let named = data_out.sais(self.setting.profile);
        if self.setting.profile.rules().delete_ends_sequences && named.is_none_or(|named| self.sas.get(named).is_none())
        {
            return self.delete_sequence(nexus, named, data_out);
        }
        let sa = named.and_then(|named| self.sas.get(named));
        let step = if sa.is_some() { Step::Delete } else { Step::ForeignDelete };
        self.admit(nexus, step).map_err(|refusal| point_into_list(refusal, data_out.list.len()))?;
        let sa = sa.ok_or(Refusal::Internal)?;
        let id = sa.id();
        delete::plan(&self.setting, sa, data_out.list, data_out.transfer_length)?;
        self.sas.remove(id);
        if self.setting.profile.rules().delete_ends_sequences {
            self.forget_kept(id);
        }
        self.tell(Some(nexus), EventKind::SaRemoved { id, why: RemovalReason::Delete });
        Ok(Reply::Good { len: 0 })
    }

    /// A Delete that names no live association: of the nexus's running sequence, or of nothing (SPC-4 5.14.4.10, 7.7.3.4).
    fn delete_sequence(
        &mut self,
        nexus: NexusId,
        named: Option<SaId>,
        data_out: DataOut<'_>,
    ) -> Result<Reply, Refusal> {
        let profile = self.setting.profile;
        if data_out.list.len() < Header::LEN {
            let fault = WireError::new(0, Field::Length, WireErrorKind::NoHeader);
            return Err(Refusal::Rejected(fault));
        }
        let ccs = self.slots.get(nexus).map(|slot| &slot.ccs);
        let sequence = ccs.and_then(Ccs::sequence);
        let Some(sequence) = sequence else {
            let fault = WireError::new(profile.rules().sai_offset, Field::AcSai, WireErrorKind::Invalid);
            return Err(Refusal::NothingToDelete(fault));
        };
        let wrong_sai = |at: usize, field| {
            let fault = WireError::new(at.saturating_add(profile.rules().sai_offset), field, WireErrorKind::Invalid);
            Err(Refusal::Rejected(fault))
        };
        match ccs {
            _ if named.is_none_or(|named| named.ac_sai != sequence.ac_sai) => wrong_sai(0, Field::AcSai),
            _ if named.is_none_or(|named| named.ds_sai != sequence.ds_sai) => wrong_sai(8, Field::DsSai),
            Some(Ccs {
                sequence,
                calculation: Calculation::Done(keys),
                stage: Stage::KeyExchangeIn | Stage::AuthenticationOut(_),
            }) => {
                delete::plan_of_sequence(&self.setting, sequence, keys, data_out.list, data_out.transfer_length)?;
                self.drop_sequence(nexus, DropReason::Delete);
                Ok(Reply::Good { len: 0 })
            }
            // Before the key exchange IN the application client has no keys, so that it cannot have sent this.
            _ => wrong_sai(8, Field::DsSai),
        }
    }

    /// What is kept for repetition goes with the association (reading S9).
    fn forget_kept(&mut self, id: SaId) {
        if let Some(nexus) = self.slots.made(id) {
            self.drop_sequence(nexus, DropReason::Delete);
        }
    }

    /// An authentication OUT that we cannot judge is aborted, in a dialect that has it so (SPC-4 5.14.4.7.2).
    pub(super) fn unable(&self, refusal: Refusal) -> Refusal {
        match (self.setting.profile.rules().classes, refusal) {
            (ErrorClasses::Two, Refusal::Internal) => Refusal::Unable,
            (_, other) => other,
        }
    }
}

/// What the table lets happen.
enum Admitted<'a> {
    Process,
    Repeat(&'a [u8]),
}

/// A Delete is judged by SAIs that a list under 28 bytes does not have: then the fault is that length (reading R36), and
/// with nothing in progress the pointer of a list without a first byte is that of the other commands (reading R39).
fn point_into_list(refusal: Refusal, length: usize) -> Refusal {
    match refusal {
        Refusal::List(error) if length < Header::LEN => {
            Refusal::List(WireError { kind: WireErrorKind::NoHeader, ..error })
        }
        Refusal::InvalidSequence { .. } if length == 0 => Refusal::InvalidSequence { is_delete: false },
        other => other,
    }
}
