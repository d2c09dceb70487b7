// The header is C++ as well: a program that includes it twice, names its types and calls it.
#include <ikev2_scsi.h>
#include <ikev2_scsi.h>

#include <cstdio>
#include <cstring>

static int fill(void *user, uint32_t, uint8_t *, size_t) { return user == nullptr ? 1 : 0; }

int main() {
    ikev2_scsi_builder *builder = nullptr;
    ikev2_scsi_server *server = nullptr;
    const ikev2_scsi_random_callbacks random = {nullptr, fill, nullptr, nullptr};
    const char *name = "drive-9";
    if (ikev2_scsi_builder_new(IKEV2_SCSI_DIALECT_R3, &builder) != IKEV2_SCSI_RESULT_OK) return 1;
    const auto *bytes = reinterpret_cast<const uint8_t *>(name);
    if (ikev2_scsi_builder_identity(builder, IKEV2_SCSI_ID_TYPE_KEY_ID, bytes, std::strlen(name)) != 0) return 2;
    if (ikev2_scsi_builder_own_preshared_key(builder, bytes, std::strlen(name)) != 0) return 3;
    if (ikev2_scsi_builder_random(builder, &random) != 0) return 4;
    if (ikev2_scsi_builder_build(builder, &server) != IKEV2_SCSI_RESULT_OK) return 5;
    if (ikev2_scsi_server_free(server) != IKEV2_SCSI_RESULT_OK) return 6;
    std::printf("C++ with version %s\n", ikev2_scsi_version());
    return ikev2_scsi_open_handles() == 0 ? 0 : 7;
}
