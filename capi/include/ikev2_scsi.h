/* The C interface of ikev2-scsi: IKEv2-SCSI device servers for emulators and targets. Generated: do not edit.
 *
 * Handles. ikev2_scsi_builder, ikev2_scsi_server and ikev2_scsi_job are opaque. A handle that was freed, is of another kind,
 * or was never given is answered by IKEV2_SCSI_RESULT_INVALID_HANDLE: to free twice does no harm. Whoever is given a handle
 * frees it, unless a call says that it takes it.
 *
 * Pointers. A pointer to bytes may be NULL where its length is 0, and nowhere else; other pointers may be NULL where that is
 * said. One that is not NULL must point to as much memory as its length says, which nobody can check. Nothing that is passed
 * is kept: bytes and structures are copied, but for the `user` pointers of callbacks. Buffers that are only written need not be
 * initialized. Buffers may overlap.
 *
 * Failures. Every function that can fail returns an ikev2_scsi_result; on a failure nothing has happened and nothing was
 * written, unless it is said otherwise. ikev2_scsi_error() has the reason. A fault of the library is a result as well; nothing
 * unwinds into C. Numbers that are none of an enumeration are refused.
 *
 * Threads. A handle may be used by any thread, and by one at a time: a second one is answered by IKEV2_SCSI_RESULT_BUSY at
 * once. A job runs on any thread beside its device server.
 *
 * Callbacks. They are called by the thread that calls the library, during that call, and may use all handles but those which
 * that call uses. They may not throw, unwind or jump out. When `drop` is called, `user` is no longer needed; it is called once
 * for callbacks that were taken with OK, and not for others. Jobs keep the callbacks that they need.
 */


#ifndef IKEV2_SCSI_H
#define IKEV2_SCSI_H

#include <stddef.h>
#include <stdint.h>

// How a call ended. Everything but OK and NONE is a failure; ikev2_scsi_error() tells more about it.
typedef enum ikev2_scsi_result {
  // It did what it says.
  IKEV2_SCSI_RESULT_OK = 0,
  // There is nothing to give: no job, no event, no deadline, no such association. No failure.
  IKEV2_SCSI_RESULT_NONE = 1,
  // A pointer that must not be NULL is NULL, or is not aligned.
  IKEV2_SCSI_RESULT_NULL_POINTER = 2,
  // A handle that was freed, is of another kind, or was never given.
  IKEV2_SCSI_RESULT_INVALID_HANDLE = 3,
  // The object is in use: by another thread, or by a call that has called the callback which calls. Nothing happened.
  IKEV2_SCSI_RESULT_BUSY = 4,
  // An argument that is not allowed.
  IKEV2_SCSI_RESULT_INVALID_ARGUMENT = 5,
  // No device server can be made of the configuration.
  IKEV2_SCSI_RESULT_CONFIGURATION = 6,
  // The buffer is too small; the length that it takes has been told, and nothing was written.
  IKEV2_SCSI_RESULT_BUFFER_TOO_SMALL = 7,
  // There is no memory.
  IKEV2_SCSI_RESULT_OUT_OF_MEMORY = 8,
  // A fault of the library. The object can only be freed.
  IKEV2_SCSI_RESULT_INTERNAL = 9,
} ikev2_scsi_result;

// How the logical unit speaks.
typedef enum ikev2_scsi_dialect {
  // T10/06-449r3.
  IKEV2_SCSI_DIALECT_R3 = 0,
  // SPC-4.
  IKEV2_SCSI_DIALECT_SPC4 = 1,
} ikev2_scsi_dialect;

// ID TYPE of an identity (r3 7.7.4.4).
typedef enum ikev2_scsi_id_type {
  // A certificate's subject, in DER.
  IKEV2_SCSI_ID_TYPE_DER_ASN1_DN = 9,
  // A name of a certificate's subjectAltName extension, in DER.
  IKEV2_SCSI_ID_TYPE_DER_ASN1_GN = 10,
  // Arbitrary bytes.
  IKEV2_SCSI_ID_TYPE_KEY_ID = 11,
  // A Fibre Channel name.
  IKEV2_SCSI_ID_TYPE_FC_NAME = 12,
} ikev2_scsi_id_type;

// What a key signs with.
typedef enum ikev2_scsi_key_kind {
  // RSA, PKCS #1 v1.5.
  IKEV2_SCSI_KEY_KIND_RSA = 0,
  // ECDSA on P-256.
  IKEV2_SCSI_KEY_KIND_P256 = 1,
  // ECDSA on P-384.
  IKEV2_SCSI_KEY_KIND_P384 = 2,
  // ECDSA on P-521.
  IKEV2_SCSI_KEY_KIND_P521 = 3,
} ikev2_scsi_key_kind;

// The hash of a signature.
typedef enum ikev2_scsi_hash {
  // What the standard has: SHA-1 of RSA, the curve's own of ECDSA.
  IKEV2_SCSI_HASH_STANDARD = 0,
  // SHA-1.
  IKEV2_SCSI_HASH_SHA1 = 1,
  // SHA-256.
  IKEV2_SCSI_HASH_SHA256 = 2,
  // SHA-384.
  IKEV2_SCSI_HASH_SHA384 = 3,
  // SHA-512.
  IKEV2_SCSI_HASH_SHA512 = 4,
} ikev2_scsi_hash;

// What one's own messages show of a key.
typedef enum ikev2_scsi_shows {
  // Nothing: the peer knows the key.
  IKEV2_SCSI_SHOWS_NOTHING = 0,
  // The certificates, if the peer asks for certificates.
  IKEV2_SCSI_SHOWS_ON_REQUEST = 1,
  // The certificates.
  IKEV2_SCSI_SHOWS_CERTIFICATES = 2,
  // The raw RSA key.
  IKEV2_SCSI_SHOWS_RAW_KEY = 3,
} ikev2_scsi_shows;

// Whether revocation is checked, for IKEV2_SCSI_POLICY_REVOCATION.
typedef enum ikev2_scsi_revocation {
  // Each certificate below a trust anchor needs a list that answers for it.
  IKEV2_SCSI_REVOCATION_REQUIRED = 0,
  // Lists are looked at where there are any.
  IKEV2_SCSI_REVOCATION_WHEN_LISTED = 1,
  // Not at all.
  IKEV2_SCSI_REVOCATION_OFF = 2,
} ikev2_scsi_revocation;

// ALGORITHM TYPE (r3 Table K1).
typedef enum ikev2_scsi_algorithm_type {
  // ENCR.
  IKEV2_SCSI_ALGORITHM_TYPE_ENCRYPTION = 1,
  // PRF.
  IKEV2_SCSI_ALGORITHM_TYPE_PSEUDO_RANDOM = 2,
  // INTEG.
  IKEV2_SCSI_ALGORITHM_TYPE_INTEGRITY = 3,
  // D-H.
  IKEV2_SCSI_ALGORITHM_TYPE_DIFFIE_HELLMAN = 4,
  // IKE-AUTH.
  IKEV2_SCSI_ALGORITHM_TYPE_AUTHENTICATION = 249,
} ikev2_scsi_algorithm_type;

// What ikev2_scsi_builder_policy() decides. A switch is 0 or 1.
typedef enum ikev2_scsi_policy {
  // Greatest IKEV2-SCSI PROTOCOL TIMEOUT accepted, in seconds; 60.
  IKEV2_SCSI_POLICY_MAX_PROTOCOL_TIMEOUT = 0,
  // Greatest IKEV2-SCSI SA INACTIVITY TIMEOUT accepted, in seconds; 86 400.
  IKEV2_SCSI_POLICY_MAX_INACTIVITY_TIMEOUT = 1,
  // Bytes of the device server's nonces, 16 to 256; 32.
  IKEV2_SCSI_POLICY_NONCE_LENGTH = 2,
  // Whether ENCR_3DES is offered; 0.
  IKEV2_SCSI_POLICY_ALLOW_TRIPLE_DES = 3,
  // Whether IKE_AUTH_NONE is offered, which protects nobody from a man in the middle; 0.
  IKEV2_SCSI_POLICY_ALLOW_NO_AUTHENTICATION = 4,
  // Whether an SPC-4 device server may lack a complete row of SPC-4 table 82, as one with shared keys only does; 0.
  IKEV2_SCSI_POLICY_WAIVE_COMPLETE_ROW = 5,
  // Whether the logical unit has one command sequence at a time, of SPC-4; 0.
  IKEV2_SCSI_POLICY_ONE_SEQUENCE = 6,
  // Whether slow calculations are handed out as jobs, by ikev2_scsi_server_poll_job(); 0.
  IKEV2_SCSI_POLICY_OFFLOAD = 7,
  // How long, in milliseconds, a progress indication pretends a calculation to take; 1000.
  IKEV2_SCSI_POLICY_EXPECTED_CALCULATION_MS = 8,
  // Whether each refused command is told of by an event, with the reason; 0.
  IKEV2_SCSI_POLICY_REPORT_REFUSALS = 9,
  // Whether sense data has descriptor format; 0.
  IKEV2_SCSI_POLICY_DESCRIPTOR_SENSE = 10,
  // Whether header bits stand as RFC 4306 has them; 0.
  IKEV2_SCSI_POLICY_RFC4306_HEADER_FLAGS = 11,
  // Whether r3's conditions have the sense codes that were assigned later, which hosts' tables know; 0.
  IKEV2_SCSI_POLICY_ASSIGNED_SENSE_CODES = 12,
  // Whether Certificate Requests name the trust anchors; 1.
  IKEV2_SCSI_POLICY_REQUEST_CERTIFICATES = 13,
  // Whether an identity must be its certificate's; 1.
  IKEV2_SCSI_POLICY_IDENTITY_MATCH = 14,
  // Whether revocation is checked, an ikev2_scsi_revocation; REQUIRED.
  IKEV2_SCSI_POLICY_REVOCATION = 15,
} ikev2_scsi_policy;

// A bound that ikev2_scsi_builder_limit() sets. At a bound a command is refused, and an event tells it.
typedef enum ikev2_scsi_limit {
  // Nexuses with a command sequence; 256.
  IKEV2_SCSI_LIMIT_NEXUSES = 0,
  // Running command sequences; 64.
  IKEV2_SCSI_LIMIT_SEQUENCES = 1,
  // Security associations; 1024.
  IKEV2_SCSI_LIMIT_SAS = 2,
  // Security associations of one identity; 1024.
  IKEV2_SCSI_LIMIT_SAS_PER_IDENTITY = 3,
  // Bytes that a running sequence keeps of messages; 65 536.
  IKEV2_SCSI_LIMIT_RETAINED = 4,
  // Bytes of a parameter list, 16 384 at least; 16 384.
  IKEV2_SCSI_LIMIT_PARAMETER_LIST = 5,
  // Payloads of a message; 256.
  IKEV2_SCSI_LIMIT_PAYLOADS = 6,
  // CERT payloads of one authentication; 16.
  IKEV2_SCSI_LIMIT_CERTIFICATES = 7,
  // Failed authentications after which a sequence of r3 is abandoned; 3.
  IKEV2_SCSI_LIMIT_AUTH_FAILURES = 8,
  // Jobs that wait; 128.
  IKEV2_SCSI_LIMIT_JOBS = 9,
  // Events that wait; 256.
  IKEV2_SCSI_LIMIT_EVENTS = 10,
} ikev2_scsi_limit;

// What a draw of random bytes is for. A source of production takes no notice of it.
typedef enum ikev2_scsi_purpose {
  // Something that this version has no name for.
  IKEV2_SCSI_PURPOSE_OTHER = 0,
  // IKE_SA DEVICE SERVER SAI.
  IKEV2_SCSI_PURPOSE_DS_SAI = 1,
  // A Diffie-Hellman private value.
  IKEV2_SCSI_PURPOSE_DH_PRIVATE = 2,
  // NONCE DATA.
  IKEV2_SCSI_PURPOSE_NONCE = 3,
  // An INITIALIZATION VECTOR.
  IKEV2_SCSI_PURPOSE_IV = 4,
} ikev2_scsi_purpose;

// Status of a reply.
typedef enum ikev2_scsi_status {
  // GOOD.
  IKEV2_SCSI_STATUS_GOOD = 0,
  // CHECK CONDITION, with sense data.
  IKEV2_SCSI_STATUS_CHECK_CONDITION = 2,
  // Not yet: a job must run first. No SCSI status has this value.
  IKEV2_SCSI_STATUS_HELD = 256,
} ikev2_scsi_status;

// What a job does.
typedef enum ikev2_scsi_job_kind {
  // Something that this version has no name for.
  IKEV2_SCSI_JOB_KIND_OTHER = 0,
  // A Diffie-Hellman exchange.
  IKEV2_SCSI_JOB_KIND_KEY_EXCHANGE = 1,
  // Checks an application client's AUTH.
  IKEV2_SCSI_JOB_KIND_VERIFY = 2,
  // Makes the device server's AUTH.
  IKEV2_SCSI_JOB_KIND_SIGN = 3,
} ikev2_scsi_job_kind;

// What runs out at a deadline.
typedef enum ikev2_scsi_deadline {
  // Something that this version has no name for.
  IKEV2_SCSI_DEADLINE_OTHER = 0,
  // A protocol timeout.
  IKEV2_SCSI_DEADLINE_PROTOCOL = 1,
  // An SA inactivity timeout.
  IKEV2_SCSI_DEADLINE_INACTIVITY = 2,
} ikev2_scsi_deadline;

// What happened.
typedef enum ikev2_scsi_event_kind {
  // Something that this version has no name for; the text tells it.
  IKEV2_SCSI_EVENT_KIND_OTHER = 0,
  // The nexus has read the capabilities.
  IKEV2_SCSI_EVENT_KIND_CAPABILITIES_READ = 1,
  // Changed capabilities have taken effect: of SPC-4, every other nexus is to be told by the unit attention
  // IKEV2_SCSI_SENSE_CAPABILITIES_CHANGED.
  IKEV2_SCSI_EVENT_KIND_CAPABILITIES_CHANGED = 2,
  // A key exchange OUT was accepted; `ac_sai` and `ds_sai` are those that the association will have.
  IKEV2_SCSI_EVENT_KIND_SEQUENCE_STARTED = 3,
  // A command sequence will not be completed; `reason` is an ikev2_scsi_drop_reason.
  IKEV2_SCSI_EVENT_KIND_SEQUENCE_DROPPED = 4,
  // An association has come into being.
  IKEV2_SCSI_EVENT_KIND_SA_CREATED = 5,
  // An association is gone; `reason` is an ikev2_scsi_removal_reason.
  IKEV2_SCSI_EVENT_KIND_SA_REMOVED = 6,
  // An application client has failed to authenticate itself; `reason` is its AUTH METHOD, the text tells who and why.
  IKEV2_SCSI_EVENT_KIND_AUTHENTICATION_FAILED = 7,
  // A command was refused, told with IKEV2_SCSI_POLICY_REPORT_REFUSALS; the text tells why.
  IKEV2_SCSI_EVENT_KIND_REFUSED = 8,
  // A bound was reached; the text tells which.
  IKEV2_SCSI_EVENT_KIND_LIMIT_REACHED = 9,
  // `count` events were lost, since nobody took them.
  IKEV2_SCSI_EVENT_KIND_LOST = 10,
} ikev2_scsi_event_kind;

// Why a command sequence was dropped.
typedef enum ikev2_scsi_drop_reason {
  // Something that this version has no name for.
  IKEV2_SCSI_DROP_REASON_OTHER = 0,
  // The protocol timeout.
  IKEV2_SCSI_DROP_REASON_PROTOCOL_TIMEOUT = 1,
  // Too many failed authentications.
  IKEV2_SCSI_DROP_REASON_AUTHENTICATION_FAILURES = 2,
  // A command was refused in a way that ends the sequence (SPC-4).
  IKEV2_SCSI_DROP_REASON_REFUSED = 3,
  // A Delete (SPC-4).
  IKEV2_SCSI_DROP_REASON_DELETE = 4,
  // I_T nexus loss.
  IKEV2_SCSI_DROP_REASON_NEXUS_LOSS = 5,
  // A reset.
  IKEV2_SCSI_DROP_REASON_RESET = 6,
} ikev2_scsi_drop_reason;

// Why an association is gone.
typedef enum ikev2_scsi_removal_reason {
  // Something that this version has no name for.
  IKEV2_SCSI_REMOVAL_REASON_OTHER = 0,
  // A Delete.
  IKEV2_SCSI_REMOVAL_REASON_DELETE = 1,
  // The inactivity timeout.
  IKEV2_SCSI_REMOVAL_REASON_INACTIVITY = 2,
  // The same client made its Initial Contact.
  IKEV2_SCSI_REMOVAL_REASON_INITIAL_CONTACT = 3,
  // A reset.
  IKEV2_SCSI_REMOVAL_REASON_RESET = 4,
  // ikev2_scsi_server_remove_sa().
  IKEV2_SCSI_REMOVAL_REASON_ADMINISTRATOR = 5,
  // The last sequence number was used (SPC-4).
  IKEV2_SCSI_REMOVAL_REASON_SEQUENCE_NUMBERS = 6,
} ikev2_scsi_removal_reason;

// A parameter of an association that is bytes, for ikev2_scsi_server_sa_bytes(). Those marked so are secret: wipe the copy.
typedef enum ikev2_scsi_sa_bytes {
  // AC_NONCE; empty in SPC-4.
  IKEV2_SCSI_SA_BYTES_AC_NONCE = 0,
  // DS_NONCE; empty in SPC-4.
  IKEV2_SCSI_SA_BYTES_DS_NONCE = 1,
  // The USAGE DATA field.
  IKEV2_SCSI_SA_BYTES_USAGE_DATA = 2,
  // USAGE_DATA as the standard has it: in SPC-4 algorithms before the field.
  IKEV2_SCSI_SA_BYTES_USAGE_DATA_PARAMETER = 3,
  // IDENTIFICATION DATA of the application client; empty without authentication.
  IKEV2_SCSI_SA_BYTES_CLIENT_IDENTITY = 4,
  // KEY_SEED, secret; empty in SPC-4.
  IKEV2_SCSI_SA_BYTES_KEY_SEED = 16,
  // KEYMAT, secret; empty in r3.
  IKEV2_SCSI_SA_BYTES_KEYMAT = 17,
  // SK_ei of MGMT_DATA, secret.
  IKEV2_SCSI_SA_BYTES_SK_EI = 18,
  // SK_ai of MGMT_DATA, secret; empty with a combined mode.
  IKEV2_SCSI_SA_BYTES_SK_AI = 19,
  // SK_er of MGMT_DATA, secret; empty in r3.
  IKEV2_SCSI_SA_BYTES_SK_ER = 20,
  // SK_ar of MGMT_DATA, secret; empty in r3, and with a combined mode.
  IKEV2_SCSI_SA_BYTES_SK_AR = 21,
} ikev2_scsi_sa_bytes;

// Sense data that the embedder of an SPC-4 device server needs elsewhere, for ikev2_scsi_server_sense().
typedef enum ikev2_scsi_sense_code {
  // The unit attention for nexuses that are to read the capabilities anew (SPC-4 5.14.4.5).
  IKEV2_SCSI_SENSE_CODE_CAPABILITIES_CHANGED = 0,
  // For PERSISTENT RESERVE OUT of a nexus with a command sequence (SPC-4 5.13.4).
  IKEV2_SCSI_SENSE_CODE_SA_CREATION_IN_PROGRESS = 1,
} ikev2_scsi_sense_code;

// Whether an ESP-SCSI descriptor tells its length.
typedef enum ikev2_scsi_esp_form {
  // It begins with DESCRIPTOR LENGTH.
  IKEV2_SCSI_ESP_FORM_WITH_LENGTH = 0,
  // Its length is told elsewhere, and the bytes given are exactly the descriptor.
  IKEV2_SCSI_ESP_FORM_WITHOUT_LENGTH = 1,
} ikev2_scsi_esp_form;

// Where an ESP-SCSI descriptor stands.
typedef enum ikev2_scsi_esp_place {
  // In the parameter list.
  IKEV2_SCSI_ESP_PLACE_PARAMETER_LIST = 0,
  // In the CDB.
  IKEV2_SCSI_ESP_PLACE_CDB = 1,
} ikev2_scsi_esp_place;

// A device server to be, opaque.
typedef struct ikev2_scsi_builder ikev2_scsi_builder;

// A piece of slow work, opaque.
typedef struct ikev2_scsi_job ikev2_scsi_job;

// A device server of one logical unit, opaque.
typedef struct ikev2_scsi_server ikev2_scsi_server;

// A random source, in place of the operating system's. It must be fit for keys.
typedef struct ikev2_scsi_random_callbacks {
  // Given to each function.
  void *user;
  // Fills `out`, and returns 0. Another value says that the source has failed: the command is refused as HARDWARE ERROR.
  // `purpose` is an ikev2_scsi_purpose.
  int (*fill)(void *user, uint32_t purpose, uint8_t *out, size_t length);
  // May be NULL. Only for the replay of recorded values: how long the Diffie-Hellman private value is that `fill` will give
  // next, where the group would draw `length` bytes.
  size_t (*dh_private_length)(void *user, size_t length);
  // May be NULL. Called once, when the library has no more use for `user`.
  void (*drop)(void *user);
} ikev2_scsi_random_callbacks;

// A calendar, asked before each command and each result of a job.
typedef struct ikev2_scsi_clock_callbacks {
  // Given to each function.
  void *user;
  // Writes the seconds since 1970-01-01 00:00:00 UTC and returns 0. With another value the time goes on from where it was.
  int (*unix_time)(void *user, uint64_t *seconds);
  // May be NULL. Called once, when the library has no more use for `user`.
  void (*drop)(void *user);
} ikev2_scsi_clock_callbacks;

// Receives every secret of every exchange. Whoever has them can read and forge all that the associations protect: for test
// benches and captures of one's own.
typedef struct ikev2_scsi_key_log_callbacks {
  // Given to each function.
  void *user;
  // One value of the exchange that these SAIs name: `name` is "SK_ei" and so on.
  void (*record)(void *user, uint64_t ac_sai, uint64_t ds_sai, const char *name, const uint8_t *value, size_t length);
  // May be NULL. Called once, when the library has no more use for `user`.
  void (*drop)(void *user);
} ikev2_scsi_key_log_callbacks;

// Shared keys that stay with the caller, perhaps inside an HSM. Only prf(secret, pad) is asked for, never a secret:
// ikev2_scsi_prf() calculates it where the secret is at hand. The functions return 0, or 1 if there is no secret for that
// identity, or another value if the key store has failed.
typedef struct ikev2_scsi_preshared_key_callbacks {
  // Given to each function.
  void *user;
  // Writes prf(the device server's own secret, pad) to `out`; NULL if it has none. `version` is a number that changes when
  // the secret does.
  int (*own)(void *user,
             uint32_t prf,
             const uint8_t *pad,
             size_t pad_length,
             uint8_t *out,
             size_t out_length,
             uint64_t *version);
  // Writes prf(the secret of an application client, pad) to `out`. `id_type` is an ikev2_scsi_id_type.
  int (*peer)(void *user,
              uint32_t id_type,
              const uint8_t *id,
              size_t id_length,
              uint32_t prf,
              const uint8_t *pad,
              size_t pad_length,
              uint8_t *out,
              size_t out_length,
              uint64_t *version);
  // May be NULL. Called once, when the library has no more use for `user`.
  void (*drop)(void *user);
} ikev2_scsi_preshared_key_callbacks;

// Bytes in a row.
typedef struct ikev2_scsi_bytes {
  // The first; may be NULL when there are none.
  const uint8_t *data;
  // How many.
  size_t length;
} ikev2_scsi_bytes;

// A private key that stays with the caller, perhaps inside an HSM. The bytes of the public key are copied.
typedef struct ikev2_scsi_signer_callbacks {
  // Given to each function.
  void *user;
  // An ikev2_scsi_key_kind.
  uint32_t kind;
  // An ikev2_scsi_hash; an ECDSA key has its curve's.
  uint32_t hash;
  // The public key: RSAPublicKey in DER, or the uncompressed point 04h, x, y.
  struct ikev2_scsi_bytes public_key;
  // Bytes of a signature: those of an RSA modulus; of ECDSA those of r and s, each as long as the curve's field.
  size_t signature_length;
  // Signs the parts, one after another, as one message: RSA by PKCS #1 v1.5. Writes `length` bytes of signature and returns 0;
  // another value says that the key cannot be used now, and the command is refused as HARDWARE ERROR.
  int (*sign)(void *user, const struct ikev2_scsi_bytes *parts, size_t count, uint8_t *signature, size_t length);
  // May be NULL. Called once, when the library has no more use for `user`.
  void (*drop)(void *user);
} ikev2_scsi_signer_callbacks;

// Sense data.
typedef struct ikev2_scsi_sense {
  // How many of the bytes there are: 18 in fixed format, 8 or 16 in descriptor format.
  uint32_t length;
  // The bytes; the others are zero.
  uint8_t bytes[32];
} ikev2_scsi_sense;

// The answer to a command.
typedef struct ikev2_scsi_reply {
  // An ikev2_scsi_status.
  uint32_t status;
  // With CHECK CONDITION, else of length zero.
  struct ikev2_scsi_sense sense;
  // With GOOD: so many bytes of the Data-In buffer go to the initiator.
  size_t data_in_length;
  // The I_T nexus of the command.
  uint64_t nexus;
  // With HELD: the number of the job that must run first.
  uint64_t job;
} ikev2_scsi_reply;

// The two indexes that name an association.
typedef struct ikev2_scsi_sa_id {
  // AC_SAI.
  uint64_t ac_sai;
  // DS_SAI.
  uint64_t ds_sai;
} ikev2_scsi_sa_id;

// The parameters of an association that are numbers. Algorithms are ALGORITHM IDENTIFIERs of the dialect.
typedef struct ikev2_scsi_sa {
  // AC_SAI and DS_SAI.
  struct ikev2_scsi_sa_id id;
  // AC_SQN; 0 in r3.
  uint64_t ac_sqn;
  // DS_SQN; 0 in r3.
  uint64_t ds_sqn;
  // TIMEOUT: seconds without use after which the association is removed.
  uint32_t timeout;
  // KDF_ID.
  uint32_t kdf_id;
  // USAGE_TYPE.
  uint16_t usage_type;
  // KEY LENGTH of the encryption algorithm for the association's use, in bytes; 0 in r3.
  uint16_t usage_key_length;
  // The encryption algorithm for the association's use; 0 in r3.
  uint32_t usage_encr;
  // The integrity algorithm for the association's use; 0 in r3.
  uint32_t usage_integ;
  // Of MGMT_DATA: the encryption algorithm.
  uint32_t mgmt_encr;
  // Of MGMT_DATA: the integrity algorithm.
  uint32_t mgmt_integ;
  // Of MGMT_DATA: KEY LENGTH of the encryption algorithm, in bytes.
  uint16_t mgmt_key_length;
  // AUTH METHOD by which the application client has authenticated itself; 0 if it has not.
  uint8_t auth_method;
  // ID TYPE of the application client; 0 if it has not authenticated itself.
  uint8_t id_type;
  // Of MGMT_DATA: the next MESSAGE ID.
  uint32_t next_message_id;
} ikev2_scsi_sa;

// What a command has a descriptor for.
typedef struct ikev2_scsi_esp_command {
  // The values of USAGE_TYPE of associations that may be used, such as 81h for tape data encryption.
  const uint16_t *usage_types;
  // How many there are.
  size_t usage_type_count;
  // An ikev2_scsi_esp_form.
  uint32_t form;
  // An ikev2_scsi_esp_place: where the descriptor stands; of a request for Data-In, where the association is named.
  uint32_t place;
  // The offset of its first byte there.
  size_t offset;
} ikev2_scsi_esp_command;

// What came of a descriptor.
typedef struct ikev2_scsi_esp_answer {
  // GOOD, or CHECK CONDITION: the command is to be ended with the sense data.
  uint32_t status;
  // With CHECK CONDITION.
  struct ikev2_scsi_sense sense;
  // With GOOD: the association.
  struct ikev2_scsi_sa_id id;
  // With GOOD: bytes of the data that were written, or of the descriptor that was.
  size_t length;
  // With GOOD, of a descriptor that was opened: its bytes; what stands behind it was not looked at.
  size_t descriptor_length;
  // 1 when the last sequence number was used, and the association is gone; else 0.
  int sa_removed;
} ikev2_scsi_esp_answer;

// Something that happened.
typedef struct ikev2_scsi_event {
  // An ikev2_scsi_event_kind.
  uint32_t kind;
  // What the kind says it is; else 0.
  uint32_t reason;
  // When, in milliseconds on the clock of `now`.
  uint64_t at;
  // 1 if an I_T nexus caused it, else 0.
  int has_nexus;
  // That nexus.
  uint64_t nexus;
  // AC_SAI of the association, else 0.
  uint64_t ac_sai;
  // DS_SAI of the association, else 0.
  uint64_t ds_sai;
  // What the kind says it is; else 0.
  uint64_t count;
  // Bytes of the text, its NUL not counted: more than fit when it was cut off.
  size_t text_length;
} ikev2_scsi_event;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What was wrong with the last call of this thread that failed, as a line of text; empty if none has. It is valid until
// another call of this thread fails, or the thread ends. Never NULL.
const char *ikev2_scsi_error(void);

// What a code means, for a number that may be an ikev2_scsi_result. Never NULL, valid for ever.
const char *ikev2_scsi_result_text(uint32_t code);

// The version of the library, such as "0.1.0". Never NULL, valid for ever.
const char *ikev2_scsi_version(void);

// How many builders, device servers and jobs there are that have not been freed: zero before the end of a program that
// frees what it makes.
size_t ikev2_scsi_open_handles(void);

// Begins a device server with nothing decided: an ikev2_scsi_dialect, no identity, no keys.
enum ikev2_scsi_result ikev2_scsi_builder_new(uint32_t dialect, struct ikev2_scsi_builder **builder);

// Begins a device server with a provisioning file: JSON if its name ends in ".json", else TOML. The documentation of
// ikev2-scsi-provisioning describes the members.
enum ikev2_scsi_result ikev2_scsi_builder_from_file(const char *path, struct ikev2_scsi_builder **builder);

// Begins a device server with a provisioning in TOML: `length` bytes of UTF-8. The files that it names are relative to
// `directory`, NULL for the working directory.
enum ikev2_scsi_result ikev2_scsi_builder_from_toml(const char *text,
                                                    size_t length,
                                                    const char *directory,
                                                    struct ikev2_scsi_builder **builder);

// The same in JSON.
enum ikev2_scsi_result ikev2_scsi_builder_from_json(const char *text,
                                                    size_t length,
                                                    const char *directory,
                                                    struct ikev2_scsi_builder **builder);

// Who the device server is. `id_type` is an ikev2_scsi_id_type.
enum ikev2_scsi_result ikev2_scsi_builder_identity(struct ikev2_scsi_builder *builder,
                                                   uint32_t id_type,
                                                   const uint8_t *id,
                                                   size_t id_length);

// A random source in place of the operating system's. The structure is copied.
enum ikev2_scsi_result ikev2_scsi_builder_random(struct ikev2_scsi_builder *builder,
                                                 const struct ikev2_scsi_random_callbacks *callbacks);

// A calendar, against which certificates are checked. Without one, ikev2_scsi_server_set_unix_time() tells the time; until it
// is told, certificates are refused. The structure is copied.
enum ikev2_scsi_result ikev2_scsi_builder_clock(struct ikev2_scsi_builder *builder,
                                                const struct ikev2_scsi_clock_callbacks *callbacks);

// Dangerous: records every secret of every exchange, for test benches and captures of one's own. The structure is copied.
enum ikev2_scsi_result ikev2_scsi_builder_key_log(struct ikev2_scsi_builder *builder,
                                                  const struct ikev2_scsi_key_log_callbacks *callbacks);

// Makes the device server. The builder is used up, whatever the answer is, but for BUSY, INVALID_HANDLE and NULL_POINTER.
enum ikev2_scsi_result ikev2_scsi_builder_build(struct ikev2_scsi_builder *builder,
                                                struct ikev2_scsi_server **server);

// Frees a builder that was not built. NULL is allowed.
enum ikev2_scsi_result ikev2_scsi_builder_free(struct ikev2_scsi_builder *builder);

// The shared key by which the device server authenticates itself, one byte at least. Shared keys that are given by calls take
// the place of all those of a configuration. The bytes are copied, and the copy is wiped when it goes.
enum ikev2_scsi_result ikev2_scsi_builder_own_preshared_key(struct ikev2_scsi_builder *builder,
                                                            const uint8_t *key,
                                                            size_t key_length);

// The shared key of an application client, another one for each.
enum ikev2_scsi_result ikev2_scsi_builder_peer_preshared_key(struct ikev2_scsi_builder *builder,
                                                             uint32_t id_type,
                                                             const uint8_t *id,
                                                             size_t id_length,
                                                             const uint8_t *key,
                                                             size_t key_length);

// Shared keys that stay with the caller, in place of all others. The structure is copied.
enum ikev2_scsi_result ikev2_scsi_builder_preshared_keys(struct ikev2_scsi_builder *builder,
                                                         const struct ikev2_scsi_preshared_key_callbacks *callbacks);

// Adds a private key that stays with the caller, and its certificates in DER, its own first. `shows` is an ikev2_scsi_shows:
// what is sent of them. The structure is copied.
enum ikev2_scsi_result ikev2_scsi_builder_signer(struct ikev2_scsi_builder *builder,
                                                 const struct ikev2_scsi_signer_callbacks *callbacks,
                                                 const struct ikev2_scsi_bytes *certificates,
                                                 size_t count,
                                                 uint32_t shows);

// Adds a private key, PKCS#8 in DER: RSA, P-256, P-384 or P-521; otherwise as ikev2_scsi_builder_signer(). `hash` is an
// ikev2_scsi_hash. The key is copied, and the copy is wiped when it goes.
enum ikev2_scsi_result ikev2_scsi_builder_private_key(struct ikev2_scsi_builder *builder,
                                                      const uint8_t *key,
                                                      size_t key_length,
                                                      uint32_t hash,
                                                      const struct ikev2_scsi_bytes *certificates,
                                                      size_t count,
                                                      uint32_t shows);

// Adds the public key, a SubjectPublicKeyInfo in DER, with which an application client signs. Public keys and trust anchors
// that are given by calls take the place of all those of a configuration.
enum ikev2_scsi_result ikev2_scsi_builder_peer_public_key(struct ikev2_scsi_builder *builder,
                                                          uint32_t id_type,
                                                          const uint8_t *id,
                                                          size_t id_length,
                                                          const uint8_t *key,
                                                          size_t key_length);

// Adds a trust anchor, a certificate in DER: application clients may authenticate themselves by certificates under it.
enum ikev2_scsi_result ikev2_scsi_builder_trust_anchor(struct ikev2_scsi_builder *builder,
                                                       const uint8_t *certificate,
                                                       size_t length);

// Adds a certificate revocation list in DER. It is read when the device server is made.
enum ikev2_scsi_result ikev2_scsi_builder_revocation_list(struct ikev2_scsi_builder *builder,
                                                          const uint8_t *list,
                                                          size_t length);

// Decides one thing: `what` is an ikev2_scsi_policy, which says what `value` may be. IDENTITY_MATCH and REVOCATION are about
// the trust anchors that are given by calls.
enum ikev2_scsi_result ikev2_scsi_builder_policy(struct ikev2_scsi_builder *builder,
                                                 uint32_t what,
                                                 uint64_t value);

// Sets a bound: `what` is an ikev2_scsi_limit.
enum ikev2_scsi_result ikev2_scsi_builder_limit(struct ikev2_scsi_builder *builder, uint32_t what, uint64_t value);

// Adds a use of associations that is accepted: SECURITY ASSOCIATION TYPE, in SPC-4 SA TYPE, and most bytes of USAGE DATA. The
// first one takes the place of those that there were: tape data encryption (81h), or what a configuration says.
enum ikev2_scsi_result ikev2_scsi_builder_usage_type(struct ikev2_scsi_builder *builder,
                                                     uint16_t code,
                                                     size_t max_data);

// Hides an algorithm of an ikev2_scsi_algorithm_type, by its ALGORITHM IDENTIFIER in r3 Tables K2 to K6, with all its key
// lengths.
enum ikev2_scsi_result ikev2_scsi_builder_hide(struct ikev2_scsi_builder *builder,
                                               uint32_t algorithm_type,
                                               uint32_t identifier);

// Adds an ikev2_scsi_hash that is accepted in RSA signatures of application clients. The first one takes the place of those
// that there were: SHA-1, or what a configuration says.
enum ikev2_scsi_result ikev2_scsi_builder_rsa_hash(struct ikev2_scsi_builder *builder,
                                                   uint32_t hash);

// Adds a SECURITY PROTOCOL that the embedder serves itself, such as 20h, to the supported list.
enum ikev2_scsi_result ikev2_scsi_builder_other_protocol(struct ikev2_scsi_builder *builder, uint8_t protocol);

// Reports exactly these capabilities, `count` cryptographic algorithm descriptors of 12 bytes each. For test benches.
enum ikev2_scsi_result ikev2_scsi_builder_fixed_capabilities(struct ikev2_scsi_builder *builder,
                                                             const uint8_t *descriptors,
                                                             size_t count);

// Processes one SECURITY PROTOCOL IN (A2h) or OUT (B5h) command of an I_T nexus, which may have any number that no other
// nexus has. `now` is the time in milliseconds on a clock that does not go back.
//
// Data-Out is not changed; both buffers may be the same. An answer that is longer than the Data-In buffer is truncated, as
// ALLOCATION LENGTH would: 16 384 bytes hold every answer unless limits were raised. A command that is refused is an answer
// as well: the result is then OK, and `reply` has CHECK CONDITION.
enum ikev2_scsi_result ikev2_scsi_server_execute(struct ikev2_scsi_server *server,
                                                 uint64_t nexus,
                                                 const uint8_t *cdb,
                                                 size_t cdb_length,
                                                 const uint8_t *data_out,
                                                 size_t data_out_length,
                                                 uint8_t *data_in,
                                                 size_t data_in_length,
                                                 uint64_t now,
                                                 struct ikev2_scsi_reply *reply);

// The sense data that REQUEST SENSE of a nexus returns: progress while a calculation runs for it, else NO SENSE. In SPC-4 it
// restarts the protocol timeout.
enum ikev2_scsi_result ikev2_scsi_server_request_sense(struct ikev2_scsi_server *server,
                                                       uint64_t nexus,
                                                       uint64_t now,
                                                       struct ikev2_scsi_sense *sense);

// Sense data that the embedder of an SPC-4 device server needs elsewhere; `what` is an ikev2_scsi_sense_code.
enum ikev2_scsi_result ikev2_scsi_server_sense(struct ikev2_scsi_server *server,
                                               uint32_t what,
                                               struct ikev2_scsi_sense *sense);

// Whether sense data has descriptor format from now on: the mode page's D_SENSE. Zero for no.
enum ikev2_scsi_result ikev2_scsi_server_descriptor_sense(struct ikev2_scsi_server *server, int is_descriptor);

// Writes 1 if the nexus has a command sequence under way, else 0: an SPC-4 device server then answers PERSISTENT RESERVE OUT of
// the nexus with IKEV2_SCSI_SENSE_SA_CREATION_IN_PROGRESS.
enum ikev2_scsi_result ikev2_scsi_server_sequence_in_progress(struct ikev2_scsi_server *server,
                                                              uint64_t nexus,
                                                              uint64_t now,
                                                              int *in_progress);

// When something runs out next, on the clock of `now`; NONE if nothing does. `reason`, which may be NULL, gets an
// ikev2_scsi_deadline.
enum ikev2_scsi_result ikev2_scsi_server_next_deadline(struct ikev2_scsi_server *server,
                                                       uint64_t *at,
                                                       uint32_t *reason);

// Drops what has run out by `now`. Every other call with a time does so too.
enum ikev2_scsi_result ikev2_scsi_server_expire(struct ikev2_scsi_server *server, uint64_t now);

// I_T nexus loss: the sequence of the nexus is dropped, associations stay. To be told before the number is used again.
enum ikev2_scsi_result ikev2_scsi_server_nexus_lost(struct ikev2_scsi_server *server, uint64_t nexus);

// Logical unit reset, hard reset or power on: all sequences and associations are dropped.
enum ikev2_scsi_result ikev2_scsi_server_reset(struct ikev2_scsi_server *server);

// Tells the calendar's time, in seconds since 1970-01-01 00:00:00 UTC. It goes on with `now`.
enum ikev2_scsi_result ikev2_scsi_server_set_unix_time(struct ikev2_scsi_server *server,
                                                       uint64_t seconds,
                                                       uint64_t now);

// Reports other capabilities from now on, `count` descriptors of 12 bytes each. Where they cannot be, nothing is changed.
enum ikev2_scsi_result ikev2_scsi_server_set_capabilities(struct ikev2_scsi_server *server,
                                                          const uint8_t *descriptors,
                                                          size_t count);

// Frees a device server; its secrets are wiped. NULL is allowed. Where a callback frees its own device server, that goes when
// the call ends.
enum ikev2_scsi_result ikev2_scsi_server_free(struct ikev2_scsi_server *server);

// Looks an association up; NONE if it is not live. This does not count as a use of it: ikev2_scsi_server_touch_sa() does.
enum ikev2_scsi_result ikev2_scsi_server_sa(struct ikev2_scsi_server *server,
                                            struct ikev2_scsi_sa_id id,
                                            uint64_t now,
                                            struct ikev2_scsi_sa *sa);

// Copies one parameter of an association that is bytes: `what` is an ikev2_scsi_sa_bytes. `length` gets how many there are;
// where `size` is less, nothing is copied, and the result is BUFFER_TOO_SMALL. Keys leave the library here and nowhere
// else (but by a key log): wipe the copy.
enum ikev2_scsi_result ikev2_scsi_server_sa_bytes(struct ikev2_scsi_server *server,
                                                  struct ikev2_scsi_sa_id id,
                                                  uint64_t now,
                                                  uint32_t what,
                                                  uint8_t *buffer,
                                                  size_t size,
                                                  size_t *length);

// Restarts the inactivity timer of an association that a command uses; NONE if it is not live, and must not be used.
enum ikev2_scsi_result ikev2_scsi_server_touch_sa(struct ikev2_scsi_server *server,
                                                  struct ikev2_scsi_sa_id id,
                                                  uint64_t now);

// Removes an association; NONE if it is not live.
enum ikev2_scsi_result ikev2_scsi_server_remove_sa(struct ikev2_scsi_server *server, struct ikev2_scsi_sa_id id);

// Lists the live associations, in no particular order. `count` gets how many there are; where `capacity` is less, so many are
// written, and the result is BUFFER_TOO_SMALL. `ids` may be NULL with a capacity of 0.
enum ikev2_scsi_result ikev2_scsi_server_list_sas(struct ikev2_scsi_server *server,
                                                  uint64_t now,
                                                  struct ikev2_scsi_sa_id *ids,
                                                  size_t capacity,
                                                  size_t *count);

// Opens the descriptor for Data-Out or in a CDB that `descriptor` begins with, and writes its data to `data`, which must have room for
// `length` bytes: BUFFER_TOO_SMALL otherwise, and nothing has happened. The association keeps the sequence number, and its
// inactivity timer begins anew; a descriptor that was opened is used up. Check the rest of the command first.
enum ikev2_scsi_result ikev2_scsi_server_open_data_out(struct ikev2_scsi_server *server,
                                                       const uint8_t *descriptor,
                                                       size_t length,
                                                       const struct ikev2_scsi_esp_command *command,
                                                       uint64_t now,
                                                       uint8_t *data,
                                                       size_t data_size,
                                                       struct ikev2_scsi_esp_answer *answer);

// Builds a descriptor for Data-In under the association that a command names by both SAIs, with its next sequence number.
// `descriptor` must have room for 128 bytes more than `data` has: BUFFER_TOO_SMALL otherwise, and nothing has happened. Call it
// when all else about the command is certain: a descriptor that is not sent has used up its number.
enum ikev2_scsi_result ikev2_scsi_server_build_data_in(struct ikev2_scsi_server *server,
                                                       struct ikev2_scsi_sa_id id,
                                                       const uint8_t *data,
                                                       size_t length,
                                                       const struct ikev2_scsi_esp_command *command,
                                                       uint64_t now,
                                                       uint8_t *descriptor,
                                                       size_t descriptor_size,
                                                       struct ikev2_scsi_esp_answer *answer);

// The next thing that happened, oldest first; NONE if there is none. `text`, which may be NULL with a size of 0, gets it as one
// line that ends with NUL, cut off where it does not fit. No event has a secret in it.
enum ikev2_scsi_result ikev2_scsi_server_poll_event(struct ikev2_scsi_server *server,
                                                    struct ikev2_scsi_event *event,
                                                    char *text,
                                                    size_t text_size);

// The next job, with IKEV2_SCSI_POLICY_OFFLOAD; NONE if none waits. It belongs to the caller, who runs it and gives it back by
// ikev2_scsi_server_complete().
enum ikev2_scsi_result ikev2_scsi_server_poll_job(struct ikev2_scsi_server *server,
                                                  struct ikev2_scsi_job **job);

// What a job does: an ikev2_scsi_job_kind, and its number, as in the reply of the command that it holds. Both may be NULL.
enum ikev2_scsi_result ikev2_scsi_job_info(struct ikev2_scsi_job *job,
                                           uint32_t *kind,
                                           uint64_t *number);

// Runs a job: on any thread, while its device server does other work or is gone. It takes milliseconds, and may call the
// callbacks for shared keys, signatures and the key log on that thread.
enum ikev2_scsi_result ikev2_scsi_job_run(struct ikev2_scsi_job *job);

// The job cannot be run: its command will be refused as HARDWARE ERROR, and may be sent again.
enum ikev2_scsi_result ikev2_scsi_job_fail(struct ikev2_scsi_job *job);

// Frees a job that is not given back: the command that it holds is then never answered, and its sequence goes at the protocol
// timeout. NULL is allowed.
enum ikev2_scsi_result ikev2_scsi_job_free(struct ikev2_scsi_job *job);

// Takes a job that was run or failed, frees it, and answers the command that was held for it: OK, with the command's nexus in
// `reply`. NONE when no command waits: that of a key exchange has been answered, and one of a lost nexus has nobody to be
// answered. A job that was not run is an INVALID_ARGUMENT and stays.
enum ikev2_scsi_result ikev2_scsi_server_complete(struct ikev2_scsi_server *server,
                                                  struct ikev2_scsi_job *job,
                                                  uint8_t *data_in,
                                                  size_t data_in_length,
                                                  uint64_t now,
                                                  struct ikev2_scsi_reply *reply);

// Writes prf(key, data) to `out`: what ikev2_scsi_preshared_key_callbacks ask for, where the secret is at hand. `prf` is the
// number that the callback was given, and `out_length` is that function's length of output.
enum ikev2_scsi_result ikev2_scsi_prf(uint32_t prf,
                                      const uint8_t *key,
                                      size_t key_length,
                                      const uint8_t *data,
                                      size_t data_length,
                                      uint8_t *out,
                                      size_t out_length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* IKEV2_SCSI_H */
