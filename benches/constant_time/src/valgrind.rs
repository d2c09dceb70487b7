//! Valgrind's client requests: a few instructions that do nothing on a processor and that valgrind takes for a question.
//!
//! The only `unsafe` of this program, and the only reason for it: an instruction sequence is asm, and asm is `unsafe`. On
//! processors without a sequence here every request answers zero, as it does without valgrind.

/// Memcheck: mark bytes as not initialised, hence as secret.
const MAKE_UNDEFINED: usize = 0x4D43_0001;
/// Memcheck: mark bytes as initialised, hence as public.
const MAKE_DEFINED: usize = 0x4D43_0002;
/// Memcheck: for each bit of some bytes, whether it is initialised; written to a buffer as long as the bytes.
const BELIEFS: usize = 0x4D43_0008;
/// Whether the program runs under valgrind.
const RUNNING: usize = 0x1001;
/// How many errors were reported, each time that they occurred, those that are suppressed not counted.
const COUNT_ERRORS: usize = 0x1201;

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "a client request is an instruction sequence, which only asm can write")]
fn request(code: usize, [first, second, third]: [usize; 3]) -> usize {
    let question: [usize; 6] = [code, first, second, third, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: natively the rotations add up to 128 bits and leave `rdi` as it was, the exchange is of a register with itself,
    // and `rdx` keeps its zero. Under valgrind the five instructions are one request, which reads the six words that `rax`
    // points to and writes `rdx`. It changes no byte of memory but what memcheck believes of some, except for `BELIEFS`, which fills
    // the buffer that its caller has for it.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") question.as_ptr(),
            inout("rdx") answer,
            options(nostack),
        );
    }
    answer
}

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code, reason = "a client request is an instruction sequence, which only asm can write")]
fn request(code: usize, [first, second, third]: [usize; 3]) -> usize {
    let question: [usize; 6] = [code, first, second, third, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: natively the rotations add up to 128 bits and leave `x12` as it was, the last instruction copies a register to
    // itself, and `x3` keeps its zero. Under valgrind the five instructions are one request, which reads the six words that
    // `x4` points to and writes `x3`. It changes no byte of memory but what memcheck believes of some, except for `BELIEFS`, which
    // fills the buffer that its caller has for it.
    unsafe {
        core::arch::asm!(
            "ror x12, x12, #3",
            "ror x12, x12, #13",
            "ror x12, x12, #51",
            "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") question.as_ptr(),
            inout("x3") answer,
            options(nostack),
        );
    }
    answer
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn request(_: usize, _: [usize; 3]) -> usize {
    0
}

/// Whether the program runs under valgrind.
pub fn is_running() -> bool {
    request(RUNNING, [0; 3]) != 0
}

/// How many errors were reported so far, those that are suppressed not counted.
pub fn errors() -> usize {
    request(COUNT_ERRORS, [0; 3])
}

/// From here on the value is secret: a branch or an address that depends on it is an error.
pub fn secret<T: ?Sized>(value: &mut T) {
    mark(MAKE_UNDEFINED, value);
}

/// From here on the value is public, and so is what is computed from it.
pub fn public<T: ?Sized>(value: &mut T) {
    mark(MAKE_DEFINED, value);
}

/// The value, public from here on.
pub fn published<T>(mut value: T) -> T {
    public(&mut value);
    value
}

fn mark<T: ?Sized>(code: usize, value: &mut T) {
    request(code, [(&raw mut *value).addr(), size_of_val(value), 0]);
}

/// Whether every one of these bytes depends on something secret, as far as memcheck knows.
pub fn is_secret(bytes: &[u8]) -> bool {
    let mut beliefs = vec![0_u8; bytes.len()];
    request(BELIEFS, [bytes.as_ptr().addr(), beliefs.as_mut_ptr().addr(), bytes.len()]);
    !beliefs.contains(&0)
}
