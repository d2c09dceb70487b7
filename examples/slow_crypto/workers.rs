//! A pool of threads that run jobs. It knows nothing of the device server: a job owns all that it needs.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use ikev2_scsi::ccs::job::{Job, JobDone};

pub(crate) struct Workers {
    jobs: Sender<Job>,
    results: Receiver<JobDone>,
}

impl Workers {
    pub(crate) fn start(threads: u8) -> io::Result<Self> {
        let (jobs, to_do) = channel::<Job>();
        let (done, results) = channel();
        let to_do = Arc::new(Mutex::new(to_do));
        for number in 0..threads {
            let (to_do, done) = (Arc::clone(&to_do), done.clone());
            let work = move || {
                loop {
                    // The lock is held while waiting and not while working.
                    let Ok(job) = to_do.lock().unwrap_or_else(PoisonError::into_inner).recv() else { break };
                    if done.send(job.run()).is_err() {
                        break;
                    }
                }
            };
            thread::Builder::new().name(format!("worker {number}")).spawn(work)?;
        }
        Ok(Self { jobs, results })
    }

    pub(crate) fn run(&self, job: Job) -> Result<(), &'static str> {
        self.jobs.send(job).map_err(|_| "the workers are gone")
    }

    /// The results that are there; waits for the first one for a while.
    pub(crate) fn results(&self, patience: Duration) -> Vec<JobDone> {
        match self.results.recv_timeout(patience) {
            Ok(first) => [first].into_iter().chain(self.results.try_iter()).collect(),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Vec::new(),
        }
    }
}
