//! Candidates timed beside each other.
//!
//! A machine drifts: its clock, its neighbours, its caches. So candidates that are compared run in turn, a batch of some milliseconds
//! each, round after round in one process, by the CPU time of the thread. A time is the median of the rounds; a ratio is the median of
//! the rounds' ratios, whose two batches ran one after the other.

pub mod harness;
