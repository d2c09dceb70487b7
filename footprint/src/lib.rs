//! What the images have in common: a firmware's main program, which replays recorded commands and measures what they take.
//!
//! With `--cfg firmware` an image is a program without operating system, library or allocator, but for two calls with which it tells
//! what it has measured; otherwise it is an ordinary program, which the lints read and which runs the same commands. `unsafe`
//! is allowed in this package only: an allocator, an entry point and a system call cannot do without.
#![no_std]

extern crate alloc;
#[cfg(not(firmware))]
extern crate std;

mod allocator;
#[cfg(feature = "certificates")]
pub mod certificates;
pub mod device;
pub mod null;
pub mod recording;
pub mod system;

/// The entry of an image: `image!(run)`, where `run` is a function without arguments that returns whether all went well.
#[macro_export]
macro_rules! image {
    ($run:path) => {
        #[cfg(firmware)]
        #[unsafe(no_mangle)]
        extern "C" fn image() -> ! {
            $crate::system::begin($run)
        }

        #[cfg(not(firmware))]
        fn main() {
            $crate::system::begin($run)
        }
    };
}
