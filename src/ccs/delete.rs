//! The Delete (r3 5.13.5, 7.7.4.8b; readings R27, R31; SPC-4 5.14.4.11, 7.7.3.5.10, reading S7).

use super::authentication::open_list;
use super::key_exchange::required;
use super::{Sequence, Setting};
use crate::dialect::{Exchange, PayloadType};
use crate::keys::{KeySet, Protection};
use crate::sa::{SaId, SecurityAssociation};
use crate::sense::Refusal;
use crate::wire::{Delete, Expected, Field, WireErrorKind};

/// Checks a Delete of the association whose SAIs its header names; the association is not touched.
pub(crate) fn plan(
    setting: &Setting,
    sa: &SecurityAssociation,
    list: &mut [u8],
    transfer_length: usize,
) -> Result<(), Refusal> {
    let protection = Protection::of_delete(setting.profile, &setting.provider, &sa.parameters);
    let protection = protection.map_err(|_| Refusal::Internal)?;
    let expected = expected(sa.id(), sa.parameters.mgmt_data.next_message_id, transfer_length);
    check(setting, sa.id(), &protection, list, &expected).map_err(|refusal| match refusal {
        // A check value that is not the association's belongs to nothing that could be deleted (reading S7).
        Refusal::Rejected(error) if error.field == Field::IntegrityChecksumData => Refusal::NothingToDelete(error),
        other => other,
    })
}

/// Checks a Delete of the nexus's running sequence, whose SAIs its header names (SPC-4 5.14.4.10); the sequence is not touched.
pub(crate) fn plan_of_sequence(
    setting: &Setting,
    sequence: &Sequence,
    keys: &KeySet,
    list: &mut [u8],
    transfer_length: usize,
) -> Result<(), Refusal> {
    let id = SaId { ac_sai: sequence.ac_sai, ds_sai: sequence.ds_sai };
    let protection = Protection::new(&sequence.selection.suite, keys.sk_ei(), keys.sk_ai());
    // Where a sequence can be deleted, the dialect fixes every MESSAGE ID.
    check(setting, id, &protection, list, &expected(id, 2, transfer_length))
}

const fn expected(id: SaId, message_id: u32, total: usize) -> Expected {
    let SaId { ac_sai, ds_sai } = id;
    Expected { exchange: Exchange::DeleteOut, ac_sai: Some(ac_sai), ds_sai: Some(ds_sai), message_id, total }
}

fn check(
    setting: &Setting,
    id: SaId,
    protection: &Protection<'_>,
    list: &mut [u8],
    expected: &Expected,
) -> Result<(), Refusal> {
    let opened = open_list(setting, protection, list, expected)?;
    let list: &[u8] = list;
    let log = setting.logger(id.ac_sai, id.ds_sai);
    log.record("delete_plaintext", list.get(opened.encrypted.text.clone()).unwrap_or(&[]));
    let raw = required(&opened.inner(setting, list), PayloadType::Delete)?;
    let delete: Delete = raw.body(setting.profile)?;
    let sai_offset = setting.profile.rules().sai_offset;
    let wrong = |at: usize, field| Err(raw.error(at.wrapping_add(sai_offset), field, WireErrorKind::Invalid).into());
    match delete.ds_sai {
        None if delete.ac_sai != id.ac_sai => wrong(Delete::AC_SAI_AT, Field::DeletedSai),
        Some(_) if delete.ac_sai != id.ac_sai => wrong(Delete::AC_SAI_AT, Field::DeletedAcSai),
        Some(ds_sai) if ds_sai != id.ds_sai => wrong(Delete::DS_SAI_AT, Field::DeletedDsSai),
        _ => Ok(()),
    }
}
