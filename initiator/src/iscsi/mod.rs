//! iSCSI, by libiscsi.
//!
//! One [`Iscsi`] is one session, and so one I_T nexus: a connection that breaks is not made again behind the caller's back,
//! since a device server forgets what it was doing for a nexus that is gone. Sessions of one process have different ISIDs,
//! so that they are different nexuses for the target; a session that is renewed keeps its own.
//!
//! What lives here: sessions, timeouts, statuses. What does not: the protocol iSCSI, which is libiscsi's. libiscsi answers a
//! target's pings only while a command is out.

mod ffi;

use std::collections::hash_map::RandomState;
use std::ffi::CString;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ikev2_scsi::client::DeviceSense;
use ikev2_scsi::crypto::Secret;
use zeroize::Zeroizing;

use crate::open::Options;
use crate::target::{Chap, IscsiTarget};
use crate::transport::{Answer, Transport, TransportError, status};
use ffi::{Completed, Context, Failure};

/// How often a login may be sent elsewhere.
const REDIRECTIONS: usize = 3;
/// How many unit attentions a new I_T nexus may begin with.
const UNIT_ATTENTIONS: usize = 8;
/// How long a logout may take when nobody waits for it.
const LOGOUT: Duration = Duration::from_secs(2);

const UNIT_ATTENTION: u8 = 6;
/// LOGICAL UNIT NOT SUPPORTED.
const NO_LOGICAL_UNIT: u8 = 0x25;

/// A session with an iSCSI target, for one logical unit.
#[derive(Debug)]
pub struct Iscsi {
    target: Arc<IscsiTarget>,
    options: Options,
    lun: u16,
    qualifier: u16,
    /// None after the nexus was lost.
    context: Option<Context>,
}

impl Iscsi {
    /// Logs in, and reads the unit attentions away with which a new I_T nexus begins.
    ///
    /// Without CHAP in the target, `LIBISCSI_CHAP_USERNAME` and `LIBISCSI_CHAP_PASSWORD` are asked, and besides them
    /// `LIBISCSI_CHAP_TARGET_USERNAME` and `LIBISCSI_CHAP_TARGET_PASSWORD`, where other programs on libiscsi have them from
    /// as well.
    ///
    /// # Errors
    /// [`TransportError::Connect`]; [`TransportError::TimedOut`].
    pub fn open(mut target: IscsiTarget, options: Options) -> Result<Self, TransportError> {
        let from = |user, password| {
            let user = std::env::var(user).ok().filter(|user| !user.is_empty())?;
            let password = Zeroizing::new(std::env::var(password).ok()?);
            Some(Chap { user, password: Secret::copy_of(password.as_bytes()) })
        };
        if target.chap.is_none() {
            target.chap = from("LIBISCSI_CHAP_USERNAME", "LIBISCSI_CHAP_PASSWORD");
        }
        if target.chap.is_some() && target.target_chap.is_none() {
            target.target_chap = from("LIBISCSI_CHAP_TARGET_USERNAME", "LIBISCSI_CHAP_TARGET_PASSWORD");
        }
        Self::begin(Arc::new(target), options)
    }

    fn begin(target: Arc<IscsiTarget>, options: Options) -> Result<Self, TransportError> {
        static SESSIONS: AtomicU16 = AtomicU16::new(0);
        let lun = target.lun.first_level().ok_or_else(|| {
            connect(&target, format!("libiscsi reaches logical units of one level only, and not {}", target.lun))
        })?;
        let qualifier = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let mut session = Self { target, options, lun, qualifier, context: None };
        session.log_in()?;
        Ok(session)
    }

    fn log_in(&mut self) -> Result<(), TransportError> {
        let mut portal = self.target.portal();
        for _ in 0..=REDIRECTIONS {
            let context = self.context()?;
            let timeout = self.options.timeout;
            let begun = context.connect(&c_string(&portal)?, timeout).and_then(|()| context.login(timeout));
            match begun {
                Ok(()) => {
                    self.context = Some(context);
                    return self.read_unit_attentions();
                }
                Err(Failure::Redirected(elsewhere)) => portal = elsewhere,
                Err(Failure::TimedOut) => {
                    let reason = format!("no answer within {} s", timeout.as_secs());
                    return Err(connect(&self.target, reason));
                }
                Err(Failure::Failed(reason)) => return Err(connect(&self.target, reason)),
            }
        }
        Err(connect(&self.target, format!("sent elsewhere more than {REDIRECTIONS} times")))
    }

    /// A context with everything that does not come from the target.
    fn context(&self) -> Result<Context, TransportError> {
        let target = &self.target;
        let refused = |what: &str| connect(target, format!("libiscsi does not take {what}"));
        let context = Context::new(&c_string(&self.options.initiator_name)?).ok_or(refused("our name"))?;
        let has = |taken: bool, what| if taken { Ok(()) } else { Err(refused(what)) };
        has(context.set_target_name(&c_string(&target.name)?), "the target's name")?;
        has(context.set_isid(random(), self.qualifier), "an ISID")?;
        if target.header_digest {
            has(context.set_header_digest(), "header digests")?;
        }
        if let Some(Chap { user, password }) = &target.chap {
            has(context.set_chap(&c_string(user)?, &secret_c_string(password)?), "the name and password")?;
        }
        if let Some(Chap { user, password }) = &target.target_chap {
            let password = secret_c_string(password)?;
            has(context.set_target_chap(&c_string(user)?, &password), "the target's name and password")?;
        }
        Ok(context)
    }

    /// TEST UNIT READY until there is no unit attention; a logical unit that is not there is told now.
    fn read_unit_attentions(&mut self) -> Result<(), TransportError> {
        for _ in 0..UNIT_ATTENTIONS {
            let answer = self.execute(&[0; 6], &[], &mut [])?;
            let sense = DeviceSense::parse(&answer.sense).filter(|_| answer.status == status::CHECK_CONDITION);
            match sense {
                Some(sense) if sense.asc.code == NO_LOGICAL_UNIT => {
                    self.context = None;
                    let lun = self.target.lun.number().map_or(self.target.lun.to_string(), |lun| lun.to_string());
                    return Err(connect(&self.target, format!("the target has no logical unit {lun}")));
                }
                Some(sense) if sense.key == UNIT_ATTENTION => {}
                _ => break,
            }
        }
        Ok(())
    }

    /// What becomes of a failure of a command: the session is over.
    fn lost(&mut self, failure: Failure) -> TransportError {
        self.context = None;
        match failure {
            Failure::TimedOut => {
                TransportError::TimedOut { seconds: u32::try_from(self.options.timeout.as_secs()).unwrap_or(u32::MAX) }
            }
            Failure::Redirected(elsewhere) => TransportError::Lost(format!("the target moved to {elsewhere}")),
            Failure::Failed(reason) if reason.is_empty() => TransportError::Lost("the connection broke".into()),
            Failure::Failed(reason) => TransportError::Lost(reason),
        }
    }
}

impl Transport for Iscsi {
    fn execute(&mut self, cdb: &[u8], data_out: &[u8], data_in: &mut [u8]) -> Result<Answer, TransportError> {
        let context = self.context.as_ref().ok_or_else(|| TransportError::Lost("there is no session".into()))?;
        let ended = context.command(self.lun, cdb, data_out, data_in.len(), self.options.timeout);
        let Completed { status, data, missing } = ended.map_err(|failure| self.lost(failure))?;
        if status == status::CHECK_CONDITION {
            return Ok(Answer { status, data_in_len: 0, sense: sense_of(&data) });
        }
        let transferred = data.len().min(data_in.len());
        data_in.iter_mut().zip(&data).for_each(|(to, from)| *to = *from);
        let told = data_in.len().saturating_sub(missing);
        if status == status::GOOD && told != transferred && data_out.is_empty() {
            let reason = format!("the target tells of {told} bytes of Data-In, and sent {transferred}");
            return Err(TransportError::Ended(reason));
        }
        Ok(Answer { status, data_in_len: transferred, sense: Vec::new() })
    }

    fn renew_nexus(&mut self) -> Result<(), TransportError> {
        if let Some(context) = self.context.take() {
            // Where the logout fails, the nexus ends with the connection.
            let _ = context.logout(self.options.timeout);
        }
        self.log_in()
    }

    fn second_nexus(&mut self) -> Result<Box<dyn Transport>, TransportError> {
        let second = Self::begin(Arc::clone(&self.target), self.options.clone())?;
        Ok(Box::new(second))
    }
}

impl Drop for Iscsi {
    fn drop(&mut self) {
        if let Some(context) = self.context.take() {
            // The target notices either way.
            let _ = context.logout(LOGOUT.min(self.options.timeout));
        }
    }
}

fn connect(target: &IscsiTarget, reason: String) -> TransportError {
    TransportError::Connect { target: target.to_string(), reason }
}

fn c_string(text: &str) -> Result<CString, TransportError> {
    CString::new(text).map_err(|_| TransportError::Unsupported("take a name with a zero byte in it"))
}

/// A string that ends with a zero and is wiped.
fn secret_c_string(secret: &Secret) -> Result<Zeroizing<CString>, TransportError> {
    // With room for the zero: a vector that has to grow leaves a copy behind.
    let mut bytes = Vec::with_capacity(secret.len().saturating_add(1));
    bytes.extend_from_slice(secret.expose());
    let text =
        CString::new(bytes).map_err(|_| TransportError::Unsupported("take a password with a zero byte in it"))?;
    Ok(Zeroizing::new(text))
}

/// The 24 bits that all ISIDs of this process have in common.
fn random() -> u32 {
    static RANDOM: OnceLock<u32> = OnceLock::new();
    *RANDOM.get_or_init(|| {
        let number = RandomState::new().hash_one(std::process::id());
        u32::try_from(number & 0x00FF_FFFF).unwrap_or(0)
    })
}

/// Sense data without the two bytes that tell their length, as iSCSI has it (RFC 3720 10.4.7.2).
fn sense_of(data: &[u8]) -> Vec<u8> {
    let Some((length, sense)) = data.split_first_chunk() else { return Vec::new() };
    let length = usize::from(u16::from_be_bytes(*length));
    sense.get(..length).unwrap_or(sense).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sense_data_has_its_length_before_it() {
        assert_eq!(sense_of(&[0, 3, 0x72, 5, 0x24, 0]), [0x72, 5, 0x24]);
        assert_eq!(sense_of(&[0, 9, 0x72, 5]), [0x72, 5]);
        assert_eq!(sense_of(&[0]), [0; 0]);
        assert_eq!(sense_of(&[0, 0]), [0; 0]);
    }

    fn target(text: &str) -> IscsiTarget {
        match text.parse() {
            Ok(crate::target::Target::Iscsi(target)) => target,
            other => panic!("{other:?}"),
        }
    }

    /// A port of loopback at which nobody is, and one that never answers.
    #[test]
    fn nobody_there_and_nobody_answering() {
        let options = Options { timeout: Duration::from_secs(1), ..Options::default() };
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let to = |port| target(&format!("iscsi://127.0.0.1:{port}/iqn.2007-04.org.example:t/1"));
        let error = Iscsi::open(to(port), options.clone()).unwrap_err().to_string();
        assert!(error.ends_with("/1: no answer within 1 s"), "{error}");
        drop(silent);
        let error = Iscsi::open(to(port), options).unwrap_err();
        assert!(
            matches!(&error, TransportError::Connect { target, .. } if target.contains(&port.to_string())),
            "{error}"
        );
    }

    #[test]
    fn logical_units_of_two_levels_are_out_of_reach() {
        let two = target("iscsi:127.0.0.1:::1-2:iqn.2007-04.org.example:t");
        let error = Iscsi::open(two, Options::default()).unwrap_err().to_string();
        assert!(error.contains("one level only, and not 0001-0002-0000-0000"), "{error}");
    }
}
