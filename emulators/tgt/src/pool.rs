//! Threads that run jobs, and the eventfd by which tgtd's event loop hears that one is done.
//!
//! The threads are all logical units' together. They inherit tgtd's signal mask, as they must: tgtd reads one signal from a
//! descriptor, and a thread that did not block it would die of it.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ikev2_scsi::ccs::job::{Job, JobDone, JobId};
use rustix::event::{EventfdFlags, eventfd};

/// A logical unit as its jobs know it: its address, and a number that none had before at that address.
pub(crate) type Owner = (usize, u64);

/// What came of a job.
pub(crate) enum Outcome {
    Done(JobDone),
    /// It panicked: a fault of ours, and no reason to let the command wait for ever.
    Panicked(JobId),
}

/// Worker threads.
pub(crate) struct Pool {
    jobs: Sender<(Owner, Job)>,
    done: Sender<(Owner, Outcome)>,
    results: Receiver<(Owner, Outcome)>,
    bell: Arc<OwnedFd>,
}

impl Pool {
    /// Starts threads, one at least.
    pub(crate) fn start(threads: usize) -> io::Result<Self> {
        let (jobs, to_do) = channel::<(Owner, Job)>();
        let (done, results) = channel();
        let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        let to_do = Arc::new(Mutex::new(to_do));
        for number in 0..threads.max(1) {
            let (to_do, done, bell) = (Arc::clone(&to_do), done.clone(), Arc::clone(&bell));
            let work = move || {
                loop {
                    // The lock is held while waiting and not while working.
                    let next = to_do.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((owner, job)) = next else { break };
                    if done.send((owner, run(job))).is_err() {
                        break;
                    }
                    ring(&bell);
                }
            };
            thread::Builder::new().name(format!("ikev2scsi {number}")).spawn(work)?;
        }
        Ok(Self { jobs, done, results, bell })
    }

    /// The eventfd, readable when there are results.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.bell.as_raw_fd()
    }

    /// Has a job run. Where nobody can, it fails, and that is its result.
    pub(crate) fn submit(&self, owner: Owner, job: Job) {
        if let Err(refused) = self.jobs.send((owner, job)) {
            let (owner, job) = refused.0;
            // The receiver is ours.
            let _ = self.done.send((owner, Outcome::Done(job.fail())));
            ring(&self.bell);
        }
    }

    /// Silences the bell. Results that come later ring it again.
    pub(crate) fn heard(&self) {
        // An error says that it did not ring.
        let _ = rustix::io::read(&*self.bell, &mut [0; 8]);
    }

    /// The next result that is there.
    pub(crate) fn result(&self) -> Option<(Owner, Outcome)> {
        self.results.try_recv().ok()
    }
}

fn run(job: Job) -> Outcome {
    let id = job.id();
    catch_unwind(AssertUnwindSafe(|| job.run())).map_or(Outcome::Panicked(id), Outcome::Done)
}

fn ring(bell: &OwnedFd) {
    // The counter cannot be full: it takes 2^64 - 2 rings.
    let _ = rustix::io::write(bell, &1_u64.to_ne_bytes());
}
