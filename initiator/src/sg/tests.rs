//! The transport over a layer of ioctls that is told what to answer, and over devices that are not SCSI.

use std::sync::{Arc, Mutex};

use super::*;

/// What a command said.
type Sent = (Vec<u8>, Vec<u8>, usize, u32);

/// Answers one command, and tells what it was.
#[derive(Debug)]
struct Fake {
    ended: Option<io::Result<Ended>>,
    fill: u8,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl SgIo for Fake {
    fn sg_io(&mut self, command: &mut SgCommand<'_>) -> io::Result<Ended> {
        let sent = (command.cdb.to_vec(), command.data_out.to_vec(), command.data_in.len(), command.milliseconds);
        self.sent.lock().unwrap().push(sent);
        command.data_in.fill(self.fill);
        self.ended.take().unwrap()
    }

    fn version(&mut self) -> io::Result<i32> {
        Ok(OLDEST)
    }
}

fn run(ended: io::Result<Ended>, data_out: &[u8], data_in: &mut [u8]) -> (Result<Answer, TransportError>, Sent) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let fake = Fake { ended: Some(ended), fill: 0xA5, sent: Arc::clone(&sent) };
    let mut sg = Sg { device: Box::new(fake), timeout: Duration::from_millis(2500) };
    let answer = sg.execute(&[0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0, 8, 0, 0], data_out, data_in);
    let sent = sent.lock().unwrap().pop().unwrap();
    (answer, sent)
}

const SENSE_DATA: [u8; 8] = [0x72, 0x05, 0x24, 0x00, 0, 0, 0, 0];

#[test]
fn data_in_without_the_residual() {
    let mut room = [0; 8];
    let (answer, sent) = run(Ok(Ended { resid: 3, ..Ended::default() }), &[], &mut room);
    assert_eq!(answer.unwrap(), Answer { status: 0, data_in_len: 5, sense: vec![] });
    assert_eq!(sent, (vec![0xA2, 0x40, 1, 1, 0, 0, 0, 0, 0, 8, 0, 0], vec![], 8, 2500));
    assert_eq!(room, [0xA5; 8]);
    for (resid, length) in [(0, 8), (8, 0), (9, 0), (-4, 8), (i32::MIN, 8)] {
        let (answer, _) = run(Ok(Ended { resid, ..Ended::default() }), &[], &mut [0; 8]);
        assert_eq!(answer.unwrap().data_in_len, length, "{resid}");
    }
}

#[test]
fn data_out() {
    let (answer, sent) = run(Ok(Ended::default()), &[1, 2, 3], &mut []);
    assert_eq!(answer.unwrap(), Answer { status: 0, data_in_len: 0, sense: vec![] });
    assert_eq!((sent.1, sent.2), (vec![1, 2, 3], 0));
}

#[test]
fn sense_data() {
    let sense = SENSE_DATA.to_vec();
    let expected = Answer { status: 2, data_in_len: 0, sense: sense.clone() };
    for (status, driver_status) in [(2, 0x08), (2, 0), (0, 0x08), (2, 0x28)] {
        let ended = Ended { status, driver_status, sense: sense.clone(), ..Ended::default() };
        assert_eq!(run(Ok(ended), &[], &mut [0; 8]).0.unwrap(), expected);
    }
    // DRIVER_SENSE without any is nothing more than a status.
    let ended = Ended { status: 0, driver_status: 8, ..Ended::default() };
    assert_eq!(run(Ok(ended), &[], &mut [0; 8]).0.unwrap().status, 0);
    let busy = Ended { status: 8, ..Ended::default() };
    assert_eq!(run(Ok(busy), &[], &mut []).0.unwrap().status, status::BUSY);
}

#[test]
fn what_a_driver_says_instead_of_a_status() {
    let ended = |host_status, driver_status| Ended { host_status, driver_status, ..Ended::default() };
    let error = |ended| run(ended, &[], &mut [0; 8]).0.unwrap_err().to_string();
    assert_eq!(error(Ok(ended(3, 0))), "no answer within 2 s");
    assert_eq!(error(Ok(ended(0, 6))), "no answer within 2 s");
    assert_eq!(error(Ok(ended(1, 0))), "the I_T nexus was lost: the device is gone");
    assert_eq!(error(Ok(ended(8, 0))), "the I_T nexus was lost: the device was reset");
    assert_eq!(error(Ok(ended(7, 0))), "the transport ended the command: host status 07h, driver 00h");
    let refused = error(Err(io::Error::from(io::ErrorKind::PermissionDenied)));
    assert_eq!(refused, "SG_IO: permission denied");
    assert_eq!(
        error(Err(io::Error::from(io::ErrorKind::InvalidInput))),
        "8 bytes are more than this transport carries with one command"
    );
}

#[test]
fn no_scsi_devices() {
    let open = |path: &str| Sg::open(Path::new(path), Duration::from_secs(1)).unwrap_err().to_string();
    let error = open("/dev/null");
    assert!(error.starts_with("no way to /dev/null: no SCSI device: Inappropriate ioctl"), "{error}");
    let error = open("/dev/there-is-no-such-device");
    assert!(error.starts_with("no way to /dev/there-is-no-such-device: No such file"), "{error}");
}

#[test]
fn the_nexus_is_the_systems() {
    let fake = Fake { ended: None, fill: 0, sent: Arc::default() };
    let mut sg = Sg { device: Box::new(fake), timeout: Duration::from_secs(1) };
    assert!(matches!(sg.renew_nexus(), Err(TransportError::Unsupported(_))));
    assert!(matches!(sg.second_nexus(), Err(TransportError::Unsupported(_))));
}
