//! Names by `der`.

use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::{Fields, elements, is_object_identifier};
use crate::x509::outline::{Outline, sequence};

/// 2.5.29.15 and 2.5.29.17.
const KEY_USAGE: [u8; 3] = [0x55, 0x1D, 15];
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1D, 17];

pub(super) fn fields(certificate: &[u8]) -> Option<Fields<'_>> {
    let outline = Outline::read(certificate)?;
    let mut fields = Fields { subject: outline.subject, alternative: None, key_usage: None };
    let extensions = outline.extensions.map_or(Some(alloc::vec::Vec::new()), elements)?;
    for extension in extensions {
        let (identifier, value) = read_extension(extension)?;
        let place = match identifier {
            _ if identifier == KEY_USAGE => &mut fields.key_usage,
            _ if identifier == SUBJECT_ALT_NAME => &mut fields.alternative,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// The object identifier's content, and extnValue.
fn read_extension(extension: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = SliceReader::new(sequence(extension)?).ok()?;
    let identifier = read(&mut reader, Tag::ObjectIdentifier)?;
    if Tag::peek(&reader).ok()? == Tag::Boolean {
        bool::decode(&mut reader).ok()?;
    }
    let value = <&OctetStringRef>::decode(&mut reader).ok()?;
    reader.finish().ok()?;
    Some((identifier, value.as_bytes()))
}

/// The content of the next element, which has this tag.
fn read<'a>(reader: &mut SliceReader<'a>, tag: Tag) -> Option<&'a [u8]> {
    AnyRef::decode(reader).ok().filter(|any| any.tag() == tag).map(AnyRef::value)
}

pub(super) fn is_name(der: &[u8]) -> bool {
    elements(der).is_some_and(|sets| !sets.is_empty() && sets.iter().all(|set| is_relative_name(set).is_some()))
}

fn is_relative_name(set: &[u8]) -> Option<()> {
    let set = AnyRef::from_der(set).ok().filter(|any| any.tag() == Tag::Set)?;
    let mut reader = SliceReader::new(set.value()).ok()?;
    loop {
        let mut attribute = SliceReader::new(read(&mut reader, Tag::Sequence)?).ok()?;
        read(&mut attribute, Tag::ObjectIdentifier).filter(|content| is_object_identifier(content))?;
        AnyRef::decode(&mut attribute).ok()?;
        attribute.finish().ok()?;
        if reader.is_finished() {
            return Some(());
        }
    }
}

pub(super) fn is_general_name(der: &[u8]) -> bool {
    let Ok(name) = AnyRef::from_der(der) else { return false };
    let Tag::ContextSpecific { constructed, number: TagNumber(number) } = name.tag() else { return false };
    match number {
        0 => constructed && is_other_name(name.value()).is_some(),
        4 => constructed && is_name(name.value()),
        3 | 5 => constructed,
        1 | 2 | 6 | 7 | 8 => !constructed,
        _ => false,
    }
}

/// The content of an otherName: an object identifier, and something in an explicit tag 0.
fn is_other_name(content: &[u8]) -> Option<()> {
    let mut reader = SliceReader::new(content).ok()?;
    read(&mut reader, Tag::ObjectIdentifier).filter(|content| is_object_identifier(content))?;
    let value = read(&mut reader, Tag::ContextSpecific { constructed: true, number: TagNumber(0) })?;
    reader.finish().ok()?;
    AnyRef::from_der(value).ok().map(|_| ())
}
