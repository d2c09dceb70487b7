//! The objects behind handles.
//!
//! A handle is a number, multiplied so that it looks like an aligned pointer, and never used twice. It is looked up, not
//! followed.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use crate::boundary::Failure;
use crate::builder::Plan;
use crate::codes::CallResult;
use crate::jobs::Work;
use crate::server::Unit;

/// What stands between two handles.
const STEP: usize = 16;

/// An object that may be used by one thread at a time; `None` when somebody has taken it.
type Shared<T> = Arc<Mutex<Option<T>>>;

/// What there may be handles of.
pub(crate) enum Object {
    Builder(Shared<Plan>),
    Server(Shared<Unit>),
    Job(Shared<Work>),
}

/// A kind of object; `Handle` is its type in C.
pub(crate) trait Kind: Sized {
    type Handle;
    const NAME: &'static str;

    fn wrap(this: Shared<Self>) -> Object;
    fn unwrap(object: &Object) -> Option<&Shared<Self>>;
}

/// A device server to be, opaque.
pub struct BuilderHandle(());

/// A device server of one logical unit, opaque.
pub struct ServerHandle(());

/// A piece of slow work, opaque.
pub struct JobHandle(());

macro_rules! kinds {
    ($($kind:ident, $handle:ident, $variant:ident, $name:literal;)*) => {$(
        impl Kind for $kind {
            type Handle = $handle;
            const NAME: &'static str = $name;

            fn wrap(this: Shared<Self>) -> Object {
                Object::$variant(this)
            }

            fn unwrap(object: &Object) -> Option<&Shared<Self>> {
                match object {
                    Object::$variant(this) => Some(this),
                    _ => None,
                }
            }
        }
    )*};
}

kinds! {
    Plan, BuilderHandle, Builder, "builder";
    Unit, ServerHandle, Server, "server";
    Work, JobHandle, Job, "job";
}

static OBJECTS: RwLock<BTreeMap<usize, Object>> = RwLock::new(BTreeMap::new());
static LAST: AtomicUsize = AtomicUsize::new(0);

/// A handle of a new object.
pub(crate) fn give<T: Kind>(object: T) -> Result<*mut T::Handle, Failure> {
    // A number that was used up stays so: the next one fails as well.
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| last.checked_add(STEP));
    let exhausted = |_| Failure::new(CallResult::Internal, "there are no numbers left for handles");
    let number = last.map_err(exhausted)?.saturating_add(STEP);
    let object = T::wrap(Arc::new(Mutex::new(Some(object))));
    OBJECTS.write().unwrap_or_else(PoisonError::into_inner).insert(number, object);
    Ok(ptr::without_provenance_mut(number))
}

fn unknown<T: Kind>(number: usize) -> Failure {
    if number == 0 {
        return Failure::new(CallResult::NullPointer, format!("{} is NULL", T::NAME));
    }
    let what = format!("this is no {0}, or no {0} any more", T::NAME);
    Failure::new(CallResult::InvalidHandle, what)
}

fn find<T: Kind>(handle: *const T::Handle) -> Result<Shared<T>, Failure> {
    let objects = OBJECTS.read().unwrap_or_else(PoisonError::into_inner);
    objects.get(&handle.addr()).and_then(T::unwrap).cloned().ok_or_else(|| unknown::<T>(handle.addr()))
}

/// Uses an object. Nobody else does meanwhile; whoever wants to is told so, and is not made to wait, since it may be a callback
/// of this very call.
pub(crate) fn with<T: Kind, R>(
    handle: *const T::Handle,
    body: impl FnOnce(&mut T) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let shared = find::<T>(handle)?;
    let mut object = shared.try_lock().map_err(|error| refused::<T, _>(&error))?;
    body(object.as_mut().ok_or_else(|| unknown::<T>(handle.addr()))?)
}

fn refused<T: Kind, G>(error: &TryLockError<G>) -> Failure {
    match error {
        TryLockError::WouldBlock => Failure::new(CallResult::Busy, format!("the {} is in use", T::NAME)),
        TryLockError::Poisoned(_) => {
            Failure::new(CallResult::Internal, format!("the {} has met a fault of the library: free it", T::NAME))
        }
    }
}

/// Takes an object that nobody uses, if it is found fit. Otherwise it stays.
pub(crate) fn take<T: Kind>(
    handle: *const T::Handle,
    is_fit: impl FnOnce(&T) -> Result<(), Failure>,
) -> Result<T, Failure> {
    let shared = find::<T>(handle)?;
    let mut object = shared.try_lock().map_err(|error| refused::<T, _>(&error))?;
    is_fit(object.as_ref().ok_or_else(|| unknown::<T>(handle.addr()))?)?;
    let taken = object.take().ok_or_else(|| unknown::<T>(handle.addr()))?;
    // Nobody frees it twice: whoever was quicker with that has it.
    drop(remove::<T>(handle));
    Ok(taken)
}

fn remove<T: Kind>(handle: *const T::Handle) -> Result<Object, Failure> {
    let mut objects = OBJECTS.write().unwrap_or_else(PoisonError::into_inner);
    if objects.get(&handle.addr()).and_then(T::unwrap).is_none() {
        return Err(unknown::<T>(handle.addr()));
    }
    let object = objects.remove(&handle.addr()).ok_or_else(|| unknown::<T>(handle.addr()))?;
    if objects.is_empty() {
        // An empty map may still have memory.
        *objects = BTreeMap::new();
    }
    Ok(object)
}

/// Frees an object; NULL is nothing to free. Where a call uses it, it goes when that call ends.
pub(crate) fn free<T: Kind>(handle: *const T::Handle) -> Result<(), Failure> {
    if handle.is_null() {
        return Ok(());
    }
    // The table is open again when the object goes: it may call the caller's functions.
    let object = remove::<T>(handle)?;
    drop(object);
    Ok(())
}

pub(crate) fn count() -> usize {
    OBJECTS.read().unwrap_or_else(PoisonError::into_inner).len()
}
