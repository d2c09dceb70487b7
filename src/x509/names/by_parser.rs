//! Names by x509-parser.

use x509_parser::certificate::X509CertificateParser;
use x509_parser::der_parser::asn1_rs::Any;
use x509_parser::extensions::GeneralName;
use x509_parser::nom::Parser;
use x509_parser::oid_registry::{OID_X509_EXT_KEY_USAGE, OID_X509_EXT_SUBJECT_ALT_NAME};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Name;

use super::{Fields, is_object_identifier};

pub(super) fn fields(certificate: &[u8]) -> Option<Fields<'_>> {
    // The extensions that are not asked for are not read.
    let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
    let ([], parsed) = parser.parse(certificate).ok()? else { return None };
    let alternative = parsed.get_extension_unique(&OID_X509_EXT_SUBJECT_ALT_NAME).ok()?.map(|found| found.value);
    let key_usage = parsed.get_extension_unique(&OID_X509_EXT_KEY_USAGE).ok()?.map(|found| found.value);
    Some(Fields { subject: parsed.tbs_certificate.subject.as_raw(), alternative, key_usage })
}

pub(super) fn is_name(der: &[u8]) -> bool {
    let Ok(([], name)) = X509Name::from_der(der) else { return false };
    // What it could not read it leaves out.
    name.as_raw() == der
        && name.iter_rdn().next().is_some()
        && name.iter_attributes().all(|attribute| is_object_identifier(attribute.attr_type().as_bytes()))
}

pub(super) fn is_general_name(der: &[u8]) -> bool {
    let Ok(([], any)) = Any::from_der(der) else { return false };
    let Ok(([], name)) = GeneralName::from_der(der) else { return false };
    let constructed = any.header.constructed();
    match name {
        GeneralName::OtherName(kind, value) => {
            let Ok(([], value)) = Any::from_der(value) else { return false };
            let explicit = value.header.is_contextspecific() && value.header.constructed() && value.tag().0 == 0;
            constructed
                && explicit
                && is_object_identifier(kind.as_bytes())
                && matches!(Any::from_der(value.data), Ok(([], _)))
        }
        GeneralName::DirectoryName(_) => constructed && is_name(any.data),
        GeneralName::X400Address(_) | GeneralName::EDIPartyName(_) => constructed,
        GeneralName::RFC822Name(_)
        | GeneralName::DNSName(_)
        | GeneralName::URI(_)
        | GeneralName::IPAddress(_)
        | GeneralName::RegisteredID(_) => !constructed,
        GeneralName::Invalid(..) => false,
    }
}
