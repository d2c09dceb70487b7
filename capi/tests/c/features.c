/* What the builder decides shows in the answers. Numbers are those of r3, and of SPC-4's sense codes. */
#include <ikev2_scsi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                                     \
    do {                                                                                                                     \
        if (!(condition)) {                                                                                                  \
            fprintf(stderr, "%s:%d: %s: failed, last error: %s\n", __FILE__, __LINE__, #condition, ikev2_scsi_error());       \
            exit(1);                                                                                                         \
        }                                                                                                                    \
        checks++;                                                                                                            \
    } while (0)

static unsigned checks;
static uint8_t in[4096];
static ikev2_scsi_reply reply;

static ikev2_scsi_builder *begin(uint32_t dialect) {
    ikev2_scsi_builder *builder = NULL;
    CHECK(ikev2_scsi_builder_new(dialect, &builder) == 0);
    CHECK(ikev2_scsi_builder_identity(builder, IKEV2_SCSI_ID_TYPE_KEY_ID, (const uint8_t *)"drive-9", 7) == 0);
    CHECK(ikev2_scsi_builder_own_preshared_key(builder, (const uint8_t *)"key", 3) == 0);
    CHECK(ikev2_scsi_builder_peer_preshared_key(builder, IKEV2_SCSI_ID_TYPE_KEY_ID, (const uint8_t *)"host-1", 6,
                                                (const uint8_t *)"other", 5) == 0);
    CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_WAIVE_COMPLETE_ROW, 1) == 0);
    return builder;
}

static ikev2_scsi_server *finish(ikev2_scsi_builder *builder) {
    ikev2_scsi_server *server = NULL;
    CHECK(ikev2_scsi_builder_build(builder, &server) == 0);
    return server;
}

/* SECURITY PROTOCOL IN. */
static size_t ask(ikev2_scsi_server *server, uint8_t protocol, uint16_t specific) {
    const uint8_t cdb[12] = {0xA2, protocol, (uint8_t)(specific >> 8), (uint8_t)specific, 0, 0, 0, 0, 0x10, 0, 0, 0};
    CHECK(ikev2_scsi_server_execute(server, 1, cdb, 12, NULL, 0, in, sizeof in, 0, &reply) == 0);
    return reply.data_in_length;
}

/* A key exchange OUT whose header is all zeros but for its length. */
static void send_zeros(ikev2_scsi_server *server) {
    const uint8_t cdb[12] = {0xB5, 0x41, 0x01, 0x02, 0, 0, 0, 0, 0, 28, 0, 0};
    uint8_t list[28] = {0};
    list[27] = 28;
    CHECK(ikev2_scsi_server_execute(server, 1, cdb, 12, list, sizeof list, NULL, 0, 0, &reply) == 0);
    CHECK(reply.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
}

static unsigned count_events(ikev2_scsi_server *server, uint32_t kind, uint64_t *last_count) {
    ikev2_scsi_event event;
    char text[512];
    unsigned count = 0;
    while (ikev2_scsi_server_poll_event(server, &event, text, sizeof text) == IKEV2_SCSI_RESULT_OK) {
        count += event.kind == kind;
        if (event.kind == kind) *last_count = event.count;
    }
    return count;
}

static void capabilities(void) {
    /* 9 ciphers with their key lengths, 5 PRFs, 6 kinds of integrity, 8 groups, the shared key: 12 bytes each after 12. */
    ikev2_scsi_server *server = finish(begin(IKEV2_SCSI_DIALECT_R3));
    CHECK(ask(server, 0x40, 0x0101) == 12 + 29 * 12);
    /* Exactly these, of which one byte is wrong, and then none. */
    uint8_t all[29 * 12];
    memcpy(all, in + 12, sizeof all);
    CHECK(ikev2_scsi_server_set_capabilities(server, all + 12, 28) == 0 && ask(server, 0x40, 0x0101) == 12 + 28 * 12);
    CHECK(memcmp(in + 12, all + 12, 28 * 12) == 0);
    all[1] = 1;
    CHECK(ikev2_scsi_server_set_capabilities(server, all, 29) == IKEV2_SCSI_RESULT_INVALID_ARGUMENT);
    CHECK(ask(server, 0x40, 0x0101) == 12 + 28 * 12);
    CHECK(ikev2_scsi_server_free(server) == 0);

    /* AES-CBC with both key lengths is hidden, 3DES and no authentication are shown, for both sides. */
    ikev2_scsi_builder *builder = begin(IKEV2_SCSI_DIALECT_R3);
    CHECK(ikev2_scsi_builder_hide(builder, IKEV2_SCSI_ALGORITHM_TYPE_ENCRYPTION, 0x0C) == 0);
    CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_ALLOW_TRIPLE_DES, 1) == 0);
    CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_ALLOW_NO_AUTHENTICATION, 1) == 0);
    CHECK(ikev2_scsi_builder_other_protocol(builder, 0x20) == 0);
    server = finish(builder);
    CHECK(ask(server, 0x40, 0x0101) == 12 + (29 - 2 + 2) * 12);
    CHECK(ask(server, 0x00, 0x0000) == 12 && in[7] == 4 && memcmp(in + 8, "\x00\x20\x40\x41", 4) == 0);
    CHECK(ikev2_scsi_server_free(server) == 0);
}

static void sense(void) {
    ikev2_scsi_sense sense;
    ikev2_scsi_server *server = finish(begin(IKEV2_SCSI_DIALECT_SPC4));
    CHECK(ikev2_scsi_server_sense(server, IKEV2_SCSI_SENSE_CODE_CAPABILITIES_CHANGED, &sense) == 0);
    CHECK(sense.bytes[0] == 0x70 && sense.bytes[2] == 0x6 && sense.bytes[12] == 0x2A && sense.bytes[13] == 0x14);
    CHECK(ikev2_scsi_server_sense(server, IKEV2_SCSI_SENSE_CODE_SA_CREATION_IN_PROGRESS, &sense) == 0);
    CHECK(sense.bytes[2] == 0x2 && sense.bytes[12] == 0x04 && sense.bytes[13] == 0x13);
    CHECK(ikev2_scsi_server_request_sense(server, 1, 0, &sense) == 0 && sense.bytes[2] == 0 && sense.bytes[12] == 0);
    CHECK(ikev2_scsi_server_free(server) == 0);

    /* r3's own code for a wrong parameter, and the one that was assigned; fixed, and with descriptors. */
    server = finish(begin(IKEV2_SCSI_DIALECT_R3));
    send_zeros(server);
    CHECK(reply.sense.length == 18 && reply.sense.bytes[12] == 0x74 && reply.sense.bytes[13] == 0x30);
    uint64_t count = 0;
    CHECK(count_events(server, IKEV2_SCSI_EVENT_KIND_REFUSED, &count) == 0);
    CHECK(ikev2_scsi_server_free(server) == 0);
    ikev2_scsi_builder *builder = begin(IKEV2_SCSI_DIALECT_R3);
    CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_ASSIGNED_SENSE_CODES, 1) == 0);
    CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_DESCRIPTOR_SENSE, 1) == 0);
    CHECK(ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_REPORT_REFUSALS, 1) == 0);
    server = finish(builder);
    send_zeros(server);
    CHECK(reply.sense.length == 16 && reply.sense.bytes[0] == 0x72 && reply.sense.bytes[1] == 0x5);
    CHECK(reply.sense.bytes[2] == 0x74 && reply.sense.bytes[3] == 0x10);
    CHECK(count_events(server, IKEV2_SCSI_EVENT_KIND_REFUSED, &count) == 1);
    CHECK(ikev2_scsi_server_free(server) == 0);
}

static void bounds(void) {
    uint64_t count = 0, at = 0;
    ikev2_scsi_builder *builder = begin(IKEV2_SCSI_DIALECT_R3);
    CHECK(ikev2_scsi_builder_limit(builder, IKEV2_SCSI_LIMIT_EVENTS, 2) == 0);
    ikev2_scsi_server *server = finish(builder);
    for (int i = 0; i < 5; i++) ask(server, 0x40, 0x0101);
    CHECK(count_events(server, IKEV2_SCSI_EVENT_KIND_LOST, &count) == 1 && count == 3);
    CHECK(ikev2_scsi_server_next_deadline(server, &at, NULL) == IKEV2_SCSI_RESULT_NONE);
    CHECK(ikev2_scsi_server_free(server) == 0);
}

int main(void) {
    capabilities();
    sense();
    bounds();
    CHECK(ikev2_scsi_open_handles() == 0);
    printf("%u checks of what the builder decides\n", checks);
    return 0;
}
