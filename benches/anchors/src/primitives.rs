pub(crate) fn run(_: crate::harness::Effort) {}
