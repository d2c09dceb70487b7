//! Memory that may be refused: what a command allocates, it allocates here.
//!
//! An allocation that fails refuses one command and stops nobody (reading R40). Every function asks for memory first and then
//! looks at the capacity itself: the compiler sees that the container cannot grow any further, and leaves out the path that
//! grows it, which would end in a panic. It sees that only where the container's own function has one caller, which is why
//! these are not inlined.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// There is no memory for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

/// Room for `additional` elements more, and for no more than that if there is a choice.
#[inline(never)]
pub(crate) fn reserve_exact<T>(vec: &mut Vec<T>, additional: usize) -> Result<(), OutOfMemory> {
    if vec.try_reserve_exact(additional).is_err() || additional > vec.capacity().wrapping_sub(vec.len()) {
        return Err(OutOfMemory);
    }
    Ok(())
}

/// No elements, with room for `capacity`.
pub(crate) fn with_capacity<T>(capacity: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut vec = Vec::new();
    reserve_exact(&mut vec, capacity)?;
    Ok(vec)
}

/// `length` zero bytes.
pub(crate) fn zeroed(length: usize) -> Result<Vec<u8>, OutOfMemory> {
    let mut bytes = Vec::new();
    extend_zeroed(&mut bytes, length)?;
    Ok(bytes)
}

/// A copy.
pub(crate) fn copy_of(bytes: &[u8]) -> Result<Vec<u8>, OutOfMemory> {
    let mut copy = Vec::new();
    append(&mut copy, bytes)?;
    Ok(copy)
}

/// Bytes that do not grow.
///
/// A vector that has room to spare would have to be moved into less, which can fail for good; the functions here make none.
#[inline(never)]
pub(crate) fn into_boxed(bytes: Vec<u8>) -> Result<Box<[u8]>, OutOfMemory> {
    if bytes.len() == bytes.capacity() { Ok(bytes.into_boxed_slice()) } else { Err(OutOfMemory) }
}

/// A copy that does not grow.
pub(crate) fn boxed_copy_of(bytes: &[u8]) -> Result<Box<[u8]>, OutOfMemory> {
    into_boxed(copy_of(bytes)?)
}

/// Puts the bytes at the end.
pub(crate) fn append(to: &mut Vec<u8>, bytes: &[u8]) -> Result<(), OutOfMemory> {
    let end = to.len();
    // By way of the one function that lengthens a vector of bytes: a second one would be a second caller of what it is made of.
    extend_zeroed(to, bytes.len())?;
    if let Some(place) = to.get_mut(end..) {
        place.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    Ok(())
}

/// Puts so many zero bytes at the end.
#[inline(never)]
pub(crate) fn extend_zeroed(to: &mut Vec<u8>, additional: usize) -> Result<(), OutOfMemory> {
    if to.try_reserve_exact(additional).is_err() || additional > to.capacity().wrapping_sub(to.len()) {
        return Err(OutOfMemory);
    }
    to.resize(to.len().wrapping_add(additional), 0);
    Ok(())
}

/// Puts the element at the end; room is made for several, as `Vec::push` does.
#[inline(never)]
pub(crate) fn push<T>(to: &mut Vec<T>, element: T) -> Result<(), OutOfMemory> {
    if to.len() == to.capacity() {
        // Twice as much, by the function that there is anyway.
        reserve_exact(to, to.len().max(4))?;
    }
    if to.len() == to.capacity() {
        return Err(OutOfMemory);
    }
    to.push(element);
    Ok(())
}

/// Takes an element and puts the last one into its place.
#[cfg(any(test, not(feature = "scale")))]
pub(crate) fn swap_remove<T>(from: &mut Vec<T>, place: usize) -> Option<T> {
    let last = from.pop()?;
    match from.get_mut(place) {
        Some(element) => Some(core::mem::replace(element, last)),
        None => Some(last),
    }
}

/// Whether an element is in a list. For a list of bytes the standard library's own takes more code than all of its callers here.
#[expect(clippy::manual_contains, reason = "the search of the standard library is made for long lists")]
pub(crate) fn is_among<T: PartialEq>(wanted: &T, list: &[T]) -> bool {
    list.iter().any(|element| *element == *wanted)
}

/// Copies bytes to a place of the same length; tells whether it has that. `copy_from_slice` brings a panic for others along.
#[must_use]
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> bool {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    to.len() == from.len()
}

/// Puts the element where it stands in ascending order; one that is there already is not put again.
#[inline(never)]
pub(crate) fn insert<T: Ord>(to: &mut Vec<T>, element: T) -> Result<(), OutOfMemory> {
    if is_among(&element, to) {
        return Ok(());
    }
    push(to, element)?;
    let mut rest = to.as_mut_slice();
    while let Some((new, before)) = rest.split_last_mut()
        && let Some(greater) = before.last_mut().filter(|last| **last > *new)
    {
        core::mem::swap(greater, new);
        rest = before;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_has_its_length() {
        let bytes = zeroed(3).unwrap();
        assert_eq!((bytes.as_slice(), bytes.capacity()), (&[0; 3][..], 3));
        assert_eq!(zeroed(0).unwrap().capacity(), 0);
        assert_eq!(copy_of(b"abc").unwrap(), b"abc");
        assert_eq!(*boxed_copy_of(b"abc").unwrap(), *b"abc");
        assert_eq!(with_capacity::<u64>(5).unwrap().capacity(), 5);
    }

    #[test]
    fn elements_and_bytes_go_to_the_end() {
        let mut numbers = Vec::new();
        (0..1000_u32).for_each(|number| push(&mut numbers, number).unwrap());
        assert!(numbers.iter().copied().eq(0..1000));
        let mut bytes = copy_of(b"ab").unwrap();
        append(&mut bytes, b"").unwrap();
        append(&mut bytes, b"cd").unwrap();
        assert_eq!(bytes, b"abcd");
    }

    #[test]
    fn elements_are_put_in_order_and_once() {
        let mut numbers = Vec::new();
        [5, 1, 9, 5, 0, 9, 4].iter().for_each(|number| insert(&mut numbers, *number).unwrap());
        assert_eq!(numbers, [0, 1, 4, 5, 9]);
    }

    /// No machine has as much as an address can count.
    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(zeroed(usize::MAX), Err(OutOfMemory));
        assert_eq!(with_capacity::<u64>(usize::MAX), Err(OutOfMemory));
        assert_eq!(reserve_exact(&mut alloc::vec![1_u8], usize::MAX), Err(OutOfMemory));
    }

    #[test]
    fn a_vector_with_room_to_spare_is_not_moved() {
        let mut bytes = with_capacity(8).unwrap();
        append(&mut bytes, b"abc").unwrap();
        assert_eq!(into_boxed(bytes), Err(OutOfMemory));
    }
}
