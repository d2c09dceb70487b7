/* The layouts that ffi.rs declares, compared with libiscsi's headers when this is compiled. */
#include <stddef.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#define AT(member, offset) _Static_assert(offsetof(struct scsi_task, member) == (offset), #member)

AT(status, 0);
AT(cdb_size, 4);
AT(xfer_dir, 8);
AT(expxferlen, 12);
AT(cdb, 16);
AT(residual_status, 32);
AT(residual, 40);
AT(sense, 48);
AT(datain.size, 64);
AT(datain.data, 72);
_Static_assert(sizeof(struct scsi_sense) == 16, "scsi_sense");
_Static_assert(SCSI_RESIDUAL_UNDERFLOW == 1 && SCSI_XFER_READ == 1 && SCSI_XFER_WRITE == 2, "enums");
_Static_assert(ISCSI_SESSION_NORMAL == 2 && ISCSI_HEADER_DIGEST_CRC32C == 3, "enums");
_Static_assert(SCSI_STATUS_GOOD == 0 && SCSI_STATUS_REDIRECT == 0x101, "enums");
_Static_assert(offsetof(struct iscsi_data, size) == 0 && offsetof(struct iscsi_data, data) == 8, "iscsi_data");
