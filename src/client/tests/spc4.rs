//! What SPC-4 has that r3 has not.
