//! Everything that a device server knows, as bytes to be compared. Each struct is taken apart without `..`: a new field does
//! not compile before it is told here.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

use crate::capabilities::{AuthMethods, Offer};
use crate::ccs::authentication::Claim;
use crate::ccs::job::Owner;
use crate::ccs::{Calculation, Ccs, Policy, Proved, Sequence, Setting, Stage};
use crate::crypto::{CryptoProvider, Identity};
use crate::dialect::Profile;
use crate::keys::{KeySet, MgmtData, SaParameters};
use crate::sa::SecurityAssociation;
use crate::server::results::HeldWork;
use crate::server::{DeviceServer, Limits, NexusId, RunningJob, Slot};

/// What commands may change, by name; and what they may not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshot {
    pub(super) state: BTreeMap<String, Vec<u8>>,
    fixed: Fixed,
}

#[derive(Debug, Clone, PartialEq)]
struct Fixed {
    policy: Policy,
    offer: Offer,
    methods: AuthMethods,
    identity: Identity,
    limits: Limits,
    protocols: Vec<u8>,
    owner: Owner,
    profile: Profile,
    /// Where the provider's lists, the credentials and the key log are.
    others: [Option<*const ()>; 7],
}

struct State {
    map: BTreeMap<String, Vec<u8>>,
    prefix: String,
}

impl State {
    fn bytes(&mut self, name: &str, value: &[u8]) {
        let before = self.map.insert(format!("{}{name}", self.prefix), value.to_vec());
        assert!(before.is_none(), "{name} twice");
    }

    fn debug(&mut self, name: &str, value: &dyn Debug) {
        self.bytes(name, format!("{value:?}").as_bytes());
    }
}

/// What the names of a nexus's state begin with.
pub(super) fn prefix(nexus: NexusId) -> String {
    format!("nexus {} ", nexus.0)
}

impl Snapshot {
    pub(super) fn of(server: &DeviceServer) -> Self {
        let DeviceServer {
            setting,
            protocols,
            unread_offer,
            now,
            slots,
            sas,
            pending,
            next_job,
            owner,
            events,
            reporter,
            denied,
            admission,
            calendar,
        } = server;
        let mut state = State { map: BTreeMap::new(), prefix: String::new() };
        state.debug("now", now);
        state.debug("unread capabilities", unread_offer);
        state.debug("jobs", &pending.jobs());
        state.debug("next job", next_job);
        state.debug("events", events);
        state.debug("calendar", calendar);
        state.debug("denied", denied);
        state.debug("reporter", &reporter.is_some());
        state.debug("admission", &admission.as_ref().map(|admission| core::ptr::from_ref(&**admission).cast::<()>()));
        // Its secrets are not printed, and follow.
        state.debug("associations", sas);
        for sa in sas.iter() {
            state.prefix = format!("association {:?} ", sa.id());
            association(&mut state, sa);
        }
        for (id, nexus, command) in pending.wanted() {
            state.prefix = format!("wanted {id:?} ");
            state.debug("nexus", &nexus);
            if let Some(command) = command {
                held_command(&mut state, command);
            }
        }
        for (nexus, slot) in slots.iter() {
            state.prefix = prefix(nexus);
            state.debug("protocol timeout", &slots.timeout(nexus));
            nexus_state(&mut state, slot);
        }
        Self { state: state.map, fixed: Fixed::of(setting, protocols, owner) }
    }
}

impl Fixed {
    fn of(setting: &Setting, protocols: &[u8], owner: &Owner) -> Self {
        let Setting { profile, provider, policy, limits, offer, methods, identity, credentials, key_log } = setting;
        let CryptoProvider { ciphers, prfs, integrity, groups, verifiers } = provider;
        let log = key_log.as_ref().map(|log| core::ptr::from_ref(&**log).cast::<()>());
        let lists = [ciphers.as_ptr().cast(), prfs.as_ptr().cast(), integrity.as_ptr().cast(), groups.as_ptr().cast()];
        let [ciphers, prfs, integrity, groups] = lists.map(Some);
        let verifiers = Some(verifiers.as_ptr().cast());
        let credentials = Some(credentials.own.as_ptr().cast());
        Self {
            policy: policy.clone(),
            offer: offer.clone(),
            methods: *methods,
            identity: identity.clone(),
            limits: *limits,
            protocols: protocols.to_vec(),
            owner: *owner,
            profile: *profile,
            others: [ciphers, prfs, integrity, groups, verifiers, credentials, log],
        }
    }
}

fn nexus_state(state: &mut State, slot: &Slot) {
    let Slot { ccs, running, met_deadline } = slot;
    state.debug("running", &running.map(|RunningJob { id, since }| (id, since)));
    state.debug("met deadline", met_deadline);
    state.debug("phase", &ccs.phase());
    let Ccs { sequence: begun, calculation, stage } = ccs;
    sequence(state, begun);
    match calculation {
        Calculation::Running => state.bytes("calculation", b"running"),
        Calculation::Failed(work) => {
            state.debug("calculation", &work);
            state.bytes("private, shared and keys", work.secrets());
        }
        Calculation::Done(done) => keys(state, done),
    }
    match stage {
        Stage::KeyExchangeOut | Stage::KeyExchangeIn => {}
        Stage::AuthenticationOut(Proved { client, initial_contact, own }) => {
            state.debug("client", client);
            state.debug("initial contact", initial_contact);
            state.debug("own", own);
        }
        Stage::Complete { is_unauthenticated } => state.debug("is unauthenticated", is_unauthenticated),
    }
}

fn sequence(state: &mut State, sequence: &Sequence) {
    let Sequence { ac_sai, ds_sai, timeouts, selection, usage, messages, answer_at, .. } = sequence;
    let Sequence { ac_nonce, ds_nonce, ac_public, ds_public, retained, failures, .. } = sequence;
    state.debug("SAIs", &(ac_sai, ds_sai));
    state.debug("timeouts", timeouts);
    state.debug("selection", selection);
    state.debug("usage", usage);
    state.bytes("messages", messages);
    state.debug("places", &(answer_at, ac_nonce, ds_nonce, ac_public, ds_public));
    state.debug("retained", retained);
    state.bytes("failures", &[*failures]);
}

fn keys(state: &mut State, keys: &KeySet) {
    let all = [
        ("d", keys.sk_d()),
        ("ai", keys.sk_ai()),
        ("ar", keys.sk_ar()),
        ("ei", keys.sk_ei()),
        ("er", keys.sk_er()),
        ("pi", keys.sk_pi()),
        ("pr", keys.sk_pr()),
    ];
    for (name, key) in all {
        state.bytes(&format!("SK_{name}"), key);
    }
}

/// The secrets, which `Debug` leaves out; the other fields are taken apart to see that they are none.
fn association(state: &mut State, sa: &SecurityAssociation) {
    let SecurityAssociation { parameters, application_client: _ } = sa;
    let SaParameters {
        ac_sai: _,
        ds_sai: _,
        timeout: _,
        ac_sqn: _,
        ds_sqn: _,
        kdf_id: _,
        usage_type: _,
        usage_algorithms: _,
        mgmt_data: MgmtData { encr: _, key_length: _, integ: _, next_message_id: _ },
        block: _,
    } = parameters;
    let all = [
        ("SK_ei", parameters.sk_ei()),
        ("SK_ai", parameters.sk_ai()),
        ("SK_er", parameters.sk_er()),
        ("SK_ar", parameters.sk_ar()),
        ("KEY_SEED", parameters.key_seed()),
        ("KEYMAT", parameters.keymat()),
        ("AC_NONCE", parameters.ac_nonce()),
        ("DS_NONCE", parameters.ds_nonce()),
        ("USAGE_DATA", parameters.usage_data()),
    ];
    for (name, bytes) in all {
        state.bytes(name, bytes);
    }
}

/// An answer that is being made cannot be looked into; nothing can change it either.
fn held_command(state: &mut State, command: &HeldWork) {
    match command {
        HeldWork::AuthenticationOut(claim) => {
            let Claim { client, initial_contact, own, usage, at } = claim;
            state.debug("claim", &(client, initial_contact, own, usage, at));
        }
        HeldWork::AuthenticationIn { answer: _, allocation_length } => {
            state.debug("allocation length", allocation_length);
        }
    }
}
