//! Bounds on what a device server takes and keeps (r3 7.7.6.2; readings R23, R36, R40).

/// Bounds on what a device server takes and keeps. At a bound the command is refused, a `LimitReached` event tells which bound
/// it was, and nobody else's sequence or association is touched (reading R40).
///
/// Begin with [`Limits::default`] and assign what is to differ; fields may be added.
///
/// Memory: with `n` nexuses of which `m` run a sequence, and `s` associations, a device server keeps at most
///
/// ```text
/// n * (CCS_BYTES + the last Data-In) + m * retained + s * (SA_BYTES + usage data + nonces + identity) + events
/// ```
///
/// bytes on the heap, and while calculations are offloaded those that a job owns. `CCS_BYTES` and `SA_BYTES` hold on targets
/// with pointers of up to 64 bits, and do not count what an allocator adds to each allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Nexuses with a command sequence, running or complete: the last Data-In of a complete one is kept until the protocol
    /// timeout (reading R26). 256 by default; a key exchange OUT more is INSUFFICIENT RESOURCES.
    pub nexuses: usize,
    /// Running command sequences. 64 by default; a key exchange OUT more is INSUFFICIENT RESOURCES.
    pub sequences: usize,
    /// Live security associations and those that running sequences will make. 1024 by default; a key exchange OUT more is
    /// INSUFFICIENT RESOURCES.
    pub sas: usize,
    /// Security associations of one identity. 1024 by default; one more is AUTHENTICATION FAILED.
    pub sas_per_identity: usize,
    /// Bytes that a running sequence keeps of messages. 65 536 by default.
    ///
    /// They are those of the key exchange OUT and of the key exchange IN; and from the authentication OUT those of identity, CERT
    /// and AUTH data, in SPC-4 also of its SAUT payload. A key exchange OUT or authentication OUT that would need more is
    /// INSUFFICIENT RESOURCES.
    /// The default holds what a list of 16 384 bytes can ask for; with less, a long one may be refused that r3 7.7.6.2 has a
    /// device server take.
    pub retained: usize,
    /// Bytes of a parameter list. 16 384 by default, and at least (r3 7.7.6.2); a longer one is INVALID FIELD IN CDB at TRANSFER
    /// LENGTH (reading R36).
    pub parameter_list: u32,
    /// Payloads of one message, those inside its Encrypted payload with them. 256 by default, 6 at least, in SPC-4 7,
    /// which is one of each that an authentication OUT has; one more is INSUFFICIENT RESOURCES.
    pub payloads: usize,
    /// CERT payloads of one authentication OUT. 16 by default; one more is AUTHENTICATION FAILED, as it
    /// is when a validator looks at no more.
    pub certificates: usize,
    /// Failed authentications after which a sequence of r3 is abandoned (reading R23); in SPC-4 the first one ends it. 3 by default.
    pub auth_failures: u8,
    /// Jobs that wait for `poll_job`, and commands held for jobs that do not come back, each counted by itself, at which a key
    /// exchange OUT is INSUFFICIENT RESOURCES. Running sequences may add one of both each. 128 by default.
    pub jobs: usize,
    /// Events that wait for `poll_event`. 256 by default; the cheapest one more is lost, and the loss is told.
    pub events: usize,
}

impl Limits {
    /// Bytes of a parameter list that every device server takes (r3 5.13.6 b, 7.7.6.2).
    pub const MIN_PARAMETER_LIST: u32 = 16_384;
    /// Fewest payloads of a message: E, ID, CERT, CERTREQ, N and AUTH; in SPC-4 one more, SAUT.
    pub const MIN_PAYLOADS: usize = 6;
    /// Bytes that a nexus with a command sequence takes on the heap at most, besides those that [`Limits::retained`] counts.
    pub const CCS_BYTES: usize = 2048;
    /// Bytes that a security association takes on the heap at most, besides USAGE DATA, both nonces, and the identity and
    /// public key by which the application client was authenticated.
    pub const SA_BYTES: usize = 1024;
}

impl Default for Limits {
    /// 256 nexuses, 64 running sequences, 1024 associations in all and for one identity, 65 536 bytes for each running
    /// sequence, parameter lists of 16 384 bytes, 256 payloads in a message, 16 certificates in an authentication, three failures
    /// of it, 128 jobs, 256 events.
    fn default() -> Self {
        Self {
            nexuses: 256,
            sequences: 64,
            sas: 1024,
            sas_per_identity: 1024,
            retained: 65_536,
            parameter_list: Self::MIN_PARAMETER_LIST,
            payloads: 256,
            certificates: 16,
            auth_failures: 3,
            jobs: 128,
            events: 256,
        }
    }
}
