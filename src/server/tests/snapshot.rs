//! Everything that a device server knows, as bytes to be compared. Each struct is taken apart without `..`: a new field does
//! not compile before it is told here.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Debug;

use crate::capabilities::{AuthMethods, Offer};
use crate::ccs::authentication::Claim;
use crate::ccs::job::{KeyExchangeWork, Owner};
use crate::ccs::{Calculation, Ccs, Keyed, Policy, Sequence, Setting};
use crate::crypto::{CryptoProvider, Identity};
use crate::dialect::Profile;
use crate::keys::{KeySet, MgmtData, SaParameters};
use crate::sa::SecurityAssociation;
use crate::server::jobs::HeldWork;
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
            report_refusals,
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
        state.debug("report refusals", report_refusals);
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
        let credentials = Some(core::ptr::from_ref(&**credentials).cast());
        Self {
            policy: policy.clone(),
            offer: offer.clone(),
            methods: *methods,
            identity: identity.clone(),
            limits: *limits,
            protocols: protocols.to_vec(),
            owner: owner.clone(),
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
    match ccs {
        Ccs::KeyExchangeOut { sequence: begun, calculation } => {
            sequence(state, begun);
            match calculation {
                Calculation::Running => state.bytes("calculation", b"running"),
                Calculation::Failed(KeyExchangeWork { group, private, peer }) => {
                    state.debug("calculation", group);
                    state.bytes("private", private.expose());
                    state.bytes("peer", peer);
                }
                Calculation::Done(done) => keyed(state, done),
            }
        }
        Ccs::KeyExchangeIn { sequence: begun, keyed: done } => {
            sequence(state, begun);
            keyed(state, done);
        }
        Ccs::AuthenticationOut { sequence: begun, keyed: done, client, initial_contact, wishes } => {
            sequence(state, begun);
            keyed(state, done);
            state.debug("client", client);
            state.debug("initial contact", initial_contact);
            state.debug("wishes", wishes);
        }
        Ccs::Complete { id, kept, is_unauthenticated } => {
            state.debug("association", id);
            state.bytes("kept", kept);
            state.debug("is unauthenticated", is_unauthenticated);
        }
    }
}

fn sequence(state: &mut State, sequence: &Sequence) {
    let Sequence { ac_sai, ds_sai, timeouts, selection, usage, echo, ac_nonce, ds_nonce, message, retained, failures } =
        sequence;
    state.debug("SAIs", &(ac_sai, ds_sai));
    state.debug("timeouts", timeouts);
    state.debug("selection", selection);
    state.debug("usage", usage);
    state.debug("echo", echo);
    state.bytes("AC_NONCE", ac_nonce);
    state.bytes("DS_NONCE", ds_nonce);
    state.bytes("message", message);
    state.debug("retained", retained);
    state.bytes("failures", &[*failures]);
}

fn keyed(state: &mut State, keyed: &Keyed) {
    let Keyed { keys: KeySet { sk_d, sk_ai, sk_ar, sk_ei, sk_er, sk_pi, sk_pr }, key_exchange_in } = keyed;
    let keys = [("d", sk_d), ("ai", sk_ai), ("ar", sk_ar), ("ei", sk_ei), ("er", sk_er), ("pi", sk_pi), ("pr", sk_pr)];
    for (name, key) in keys {
        state.bytes(&format!("SK_{name}"), key.expose());
    }
    state.bytes("key exchange IN", key_exchange_in);
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
        ac_nonce: _,
        ds_nonce: _,
        key_seed,
        kdf_id: _,
        keymat,
        usage_type: _,
        usage_algorithms: _,
        usage_data: _,
        mgmt_data: MgmtData { encr: _, key_length: _, integ: _, sk_ei, sk_ai, sk_er, sk_ar, next_message_id: _ },
    } = parameters;
    let management = [("SK_ei", sk_ei), ("SK_ai", sk_ai), ("SK_er", sk_er), ("SK_ar", sk_ar)];
    for (name, key) in [("KEY_SEED", key_seed), ("KEYMAT", keymat)].into_iter().chain(management) {
        state.bytes(name, key.expose());
    }
}

/// An answer that is being made cannot be looked into; nothing can change it either.
fn held_command(state: &mut State, command: &HeldWork) {
    match command {
        HeldWork::AuthenticationOut(claim) => {
            let Claim { client, initial_contact, wishes, usage, at } = claim;
            state.debug("claim", &(client, initial_contact, wishes, usage, at));
        }
        HeldWork::AuthenticationIn { answer: _, allocation_length } => {
            state.debug("allocation length", allocation_length);
        }
    }
}
