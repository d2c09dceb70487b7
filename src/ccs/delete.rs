//! The Delete (r3 5.13.5, 7.7.4.8b; readings R27, R31).

use super::Setting;
use super::authentication::open_list;
use super::key_exchange::required;
use crate::dialect::{Exchange, PayloadType};
use crate::keys::Protection;
use crate::sa::SecurityAssociation;
use crate::sense::Refusal;
use crate::wire::{Delete, Expected, Field, WireErrorKind};

/// Checks a Delete of the association whose SAIs its header names; the association is not touched.
pub(crate) fn plan(
    setting: &Setting,
    sa: &SecurityAssociation,
    list: &mut [u8],
    transfer_length: usize,
) -> Result<(), Refusal> {
    let parameters = &sa.parameters;
    let management = &parameters.mgmt_data;
    let expected = Expected {
        exchange: Exchange::DeleteOut,
        ac_sai: Some(parameters.ac_sai),
        ds_sai: Some(parameters.ds_sai),
        message_id: management.next_message_id,
        total: transfer_length,
    };
    let protection = Protection::of_delete(setting.profile, &setting.provider, management);
    let protection = protection.map_err(|_| Refusal::Internal)?;
    let opened = open_list(setting, &protection, list, &expected)?;
    let list: &[u8] = list;
    let log = setting.logger(parameters.ac_sai, parameters.ds_sai);
    log.record("delete_plaintext", list.get(opened.encrypted.text.clone()).unwrap_or(&[]));
    let raw = required(&opened.inner(setting, list), PayloadType::Delete)?;
    let delete: Delete = raw.body(setting.profile)?;
    if delete.ac_sai != parameters.ac_sai {
        return Err(raw.error(Delete::AC_SAI_AT, Field::DeletedSai, WireErrorKind::Invalid).into());
    }
    Ok(())
}
