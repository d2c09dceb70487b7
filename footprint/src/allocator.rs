//! A bump allocator that counts: memory is given out in order and comes back only from the end, which is enough for a run.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The heap of an image.
struct Heap {
    /// Bytes given out from the region's beginning.
    used: AtomicUsize,
    /// Bytes in use.
    live: AtomicUsize,
    /// Most bytes in use since the peak was last forgotten.
    peak: AtomicUsize,
}

#[global_allocator]
static HEAP: Heap = Heap { used: AtomicUsize::new(0), live: AtomicUsize::new(0), peak: AtomicUsize::new(0) };

/// Bytes in use.
pub(crate) fn live() -> usize {
    HEAP.live.load(Relaxed)
}

/// Most bytes in use since [`forget_peak`].
pub(crate) fn peak() -> usize {
    HEAP.peak.load(Relaxed)
}

/// The peak begins anew at what is in use.
pub(crate) fn forget_peak() {
    HEAP.peak.store(live(), Relaxed);
}

impl Heap {
    fn count(&self, more: usize, less: usize) {
        let live = live().wrapping_add(more).wrapping_sub(less);
        self.live.store(live, Relaxed);
        self.peak.store(peak().max(live), Relaxed);
    }
}

#[cfg(firmware)]
fn region() -> (*mut u8, usize) {
    unsafe extern "C" {
        static mut heap_start: u8;
        static mut heap_end: u8;
    }
    let (start, end) = (&raw mut heap_start, &raw mut heap_end);
    (start, end.addr().wrapping_sub(start.addr()))
}

// SAFETY: a block is aligned, inside the region and behind all blocks given out before, unless those were given back.
#[cfg(firmware)]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (start, length) = region();
        let used = self.used.load(Relaxed);
        let padding = start.addr().wrapping_add(used).wrapping_neg() & layout.align().wrapping_sub(1);
        let Some(end) = used.checked_add(padding).and_then(|at| at.checked_add(layout.size())) else {
            return core::ptr::null_mut();
        };
        if end > length {
            return core::ptr::null_mut();
        }
        self.used.store(end, Relaxed);
        self.count(layout.size(), 0);
        start.wrapping_add(end.wrapping_sub(layout.size()))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (start, _) = region();
        let at = block.addr().wrapping_sub(start.addr());
        if at.wrapping_add(layout.size()) == self.used.load(Relaxed) {
            self.used.store(at, Relaxed);
        }
        self.count(0, layout.size());
    }
}

// SAFETY: the system's allocator does the work.
#[cfg(not(firmware))]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size(), 0);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { std::alloc::System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.count(0, layout.size());
        self.used.store(0, Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { std::alloc::System.dealloc(block, layout) }
    }
}
