//! How an image begins, tells and ends. On Arm and x86-64 both, the calls are those of Linux: QEMU's user emulation runs an
//! image of a Cortex-M on any machine.

use crate::allocator;

/// Runs an image; what it measured goes to standard output.
#[cfg(not(firmware))]
pub fn begin(run: fn() -> bool) {
    let passed = run();
    std::process::exit(i32::from(!passed));
}

/// Tells a measured number of bytes, by one line.
// SAFETY: the section is for code.
#[cfg_attr(firmware, unsafe(link_section = ".harness"))]
#[inline(never)]
pub fn tell(what: &str, bytes: usize) {
    let mut digits = [b' '; 12];
    let mut rest = bytes;
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        if place == 0 {
            *digit = b'\n';
        } else if rest != 0 || place == 1 {
            // A remainder of ten fits a byte.
            *digit = b'0' | (rest % 10).to_le_bytes()[0];
            rest /= 10;
        }
    }
    write(what.as_bytes());
    write(&digits);
}

/// The heap from now on: what is in use now, and the most that was in use since.
#[derive(Debug, Clone, Copy)]
pub struct HeapMark(usize);

impl HeapMark {
    /// Begins to measure.
    #[must_use]
    pub fn set() -> Self {
        allocator::forget_peak();
        Self(allocator::live())
    }

    /// Bytes in use beyond those at the mark.
    #[must_use]
    pub fn kept(self) -> usize {
        allocator::live().saturating_sub(self.0)
    }

    /// Most bytes in use beyond those at the mark.
    #[must_use]
    pub fn peak(self) -> usize {
        allocator::peak().saturating_sub(self.0)
    }
}

#[cfg(not(firmware))]
fn write(bytes: &[u8]) {
    use std::io::Write;
    // Whoever does not listen need not be told.
    let _ = std::io::stdout().write_all(bytes);
}

#[cfg(firmware)]
pub use bare::begin;
#[cfg(firmware)]
use bare::write;

#[cfg(firmware)]
mod bare {
    use core::arch::{asm, naked_asm};

    unsafe extern "C" {
        static mut stack_end: u8;
        static mut stack_start: u8;
    }

    const PAINT: u8 = 0xA5;
    /// What the painter itself may use of the stack.
    const IN_USE: usize = 512;

    /// Sets the stack pointer to the image's own stack.
    // SAFETY: this is where the system enters the image, and nothing returns to it.
    #[cfg(target_arch = "arm")]
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    unsafe extern "C" fn _start() -> ! {
        naked_asm!("ldr r0, =stack_start", "mov sp, r0", "bl image", "udf #0")
    }

    /// Sets the stack pointer to the image's own stack.
    // SAFETY: this is where the system enters the image, and nothing returns to it.
    #[cfg(target_arch = "x86_64")]
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    unsafe extern "C" fn _start() -> ! {
        naked_asm!("lea rsp, [rip + stack_start]", "xor ebp, ebp", "call image", "ud2")
    }

    /// Runs the image, measures its stack and ends.
    // SAFETY: the section is for code.
    #[unsafe(link_section = ".harness")]
    pub fn begin(run: fn() -> bool) -> ! {
        let (end, start) = (&raw mut stack_end, &raw mut stack_start);
        let depth = start.addr().wrapping_sub(end.addr());
        for at in 0..depth.wrapping_sub(IN_USE) {
            // SAFETY: these bytes of the stack are below what this function uses.
            unsafe { end.wrapping_add(at).write_volatile(PAINT) };
        }
        let passed = run();
        // SAFETY: the bytes of the stack may be read.
        let untouched = (0..depth).take_while(|at| unsafe { end.wrapping_add(*at).read_volatile() } == PAINT).count();
        super::tell("stack", depth.wrapping_sub(untouched));
        exit(u8::from(!passed))
    }

    #[cfg(target_arch = "arm")]
    pub fn write(bytes: &[u8]) {
        // SAFETY: write(1, bytes) reads the bytes and nothing else. Thumb code keeps r7 for itself.
        unsafe {
            asm!("mov {kept}, r7", "mov r7, #4", "svc #0", "mov r7, {kept}", kept = out(reg) _,
                inout("r0") 1 => _, in("r1") bytes.as_ptr(), in("r2") bytes.len());
        }
    }

    #[cfg(target_arch = "x86_64")]
    pub fn write(bytes: &[u8]) {
        // SAFETY: write(1, bytes) reads the bytes and nothing else.
        unsafe {
            asm!("syscall", inout("rax") 1_usize => _, in("rdi") 1, in("rsi") bytes.as_ptr(), in("rdx") bytes.len(),
                out("rcx") _, out("r11") _);
        }
    }

    fn exit(code: u8) -> ! {
        #[cfg(target_arch = "arm")]
        // SAFETY: exit(code) does not return.
        unsafe {
            asm!("mov r7, #1", "svc #0", in("r0") u32::from(code), options(noreturn))
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: exit(code) does not return.
        unsafe {
            asm!("syscall", in("rax") 60_usize, in("rdi") u32::from(code), options(noreturn))
        }
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        exit(101)
    }

    /// Copying, byte by byte: a firmware has small functions for it in its C library, which take the place of the compiler's fast ones.
    #[cfg(target_arch = "arm")]
    mod memory {
        use core::arch::naked_asm;

        macro_rules! copies {
            ($($name:ident)*) => {$(
                // SAFETY: the contract is that of C, or of the processor's standard, which has the same; no other register is written.
                #[unsafe(no_mangle)]
                #[unsafe(naked)]
                unsafe extern "C" fn $name(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
                    naked_asm!("2:", "subs r2, r2, #1", "bmi 3f", "ldrb r3, [r1, r2]", "strb r3, [r0, r2]", "b 2b",
                        "3:", "bx lr")
                }
            )*};
        }

        macro_rules! clears {
            ($($name:ident)*) => {$(
                // SAFETY: as above.
                #[unsafe(no_mangle)]
                #[unsafe(naked)]
                unsafe extern "C" fn $name(to: *mut u8, length: usize) {
                    naked_asm!("movs r2, #0", "2:", "subs r1, r1, #1", "bmi 3f", "strb r2, [r0, r1]", "b 2b", "3:", "bx lr")
                }
            )*};
        }

        copies!(memcpy __aeabi_memcpy __aeabi_memcpy4 __aeabi_memcpy8);
        clears!(__aeabi_memclr __aeabi_memclr4 __aeabi_memclr8);

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
            naked_asm!("2:", "subs r2, r2, #1", "bmi 3f", "strb r1, [r0, r2]", "b 2b", "3:", "bx lr")
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn __aeabi_memset(to: *mut u8, length: usize, value: i32) {
            naked_asm!("2:", "subs r1, r1, #1", "bmi 3f", "strb r2, [r0, r1]", "b 2b", "3:", "bx lr")
        }
    }

    /// What the compiler's library has for bare metal, and for x86-64 Linux leaves to the C library.
    #[cfg(target_arch = "x86_64")]
    mod memory {
        use core::arch::asm;

        // SAFETY: the contract is that of C, and the name is free, since there is no C library.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
            // SAFETY: the caller has `length` bytes at both places.
            unsafe {
                asm!("rep movsb", inout("rcx") length => _, inout("rdi") to => _, inout("rsi") from => _);
            }
            to
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
            if to.addr().wrapping_sub(from.addr()) >= length {
                // SAFETY: no byte is written before it is read.
                return unsafe { memcpy(to, from, length) };
            }
            let last = length.wrapping_sub(1);
            // SAFETY: the caller has `length` bytes at both places, and they are copied from the end.
            unsafe {
                asm!("std", "rep movsb", "cld", inout("rcx") length => _, inout("rdi") to.wrapping_add(last) => _,
                    inout("rsi") from.wrapping_add(last) => _);
            }
            to
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
            // SAFETY: the caller has `length` bytes there.
            unsafe {
                asm!("rep stosb", inout("rcx") length => _, inout("rdi") to => _, in("al") value.to_le_bytes()[0]);
            }
            to
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
            for at in 0..length {
                // SAFETY: the caller has `length` bytes at both places.
                let (a, b) = unsafe { (one.wrapping_add(at).read_volatile(), other.wrapping_add(at).read_volatile()) };
                if a != b {
                    return i32::from(a).wrapping_sub(i32::from(b));
                }
            }
            0
        }

        // SAFETY: as above.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, length: usize) -> i32 {
            // SAFETY: the contract is the same.
            unsafe { memcmp(one, other, length) }
        }
    }
}
